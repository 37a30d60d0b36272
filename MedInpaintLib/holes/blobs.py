"""Smooth random shapes of a given size, like lesions."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import numpy as np

from .grid import Grid
from .irregular import WAVES, carve, voxels_of_ball, waves
from .length import Length
from .shape import offsets

_BUMPS = 2.5  # radians a radius of the unit sphere: about two to three bumps around a blob
_DEPTH = 0.35  # standard deviation of the log radius
_LONGEST = 2.0  # no point of the outline is further from the centre than this many radii of the equal ball


@dataclasses.dataclass(frozen=True)
class Blobs:
    r"""Star-shaped holes with a smooth random outline (2-D in films, 3-D in volumes).

    The radius in direction :math:`u` is proportional to :math:`\exp g(u)`, where :math:`g` is a sum of random plane
    waves on the unit sphere. Each blob has exactly as many voxels as a ball (disc) of the diameter has by volume.
    """

    GRAMMAR: ClassVar[str] = "blobs:DIAMETER[:COUNT]"
    HELP: ClassVar[str] = "smooth random shapes with the volume of a ball of that diameter, e.g. blobs:15mm:5"
    INSIDE: ClassVar[float] = 1.0

    diameter: Length
    count: int = 1
    crossing: ClassVar[bool] = False

    def draw(self, grid: Grid, rng: np.random.Generator, number: int = 1) -> np.ndarray:
        radius = self.diameter.value / 2
        steps = self.diameter.steps(grid)
        along = offsets([_LONGEST * radius] * len(steps), steps)
        distance = np.sqrt(sum(x**2 for x in along))
        unit = [x / np.maximum(distance, 1e-12) for x in along]
        # In units of the outline's radius in that direction: raising the threshold on this number grows the blob.
        return carve(distance / np.exp(_outline(unit, rng)), voxels_of_ball(self.diameter, grid))


def _outline(unit: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return the log radius in directions ``unit``: random waves, at most ``_LONGEST`` radii in all."""
    log_radius = np.asarray(sum(waves(unit, _BUMPS, rng))) * (_DEPTH * math.sqrt(2 / WAVES))
    # The equal ball's radius lies between the smallest and the largest radius of the blob, hence half.
    bound = math.log(_LONGEST) / 2
    return bound * np.tanh(log_radius / bound)
