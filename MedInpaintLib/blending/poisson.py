"""Poisson blending: the prediction's gradients with the image's values at the seam."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..progress import Progress
from ..solvers.fill import ACCURACY, solve_laplace


def poisson(
    prediction: np.ndarray,
    image: np.ndarray,
    hole: np.ndarray,
    *,
    no_data: np.ndarray | None = None,
    spacing: Sequence[float] | None = None,
    accuracy: float = ACCURACY,
    progress: Progress | None = None,
) -> np.ndarray:
    """Return the field whose Laplacian in the hole is the prediction's and whose values around it are the image's.

    ``laplace u = laplace prediction`` in the hole, ``u = image`` outside (Perez, Gangnet, Blake: Poisson image editing,
    SIGGRAPH 2003, eq. 4). Solved exactly as ``u = prediction + e`` with ``laplace e = 0`` and ``e = image -
    prediction`` outside: the seam's mismatch spread like a membrane. 2-D and 3-D; Neumann at the border of the array.

    Args:
        prediction: float array of the image's shape; its values just outside the hole count too.
        image: float array; what lies under the hole does not matter.
        hole: bool array, True = fill.
        no_data: bool array, voxels in which the image has no value: no boundary. They get the prediction's.
        spacing: mm, in the order of the axes; default 1.
        accuracy: largest error, as a share of the range of the mismatch.
        progress: reports and cancels.

    Raises:
        MaskError: nothing is known.
        ConvergenceError: ``accuracy`` was not reached.
    """
    spacing = (1.0,) * image.ndim if spacing is None else spacing
    unknown = hole if no_data is None else hole | no_data
    mismatch = np.where(unknown, 0.0, np.subtract(image, prediction, dtype=np.float64))
    solution = solve_laplace(mismatch, hole, spacing, no_data=no_data, accuracy=accuracy, progress=progress)
    membrane = np.where(hole, solution.values, 0.0)
    return np.where(unknown, (prediction + membrane).astype(image.dtype), image)
