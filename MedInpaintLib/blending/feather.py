"""Feathering: the seam's mismatch faded out over a few millimetres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def feather(
    prediction: np.ndarray,
    image: np.ndarray,
    hole: np.ndarray,
    *,
    spacing: Sequence[float] | None = None,
    width_mm: float = 3.0,
) -> np.ndarray:
    """Return ``prediction + w(d) (image - prediction)[n]``, where n is the nearest known voxel and d its distance.

    The weight falls from 1 at the seam to 0 at ``width_mm``: ``w = 1 - 3 s^2 + 2 s^3`` with ``s = min(d / width_mm,
    1)``. Unlike Poisson blending, it keeps a correct prediction in the middle of the hole.

    Args:
        prediction: float array of the image's shape; its values just outside the hole count too.
        image: float array; what lies under the hole does not matter.
        hole: bool array, True = fill; at least one voxel is known.
        spacing: mm, in the order of the axes; default 1.
        width_mm: how far the fade reaches; 0 pastes.
    """
    from scipy import ndimage

    if width_mm <= 0:
        return np.where(hole, prediction, image)
    distance, nearest = ndimage.distance_transform_edt(hole, sampling=spacing, return_indices=True)
    at = tuple(indices[hole] for indices in nearest)
    s = np.minimum(distance[hole] / width_mm, 1.0)
    weight = 1 - s * s * (3 - 2 * s)
    out = np.array(image, copy=True)
    out[hole] = prediction[hole] + weight * (np.asarray(image, dtype=np.float64)[at] - prediction[at])
    return out
