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
from .mask import Box, Hole, grow, relative
from .modality import Modality
from .no_data import nearest
from .subject import Subject

#: Voxels that a region is widened by at most: 20 mm would be 2000 of a micro-CT.
FARTHEST = 64
#: Voxels of context at most: 5 mm would be 500 voxels of a micro-CT.
MOST_CONTEXT = 64


@dataclasses.dataclass(frozen=True)
class Region:
    """A box of the image around a part of the hole.

    Attributes:
        values: float32 ``(k, j, i)`` or ``(j, i)``, scaled; **0 in the hole**, so that no method can see what is there.
        hole: bool array of the same shape, True = not known: to be filled, or to be left alone. Complete: all other
            voxels of the box are known.
        box: where the region lies in the image, one slice for each of the image's axes.
        subject: the whole image, voided too. Axes of the image that are one voxel long are left out of both.
        no_data: bool array of the same shape: the voxels of :attr:`hole` that are not to be filled here: nothing was
            measured there, or they belong to a part of another region. None when there are none.
        companions: the same box of the subject's companions.
        cache: values computed once a region; see :meth:`cached`.

    The border of the arrays is either the image's own border or at least two voxels away from what is to be filled.
    """

    values: np.ndarray
    hole: np.ndarray
    box: Box
    subject: Subject
    no_data: np.ndarray | None = None
    companions: tuple[Region, ...] = ()
    cache: dict[Hashable, Any] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @property
    def images(self) -> tuple[Region, ...]:
        """This region and its companions."""
        return self, *self.companions

    @property
    def fill(self) -> np.ndarray:
        """Bool array, True = to be filled: the hole without voxels that hold no data."""
        return self.hole if self.no_data is None else self.hole & ~self.no_data

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
        """float32 ``(n guides, *shape)``: the subject's guides in this box, scaled; known under the hole too.

        Where a guide has no data (never under the hole), its nearest value is taken.
        """
        pairs = zip(self.subject.guides, self.subject.guide_scalings, strict=True)
        cut = [scaling.forward(guide.array[self.box]).reshape(self.hole.shape) for guide, scaling in pairs]
        gaps = [np.isnan(guide) for guide in cut]
        cut = [nearest(guide, gap, self.spacing) if gap.any() else guide for guide, gap in zip(cut, gaps, strict=True)]
        return np.array(cut, dtype=np.float32).reshape(-1, *self.hole.shape)

    @property
    def channels(self) -> np.ndarray:
        """float32 ``(1 + guides, *shape)``: the values, then the guides."""
        return np.concatenate([self.values[np.newaxis], self.guides])

    @property
    def all_channels(self) -> np.ndarray:
        """float32 ``(images + guides, *shape)``: the values of all images, then the guides."""
        return np.concatenate([[image.values for image in self.images], self.guides])

    def alone(self) -> Region:
        """Return the same region without guides and companions; both share the cache, which none of them changes."""
        if not (self.subject.guides or self.companions):
            return self
        return dataclasses.replace(
            self, subject=dataclasses.replace(self.subject, guides=(), companions=()), companions=()
        )

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
        return nearest(self.values, self.hole, self.spacing)


def context(context_mm: float, mm: float) -> int:
    """Return how many known voxels to take along on each side of a hole: at least the two that a solver needs.

    Args:
        context_mm: how much the method asks for.
        mm: length of a voxel.
    """
    return min(max(2, math.ceil(context_mm / mm)), MOST_CONTEXT)


def crop(subject: Subject, box: Box, own: Hole | None = None) -> Region:
    """Cut ``box`` out of a subject's image; only that box of the image is touched.

    Args:
        subject: with the image.
        box: of the image.
        own: the voxels to fill; all of the hole in the box when None.
    """
    hole = subject.whole.crop(box)
    left = np.zeros(hole.shape, dtype=bool) if own is None else hole & ~own.crop(box)
    if subject.no_data is not None:
        left |= subject.no_data[box]
    hole |= left
    with np.errstate(over="ignore", invalid="ignore"):  # what is not known may be any number
        values = subject.scaling.forward(subject.image.array[box])
    values[hole] = 0.0
    no_data = subject.squeeze(left) if left.any() else None
    companions = tuple(crop(each, box, own) for each in subject.companions)
    return Region(subject.squeeze(values), subject.squeeze(hole), box, subject, no_data, companions)


def restore(region: Region, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return the voxels to fill in the image's own intensities, 1-D in C order: unscaled, then as :func:`.to_dtype`."""
    return to_dtype(region.scaling.inverse(values[region.fill]), dtype)
