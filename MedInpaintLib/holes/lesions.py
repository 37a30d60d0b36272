"""Shapes of real lesions, deformed."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import ClassVar

import numpy as np

from ..volume import Volume
from .grid import Grid
from .irregular import WAVES, carve, voxels_of_ball, waves
from .length import Length
from .lesion_shapes import released_shapes, shapes_of, signed_distance, surrounded
from .shape import offsets

_STRETCH = 0.15  # standard deviation of the log of the stretches along three random axes
_BENDS = 1.5  # radians a radius of the equal ball: a wave is about four radii long
_SHIFT = 0.15  # standard deviation of how far a point is moved along each axis, in radii
_ROOM = 0.75  # radii that are left for that around the lesion


@dataclasses.dataclass(frozen=True)
class Lesions:
    """Lesions of real patients: each time a random one, turned, mirrored, stretched and bent at random.

    The lesions are of multiple sclerosis (source: ``lesion_shapes.md``), or those of a mask; 2-D images take a slice
    through one. Each hole has exactly as many voxels as a ball (disc) of the given diameter has by volume.

    Attributes:
        source: path of a mask, a volume in which not 0 is lesion; by default the lesions that come with MedInpaint.
    """

    GRAMMAR: ClassVar[str] = "lesions:DIAMETER[:COUNT][:from=FILE]"
    HELP: ClassVar[str] = "real lesions, deformed, with the volume of a ball of that diameter, e.g. lesions:12mm:5"
    INSIDE: ClassVar[float] = 1.0

    diameter: Length
    count: int = 1
    source: str | None = None
    crossing: ClassVar[bool] = False

    def draw(self, grid: Grid, rng: np.random.Generator, number: int = 1) -> np.ndarray:
        lesion = self._shapes[rng.integers(len(self._shapes))]
        if len(grid.shape) == 2:
            # The larger of two: the tip of a lesion has hardly a shape.
            lesion = max((_slice(lesion, rng) for _ in range(2)), key=np.count_nonzero)
        steps, count = self.diameter.steps(grid), voxels_of_ball(self.diameter, grid)
        return carve(_deformed(lesion, steps, count * math.prod(steps), rng), count)

    @functools.cached_property
    def _shapes(self) -> tuple[np.ndarray, ...]:
        return released_shapes() if self.source is None else tuple(shapes_of(Volume.read(self.source)))


def _slice(lesion: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cut a slice along a random axis through a random voxel of the lesion, as small as it can be."""
    from scipy import ndimage

    axis = rng.integers(lesion.ndim)
    here = np.argwhere(lesion)[rng.integers(np.count_nonzero(lesion))]
    labels, _ = ndimage.label(lesion.take(here[axis], axis=axis))
    number = labels[tuple(np.delete(here, axis))]
    return labels[ndimage.find_objects(labels)[number - 1]] == number


def _deformed(lesion: np.ndarray, steps: tuple[float, ...], volume: float, rng: np.random.Generator) -> np.ndarray:
    """Return the signed distance of voxels around the lesion from its edge, negative inside, randomly deformed.

    Args:
        lesion: in cubic voxels.
        steps: size of a voxel of the result along each axis.
        volume: about what the lesion shall have, in the unit of ``steps``.
        rng: chance.
    """
    from scipy import ndimage

    around = surrounded(lesion)
    inside = np.argwhere(around)
    centre = inside.mean(axis=0)
    matrix = (volume / len(inside)) ** (1 / len(steps)) * _affine(len(steps), rng)
    radius = _radius(lesion)
    room = _ROOM * radius * np.linalg.norm(matrix, axis=1)
    along = offsets(np.abs((inside - centre) @ matrix.T).max(axis=0) + room, steps)
    back = np.linalg.inv(matrix) / radius
    points = _bent([np.asarray(sum(a * x for a, x in zip(row, along, strict=True))) for row in back], rng)
    at = np.stack([c + radius * point for c, point in zip(centre, points, strict=True)])
    return ndimage.map_coordinates(signed_distance(around, (1.0,) * around.ndim), at, order=1, mode="nearest")


def _affine(dimensions: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a random rotation or reflection after a random stretch along random axes, which keeps volumes."""
    stretch = rng.normal(scale=_STRETCH, size=dimensions)
    return _turn(dimensions, rng) * np.exp(stretch - stretch.mean()) @ _turn(dimensions, rng)


def _turn(dimensions: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a rotation or reflection, uniformly random among all (Mezzadri, Notices of the AMS 2007)."""
    turn, triangle = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))
    return turn * np.sign(np.diag(triangle))


def _radius(lesion: np.ndarray) -> float:
    """Return the radius of the ball (disc) with as many voxels."""
    count = np.count_nonzero(lesion)
    return math.sqrt(count / math.pi) if lesion.ndim == 2 else (count * 3 / (4 * math.pi)) ** (1 / 3)


def _bent(points: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Move points, in radii, each by a sum of random waves."""
    moves = rng.normal(scale=_SHIFT * math.sqrt(2 / WAVES), size=(WAVES, len(points)))
    moved = [along.copy() for along in points]
    for move, wave in zip(moves, waves(points, _BENDS, rng), strict=True):
        for along, far in zip(moved, move, strict=True):
            along += far * wave
    return moved
