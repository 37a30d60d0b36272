"""Smaller images: films come with many times the pixels that a network sees."""

from __future__ import annotations

import numpy as np

from .volume import Volume


def reduced_to(image: Volume, across: int) -> Volume:
    """Means of whole blocks of pixels, in the image's dtype; the image itself where it is not twice as large.

    Args:
        image: 2-D.
        across: pixels along the longer side, at least.
    """
    times = max(image.array.shape) // across
    if times < 2:
        return image
    rows, columns = (size // times for size in image.array.shape)
    blocks = image.array[: rows * times, : columns * times].reshape(rows, times, columns, times)
    means = blocks.mean(axis=(1, 3))
    if image.array.dtype.kind in "iu":
        means = np.rint(means)
    return Volume(means.astype(image.array.dtype), tuple(mm * times for mm in image.spacing))
