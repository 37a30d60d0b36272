"""The figure of the study: what is left of each error, arm by arm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.evaluation.figure import write_figure

from .table import Row, Value, by_arm, by_person, size_of

FIGURE = "errors.webp"


#: Title with unit, rows, and the column whose size is drawn.
Panel = tuple[str, Sequence[Row], str]


def draw(lines: Sequence[Sequence[Panel]], arms: Sequence[str], path: Path) -> None:
    """Draw the mean over people and a dot a person, a panel for each error and in it a line for each arm.

    Args:
        lines: of panels.
        arms: from top to bottom.
        path: of the figure.
    """
    from matplotlib.figure import Figure

    columns = max(map(len, lines))
    figure = Figure(figsize=(4 * columns, 0.4 + 2.7 * len(lines)), dpi=100, layout="constrained")
    axes = figure.subplots(len(lines), columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for line, panels in zip(axes, lines, strict=True):
        for axis, (title, rows, column) in zip(line, panels, strict=False):
            axis.set_axis_on()
            _panel(axis, by_arm(rows), arms, size_of(column))
            axis.set_title(title, fontsize=10)
            axis.tick_params(labelleft=axis is line[0])
    write_figure(figure, path)


def _panel(axis: Any, groups: dict[str, list[Row]], arms: Sequence[str], value: Value) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    for line, arm in enumerate(arms):
        people = list(by_person(groups.get(arm, []), value).values())
        if people:
            axis.plot(people, [line] * len(people), "o", color="0.7", markersize=3)
            axis.plot(np.mean(people), line, "D", color="tab:blue", markersize=5)
    axis.set(xscale="log", yticks=range(len(arms)), yticklabels=arms, ylim=(len(arms) - 0.5, -0.5))
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.grid(axis="x", which="both", linewidth=0.3)
    axis.spines[["top", "right"]].set_visible(False)
