"""Structural similarity over the hole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ._hole import composite
from .signal_to_noise import check_data_range

K1, K2 = 0.01, 0.03
SIGMA = 1.5
_TRUNCATE = 3.5  # with SIGMA this makes the 11-tap window of the original paper


def window_radius(sigma: float = SIGMA) -> int:
    """Return how many voxels the Gaussian window reaches to each side (5 for sigma 1.5: 11 taps)."""
    return int(_TRUNCATE * sigma + 0.5)


def ssim(
    filled: np.ndarray,
    truth: np.ndarray,
    hole: np.ndarray,
    *,
    data_range: float,
    sigma: float = SIGMA,
    axes: Sequence[int] | None = None,
    erode: bool = False,
) -> float:
    r"""Return the structural similarity of composite and truth, averaged over the hole :math:`H`; 1 is perfect.

    .. math:: \mathrm{SSIM} = \frac{1}{|H|} \sum_{x \in H} S(x)

    with the map :math:`S` of :func:`ssim_map` between the truth and the composite (the fill in the hole, else the
    truth). Only the hole's box and one window radius around it are computed, with the result of the whole image.

    Args:
        filled: the inpainted image, any real dtype, 2-D or 3-D.
        truth: the image before the hole was made, same shape.
        hole: bool, same shape, True = filled.
        data_range: :math:`R`, the fixed width of the intensity range, which should begin at 0.
        sigma: of the Gaussian window, in voxels.
        axes: the window's axes; all by default, so volumes get a 3-D window.
        erode: average only over voxels whose whole window lies in the hole; NaN when there is none.

    Source: Wang, Bovik, Sheikh, Simoncelli, IEEE Trans Image Process 2004;13:600-612.
    """
    radius = window_radius(sigma)
    blended, reference, where = composite(filled, truth, hole, margin=radius)
    if erode:
        # The window is a box of voxels; beyond the image's border it sees mirrored voxels, and so does this filter.
        along = _all_or(axes, where.ndim)
        box = [2 * radius + 1 if axis in along else 1 for axis in range(where.ndim)]
        where = ndimage.minimum_filter(where, size=box, mode="reflect")
        if not where.any():
            return float("nan")
    return float(ssim_map(blended, reference, data_range=data_range, sigma=sigma, axes=axes)[where].mean())


def ssim_map(
    first: np.ndarray,
    second: np.ndarray,
    *,
    data_range: float,
    sigma: float = SIGMA,
    axes: Sequence[int] | None = None,
    mode: str = "reflect",
) -> np.ndarray:
    r"""Return the map of structural similarity between two images, float64, same shape.

    .. math::
        S = \frac{(2 \mu_1 \mu_2 + c_1)(2 \sigma_{12} + c_2)}{(\mu_1^2 + \mu_2^2 + c_1)(\sigma_1^2 + \sigma_2^2 + c_2)},
        \quad c_1 = (0.01 R)^2,\; c_2 = (0.03 R)^2

    with Gaussian-weighted means, variances and covariance (divided by the sum of weights, not by one less).

    Args:
        first: a real image.
        second: another one of the same shape.
        data_range: :math:`R`.
        sigma: of the Gaussian, in voxels; it is cut off at 3.5 sigma.
        axes: the window's axes; all by default.
        mode: how to extend the image beyond its border, a mode of :func:`scipy.ndimage.gaussian_filter`.
    """
    c1, c2 = (K1 * check_data_range(data_range)) ** 2, (K2 * data_range) ** 2
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    along = _all_or(axes, first.ndim)
    sigmas = [sigma if axis in along else 0.0 for axis in range(first.ndim)]

    def smooth(values: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(values, sigmas, truncate=_TRUNCATE, mode=mode)

    mean1, mean2 = smooth(first), smooth(second)
    variance1 = smooth(first * first) - mean1 * mean1
    variance2 = smooth(second * second) - mean2 * mean2
    covariance = smooth(first * second) - mean1 * mean2
    numerator = (2 * mean1 * mean2 + c1) * (2 * covariance + c2)
    denominator = (mean1 * mean1 + mean2 * mean2 + c1) * (variance1 + variance2 + c2)
    return numerator / denominator


def _all_or(axes: Sequence[int] | None, dimensions: int) -> set[int]:
    return set(range(dimensions)) if axes is None else {axis % dimensions for axis in axes}
