"""A picture of a marked film: the film with the outline, and close-ups of it and of its fills."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.files import replacing
from MedInpaintLib.mask import grow

from .measure import Fill, distinct

_BACK, _INK, _OUTLINE = "#101214", "#f2f2f2", "#ffb000"
#: Pixels around the hole in a close-up.
MARGIN = 24
#: Inches across the film, and across all close-ups beside it.
FILM, CLOSE_UPS = 4.0, 10.0
#: Quality of the WebP: the textures by which fills differ are seen at 60, and 82 makes files 1.6 times as large.
QUALITY = 60


def draw(film: np.ndarray, mask: np.ndarray, fills: Sequence[Fill], path: Path) -> None:
    """Write a WebP picture of a film and its fills.

    Args:
        film: with what is marked in it.
        mask: bool, the film's shape.
        fills: of the film; one by :data:`.measure.AUTO` is left out where the method that it chose is there.
        path: to write to.
    """
    from matplotlib.figure import Figure

    part = close_up(mask)
    black, white = window(film, mask, part)
    panels = {"film": film} | {each.method: each.film for each in distinct(fills)}
    height, width = (side.stop - side.start for side in part)
    columns = count_columns(len(panels), width / height)
    rows = math.ceil(len(panels) / columns)
    tall = max(FILM + 0.3, rows * (CLOSE_UPS / columns * height / width + 0.3))
    figure = Figure(figsize=(FILM + CLOSE_UPS, tall), dpi=100, layout="constrained", facecolor=_BACK)
    # Its type names the single figure alone, which is returned for one row and one column.
    halves: Any = figure.subfigures(1, 2, width_ratios=(FILM, CLOSE_UPS))
    left, right = halves
    overview = left.subplots()
    overview.imshow(film, cmap="gray")
    # Levels at 0.5 follow the edges of pixels; the film's own border is no edge of the hole.
    overview.contour(mask, [0.5], colors=_OUTLINE, linewidths=1.0)
    overview.set_axis_off()
    axes = right.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    for axis, (title, array) in zip(axes, panels.items(), strict=False):
        axis.imshow(array[part], cmap="gray", vmin=black, vmax=white)
        axis.set_title(title, color=_INK, fontsize=12, pad=4)
    for each in (left, right):
        each.set_facecolor(_BACK)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="webp", facecolor=_BACK, pil_kwargs={"quality": QUALITY, "method": 6})


def close_up(mask: np.ndarray) -> tuple[slice, slice]:
    """Return the box around a hole and :data:`MARGIN` pixels, within the film."""
    sides = [np.flatnonzero(mask.any(axis=1 - axis)) for axis in (0, 1)]
    box = tuple(slice(int(side[0]), int(side[-1]) + 1) for side in sides)
    rows, columns = grow(box, [MARGIN] * 2, mask.shape)
    return rows, columns


def window(film: np.ndarray, mask: np.ndarray, part: tuple[slice, slice]) -> tuple[float, float]:
    """Return black and white of the close-ups: the range of what is known there, without 0.5 % at each end."""
    low, high = np.percentile(film[part][~mask[part]], (0.5, 99.5))
    return float(low), float(max(high, low + 1))


def count_columns(panels: int, aspect: float) -> int:
    """Return how many of the close-ups stand side by side, by their width over their height: broad ones need space."""
    return 2 if aspect > 1.4 else 4 if aspect < 0.8 else math.ceil(math.sqrt(panels))
