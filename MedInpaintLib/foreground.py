"""The body in an image, in which synthetic holes are made."""

from __future__ import annotations

import numpy as np

from .intensity import FOREGROUND_SHARE, sample_known
from .modality import Modality


def body(image: np.ndarray, modality: Modality, no_data: np.ndarray | None = None) -> np.ndarray:
    """Return the largest part of the foreground, its gaps (lungs, sinuses, ventricles) filled slice by slice.

    Projections such as films are all body: their dark parts are mostly lung, which looks like the surrounding air.

    Args:
        image: ``(k, j, i)`` or ``(j, i)``, real.
        modality: of the image.
        no_data: bool, voxels without data, which are no body; None when there are none.

    Returns:
        bool array of the image's shape; all voxels with data when nothing stands out from the background.
    """
    inside = _body(image, modality, no_data)
    return inside if no_data is None else inside & ~no_data


def _body(image: np.ndarray, modality: Modality, no_data: np.ndarray | None) -> np.ndarray:
    from scipy import ndimage

    if modality.is_projection:
        return np.ones(image.shape, dtype=bool)
    bright = image > (_threshold(image, no_data) if modality.air is None else modality.air)
    if no_data is not None:
        bright &= ~no_data
    planes = bright if bright.ndim == 3 else bright[np.newaxis]
    cross = np.ones((1, 3, 3), dtype=bool)
    # Opening separates the table, the coil and noise from the body, so that the largest part holds none of them.
    opened = ndimage.binary_opening(planes, structure=cross, iterations=2)
    labels, count = ndimage.label(opened)
    if count == 0:
        return np.ones(image.shape, dtype=bool)
    largest = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    for plane in largest:
        ndimage.binary_fill_holes(plane, output=plane)
    return largest.reshape(image.shape)


def _threshold(image: np.ndarray, no_data: np.ndarray | None) -> float:
    low, high = np.percentile(sample_known(image, None, None, no_data), [0.5, 99.5])
    return float(low + FOREGROUND_SHARE * (high - low))
