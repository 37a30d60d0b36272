"""Blending into a region, by the name that methods and users give it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..progress import Progress
from ..region import Region
from .feather import feather
from .paste import paste
from .poisson import poisson

#: Name -> from a prediction, its region and a progress to the blended values, all of the region's shape.
BLENDS: dict[str, Callable[[np.ndarray, Region, Progress], np.ndarray]] = {
    "paste": lambda mean, region, progress: paste(mean, region.values, region.hole),
    "feather": lambda mean, region, progress: feather(mean, region.values, region.hole, spacing=region.spacing),
    "poisson": lambda mean, region, progress: poisson(
        mean, region.values, region.fill, no_data=region.no_data, spacing=region.spacing, progress=progress
    ),
}
