"""A region: the hole and its surroundings, cut out, scaled and voided, as every method sees it."""

from __future__ import annotations

import dataclasses

import numpy as np

from .intensity import Scaling
from .mask import Box


@dataclasses.dataclass(frozen=True)
class Region:
    """A box of the image around a part of the hole.

    Attributes:
        values: float32 ``(k, j, i)`` or ``(j, i)``, scaled; **0 under the hole**: what lay there was removed
            here, once, so no method can see it.
        hole: bool array of the same shape, True = fill. Complete: no voxel of the box is hidden and not in it.
        spacing: mm, in the order of the axes.
        scaling: from image intensities to ``values``.
        box: where the region lies in the image, one slice for each of the image's axes (an axis of the image that
            is one voxel long has no axis here).
        modality: ``"MR"``, ``"CT"`` or ``"film"``.

    The border of the arrays is either the image's own border or at least two voxels away from the hole.
    """

    values: np.ndarray
    hole: np.ndarray
    spacing: tuple[float, ...]
    scaling: Scaling
    box: Box
    modality: str = "MR"

    def nearest_known(self) -> np.ndarray:
        """``values`` with each voxel of the hole replaced by the known voxel that is nearest in mm."""
        from scipy import ndimage

        nearest = ndimage.distance_transform_edt(
            self.hole, sampling=self.spacing, return_distances=False, return_indices=True
        )
        return self.values[tuple(nearest)]


def crop(
    image: np.ndarray, hole: np.ndarray, box: Box, spacing: tuple[float, ...], scaling: Scaling, modality: str
) -> Region:
    """Cut ``box`` out of ``image``; ``hole`` is the hole's voxels in that box.

    Args:
        image: the whole image, any real dtype.
        hole: bool, shape of the box.
        box: one slice an axis of the image.
        spacing: mm, one number an axis of the image.
        scaling: the image's intensity scaling.
        modality: the image's modality.
    """
    values = scaling.forward(image[box])
    values[hole] = 0.0
    kept = [axis for axis, size in enumerate(image.shape) if size > 1]
    shape = [hole.shape[axis] for axis in kept]
    return Region(
        values=values.reshape(shape),
        hole=np.ascontiguousarray(hole).reshape(shape),
        spacing=tuple(spacing[axis] for axis in kept),
        scaling=scaling,
        box=box,
        modality=modality,
    )


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
