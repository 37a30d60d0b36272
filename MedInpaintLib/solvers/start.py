"""A smooth fill to start from."""

from __future__ import annotations

import numpy as np

from ..progress import Progress
from ..region import Region
from .fill import solve_biharmonic


def thin_plate(region: Region, progress: Progress | None = None) -> np.ndarray:
    """float32 of the region's shape: its values with a thin plate under the hole, within the known intensities."""
    smooth = solve_biharmonic(region.values, region.hole, region.spacing, progress=progress).values
    known = region.values[~region.hole]
    return np.clip(smooth, known.min(), known.max()).astype(np.float32)
