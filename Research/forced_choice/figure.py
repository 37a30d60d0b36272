"""Pictures of the page: pairs that classifiers were asked about, and how often methods are told, beside their PSNR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.evaluation.figure import write_figure

from ..shared.statistics import Difference
from .classifier import SEEN
from .measure import FLAT, Pictures

#: People in a picture of pairs.
ROWS = 4
#: Quality of the WebP of pairs: 70 smooths the texture by which fills are told.
QUALITY = 85
#: Inches across one small picture.
INCHES = 1.5


def draw_pairs(
    pictures: Sequence[Pictures], methods: Sequence[str], told: Sequence[Mapping[str, str]], path: Path
) -> None:
    """Draw a hole of each of the first people, true and filled, and in how many trainings the fill was told.

    Args:
        pictures: of one task and the split test.
        methods: whose fills to draw, in this order.
        told: rows of the choices.
        path: of the picture; ends in ``.png`` or ``.webp``.
    """
    from matplotlib.figure import Figure

    shown = pictures[:ROWS]
    figure = Figure(figsize=(INCHES * (1 + len(methods)), 1.2 * INCHES * len(shown)), layout="constrained")
    axes = figure.subplots(len(shown), 1 + len(methods), squeeze=False)
    for number, (line, one) in enumerate(zip(axes, shown, strict=True)):
        at = next(index for index, view in enumerate(one.views) if view in (FLAT, "axial"))
        margin = (one.truth.shape[1] - SEEN) // 2
        middle = (at, slice(margin, -margin), slice(margin, -margin))
        for place, (name, array) in zip(
            line, [("truth", one.truth), *((m, one.fills[m]) for m in methods)], strict=True
        ):
            place.imshow(array[middle], cmap="gray", vmin=0, vmax=255)
            place.contour(one.inside[middle], [0.5], colors="#ffb000", linewidths=0.4)
            place.set(xticks=[], yticks=[], title="" if number else name)
            if name != "truth":
                place.set_xlabel(_answers(told, one, name, at), fontsize=8)
    write_figure(figure, path, dpi=100, quality=QUALITY)


def _answers(told: Sequence[Mapping[str, str]], one: Pictures, method: str, at: int) -> str:
    """Return in how many trainings a fill was told from the truth, in words."""
    wanted: tuple[Any, ...] = (one.case["image"], str(one.holes[at]), one.views[at], method)
    own = [float(row["told"]) for row in told if (row["image"], row["hole"], row["view"], row["method"]) == wanted]
    return f"told {sum(own):g} of {len(own)}"


def draw_rates(points: Mapping[str, Mapping[str, tuple[float, Difference]]], path: Path) -> None:
    """Draw how often each method is told from the truth over its PSNR, a panel a task.

    Args:
        points: title -> method -> PSNR in dB, and how much more often than by chance it is told.
        path: of the picture; ends in ``.png`` or ``.webp``.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * len(points), 3.8), layout="constrained")
    panels = figure.subplots(1, len(points), sharey=True, squeeze=False)[0]
    for panel, (title, methods) in zip(panels, points.items(), strict=True):
        for method, (psnr, beyond) in methods.items():
            low, high = beyond.mean - beyond.low, min(beyond.high, 0.5) - beyond.mean
            panel.errorbar(psnr, 0.5 + beyond.mean, [[low], [high]], fmt="o", capsize=3, label=method)
        panel.axhline(0.5, color="gray", linestyle=":", linewidth=1)
        panel.set(title=title, xlabel="PSNR, dB (more is more accurate)", ylim=(0.3, 1.05))
        panel.legend(loc="lower left", fontsize=8)
    panels[0].set_ylabel("told from the truth (0.5: by chance)")
    write_figure(figure, path, dpi=100)
