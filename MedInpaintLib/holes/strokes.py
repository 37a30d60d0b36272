"""Free-form strokes, the irregular holes on which inpainting networks are trained."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import numpy as np

from .grid import Grid
from .length import Length
from .shape import thicken

#: Of the strokes with which Recurrent Feature Reasoning was trained, on 256 px images, with brushes of 10-24px.
PUBLISHED_LENGTH, PUBLISHED_VERTICES = Length(100.0, "px"), 25


@dataclasses.dataclass(frozen=True)
class Strokes:
    """Random walks drawn with a round brush, in the plane of the slices.

    A stroke has 1 to ``vertices`` straight parts, each with a direction uniform over the circle, a length uniform up to
    ``length`` and a brush uniform between the two widths; parts end at the slice's edge. The defaults (25 parts, 100
    px; write 10-24px for the width) are those with which Recurrent Feature Reasoning was trained on 256 px images (Li
    et al., CVPR 2020). Strokes that touch are one hole. In a volume each lies on one slice, or on as many as ``slab``
    is thick. At least half of a stroke lies in the foreground.
    """

    GRAMMAR: ClassVar[str] = "strokes:WIDTH[-WIDTH][:COUNT][:length=LENGTH][:vertices=NUMBER][:slab=THICKNESS]"
    HELP: ClassVar[str] = "free-form strokes, e.g. strokes:10-24px:4"
    INSIDE: ClassVar[float] = 0.5

    thinnest: Length
    thickest: Length
    count: int = 1
    length: Length = PUBLISHED_LENGTH
    vertices: int = PUBLISHED_VERTICES
    slab: Length | str | None = None
    crossing: ClassVar[bool] = True

    def draw(self, grid: Grid, rng: np.random.Generator, number: int = 1) -> np.ndarray:
        extent = np.array(grid.shape[-2:])
        plane = np.zeros(extent, dtype=bool)
        start = rng.uniform(0, extent - 1)
        for _ in range(rng.integers(1, self.vertices, endpoint=True)):
            angle = rng.uniform(0, 2 * math.pi)
            far = rng.uniform(0, 1) * self.length.value * np.array([math.sin(angle), math.cos(angle)])
            brush = rng.uniform(self.thinnest.value, self.thickest.value)
            stop = np.clip(start + far / self.length.steps(grid)[-2:], 0, extent - 1)
            _paint(plane, start, stop, np.array(self.thinnest.steps(grid)[-2:]), brush / 2)
            start = stop
        rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
        return thicken(plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], self.slab, grid)


def _paint(plane: np.ndarray, start: np.ndarray, stop: np.ndarray, steps: np.ndarray, radius: float) -> None:
    """Mark every pixel whose centre is at most ``radius`` from the segment ``start..stop``.

    The segment is in pixels, the radius in the unit of ``steps``, which is what a pixel measures along each axis. The
    pixels nearest to both ends are always marked, so a brush thinner than a pixel leaves no empty stroke.
    """
    reach = np.ceil(radius / steps)
    low = np.maximum(np.floor(np.minimum(start, stop) - reach), 0).astype(int)
    high = np.minimum(np.ceil(np.maximum(start, stop) + reach) + 1, plane.shape).astype(int)
    y, x = np.ogrid[low[0] : high[0], low[1] : high[1]]
    y, x = (y - start[0]) * steps[0], (x - start[1]) * steps[1]
    along = (stop - start) * steps
    length = float(along @ along)
    share = np.clip((y * along[0] + x * along[1]) / length, 0, 1) if length > 0 else 0.0
    distance = (y - share * along[0]) ** 2 + (x - share * along[1]) ** 2
    plane[low[0] : high[0], low[1] : high[1]] |= distance <= radius**2
    for end in (start, stop):
        plane[tuple(np.rint(end).astype(int))] = True
