"""Lengths as people write them: ``20mm``, ``32px``."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence

from ..errors import ParameterError

_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)(mm|px)")


@dataclasses.dataclass(frozen=True)
class Length:
    """A length in mm, or in voxels along whichever axis it is laid (``px``).

    >>> Length.parse("20mm").voxels(2.5)
    8.0
    """

    value: float
    unit: str

    @classmethod
    def parse(cls, text: str) -> Length:
        """From ``"20mm"`` or ``"32px"``.

        Raises:
            ParameterError: it is written otherwise, or is 0.
        """
        found = _WRITTEN.fullmatch(text)
        if found is None or float(found[1]) == 0:
            raise ParameterError(f"'{text}' is not a length; write a positive number with its unit, as in 20mm.")
        return cls(float(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.value:g}{self.unit}"

    def voxels(self, mm: float) -> float:
        """How many voxels it is along an axis with voxels of ``mm``."""
        return self.value / mm if self.unit == "mm" else self.value

    def whole_voxels(self, mm: float) -> int:
        """:meth:`voxels`, rounded to at least 1 (halves up, unlike ``round``, so that sizes grow steadily)."""
        return max(1, math.floor(self.voxels(mm) + 0.5))

    def steps(self, spacing: Sequence[float]) -> tuple[float, ...]:
        """What one voxel measures along each axis, in this length's unit."""
        return tuple(float(mm) for mm in spacing) if self.unit == "mm" else (1.0,) * len(spacing)
