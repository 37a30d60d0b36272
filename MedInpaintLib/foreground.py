"""The body in an image: where synthetic holes are worth making."""

from __future__ import annotations

import numpy as np

from .intensity import FOREGROUND_SHARE, sample_known

_AIR = -300.0  # HU; skin and fat are above, air and most of the lung below


def body(image: np.ndarray, modality: str) -> np.ndarray:
    """The largest piece of foreground, its gaps filled slice by slice: lungs, sinuses and ventricles are the body's.

    A film is its own body: what is dark on it is mostly lung, and nothing tells that from the air beside the patient.

    Args:
        image: ``(k, j, i)`` or ``(j, i)``, real.
        modality: ``"MR"``, ``"CT"`` or ``"film"``.

    Returns:
        bool array of the image's shape; all True when nothing stands out from the background.
    """
    from scipy import ndimage

    if modality == "film":
        return np.ones(image.shape, dtype=bool)
    bright = image > (_AIR if modality == "CT" else _threshold(image))
    planes = bright if bright.ndim == 3 else bright[np.newaxis]
    cross = np.ones((1, 3, 3), dtype=bool)
    # Opening cuts the table, the coil and noise off the body before the largest piece is looked for.
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
