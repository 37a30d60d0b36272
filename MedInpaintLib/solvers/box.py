"""Laplace and Poisson systems on a full box, solved directly by sine and cosine transforms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def solve_box(b: np.ndarray, weights: Sequence[float], open_sides: Sequence[tuple[bool, bool]]) -> np.ndarray:
    """Solve ``-sum_a w_a D_a^2 x = b`` exactly on a box.

    The second difference of an axis is diagonal in a basis that its two ends choose: both fixed (Dirichlet), the sine
    transform DST-I with eigenvalues ``2 - 2 cos(pi m / (n + 1))``, m = 1..n; both open (Neumann), the cosine
    transform DCT-II with ``2 - 2 cos(pi m / n)``, m = 0..n-1; one of each, DST-I of the signal continued by its
    mirror image at the open end.

    Args:
        b: float64, one axis for each weight; the known neighbours' values are already in it.
        weights: positive, one an axis.
        open_sides: for each axis, whether its start and its end are the image's border. Not all of them.

    Returns:
        x, of the shape of b.
    """
    from scipy import fft

    flips, mirrored = [], []
    for axis, (start, end) in enumerate(open_sides):
        if start != end:
            if start:
                b = np.flip(b, axis)
                flips.append(axis)
            b = np.concatenate([b, np.flip(b, axis)], axis=axis)
            mirrored.append(axis)
    cosine = [start and end for start, end in open_sides]
    eigenvalues = np.zeros((1,) * b.ndim)
    for axis, weight in enumerate(weights):
        n = b.shape[axis]
        angles = np.pi * np.arange(n) / n if cosine[axis] else np.pi * np.arange(1, n + 1) / (n + 1)
        shape = [-1 if other == axis else 1 for other in range(b.ndim)]
        eigenvalues = eigenvalues + weight * (2 - 2 * np.cos(angles)).reshape(shape)
        b = fft.dct(b, type=2, axis=axis) if cosine[axis] else fft.dst(b, type=1, axis=axis)
    x = b / eigenvalues
    for axis in range(x.ndim):
        x = fft.idct(x, type=2, axis=axis) if cosine[axis] else fft.idst(x, type=1, axis=axis)
    for axis in mirrored:
        x = x[(slice(None),) * axis + (slice(0, x.shape[axis] // 2),)]
    return np.flip(x, tuple(flips)) if flips else x
