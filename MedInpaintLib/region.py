"""A region: the hole and its surroundings, cut out, scaled and voided, as every method sees it."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from .dtypes import to_dtype
from .intensity import Scaling
from .mask import Box, grow, relative
from .modality import Modality
from .subject import Subject

#: Voxels that a region is widened by at most: 20 mm would be 2000 of a micro-CT.
FARTHEST = 64
#: Voxels of context at most: 5 mm would be 500 voxels of a micro-CT.
MOST_CONTEXT = 64


@dataclasses.dataclass(frozen=True)
class Region:
    """A box of the image around a part of the hole.

    Attributes:
        values: float32 ``(k, j, i)`` or ``(j, i)``, scaled; **0 under the hole**, so that no method can see it.
        hole: bool array of the same shape, True = fill. Complete: no voxel of the box is hidden and not in it.
        box: where the region lies in the image, one slice for each of the image's axes.
        subject: the whole image, voided too. Axes of the image that are one voxel long are left out of both.
        cache: values computed once a region; see :meth:`cached`.

    The border of the arrays is either the image's own border or at least two voxels away from the hole.
    """

    values: np.ndarray
    hole: np.ndarray
    box: Box
    subject: Subject
    cache: dict[Hashable, Any] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @property
    def spacing(self) -> tuple[float, ...]:
        """mm, in the order of the axes."""
        return self.subject.spacing

    @property
    def scaling(self) -> Scaling:
        """From image intensities to ``values``."""
        return self.subject.scaling

    @property
    def modality(self) -> Modality:
        """The image's modality."""
        return self.subject.modality

    @property
    def place(self) -> Box:
        """Where the region lies in the arrays of :attr:`subject`."""
        return self.subject.place(self.box)

    @functools.cached_property
    def guides(self) -> np.ndarray:
        """float32 ``(n guides, *shape)``: the subject's guides in this box, scaled; known under the hole too."""
        pairs = zip(self.subject.guides, self.subject.guide_scalings, strict=True)
        cut = [scaling.forward(guide.array[self.box]).reshape(self.hole.shape) for guide, scaling in pairs]
        return np.array(cut, dtype=np.float32).reshape(-1, *self.hole.shape)

    @property
    def channels(self) -> np.ndarray:
        """float32 ``(1 + n guides, *shape)``: the values, then the guides."""
        return np.concatenate([self.values[np.newaxis], self.guides])

    def without_guides(self) -> Region:
        """Return the same region of a subject without guides; both share the cache, which no guide changes."""
        if not self.subject.guides:
            return self
        return dataclasses.replace(self, subject=dataclasses.replace(self.subject, guides=()))

    def cached(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the cached value for `key`, computing it with `make()` on first use; as :meth:`.Subject.cached`."""
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]

    def wider(self, reach_mm: float, *, most: float = FARTHEST) -> tuple[Region, Box]:
        """Return a region with more surroundings, other holes in them included, and where in it this one lies.

        Args:
            reach_mm: how much more.
            most: voxels at most; infinity for no bound.
        """
        shape = self.subject.image.array.shape
        reach = [int(min(np.ceil(reach_mm / mm), most, max(shape))) for mm in self.subject.image.spacing]
        wide = crop(self.subject, grow(self.box, reach, shape))
        return wide, relative(self.place, wide.place)

    def nearest_known(self) -> np.ndarray:
        """Return ``values`` with each voxel of the hole replaced by the known voxel that is nearest in mm."""
        from scipy import ndimage

        nearest = ndimage.distance_transform_edt(
            self.hole, sampling=self.spacing, return_distances=False, return_indices=True
        )
        return self.values[tuple(nearest)]


def context(context_mm: float, mm: float) -> int:
    """Return how many known voxels to take along on each side of a hole: at least the two that a solver needs.

    Args:
        context_mm: how much the method asks for.
        mm: length of a voxel.
    """
    return min(max(2, math.ceil(context_mm / mm)), MOST_CONTEXT)


def crop(subject: Subject, box: Box) -> Region:
    """Cut ``box`` out of a subject's image; only that box of the image is touched."""
    hole = subject.whole.crop(box)
    values = subject.scaling.forward(subject.image.array[box])
    values[hole] = 0.0
    shape = [hole.shape[axis] for axis in subject.axes]
    return Region(values=values.reshape(shape), hole=hole.reshape(shape), box=box, subject=subject)


def restore(region: Region, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return the hole's voxels in the image's own intensities, 1-D in C order: unscaled, then as :func:`.to_dtype`."""
    return to_dtype(region.scaling.inverse(values[region.hole]), dtype)
