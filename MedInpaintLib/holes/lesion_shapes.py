"""Shapes of real lesions: those that come with MedInpaint, and those of any mask."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import MaskError
from ..mask import all_marked
from ..volume import Volume
from .irregular import carve

#: Made by ``Testing/lesion_shapes.py``; sources and licences are in ``lesion_shapes.md`` beside it.
_RELEASED = Path(__file__).parent / "lesion_shapes.npz"
#: Every shape has as many voxels as a ball of this diameter.
_DIAMETER = 16
VOXELS = round(math.pi / 6 * _DIAMETER**3)
#: Lesions with fewer voxels, or fewer along an axis, have no visible shape.
_LEAST, _THINNEST = 50, 3
#: Voxels around a lesion, so that its outline may move outwards.
_AROUND = 4


@functools.cache
def released_shapes() -> tuple[np.ndarray, ...]:
    """Return the shapes that come with MedInpaint, as :func:`shapes_of` does."""
    with np.load(_RELEASED) as file:
        packed, sizes = file["bits"], file["sizes"]
    bits = np.unpackbits(packed).astype(bool)
    ends = np.cumsum(sizes.prod(axis=1))
    return tuple(
        bits[end - math.prod(size) : end].reshape(size) for size, end in zip(sizes.tolist(), ends, strict=True)
    )


def shapes_of(mask: Volume) -> list[np.ndarray]:
    """Return the shape of each lesion in a mask.

    Args:
        mask: 3-D, of lesions. Voxels connected by faces are one lesion; those too small for a shape are left out.

    Returns:
        bool arrays ``(k, j, i)`` of cubic voxels, cropped to the lesion, each of :data:`VOXELS` connected voxels.

    Raises:
        MaskError: it has no lesion that is large enough.
    """
    from scipy import ndimage

    array = all_marked(mask)
    labels, _ = ndimage.label(array)
    shapes = []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        lesion = labels[box] == number
        if lesion.ndim == 3 and np.count_nonzero(lesion) >= _LEAST and min(lesion.shape) >= _THINNEST:
            shapes.append(_normalised(lesion, mask.spacing))
    if not shapes:
        raise MaskError(
            f"The mask has no lesion to take a shape from: it must be a volume, with a lesion of {_LEAST} or more "
            f"voxels, at least {_THINNEST} along each axis; found {np.count_nonzero(array)} in the shape {array.shape}."
        )
    return shapes


def signed_distance(mask: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return each voxel's distance to the other side of the mask's edge, float64; negative inside. Needs an edge."""
    from scipy import ndimage

    outside = ndimage.distance_transform_edt(~mask, sampling=spacing)
    return outside - ndimage.distance_transform_edt(mask, sampling=spacing)


def surrounded(mask: np.ndarray) -> np.ndarray:
    """Pad the mask, with room for its outline to move."""
    return np.pad(mask, _AROUND)


def _normalised(lesion: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Resample the lesion to cubic voxels, by shape-based interpolation (Raya and Udupa, IEEE TMI 1990)."""
    from scipy import ndimage

    around = surrounded(lesion)
    step = (np.count_nonzero(lesion) * math.prod(spacing) / VOXELS) ** (1 / 3)
    counts = [math.floor((size - 1) * mm / step) + 1 for size, mm in zip(around.shape, spacing, strict=True)]
    at = np.meshgrid(*(np.arange(n) * step / mm for n, mm in zip(counts, spacing, strict=True)), indexing="ij")
    return carve(ndimage.map_coordinates(signed_distance(around, spacing), at, order=1), VOXELS)
