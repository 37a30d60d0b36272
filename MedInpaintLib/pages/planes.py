"""Planes through an image: which there are, how each is turned for the eye, and which part of it is shown.

Volumes that tell how they lie in the patient are turned as in radiology: the patient's left is at the right, anterior
and superior are up. Other images are shown as they are stored, without letters.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from ..mask import Box
from ..volume import Volume

#: Letters at the top, right, bottom and left of a picture.
Letters = tuple[str, str, str, str]

#: Name -> the LPS axes across, downwards and rightwards; whether those grow downwards and rightwards; the letters.
_ANATOMICAL: dict[str, tuple[tuple[int, int, int], tuple[bool, bool], Letters]] = {
    "axial": ((2, 1, 0), (True, True), ("A", "L", "P", "R")),
    "coronal": ((1, 2, 0), (False, True), ("S", "L", "I", "R")),
    "sagittal": ((0, 2, 1), (False, True), ("S", "P", "I", "A")),
}
_AXES = "kji"
#: Cosine between a voxel axis and an anatomical one below which slices are called oblique: 15 degrees.
OBLIQUE = 0.966


@dataclasses.dataclass(frozen=True)
class Plane:
    """One way to cut an image.

    Attributes:
        name: such as ``"axial"``; empty for the only plane of a flat image.
        across: the array's axis that a cut is at one index of; None for 2-D arrays.
        down, right: the array's axes that run downwards and rightwards in the picture.
        flips: whether these two are reversed.
        letters: of the directions in the patient, or None where the image does not tell them.
    """

    name: str
    across: int | None
    down: int
    right: int
    flips: tuple[bool, bool] = (False, False)
    letters: Letters | None = None

    def turned(self, section: np.ndarray) -> np.ndarray:
        """Return a section of the image, one voxel long across, as a picture."""
        picture = section if self.across is None else section.squeeze(self.across)
        if self.down > self.right:
            picture = picture.T
        return picture[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)]

    def section(self, box: Box, index: Sequence[int]) -> Box:
        """Return the section of a box through a voxel, as a box."""
        return tuple(slice(at, at + 1) if axis == self.across else box[axis] for axis, at in enumerate(index))

    def place(self, inner: Box, outer: Box) -> tuple[float, float, float, float]:
        """Return where a box lies in the picture of a larger one: left, top, width and height, as shares of it."""
        (top, tall), (left, wide) = (self._share(number, inner, outer) for number in (0, 1))
        return left, top, wide, tall

    def _share(self, number: int, inner: Box, outer: Box) -> tuple[float, float]:
        axis = (self.down, self.right)[number]
        small, large = inner[axis], outer[axis]
        before = large.stop - small.stop if self.flips[number] else small.start - large.start
        size = large.stop - large.start
        return before / size, (small.stop - small.start) / size


def planes_of(image: Volume) -> tuple[Plane, ...]:
    """Return the planes in which an image has more than a line, the finest grid first where one is finer.

    >>> [plane.name for plane in planes_of(Volume(np.zeros((4, 4, 4)), 1.0, origin=(1, 0, 0)))]
    ['axial', 'coronal', 'sagittal']
    """
    if image.array.ndim == 2:
        return (Plane("", None, 0, 1),)
    planes = _anatomical(image) if image.has_position else _as_stored()
    seen = [plane for plane in planes if image.array.shape[plane.down] > 1 and image.array.shape[plane.right] > 1]
    # The thickest voxels lie across the plane in which the image was taken.
    return tuple(sorted(seen, key=lambda plane: -round(_thickness(image, plane), 3)))


def is_oblique(image: Volume) -> bool:
    """Return whether the letters of a volume are only those of the nearest directions."""
    return image.array.ndim == 3 and bool(np.abs(_directions(image)).max(axis=0).min() < OBLIQUE)


def around(box: Box, image: Volume) -> Box:
    """Return the box to show for a part: as many mm along each axis, and as much around the part as it is long.

    Args:
        box: of the part.
        image: whose border it is cut off at; where the part is near it, the box is moved, not cut.
    """
    spacing, shape = image.spacing, image.array.shape
    extent = max((side.stop - side.start) * mm for side, mm in zip(box, spacing, strict=True))
    side_mm = max(2.0 * extent, 40 * min(spacing))
    sides = []
    for side, mm, size in zip(box, spacing, shape, strict=True):
        length = min(size, max(side.stop - side.start, round(side_mm / mm)))
        start = min(max((side.start + side.stop - length) // 2, 0), size - length)
        sides.append(slice(start, start + length))
    return tuple(sides)


def _thickness(image: Volume, plane: Plane) -> float:
    assert plane.across is not None
    return float(image.spacing[plane.across])


def _as_stored() -> list[Plane]:
    pairs = ((0, (1, 2)), (1, (0, 2)), (2, (0, 1)))
    return [Plane(f"across {_AXES[across]}", across, down, right) for across, (down, right) in pairs]


def _anatomical(image: Volume) -> list[Plane]:
    directions = _directions(image)
    axes = _axes(directions)  # LPS axis -> array's axis
    planes = []
    for name, (lps, grows, letters) in _ANATOMICAL.items():
        across, down, right = (axes[each] for each in lps)
        flips = tuple(
            bool((directions[each, axes[each]] > 0) != forward) for each, forward in zip(lps[1:], grows, strict=True)
        )
        planes.append(Plane(name, across, down, right, (flips[0], flips[1]), letters))
    return planes


def _directions(image: Volume) -> np.ndarray:
    """Return the directions of the array's axes in LPS, one column each."""
    return np.reshape(image.direction, (3, 3))[:, ::-1]


def _axes(directions: np.ndarray) -> Sequence[int]:
    """Return the array's axis that runs most along each LPS axis, no axis twice."""
    return max(
        itertools.permutations(range(3)), key=lambda axes: sum(abs(directions[lps, axes[lps]]) for lps in range(3))
    )
