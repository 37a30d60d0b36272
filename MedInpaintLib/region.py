"""A region: the hole and its surroundings, cut out, scaled and voided, as every method sees it."""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from .intensity import Scaling
from .mask import Box, grow, relative
from .scan import Scan

#: Voxels that a region is widened by at most: 20 mm would be 2000 of a micro-CT.
FARTHEST = 64
#: Voxels of context at most: 5 mm would be 500 voxels of a micro-CT.
MOST_CONTEXT = 64


@dataclasses.dataclass(frozen=True)
class Region:
    """A box of the image around a part of the hole.

    Attributes:
        values: float32 ``(k, j, i)`` or ``(j, i)``, scaled; **0 under the hole**: what lay there was removed
            here, once, so no method can see it.
        hole: bool array of the same shape, True = fill. Complete: no voxel of the box is hidden and not in it.
        box: where the region lies in the image, one slice for each of the image's axes.
        scan: the whole image, voided too. Axes of the image that are one voxel long are axes of neither.

    The border of the arrays is either the image's own border or at least two voxels away from the hole.
    """

    values: np.ndarray
    hole: np.ndarray
    box: Box
    scan: Scan

    @property
    def spacing(self) -> tuple[float, ...]:
        """mm, in the order of the axes."""
        return self.scan.spacing

    @property
    def scaling(self) -> Scaling:
        """From image intensities to ``values``."""
        return self.scan.scaling

    @property
    def modality(self) -> str:
        """``"MR"``, ``"CT"`` or ``"film"``."""
        return self.scan.modality

    @property
    def place(self) -> Box:
        """Where the region lies in the arrays of :attr:`scan`."""
        return self.scan.place(self.box)

    @functools.cached_property
    def guides(self) -> np.ndarray:
        """float32 ``(n guides, *shape)``: the scan's guides in this box, scaled; known under the hole too."""
        pairs = zip(self.scan.guides, self.scan.guide_scalings, strict=True)
        cut = [scaling.forward(guide.array[self.box]).reshape(self.hole.shape) for guide, scaling in pairs]
        return np.array(cut, dtype=np.float32).reshape(-1, *self.hole.shape)

    @property
    def channels(self) -> np.ndarray:
        """float32 ``(1 + n guides, *shape)``: the values, then the guides."""
        return np.concatenate([self.values[np.newaxis], self.guides])

    def wider(self, reach_mm: float, *, most: float = FARTHEST) -> tuple[Region, Box]:
        """The region with so many mm more on each side, and where in it this one lies.

        Its hole holds what of other regions' holes lies there, too.

        Args:
            reach_mm: how much more.
            most: but not more than so many voxels; infinity for no bound.
        """
        shape = self.scan.image.array.shape
        reach = [int(min(np.ceil(reach_mm / mm), most, max(shape))) for mm in self.scan.image.spacing]
        wide = crop(self.scan, grow(self.box, reach, shape))
        return wide, relative(self.place, wide.place)

    def nearest_known(self) -> np.ndarray:
        """``values`` with each voxel of the hole replaced by the known voxel that is nearest in mm."""
        from scipy import ndimage

        nearest = ndimage.distance_transform_edt(
            self.hole, sampling=self.spacing, return_distances=False, return_indices=True
        )
        return self.values[tuple(nearest)]


def context(context_mm: float, mm: float) -> int:
    """Known voxels to take along on each side of a hole: at least the two that a solver needs, and bounded.

    Args:
        context_mm: how much is wanted.
        mm: a voxel.
    """
    return min(max(2, math.ceil(context_mm / mm)), MOST_CONTEXT)


def crop(scan: Scan, box: Box) -> Region:
    """Cut ``box`` out of a scan; only that box of the image is touched."""
    hole = scan.whole.crop(box)
    values = scan.scaling.forward(scan.image.array[box])
    values[hole] = 0.0
    shape = [hole.shape[axis] for axis in scan.axes]
    return Region(values=values.reshape(shape), hole=hole.reshape(shape), box=box, scan=scan)


def restore(region: Region, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The hole's voxels in the image's own intensities, 1-D in C order: unscaled, rounded and clipped to ``dtype``."""
    filled = region.scaling.inverse(values[region.hole])
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        # float64 cannot hold 2**63 - 1: clip to the largest float below it, or the cast would wrap round.
        top = float(limits.max) if limits.bits < 64 else np.nextafter(float(limits.max), 0)
        filled = np.clip(np.rint(filled), float(limits.min), top)
    if dtype.kind == "b":
        return filled >= 0.5
    return filled.astype(dtype)
