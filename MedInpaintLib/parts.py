"""The hole's parts, which are chosen for, filled, warned of and reported one by one.

A part is all voxels that are connected with each other (those that share a corner are). Where growing the mask has
joined lesions that were drawn apart, these are parts again: each voxel belongs to the nearest drawn lesion.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from .mask import Box, Hole, clusters, grow, join, relative, shift, size_of

#: Parts fewer voxels apart than this are filled together: a thin plate reads two voxels around each of them.
APART = 2
#: Voxels of the blocks in which the hole is first looked for: seven times quicker than in blocks of :data:`APART`.
COARSE = 16
#: Small boxes are joined to one region while it has at most this many voxels, and at most :data:`WASTE` times as many
#: as its boxes together: thousands of specks are solved in a few batches, and no region spans the image.
LARGEST, WASTE = 64**3, 1.25
#: So many regions are kept open for further parts: to try all of thousands would take the square of their number.
OPEN = 64


@dataclasses.dataclass(frozen=True)
class Part:
    """A connected part of the hole.

    Attributes:
        number: from 1.
        voxels: bool array of the shape of ``box``, True = belongs to this part.
        box: the smallest box of the image around it, one slice an axis.
    """

    number: int
    voxels: np.ndarray
    box: Box

    def middle(self) -> tuple[int, ...]:
        """Return the image's indices of the part's voxel that is nearest to the mean of all."""
        where = np.argwhere(self.voxels)
        nearest = where[np.argmin(((where - where.mean(axis=0)) ** 2).sum(axis=1))]
        return tuple(int(at) + side.start for at, side in zip(nearest, self.box, strict=True))


@dataclasses.dataclass(frozen=True)
class Group:
    """Parts that are filled together, in one region and by one method; mostly a single one.

    Attributes:
        parts: at least one.
        hole: the voxels of all of them.
    """

    parts: tuple[Part, ...]
    hole: Hole

    def __add__(self, other: Group) -> Group:
        """Return the parts of both."""
        box = join(self.hole.box, other.hole.box)
        voxels = self.hole.crop(box) | other.hole.crop(box)
        return Group((*self.parts, *other.parts), Hole(voxels, box, self.hole.shape))

    def distances(self, whole: Hole, unknown: np.ndarray | None, spacing: Sequence[float]) -> np.ndarray:
        """Return the mm from each of the group's voxels to the nearest known one, 1-D; infinity where there is none.

        Args:
            whole: the hole, of which the group is a part.
            unknown: bool of the image's shape, further voxels that are not known (no data); None when there are none.
            spacing: mm, in the order of the image's axes; axes of one voxel do not count.
        """
        shape = self.hole.shape
        steps = [mm for mm, size in zip(spacing, shape, strict=True) if size > 1]
        margin = 1
        while True:
            box = grow(self.hole.box, [margin] * len(shape), shape)
            distances = self._distances_in(box, whole, unknown, spacing)
            # Around a hole without gaps, the nearest known voxels touch it. Beyond a gap, a nearer one may lie outside.
            is_complete = unknown is None or not unknown[box].any() or distances.max() <= (margin + 1) * min(steps)
            if is_complete or all(side.stop - side.start == size for side, size in zip(box, shape, strict=True)):
                return distances
            margin *= 2

    def depths(self, whole: Hole, unknown: np.ndarray | None, spacing: Sequence[float]) -> list[float]:
        """Return the depth of each part: the mm from its innermost voxel to the nearest known one; see above."""
        distances = np.zeros(self.hole.voxels.shape)
        distances[self.hole.voxels] = self.distances(whole, unknown, spacing)
        return [float(distances[relative(part.box, self.hole.box)][part.voxels].max()) for part in self.parts]

    def _distances_in(self, box: Box, whole: Hole, unknown: np.ndarray | None, spacing: Sequence[float]) -> np.ndarray:
        """Return the distances by what is known in a box around the parts."""
        from scipy import ndimage

        hidden = whole.crop(box)
        if unknown is not None:
            hidden |= unknown[box]
        if hidden.all():
            return np.full(self.hole.count(), math.inf)
        axes = [axis for axis, size in enumerate(self.hole.shape) if size > 1]
        flat = hidden.reshape([hidden.shape[axis] for axis in axes])
        distance = ndimage.distance_transform_edt(flat, sampling=[spacing[axis] for axis in axes])
        inside = relative(self.hole.box, box)
        return np.asarray(distance.reshape(hidden.shape)[inside][self.hole.voxels])


def find_parts(hole: Hole, spacing: Sequence[float], drawn: Hole | None = None) -> list[Group]:
    """Return the hole's parts; those that touch or nearly touch are one group.

    Args:
        hole: all voxels to fill.
        spacing: mm, in the order of the image's axes.
        drawn: the hole before it was grown; None when it was not.
    """
    groups: list[Group] = []
    number = 0
    for box, own in _clusters(hole):
        parts = []
        for inner, voxels in _components(own, spacing, None if drawn is None else drawn.crop(box) & own):
            number += 1
            parts.append(Part(number, voxels, shift(inner, box)))
        groups.append(Group(tuple(parts), Hole(own, box, hole.shape)))
    return groups


def put_together(groups: Sequence[Group], margin: Sequence[int]) -> list[Group]:
    """Join small groups that are near each other, where one region costs hardly more than several.

    Args:
        groups: to be filled by one method.
        margin: voxels of context on each side, one number an axis.
    """
    done: list[Group] = []
    still_open: list[_Open] = []
    for group in groups:
        new = _Open.of(group, grow(group.hole.box, margin, group.hole.shape))
        if new.size > LARGEST // 2:
            done.append(group)
            continue
        index = _first_that_fits(new, still_open)
        if index is None:
            still_open.append(new)
        else:
            still_open[index] = still_open[index].joined(new)
        if len(still_open) > OPEN:
            done.append(still_open.pop(0).group)
    done += [region.group for region in still_open]
    return sorted(done, key=lambda group: group.parts[0].number)


class _Open(NamedTuple):
    """A region that still takes parts: its group, its box, and the size of its parts' boxes together."""

    group: Group
    starts: list[int]
    stops: list[int]
    size: int

    @classmethod
    def of(cls, group: Group, box: Box) -> _Open:
        """Begin with one group in its box."""
        return cls(group, [side.start for side in box], [side.stop for side in box], size_of(box))

    def joined(self, other: _Open) -> _Open:
        """Return the region around both."""
        starts, stops = list(map(min, self.starts, other.starts)), list(map(max, self.stops, other.stops))
        return _Open(self.group + other.group, starts, stops, self.size + other.size)


def _first_that_fits(new: _Open, regions: Sequence[_Open]) -> int | None:
    """Return the number of the first region that may take another one; None where none may."""
    if not regions:
        return None
    starts, stops, sizes = (np.array(values) for values in list(zip(*regions, strict=True))[1:])
    joined = np.prod(np.maximum(stops, new.stops) - np.minimum(starts, new.starts), axis=1)
    fits = np.flatnonzero(joined <= np.minimum(LARGEST, WASTE * (sizes + new.size)))
    return int(fits[0]) if fits.size else None


def _clusters(hole: Hole) -> Iterator[tuple[Box, np.ndarray]]:
    """Yield box and voxels of each group of parts that nearly touch."""
    axes = len(hole.shape)
    for coarse_box, coarse in clusters(hole.voxels, [COARSE] * axes):
        for box, own in clusters(coarse, [APART] * axes):
            yield shift(shift(box, coarse_box), hole.box), own


def _components(
    own: np.ndarray, spacing: Sequence[float], drawn: np.ndarray | None
) -> Iterator[tuple[Box, np.ndarray]]:
    """Yield box (in ``own``) and voxels of each part of a cluster."""
    from scipy import ndimage

    everywhere = np.ones((3,) * own.ndim, dtype=bool)
    labels, count = ndimage.label(own, structure=everywhere)
    if drawn is not None:
        seeds, several = ndimage.label(drawn, structure=everywhere)
        if several > count:
            # Each voxel was grown from its nearest seed, so that one lies in the same component.
            nearest = ndimage.distance_transform_edt(seeds == 0, spacing, return_distances=False, return_indices=True)
            labels = np.where(own, seeds[tuple(nearest)], 0)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        yield box, np.ascontiguousarray(labels[box] == number)
