"""What irregular holes share: random waves that bend them, and a given number of connected voxels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from .grid import Grid
from .length import Length

#: Random waves to add up; more add nothing visible, fewer show their pattern.
WAVES = 12


def waves(at: Sequence[np.ndarray], scale: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield ``WAVES`` plane waves at the coordinates ``at``, -1..1: random directions and phases.

    Args:
        at: one array an axis; they are broadcast.
        scale: standard deviation of each component of a wave's vector, radians a unit of ``at``.
        rng: chance.
    """
    vectors = rng.normal(scale=scale, size=(WAVES, len(at)))
    phases = rng.uniform(0, 2 * math.pi, size=WAVES)
    for vector, phase in zip(vectors, phases, strict=True):
        yield np.cos(sum(k * along for k, along in zip(vector, at, strict=True)) + phase)


def voxels_of_ball(diameter: Length, grid: Grid) -> int:
    """Return how many voxels a ball (disc) of that diameter has by volume; at least 1."""
    radius, steps = diameter.value / 2, diameter.steps(grid)
    ball = math.pi * radius**2 if len(steps) == 2 else 4 / 3 * math.pi * radius**3
    return max(1, round(ball / math.prod(steps)))


def carve(field: np.ndarray, count: int) -> np.ndarray:
    """Return a stencil: the ``count`` voxels of the smallest numbers that are connected by their faces.

    A bump that coarse voxels cut off is replaced by the next voxels at the rim of the rest. Where the field has fewer
    voxels than that, the stencil has all of them.
    """
    from scipy import ndimage

    count = min(count, field.size)
    stencil = np.zeros(field.shape, dtype=bool)
    stencil.ravel()[np.argsort(field, axis=None, kind="stable")[:count]] = True
    labels, pieces = ndimage.label(stencil)
    if pieces > 1:
        stencil = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
        while (lacking := count - np.count_nonzero(stencil)) > 0:
            rim = np.where(ndimage.binary_dilation(stencil) & ~stencil, field, np.inf)
            nearest = np.argsort(rim, axis=None, kind="stable")[:lacking]
            stencil.ravel()[nearest[np.isfinite(rim.ravel()[nearest])]] = True
    return stencil[ndimage.find_objects(stencil.view(np.uint8))[0]]
