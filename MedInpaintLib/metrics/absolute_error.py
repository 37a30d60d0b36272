"""Mean absolute error over the hole."""

from __future__ import annotations

import numpy as np

from ._hole import inside


def mae(filled: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    r"""Return the mean absolute error over the hole :math:`H`, in intensities (HU for CT).

    .. math:: \mathrm{MAE} = \frac{1}{|H|} \sum_{x \in H} |C(x) - I(x)|

    Args:
        filled: the inpainted image :math:`C`, any real dtype, 2-D or 3-D.
        truth: the image before the hole was made, :math:`I`, same shape.
        hole: bool, same shape, True = filled. Voxels outside it do not count.
    """
    prediction, reference = inside(filled, truth, hole)
    return float(np.mean(np.abs(prediction - reference)))
