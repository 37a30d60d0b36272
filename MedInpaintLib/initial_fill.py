"""The initial fill: the smooth fill that other methods start from."""

from __future__ import annotations

import numpy as np

from .errors import ConvergenceError
from .progress import Progress
from .region import Region
from .solvers.fill import solve_biharmonic, solve_laplace


def initial_fill(region: Region, progress: Progress | None = None) -> np.ndarray:
    """Fill a region with a thin plate, within the intensities of its known voxels; solved once a region.

    Voxels without data get the nearest known value: what interpolates or smooths this fill meets them, too.

    Where the plate's equations are too stiff (voxels 40 times as long as wide, and hardly one of them known), a
    membrane replaces it: what only starts from here must not fail.

    Returns:
        float64 of the region's shape: its values, and the fill under the hole. Not to be changed in place.
    """
    return region.cached(initial_fill, lambda: _solve(region, progress))


def _solve(region: Region, progress: Progress | None) -> np.ndarray:
    damaged = region.values, region.fill, region.spacing
    try:
        smooth = solve_biharmonic(*damaged, no_data=region.no_data, progress=progress).values
    except ConvergenceError:
        smooth = solve_laplace(*damaged, no_data=region.no_data, progress=progress).values
    known = region.values[~region.hole]
    filled = np.clip(smooth, known.min(), known.max())
    if region.no_data is not None:
        filled[region.no_data] = region.nearest_known()[region.no_data]
    filled.flags.writeable = False
    return filled
