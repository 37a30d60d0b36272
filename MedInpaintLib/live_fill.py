"""The live fill: a smooth fill that follows the hole while a user paints it.

Each change of the hole costs as much as the parts that it touches, not as much as the image.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable

import numpy as np

from .initial_fill import initial_fill
from .intensity import Scaling
from .mask import Box, Hole, bounding_box, dilate, grow, join, shift
from .no_data import find
from .parts import Group, find_parts
from .region import Region, context, crop, restore
from .solvers.fill import solve_laplace
from .subject import Subject
from .volume import Volume

#: Known tissue around a part, mm; as much as the methods `biharmonic` and `harmonic` see.
CONTEXT_MM = 5.0
#: Voxels up to which a part is a thin plate; beyond, it is a membrane. In a head of 256^3 voxels on one 2 GHz core, a
#: stroke of 16,800 voxels (40 x 20 mm) takes 0.2 s as a plate and 0.04 as a membrane, a ball of 33,400 0.4 and 0.08.
MOST_OF_A_PLATE = 20_000
#: Voxels up to which a part is filled at all: a membrane of so many takes about half a second.
MOST = 200_000
#: Parts up to which any is filled: on one core, 1000 specks take 1.8 s when they are first filled, and 3000 take 8 s.
MOST_PARTS = 500

#: Intensities as they are: a scale fitted to the image would depend on voxels that are painted over later.
_UNSCALED = Scaling(offset=0.0, width=1.0)


@dataclasses.dataclass(frozen=True)
class Change:
    """What a step of a live fill has changed.

    Attributes:
        box: of the image, around all voxels that were written; None where none were.
        left_out: how many parts are not filled, because they are too large or too many.
    """

    box: Box | None
    left_out: int = 0


class LiveFill:
    """An image whose hole is filled smoothly, again after each change of the hole.

    Every voxel outside the hole is bit-identical to the image. The fill depends on the known voxels and on the hole,
    not on the steps that led to it: what was known in an earlier step and is hidden now leaves no trace.

    >>> image = np.full((1, 9, 9), 100, dtype=np.int16)
    >>> image[0, 4, 4] = 7
    >>> live = LiveFill(Volume(image, (1.0, 1.0, 1.0)))
    >>> live.follow(image == 7).box
    (slice(0, 1, None), slice(4, 5, None), slice(4, 5, None))
    >>> int(live.filled[0, 4, 4])
    100
    """

    def __init__(self, image: Volume, filled: np.ndarray | None = None) -> None:
        """Begin with an empty hole.

        Args:
            image: 2-D or 3-D; it is only read.
            filled: takes the result, such as the memory that a view shows; equal to the image's array at first. None: a
                copy of it.
        """
        self._image = image
        self.filled = image.array.copy() if filled is None else filled
        self._hole: Hole | None = None
        self._no_data: np.ndarray | None = None
        self._fits: dict[Hashable, bool] = {}  # the parts, and whether each is filled

    def follow(self, marked: np.ndarray | Hole | None, *, dilate_mm: float = 0.0) -> Change:
        """Fill the parts of the hole that have changed, and restore what is no longer in it.

        Args:
            marked: the hole now: bool of the image's shape, True = fill; or a :class:`.Hole`; None: nothing.
            dilate_mm: the hole is grown by this much.
        """
        before, lacked_before, fitted = self._hole, self._no_data, self._fits
        drawn = _hole_of(marked) if isinstance(marked, np.ndarray) else marked
        self._hole, self._no_data = _states(self._image, drawn, dilate_mm)
        groups = [] if self._hole is None else find_parts(self._hole, self._image.spacing)
        self._fits = {_key(group): len(groups) <= MOST_PARTS and group.hole.count() <= MOST for group in groups}
        left_out = sum(not fits for fits in self._fits.values())
        # Where other voxels lack data than before, any part may have other equations.
        touched = _changed(before, self._hole) if _same(lacked_before, self._no_data) else _around(before, self._hole)
        if touched is None:
            return Change(None, left_out)
        self.filled[touched] = self._image.array[touched]
        written = touched
        for group, (key, fits) in zip(groups, self._fits.items(), strict=True):
            # Parts are found in blocks that begin at the hole's box, so a stroke far away may join or divide them.
            if fitted.get(key) is not fits or _meet(self._region_box(group), touched):
                self._fill(group, fits)
                written = join(written, group.hole.box)
        return Change(written, left_out)

    def _fill(self, group: Group, fits: bool) -> None:
        """Fill parts that are near each other, or show the image if they do not fit or have nothing known around."""
        own = group.hole
        voxels = self.filled[own.box]
        voxels[own.voxels] = self._image.array[own.box][own.voxels]
        if not fits:
            return
        assert self._hole is not None  # the group is a part of it
        subject = Subject(self._image, self._hole, _UNSCALED, no_data=self._no_data)
        region = crop(subject, self._region_box(group), own)
        if not region.hole.all():
            voxels[own.voxels] = restore(region, _smooth(region), self._image.array.dtype)

    def _region_box(self, group: Group) -> Box:
        margin = [context(CONTEXT_MM, mm) for mm in self._image.spacing]
        return grow(group.hole.box, margin, group.hole.shape)


def _smooth(region: Region) -> np.ndarray:
    """Return the region filled by a thin plate, or where that takes too long, by a membrane."""
    if np.count_nonzero(region.fill) <= MOST_OF_A_PLATE:
        return initial_fill(region)
    return solve_laplace(region.values, region.fill, region.spacing, no_data=region.no_data).values


def _states(image: Volume, drawn: Hole | None, dilate_mm: float) -> tuple[Hole | None, np.ndarray | None]:
    """Return the voxels to fill, and those without data, which are filled only where they are drawn."""
    if drawn is None:
        return None, None
    hole = dilate(drawn, image.spacing, dilate_mm) if dilate_mm > 0 else drawn
    no_data, _ = find(image, hole, drawn)
    return (hole, None) if no_data is None else (_hole_of(hole.full() & ~no_data), no_data)


def _key(group: Group) -> Hashable:
    """Return what is equal only for groups of the same voxels of an image."""
    return tuple((side.start, side.stop) for side in group.hole.box), group.hole.voxels.tobytes()


def _hole_of(marked: np.ndarray) -> Hole | None:
    box = bounding_box(marked)
    return None if box is None else Hole(np.ascontiguousarray(marked[box], dtype=bool), box, marked.shape)


def _changed(before: Hole | None, after: Hole | None) -> Box | None:
    """Return the box around the voxels that are in one of two holes only; None where there are none."""
    box = _around(before, after)
    if box is None:
        return None
    difference = np.zeros([side.stop - side.start for side in box], dtype=bool)
    for hole in (before, after):
        if hole is not None:
            difference ^= hole.crop(box)
    inner = bounding_box(difference)
    return None if inner is None else shift(inner, box)


def _around(before: Hole | None, after: Hole | None) -> Box | None:
    """Return the box around two holes."""
    boxes = [hole.box for hole in (before, after) if hole is not None]
    return join(boxes[0], boxes[-1]) if boxes else None


def _same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return one is other if one is None or other is None else np.array_equal(one, other)


def _meet(box: Box, other: Box) -> bool:
    return all(a.start < b.stop and b.start < a.stop for a, b in zip(box, other, strict=True))
