"""What shapes need to know of an image."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Grid:
    """The image's grid: voxels and mm an axis, ``(k, j, i)`` or ``(j, i)``; no axis is one voxel long."""

    shape: tuple[int, ...]
    spacing: tuple[float, ...]

    @property
    def side_mm(self) -> float:
        """The shorter side of a slice."""
        return min(size * mm for size, mm in zip(self.shape[-2:], self.spacing[-2:], strict=True))
