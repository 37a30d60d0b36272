"""Gradient energy: whether the fill is as rough as the tissue it replaces."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ._hole import composite, ratio


def gradient_energy(
    filled: np.ndarray, truth: np.ndarray, hole: np.ndarray, *, spacing: Sequence[float] | None = None
) -> float:
    r"""Return the composite's gradient in the hole over that of the truth, root mean square; 1 is ideal.

    .. math:: E = \sqrt{\frac{\sum_{x \in H} \lVert\nabla C(x)\rVert^2}{\sum_{x \in H} \lVert\nabla I(x)\rVert^2}}

    Below 1 the fill is too smooth, above 1 too rough; 0.5 means half as rough. It does not say whether the texture is
    at the right place, so read it beside PSNR and SSIM. Gradients are central differences (one-sided at the image's
    border), so voxels at the hole's rim see the step to known tissue too. 1 when both are constant.

    Args:
        filled: the inpainted image, any real dtype, 2-D or 3-D.
        truth: the image before the hole was made, same shape.
        hole: bool, same shape, True = filled.
        spacing: mm an axis; 1 by default.
    """
    blended, reference, where = composite(filled, truth, hole, margin=1)
    steps = (1.0,) * where.ndim if spacing is None else tuple(spacing)
    return math.sqrt(ratio(_energy(blended, where, steps), _energy(reference, where, steps)))


def _energy(image: np.ndarray, where: np.ndarray, steps: Sequence[float]) -> float:
    # An axis of one voxel has no gradient.
    axes = [axis for axis, size in enumerate(image.shape) if size > 1]
    return sum(float(np.sum(np.gradient(image, steps[axis], axis=axis)[where] ** 2)) for axis in axes)
