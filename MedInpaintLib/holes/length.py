"""Lengths as people write them: ``20mm``, ``32px``, ``12.5%``, ``1/8``."""

from __future__ import annotations

import dataclasses
import math
import re

from ..errors import ParameterError
from .grid import Grid

#: Longest number: every image ends before.
MOST_DIGITS = 6
_NUMBER = rf"\d{{1,{MOST_DIGITS}}}"
_WRITTEN = re.compile(rf"({_NUMBER}(?:\.\d+)?)(mm|px|%)")
_SHARE = re.compile(rf"({_NUMBER})/({_NUMBER})")


@dataclasses.dataclass(frozen=True)
class Length:
    """A length in mm, in voxels along whichever axis it is laid (``px``), or in percent of a slice's shorter side.

    Percents are of millimetres: a shape that is round in mm is round in percent, at any spacing.

    >>> Length.parse("1/8").whole_voxels(Grid((30, 256, 320), (5.0, 0.9, 0.9)), axis=1)
    32
    """

    value: float
    unit: str

    @classmethod
    def parse(cls, text: str) -> Length:
        """Parse ``"20mm"``, ``"32px"`` or ``"12.5%"``; ``"1/8"`` equals the latter.

        Raises:
            ParameterError: it is written otherwise, or is 0.
        """
        value, unit = 0.0, "%"
        if match := _WRITTEN.fullmatch(text):
            value, unit = float(match[1]), match[2]
        elif (match := _SHARE.fullmatch(text)) and int(match[2]):
            value = 100 * int(match[1]) / int(match[2])
        if value == 0:
            raise ParameterError(
                f"'{text}' is not a length; write a positive number with its unit, as in 20mm, or a fraction as in 1/8."
            )
        return cls(value, unit)

    def __str__(self) -> str:
        return f"{self.value:g}{self.unit}"

    def steps(self, grid: Grid) -> tuple[float, ...]:
        """Return the size of a voxel along each axis, in this length's unit."""
        if self.unit == "px":
            return (1.0,) * len(grid.shape)
        one = 1.0 if self.unit == "mm" else grid.side_mm / 100
        return tuple(mm / one for mm in grid.spacing)

    def whole_voxels(self, grid: Grid, axis: int) -> int:
        """Return how many voxels it spans along an axis, at least 1; halves go up, so that sizes grow steadily."""
        # The tolerance is for halves that rounding has left a little short: 1/12 of 258 voxels is 21.5.
        return max(1, math.floor(self.value / self.steps(grid)[axis] + 0.5 + 1e-9))
