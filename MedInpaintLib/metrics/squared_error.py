"""Errors in the mean square: MSE, RMSE and NMSE over the hole."""

from __future__ import annotations

import math

import numpy as np

from ._hole import inside, ratio


def mse(filled: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    r"""Return the mean squared error over the hole :math:`H`, in squared intensities.

    .. math:: \mathrm{MSE} = \frac{1}{|H|} \sum_{x \in H} \bigl(C(x) - I(x)\bigr)^2

    Args:
        filled: the inpainted image :math:`C`, any real dtype, 2-D or 3-D.
        truth: the image before the hole was made, :math:`I`, same shape.
        hole: bool, same shape, True = filled. Voxels outside it do not count.

    >>> mse(np.array([[1, 5]]), np.array([[1, 3]]), np.array([[False, True]]))
    4.0
    """
    prediction, reference = inside(filled, truth, hole)
    return float(np.mean((prediction - reference) ** 2))


def rmse(filled: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    r"""Return the root mean squared error over the hole, in intensities (HU for CT).

    .. math:: \mathrm{RMSE} = \sqrt{\frac{1}{|H|} \sum_{x \in H} \bigl(C(x) - I(x)\bigr)^2}

    Arguments as in :func:`mse`.
    """
    return math.sqrt(mse(filled, truth, hole))


def nmse(filled: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    r"""Return the hole's squared error as a share of the truth's energy; no unit, 0 is perfect, 1 as filling with 0.

    .. math:: \mathrm{NMSE} = \frac{\sum_{x \in H} (C(x) - I(x))^2}{\sum_{x \in H} I(x)^2}

    It depends on the zero of the intensities: subtract the black level of CT and other signed images first. 0 when
    truth and fill are both 0 everywhere; infinite when only the truth is. Arguments as in :func:`mse`.
    """
    prediction, reference = inside(filled, truth, hole)
    error, energy = float(np.sum((prediction - reference) ** 2)), float(np.sum(reference**2))
    return 0.0 if error == 0 else ratio(error, energy)
