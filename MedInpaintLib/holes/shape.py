"""What a shape of holes is, and what the shapes share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np

from .grid import Grid
from .length import Length


class Shape(Protocol):
    """A kind of hole, which draws stencils; :func:`.place.place` decides for all shapes where they go.

    Attributes:
        GRAMMAR: how it is written, one line.
        HELP: what it is, one line.
        INSIDE: which share of a hole must lie in the foreground, at the least.
        count: how many to draw.
        crossing: whether they may cross each other; those that touch are then one hole.
    """

    GRAMMAR: ClassVar[str]
    HELP: ClassVar[str]
    INSIDE: ClassVar[float]

    @property
    def count(self) -> int: ...

    @property
    def crossing(self) -> bool: ...

    def draw(self, grid: Grid, rng: np.random.Generator, number: int = 1) -> np.ndarray:
        """Draw the hole of that number, from 1: a bool array with the grid's dimensions, no larger than needed."""
        ...


#: ``slab=all``: through all slices of a volume.
ALL_SLICES = "all"


def thicken(plane: np.ndarray, slab: Length | str | None, grid: Grid) -> np.ndarray:
    """Return an in-plane shape as a stencil of the grid: as it is in 2-D, ``slab`` thick (default: 1 slice) in 3-D."""
    if len(grid.shape) == 2:
        return plane
    if isinstance(slab, Length):
        slices = slab.whole_voxels(grid, 0)
    else:
        slices = grid.shape[0] if slab == ALL_SLICES else 1
    return np.repeat(plane[np.newaxis], slices, axis=0)


def offsets(half: Sequence[float], steps: Sequence[float]) -> list[np.ndarray]:
    """Return an open grid of offsets from a voxel, ``half`` to both sides of each axis, in the unit of ``steps``."""
    reach = [math.floor(far / step + 1e-9) for far, step in zip(half, steps, strict=True)]
    return list(np.ix_(*(np.arange(-far, far + 1) * step for far, step in zip(reach, steps, strict=True))))
