"""Balls: the standard test hole for volumes."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from .grid import Grid
from .length import Length
from .shape import offsets


@dataclasses.dataclass(frozen=True)
class Spheres:
    """Balls around a voxel's centre (discs in 2-D): all voxels whose centre is at most half a diameter away.

    With a diameter in mm they are round in the patient at any spacing, in px in voxels. All balls
    of one call are alike, so scores differ by place alone.
    """

    GRAMMAR: ClassVar[str] = "spheres:DIAMETER[:COUNT]"
    HELP: ClassVar[str] = "balls (discs in 2-D), e.g. spheres:20mm:6"
    INSIDE: ClassVar[float] = 1.0

    diameter: Length
    count: int = 1
    crossing: ClassVar[bool] = False

    def draw(self, grid: Grid, rng: np.random.Generator, number: int = 1) -> np.ndarray:
        radius = self.diameter.value / 2
        steps = self.diameter.steps(grid)
        squared = np.asarray(sum(along**2 for along in offsets([radius] * len(steps), steps)))
        # The tolerance keeps voxels at exactly the radius in, however the header rounds the spacing.
        return squared <= radius**2 * (1 + 1e-9)
