"""Paste: the prediction as it is."""

from __future__ import annotations

import numpy as np


def paste(prediction: np.ndarray, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Return ``prediction`` in the hole and ``image`` elsewhere.

    Args:
        prediction: float array of the image's shape.
        image: float array.
        hole: bool array, True = fill.
    """
    return np.where(hole, prediction, image)
