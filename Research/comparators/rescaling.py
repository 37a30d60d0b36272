"""A contrast with the intensities of another: the simplest stand-in for a missing contrast."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

#: Quantiles at which the two histograms are made the same.
QUANTILES = np.linspace(0.0, 1.0, 101)


@dataclasses.dataclass(frozen=True)
class Rescaling:
    """A monotone map of intensities, on the scale of :mod:`MedInpaintLib.imputation.core`.

    Attributes:
        source, target: corresponding intensities, ascending; linear in between.
    """

    source: np.ndarray
    target: np.ndarray

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return the image with mapped intensities, float32; voxels without a signal stay 0."""
        return np.where(image > 0, np.interp(image, self.source, self.target), 0).astype(np.float32)


def match_histograms(samples: Sequence[tuple[np.ndarray, np.ndarray]]) -> Rescaling:
    """Return the map that gives one contrast the histogram of another, averaged over images.

    Args:
        samples: for each image, source ``(n,)`` and target ``(n,)`` at voxels of the body.
    """
    source, target = (
        np.mean([np.quantile(sample[side].astype(np.float64), QUANTILES) for sample in samples], axis=0)
        for side in (0, 1)
    )
    return Rescaling(source, target)
