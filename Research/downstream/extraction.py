"""Brain extraction by deepbet (Fisch et al., 2024), whose weights come with its package: no network is needed."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np


def brain_of(image: np.ndarray) -> np.ndarray:
    """Return the brain in a head with skull, bool.

    Args:
        image: in right-anterior-superior orientation, as the images of the data are; axes (slice, row, column).
    """
    extractor = _extractor()
    probability = extractor.run_model(np.ascontiguousarray(image.T, dtype=np.float32))
    return extractor.postprocess(probability > 0.5).T


def compare(found: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Return Dice in percent, and the error of the volume in percent of the true one."""
    both, own, size = (np.count_nonzero(each) for each in (found & true, found, true))
    return {"dice": 200 * both / (own + size), "volume": 100 * (own - size) / size}


@functools.cache
def _extractor() -> Any:
    from deepbet.bet import BrainExtraction

    return BrainExtraction(no_gpu=True)
