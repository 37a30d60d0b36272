"""The body in an image, in which synthetic holes are made."""

from __future__ import annotations

import numpy as np

from .intensity import FOREGROUND_SHARE, sample_known
from .modality import Modality


def body(image: np.ndarray, modality: Modality) -> np.ndarray:
    """Return the largest part of the foreground, its gaps (lungs, sinuses, ventricles) filled slice by slice.

    Projections such as films are all body: their dark parts are mostly lung, which looks like the surrounding air.

    Args:
        image: ``(k, j, i)`` or ``(j, i)``, real.
        modality: of the image.

    Returns:
        bool array of the image's shape; all True when nothing stands out from the background.
    """
    from scipy import ndimage

    if modality.is_projection:
        return np.ones(image.shape, dtype=bool)
    bright = image > (_threshold(image) if modality.air is None else modality.air)
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


def _threshold(image: np.ndarray) -> float:
    low, high = np.percentile(sample_known(image, None, None), [0.5, 99.5])
    return float(low + FOREGROUND_SHARE * (high - low))
