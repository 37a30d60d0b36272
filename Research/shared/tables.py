"""Tables of a study's page."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from MedInpaintLib.evaluation.report import Spread

from .cases import Case, Task

#: (case, hole).
Key = tuple[int, int]


def machine() -> str:
    """Return what the numbers were made on."""
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"


def count_holes(case: Case) -> int:
    """Return how many holes a case has."""
    return len({row["hole"] for row in case["scores"]})


def of_task(cases: Sequence[Case], task: Task) -> list[Case]:
    """Return the cases of one task."""
    return [case for case in cases if case["task"] == task.name]


def by_task(cases: Sequence[Case], tasks: Iterable[Task]) -> Iterator[tuple[Task, list[Case]]]:
    """Yield each task that has cases, with these."""
    for task in tasks:
        own = of_task(cases, task)
        if own:
            yield task, own


def about(task: Task, cases: Sequence[Case]) -> str:
    """Return a task's holes, seeds and numbers in words."""
    images = len({case["image"] for case in cases})
    seeds = f"seeds {', '.join(map(str, task.seeds))}" if len(task.seeds) > 1 else f"seed {task.seeds[0]}"
    return f"`{task.holes}`, {seeds}, {images} images, {sum(map(count_holes, cases))} holes."


def rows_of(cases: Sequence[Case]) -> dict[str, dict[Key, Case]]:
    """Return method -> (case, hole) -> scores, in the order of the first case."""
    rows: dict[str, dict[Key, Case]] = {}
    for number, case in enumerate(cases):
        for row in case["scores"]:
            rows.setdefault(row["method"], {})[number, row["hole"]] = row
    return rows


def score_table(
    cases: Sequence[Case], base: str, only: set[Key] | None = None, methods: Sequence[str] | None = None
) -> str:
    """Return a table with a line per method: mean ± standard deviation over holes, and the gain over ``base``.

    Args:
        cases: of one task.
        base: the method with which the others are compared in the same holes.
        only: these holes; all by default.
        methods: these, in this order; all by default.
    """
    rows = {
        method: {key: row for key, row in scores.items() if only is None or key in only}
        for method, scores in rows_of(cases).items()
        if methods is None or method in methods
    }
    if methods is not None:
        rows = {method: rows[method] for method in methods}
    best = max(rows, key=lambda method: Spread.of([row["psnr"] for row in rows[method].values()]).mean)
    lines = ["| method | PSNR dB | SSIM | texture | Δ PSNR dB | better | s |", "|---|---:|---:|---:|---:|---:|---:|"]
    for method, kept in rows.items():
        psnr, ssim = (Spread.of([row[metric] for row in kept.values()]) for metric in ("psnr", "ssim"))
        # Where the truth is flat, any texture is infinitely more.
        textures = [row["gradient_energy"] for row in kept.values()]
        texture = Spread.of([each for each in textures if each is not None and math.isfinite(each)])
        gains = [row["psnr"] - rows[base][key]["psnr"] for key, row in kept.items()]
        seconds = np.mean([case["seconds"][method] for case in cases if method in case["seconds"]])
        mark = "**" if method == best else ""
        gain = "" if method == base else Spread.of(gains).text(2, "+")
        wins = "" if method == base else f"{sum(g > 0 for g in gains)}/{len(gains)}"
        lines.append(
            f"| {mark}{method}{mark} | {psnr.text(2)} | {ssim.text(3)} | {texture.mean:.2f} | {gain} | {wins} | "
            f"{seconds:.2f} |"
        )
    return "\n".join(lines)
