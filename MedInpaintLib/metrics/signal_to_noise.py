"""Peak signal-to-noise ratio over the hole."""

from __future__ import annotations

import math

import numpy as np

from ..errors import ParameterError
from .squared_error import mse


def psnr(filled: np.ndarray, truth: np.ndarray, hole: np.ndarray, *, data_range: float) -> float:
    r"""Return the peak signal-to-noise ratio over the hole :math:`H`, in dB; infinite if perfect, NaN if it holds NaN.

    .. math:: \mathrm{PSNR} = 10 \log_{10} \frac{R^2}{\mathrm{MSE}_H}

    Args:
        filled: the inpainted image, any real dtype, 2-D or 3-D.
        truth: the image before the hole was made, same shape.
        hole: bool, same shape, True = filled.
        data_range: :math:`R`, the width of the intensity range, fixed for the data set, never taken from the
            prediction: half of the incomparable PSNR values in print differ only in R. State it beside every value.
    """
    return decibel(check_data_range(data_range), mse(filled, truth, hole))


def decibel(peak: float, error: float) -> float:
    """Return the PSNR of a peak and a mean squared error; a peak of 0 or less has no signal: minus infinity."""
    if error == 0:
        return math.inf
    if peak <= 0:
        return -math.inf
    # math.log10 passes NaN on; and with one logarithm each, an infinite error is minus infinity instead of log10(0).
    return 20 * math.log10(peak) - 10 * math.log10(error)


def check_data_range(data_range: float | None) -> float:
    """Return ``data_range`` after checking that it is a positive number."""
    if data_range is None or not (data_range > 0 and math.isfinite(data_range)):
        raise ParameterError(
            f"data_range must be a positive number, the width of the intensity range; found {data_range!r}. "
            "Use e.g. 255 for 8-bit films, 400 for soft tissue in HU, the foreground's 99.5 percentile for MR."
        )
    return float(data_range)
