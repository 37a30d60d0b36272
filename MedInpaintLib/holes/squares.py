"""Squares in the plane of the slices: the classic hole of the inpainting literature."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from .grid import Grid
from .length import Length
from .shape import thicken


@dataclasses.dataclass(frozen=True)
class Squares:
    """In-plane squares (in mm: square in the patient, so on uneven in-plane spacing a rectangle of voxels).

    In a volume each lies on one slice, or on as many as ``slab`` is thick.
    """

    GRAMMAR: ClassVar[str] = "squares:SIDE[:COUNT][:slab=THICKNESS]"
    HELP: ClassVar[str] = "in-plane squares, e.g. squares:32px:4"
    INSIDE: ClassVar[float] = 1.0

    side: Length
    count: int = 1
    slab: Length | str | None = None
    crossing: ClassVar[bool] = False

    def draw(self, grid: Grid, rng: np.random.Generator, number: int = 1) -> np.ndarray:
        rows, columns = (self.side.whole_voxels(grid, axis) for axis in (-2, -1))
        return thicken(np.ones((rows, columns), dtype=bool), self.slab, grid)
