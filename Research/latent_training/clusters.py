"""Tissue clusters of an image: the modes of the histogram of its intensities."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, signal

#: Range of the histogram: scaled intensities, as networks see them after clipping.
LOW, HIGH = -0.2, 1.2
BINS = 140
#: Standard deviation of the kernel that smooths the histogram: about the noise of a tissue in the training images.
WIDTH = 0.03
#: A mode rises above the valleys beside it by this share of the highest mode, or more.
PROMINENCE = 0.02
#: Air or fluid, grey and white matter.
TISSUES = 3


def modes(values: np.ndarray) -> np.ndarray:
    """Return the positions of the modes of intensities: the maxima of their smoothed histogram, ascending.

    Args:
        values: scaled intensities, any shape; those beyond the range count as its ends.

    >>> modes(np.repeat([0.0, 0.5, 0.9], [100, 200, 100])).round(1).tolist()
    [0.0, 0.5, 0.9]
    """
    counts, edges = np.histogram(np.clip(values, LOW, HIGH), bins=BINS, range=(LOW, HIGH))
    smooth = ndimage.gaussian_filter1d(counts.astype(float), WIDTH * BINS / (HIGH - LOW), mode="constant")
    # A mode at an end of the range is a maximum, too.
    peaks, _ = signal.find_peaks(np.pad(smooth, 1), prominence=PROMINENCE * smooth.max())
    return np.asarray((edges[:-1] + edges[1:])[peaks - 1] / 2)


def share_with_tissues(images: np.ndarray) -> float:
    """Return the share of images ``(n, ...)`` whose histogram has a mode for each of :data:`TISSUES`, or more."""
    return float(np.mean([len(modes(image)) >= TISSUES for image in images]))
