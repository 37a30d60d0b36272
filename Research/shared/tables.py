"""Tables of an experiment's page."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence

import numpy as np

from MedInpaintLib.evaluation.report import Spread
from .cases import Case, Task

#: (case, hole).
Key = tuple[int, int]


def machine() -> str:
    """What the numbers were made on."""
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"


def count_holes(case: Case) -> int:
    """How many holes a case has."""
    return len({row["hole"] for row in case["scores"]})


def about(task: Task, own: Sequence[Case]) -> str:
    """What a task's cases are."""
    images = len({case["image"] for case in own})
    seeds = f"seeds {', '.join(map(str, task.seeds))}" if len(task.seeds) > 1 else f"seed {task.seeds[0]}"
    return f"`{task.holes}`, {seeds}, {images} images, {sum(map(count_holes, own))} holes."


def rows_of(own: Sequence[Case]) -> dict[str, dict[Key, Case]]:
    """Method -> (case, hole) -> scores, in the order of the first case."""
    rows: dict[str, dict[Key, Case]] = {}
    for number, case in enumerate(own):
        for row in case["scores"]:
            rows.setdefault(row["method"], {})[number, row["hole"]] = row
    return rows


def score_table(
    own: Sequence[Case], base: str, only: set[Key] | None = None, methods: Sequence[str] | None = None
) -> str:
    """A line a method: mean ± standard deviation over holes, and the gain over ``base`` in the same holes.

    Args:
        own: the cases.
        base: the method that the others are compared with.
        only: these holes; all by default.
        methods: these, in this order; all by default.
    """
    rows = {
        method: {key: row for key, row in scores.items() if only is None or key in only}
        for method, scores in rows_of(own).items()
        if methods is None or method in methods
    }
    if methods is not None:
        rows = {method: rows[method] for method in methods}
    best = max(rows, key=lambda method: Spread.of([row["psnr"] for row in rows[method].values()]).mean)
    lines = ["| method | PSNR dB | SSIM | texture | Δ PSNR dB | better | s |", "|---|---:|---:|---:|---:|---:|---:|"]
    for method, kept in rows.items():
        psnr, ssim = (Spread.of([row[metric] for row in kept.values()]) for metric in ("psnr", "ssim"))
        # Where the truth is flat, any texture is infinitely more.
        texture = Spread.of([row["gradient_energy"] for row in kept.values() if math.isfinite(row["gradient_energy"])])
        gains = [row["psnr"] - rows[base][key]["psnr"] for key, row in kept.items()]
        seconds = np.mean([case["seconds"][method] for case in own if method in case["seconds"]])
        mark = "**" if method == best else ""
        gain = "" if method == base else Spread.of(gains).text(2, "+")
        wins = "" if method == base else f"{sum(g > 0 for g in gains)}/{len(gains)}"
        lines.append(
            f"| {mark}{method}{mark} | {psnr.text(2)} | {ssim.text(3)} | {texture.mean:.2f} | {gain} | {wins} | "
            f"{seconds:.2f} |"
        )
    return "\n".join(lines)
