"""Boundary jump: whether one can see where the fill begins."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ._hole import composite, ratio


def boundary_jump(
    filled: np.ndarray, truth: np.ndarray, hole: np.ndarray, *, spacing: Sequence[float] | None = None
) -> float:
    r"""Return the step across the hole's rim over that of the truth; no unit, 1 is ideal, above 1 a seam shows.

    .. math:: J = \sqrt{\frac{\sum_{(x,y)} (C(x) - I(y))^2 / h_{xy}^2}{\sum_{(x,y)} (I(x) - I(y))^2 / h_{xy}^2}}

    over all pairs of face neighbours :math:`x \in H`, :math:`y \notin H` with distance :math:`h_{xy}`; :math:`C` is the
    fill, :math:`I` the truth. 1 when neither steps; NaN when the hole has no known neighbour.

    Args:
        filled: the inpainted image, any real dtype, 2-D or 3-D.
        truth: the image before the hole was made, same shape.
        hole: bool, same shape, True = filled.
        spacing: mm an axis; 1 by default.
    """
    blended, reference, where = composite(filled, truth, hole, margin=1)
    steps = (1.0,) * where.ndim if spacing is None else tuple(spacing)
    fill_energy = truth_energy = 0.0
    pairs = 0
    for axis, step in enumerate(steps):
        rim = np.diff(where, axis=axis)  # of a bool array: True where exactly one of the two neighbours is in the hole
        fill_energy += float(np.sum((np.diff(blended, axis=axis)[rim] / step) ** 2))
        truth_energy += float(np.sum((np.diff(reference, axis=axis)[rim] / step) ** 2))
        pairs += int(np.count_nonzero(rim))
    return math.sqrt(ratio(fill_energy, truth_energy)) if pairs else float("nan")
