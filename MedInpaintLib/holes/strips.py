"""Strips across the image, like lost lines or a bar of an implant's shadow."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from .grid import Grid
from .length import Length
from .shape import thicken

ORIENTATIONS = ("horizontal", "vertical", "both", "mixed")


@dataclasses.dataclass(frozen=True)
class Strips:
    """Strips of a given width from one edge of the slice to the other.

    ``horizontal`` strips are rows, ``vertical`` ones columns of the array; with ``both`` each strip takes either at
    random; with ``mixed`` half of them are rows and half columns, an odd one either at random. Strips that cross are
    one hole. In a volume each lies on one slice, or on as many as ``slab`` is thick.
    At least a quarter of a strip lies in the foreground; the rest runs through the background, as real strips do.
    """

    GRAMMAR: ClassVar[str] = "strips:WIDTH[:COUNT][:horizontal|vertical|both|mixed][:slab=THICKNESS]"
    HELP: ClassVar[str] = "strips across the slice, horizontal by default, e.g. strips:16px:2:vertical"
    INSIDE: ClassVar[float] = 0.25

    width: Length
    count: int = 1
    orientation: str = "horizontal"
    slab: Length | str | None = None

    @property
    def crossing(self) -> bool:
        return self.orientation in ("both", "mixed")

    def draw(self, grid: Grid, rng: np.random.Generator, number: int = 1) -> np.ndarray:
        orientation = self._orientation(rng, number)
        rows, columns = grid.shape[-2:]
        if orientation == "horizontal":
            rows = self.width.whole_voxels(grid, -2)
        else:
            columns = self.width.whole_voxels(grid, -1)
        return thicken(np.ones((rows, columns), dtype=bool), self.slab, grid)

    def _orientation(self, rng: np.random.Generator, number: int) -> str:
        if not self.crossing:
            return self.orientation
        is_paired = self.orientation == "mixed" and number <= self.count - self.count % 2
        return ORIENTATIONS[number % 2 if is_paired else rng.integers(2)]
