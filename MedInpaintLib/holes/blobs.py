"""Smooth random shapes of a given size, like lesions."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import numpy as np

from .length import Length
from .shape import Grid, offsets

_WAVES = 12  # random waves that make the outline; more make it no richer, fewer show their pattern
_BUMPS = 2.5  # radians a radius of the unit sphere: about two to three bumps around a blob
_DEPTH = 0.35  # standard deviation of the log radius
_LONGEST = 2.0  # no point of the outline is further from the centre than this many radii of the equal ball


@dataclasses.dataclass(frozen=True)
class Blobs:
    r"""Star-shaped holes with a smooth random outline (2-D in films, 3-D in volumes).

    The radius in direction :math:`u` is proportional to :math:`\exp g(u)`, where :math:`g` is a sum of random plane
    waves on the unit sphere. Each blob has the number of voxels that a ball (disc) of the given diameter has by volume,
    to the voxel.
    """

    GRAMMAR: ClassVar[str] = "blobs:DIAMETER[:COUNT]"
    HELP: ClassVar[str] = "smooth random shapes with the volume of a ball of that diameter, e.g. blobs:15mm:5"
    INSIDE: ClassVar[float] = 1.0

    diameter: Length
    count: int = 1
    crossing: ClassVar[bool] = False

    def draw(self, grid: Grid, rng: np.random.Generator) -> np.ndarray:
        radius = self.diameter.value / 2
        steps = self.diameter.steps(grid.spacing)
        along = offsets([_LONGEST * radius] * len(steps), steps)
        distance = np.sqrt(sum(x**2 for x in along))
        unit = [x / np.maximum(distance, 1e-12) for x in along]
        # In units of the outline's radius in that direction: growing a blob is lowering the bar for this number.
        relative = distance / np.exp(_outline(unit, rng))

        ball = math.pi * radius**2 if len(steps) == 2 else 4 / 3 * math.pi * radius**3
        wanted = max(1, round(ball / math.prod(steps)))
        wanted = min(wanted, relative.size)
        blob = _in_one_piece(relative, wanted)
        return blob[tuple(_used(blob, axis) for axis in range(blob.ndim))]


def _in_one_piece(relative: np.ndarray, wanted: int) -> np.ndarray:
    """The ``wanted`` voxels with the smallest numbers that hang together by their faces.

    On a coarse lattice a bump can be cut off from the rest; its voxels are replaced by the next ones at the rest's rim.
    """
    from scipy import ndimage

    blob = np.zeros(relative.shape, dtype=bool)
    blob.ravel()[np.argsort(relative, axis=None, kind="stable")[:wanted]] = True
    labels, pieces = ndimage.label(blob)
    if pieces > 1:
        blob = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
        while (lacking := wanted - np.count_nonzero(blob)) > 0:
            rim = np.where(ndimage.binary_dilation(blob) & ~blob, relative, np.inf)
            nearest = np.argsort(rim, axis=None, kind="stable")[:lacking]
            blob.ravel()[nearest[np.isfinite(rim.ravel()[nearest])]] = True
    return blob


def _outline(unit: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Log radius in the directions ``unit``: random waves, so shallow that no point is beyond ``_LONGEST`` radii."""
    waves = rng.normal(scale=_BUMPS, size=(_WAVES, len(unit)))
    phases = rng.uniform(0, 2 * math.pi, size=_WAVES)
    log_radius = np.zeros(np.broadcast_shapes(*(along.shape for along in unit)))
    for wave, phase in zip(waves, phases, strict=True):
        log_radius += np.cos(sum(k * along for k, along in zip(wave, unit, strict=True)) + phase)
    log_radius *= _DEPTH * math.sqrt(2 / _WAVES)
    # The equal ball's radius lies between the smallest and the largest radius of the blob, hence half.
    bound = math.log(_LONGEST) / 2
    return bound * np.tanh(log_radius / bound)


def _used(blob: np.ndarray, axis: int) -> slice:
    others = tuple(other for other in range(blob.ndim) if other != axis)
    where = np.flatnonzero(blob.any(axis=others))
    return slice(int(where[0]), int(where[-1]) + 1)
