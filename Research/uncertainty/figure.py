"""The picture of the study: the share of errors within multiples of the standard deviation, against the normal one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.evaluation.figure import write_figure

from .table import MULTIPLES, Line, pooled

RELIABILITY = "reliability.webp"
#: The allowed deviation of a share, drawn as a band.
ALLOWED = 0.05


def normal_share(multiple: float) -> float:
    """Return the share of a normal distribution within so many standard deviations.

    >>> round(normal_share(1), 4), round(normal_share(2), 4)
    (0.6827, 0.9545)
    """
    return math.erf(multiple / math.sqrt(2))


def draw(lines: Sequence[Line], titles: dict[tuple[str, int], str], path: Path) -> None:
    """Draw a panel for each kind of image, with a line for each method.

    Args:
        lines: of the table.
        titles: kind of image -> heading.
        path: of the picture.
    """
    from matplotlib.figure import Figure

    kinds = [kind for kind in titles if any(line.kind == kind for line in lines)]
    columns = min(len(kinds), 2)
    rows = math.ceil(len(kinds) / columns)
    figure = Figure(figsize=(4.6 * columns, 4.4 * rows), dpi=90, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    normal = [normal_share(k) for k in MULTIPLES]
    for panel, kind in zip(axes, kinds, strict=False):
        own = [line for line in lines if line.kind == kind]
        panel.fill_between([0, 1], [-ALLOWED, 1 - ALLOWED], [ALLOWED, 1 + ALLOWED], color="0.92", linewidth=0)
        panel.plot([0, 1], [0, 1], color="0.5", linewidth=0.8)
        for method in dict.fromkeys(line.method for line in own):
            shares = pooled([line for line in own if line.method == method])
            assert shares is not None  # there is a line
            panel.plot(normal, shares.shares, marker="o", markersize=3, linewidth=1.1, label=method)
        for multiple in (1, 2):
            panel.axvline(normal_share(multiple), color="0.7", linewidth=0.7, linestyle=":")
        panel.set(xlim=(0, 1), ylim=(0, 1), title=titles[kind])
        panel.set(xlabel="expected share of the errors", ylabel="share found in test people")
        panel.legend(fontsize=7, frameon=False, loc="upper left")
    for panel in axes[len(kinds) :]:
        panel.set_axis_off()
    write_figure(figure, path)
