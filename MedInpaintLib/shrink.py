"""Smaller images: films have many times the pixels that a network sees."""

from __future__ import annotations

import numpy as np

from .volume import Volume


def reduced_to(image: Volume, across: int) -> Volume:
    """Return the means of whole blocks of pixels, in the image's dtype; the image itself if it is not twice as large.

    Only training and research call this, so scikit-image is in the extra ``train``.

    Args:
        image: 2-D.
        across: pixels along the longer side, at least.
    """
    times = max(image.array.shape) // across
    if times < 2:
        return image
    from skimage.measure import block_reduce

    # Whole blocks only: block_reduce would fill up the last ones with zeros.
    rows, columns = (size // times * times for size in image.array.shape)
    means = block_reduce(image.array[:rows, :columns], times, np.mean)
    if image.array.dtype.kind in "iu":
        means = np.rint(means)
    return Volume(means.astype(image.array.dtype), tuple(mm * times for mm in image.spacing))
