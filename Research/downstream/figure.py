"""The figure of the study: what is left of each error, arm by arm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.evaluation.figure import write_figure

from .table import Row, Value, by_arm, by_person, size_of

FIGURE = "errors.webp"


def draw(panels: Sequence[tuple[str, Sequence[Row], str]], arms: Sequence[str], path: Path) -> None:
    """Draw the mean over people and a point a person, a panel for each error and a line for each arm.

    Args:
        panels: title with unit, rows, and the column whose size is drawn.
        arms: from top to bottom.
        path: of the figure.
    """
    from matplotlib.figure import Figure

    columns = min(len(panels), 3)
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(4.2 * columns, 0.5 + 2.9 * lines), dpi=110, layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False)
    for axis, (title, rows, column) in zip(axes.flat, panels, strict=False):
        _panel(axis, by_arm(rows), arms, size_of(column))
        axis.set_title(title, fontsize=10)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    for axis in axes[:, 1:].flat:
        axis.tick_params(labelleft=False)
    write_figure(figure, path)


def _panel(axis: Any, groups: dict[str, list[Row]], arms: Sequence[str], value: Value) -> None:
    for line, arm in enumerate(arms):
        people = list(by_person(groups.get(arm, []), value).values())
        if people:
            axis.plot(people, [line] * len(people), "o", color="0.7", markersize=3)
            axis.plot(np.mean(people), line, "D", color="tab:blue", markersize=5)
    axis.set(xscale="log", yticks=range(len(arms)), yticklabels=arms, ylim=(len(arms) - 0.5, -0.5))
    axis.grid(axis="x", which="both", linewidth=0.3)
    axis.spines[["top", "right"]].set_visible(False)
