"""Whether slices that were filled one by one fit each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ._hole import composite, ratio


def slice_jump(
    filled: np.ndarray,
    truth: np.ndarray,
    hole: np.ndarray,
    *,
    spacing: Sequence[float] | None = None,
    axis: int = 0,
) -> float:
    r"""Return the fill's roughness across slices over that within slices, over the same of the truth; 1 is ideal.

    .. math:: J = \sqrt{\frac{r_a(C) / r_{\bar a}(C)}{r_a(I) / r_{\bar a}(I)}}, \quad
        r_a(X) = \sum_{(x,y) \parallel a} (X(x) - X(y))^2 / h_a^2

    over all pairs of neighbours along the slice axis :math:`a` that both lie in the hole, :math:`r_{\bar a}` along the
    other axes; :math:`C` is the fill, :math:`I` the truth. Above 1 neighbouring slices do not fit each other; a fill
    that is equally too smooth in all directions has 1. NaN where the hole has no two slices.

    Args:
        filled: the inpainted image, any real dtype, 3-D.
        truth: the image before the hole was made, same shape.
        hole: bool, same shape, True = filled.
        spacing: mm an axis; 1 by default.
        axis: from slice to slice.
    """
    blended, reference, where = composite(filled, truth, hole, margin=0)
    steps = (1.0,) * where.ndim if spacing is None else tuple(spacing)
    across, pairs = zip(*(_roughness(image, where, steps, (axis,)) for image in (blended, reference)), strict=True)
    in_plane = tuple(other for other in range(where.ndim) if other != axis)
    within = [_roughness(image, where, steps, in_plane)[0] for image in (blended, reference)]
    if not pairs[0] or not min(within):
        return float("nan")
    return math.sqrt(ratio(across[0] / within[0], across[1] / within[1]))


def _roughness(image: np.ndarray, where: np.ndarray, steps: Sequence[float], axes: Sequence[int]) -> tuple[float, int]:
    """Return the sum of squared slopes between neighbours of the hole along some axes, and their number."""
    total, pairs = 0.0, 0
    for axis in axes:
        both = np.take(where, range(1, where.shape[axis]), axis) & np.take(where, range(where.shape[axis] - 1), axis)
        total += float(np.sum((np.diff(image, axis=axis)[both] / steps[axis]) ** 2))
        pairs += int(np.count_nonzero(both))
    return total, pairs
