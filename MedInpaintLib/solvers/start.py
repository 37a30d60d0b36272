"""A smooth fill to start from."""

from __future__ import annotations

import numpy as np

from ..errors import ConvergenceError
from ..progress import Progress
from ..region import Region
from .fill import solve_biharmonic, solve_laplace


def thin_plate(region: Region, progress: Progress | None = None) -> np.ndarray:
    """float32 of the region's shape: its values with a thin plate under the hole, within the known intensities.

    Where the plate's equations are too stiff to be solved (voxels 40 times as long as wide, and hardly one of them
    known), a membrane: what goes on from a start must not fail for it.
    """
    try:
        smooth = solve_biharmonic(region.values, region.hole, region.spacing, progress=progress).values
    except ConvergenceError:
        smooth = solve_laplace(region.values, region.hole, region.spacing, progress=progress).values
    known = region.values[~region.hole]
    return np.clip(smooth, known.min(), known.max()).astype(np.float32)
