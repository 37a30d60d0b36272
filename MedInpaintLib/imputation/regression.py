"""Linear regression from contrasts to a contrast: the baseline of every network."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Regression:
    """``target = weights . sources + offset`` in the body, 0 outside, on the scale of :mod:`.core`."""

    weights: np.ndarray
    offset: float

    def __call__(self, sources: np.ndarray) -> np.ndarray:
        """Return the target, float32, 0 or more, from ``(sources, ...)``; 0 where no source has a signal."""
        values = np.tensordot(self.weights, sources, 1) + self.offset
        return np.where(sources.max(axis=0) > 0, np.maximum(values, 0), 0).astype(np.float32)


def regress(samples: Sequence[tuple[np.ndarray, np.ndarray]]) -> Regression:
    """Fit by least squares to the sources ``(sources, n)`` and target ``(n,)`` of each image, at voxels of the body."""
    size = len(samples[0][0]) + 1
    squares, right = np.zeros((size, size)), np.zeros(size)
    for sources, target in samples:
        rows = np.vstack([sources.astype(np.float64), np.ones(sources.shape[1])])
        squares += rows @ rows.T
        right += rows @ target
    # The smallest weights, if sources are redundant or empty.
    weights = np.linalg.lstsq(squares, right, rcond=1e-10)[0]
    return Regression(weights[:-1], float(weights[-1]))
