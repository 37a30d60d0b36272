"""Lesions of real shapes in healthy brains: in white matter, or beside the ventricles."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy import ndimage

from MedInpaintLib.holes.grid import Grid
from MedInpaintLib.holes.length import Length
from MedInpaintLib.holes.lesions import Lesions

from .segmentation import CSF, GREY, WHITE, Tissues

#: mm, diameters of the balls that have the volumes of the lesions.
SMALLEST, LARGEST = 4.0, 12.0
#: Share of a lesion's voxels that are white matter; the rest touches other tissue, as in MS.
IN_WHITE = 0.9
#: mm from a ventricle to a lesion beside it, at most; and the share of such a lesion that is no CSF and is kept.
BESIDE = 3.0
KEPT = 0.8
#: A ventricle is CSF this deep below the surface, as a share of the greatest depth, connected, and at least so large.
DEEP, LEAST_ML = 0.4, 0.5
#: A lesion is darker than its white matter by so many times the contrast of white and grey matter, one draw a lesion.
CONTRAST = (0.8, 1.4)

_TRIES = 200


@dataclasses.dataclass(frozen=True)
class Anatomy:
    """A healthy brain with its tissues.

    Attributes:
        image: real, 3-D.
        brain: bool, True = brain.
        tissues: of the image.
        spacing: mm.
    """

    image: np.ndarray
    brain: np.ndarray
    tissues: Tissues
    spacing: tuple[float, ...]

    def ml(self, voxels: float) -> float:
        """Return the volume of so many voxels."""
        return float(voxels * np.prod(self.spacing) / 1000)


def ventricles(anatomy: Anatomy) -> np.ndarray:
    """Return the mask of the ventricles: deep CSF, in parts that are large enough."""
    depth = ndimage.distance_transform_edt(anatomy.brain, sampling=anatomy.spacing)
    labels, count = ndimage.label((anatomy.tissues.labels == CSF) & (depth >= DEEP * depth.max()))
    large = np.array([anatomy.ml(size) >= LEAST_ML for size in np.bincount(labels.ravel(), minlength=count + 1)])
    large[0] = False
    return large[labels]


def in_white_matter(anatomy: Anatomy, ml: float, rng: np.random.Generator) -> np.ndarray:
    """Return labels of lesions, 1, 2, ...; they do not touch each other.

    Args:
        anatomy: the brain.
        ml: volume of all lesions, about.
        rng: chance.
    """
    white = anatomy.tissues.labels == WHITE

    def accept(lesion: np.ndarray, at: tuple[slice, ...]) -> np.ndarray | None:
        return lesion if white[at][lesion].mean() >= IN_WHITE else None

    return _place(anatomy, white, accept, ml, rng)


def beside_ventricles(anatomy: Anatomy, ml: float, rng: np.random.Generator) -> np.ndarray:
    """Return labels of lesions that come as near as :data:`BESIDE` to a ventricle; arguments as above."""
    distance = ndimage.distance_transform_edt(~ventricles(anatomy), sampling=anatomy.spacing)
    labels = anatomy.tissues.labels

    def accept(lesion: np.ndarray, at: tuple[slice, ...]) -> np.ndarray | None:
        kept = lesion & (labels[at] > CSF)
        white = (labels[at] == WHITE) & kept
        if kept.sum() < KEPT * lesion.sum() or white.sum() < KEPT * kept.sum() or distance[at][kept].min() > BESIDE:
            return None
        return kept

    return _place(anatomy, (labels == WHITE) & (distance <= BESIDE + LARGEST / 2), accept, ml, rng)


def darkened(anatomy: Anatomy, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the image with lesions as dark as grey matter or darker, in the image's dtype; their noise stays."""
    means, field = anatomy.tissues.means, anatomy.tissues.field
    contrast = rng.uniform(*CONTRAST, size=labels.max() + 1)
    contrast[0] = 0.0
    lesions = labels > 0
    image = anatomy.image.astype(np.float64)
    image[lesions] -= (contrast[labels] * (means[WHITE] - means[GREY]) * field)[lesions]
    return np.maximum(np.rint(image), 1).astype(anatomy.image.dtype) * anatomy.brain


def _place(
    anatomy: Anatomy,
    centres: np.ndarray,
    accept: Callable[[np.ndarray, tuple[slice, ...]], np.ndarray | None],
    ml: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Place lesions one after another until they have the volume, or no more fit.

    Args:
        anatomy: the brain.
        centres: mask of the voxels that may be the middle of a lesion.
        accept: of a lesion's mask and its place, returns what of it is marked; None where it does not fit.
        ml: volume.
        rng: chance.
    """
    labels = np.zeros(centres.shape, dtype=np.int32)
    near = np.zeros(centres.shape, dtype=bool)
    candidates, total, number = np.argwhere(centres), 0.0, 0
    for shape in _shapes(anatomy, rng, _TRIES):
        if total >= ml or not len(candidates):
            break
        for middle in candidates[rng.integers(len(candidates), size=_TRIES)]:
            at = _around(middle, shape.shape, labels.shape)
            if at is None or near[at][shape].any():
                continue
            lesion = accept(shape, at)
            if lesion is not None:
                number += 1
                labels[at][lesion] = number
                near[_grown(at)] |= ndimage.binary_dilation(np.pad(lesion, 1), np.ones((3, 3, 3)))
                total += anatomy.ml(int(np.count_nonzero(lesion)))
                break
    return labels


def _shapes(anatomy: Anatomy, rng: np.random.Generator, count: int) -> Iterator[np.ndarray]:
    """Yield shapes of real lesions of random sizes, evenly on a logarithmic scale."""
    grid = Grid(anatomy.image.shape, anatomy.spacing)
    for _ in range(count):
        diameter = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))
        yield Lesions(Length(diameter, "mm")).draw(grid, rng)


def _around(middle: Sequence[int], size: Sequence[int], shape: Sequence[int]) -> tuple[slice, ...] | None:
    """Return the box of a size around a voxel; None where it comes to the border of the image."""
    starts = [int(m) - n // 2 for m, n in zip(middle, size, strict=True)]
    if any(start < 1 or start + n >= length for start, n, length in zip(starts, size, shape, strict=True)):
        return None
    return tuple(slice(start, start + n) for start, n in zip(starts, size, strict=True))


def _grown(box: tuple[slice, ...]) -> tuple[slice, ...]:
    return tuple(slice(side.start - 1, side.stop + 1) for side in box)
