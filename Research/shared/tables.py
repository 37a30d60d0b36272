"""Tables of a study's page."""

from __future__ import annotations

import platform
from collections.abc import Collection, Iterable, Iterator, Sequence, Set

import numpy as np

from MedInpaintLib.evaluation.report import Spread

from .cases import Case, Task
from .statistics import LOWER_IS_BETTER, Difference, difference_by_person

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
    images, people = (len({case[what] for case in cases}) for what in ("image", "subject"))
    seeds = f"seeds {', '.join(map(str, task.seeds))}" if len(task.seeds) > 1 else f"seed {task.seeds[0]}"
    return f"`{task.holes}`, {seeds}, {images} images of {people} people, {sum(map(count_holes, cases))} holes."


def rows_of(cases: Sequence[Case]) -> dict[str, dict[Key, Case]]:
    """Return method -> (case, hole) -> scores, in the order of the first case."""
    rows: dict[str, dict[Key, Case]] = {}
    for number, case in enumerate(cases):
        for row in case["scores"]:
            rows.setdefault(row["method"], {})[number, row["hole"]] = row
    return rows


def compare(
    cases: Sequence[Case],
    better: str,
    worse: str,
    metric: str = "psnr",
    *,
    trained: bool = False,
    only: Set[Key] | None = None,
) -> Difference:
    """Return by how much one method is better than another in the same holes, averaged over people.

    Args:
        cases: of one kind of holes.
        better, worse: labels of the methods.
        metric: of the scores; holes in which one of the two has no such score are left out.
        trained: whether the methods differ by the training of a network, see :class:`.statistics.Difference`.
        only: these holes; all by default.

    Raises:
        InputError: no hole has both scores.
    """
    return difference_by_person(gains_by_person(cases, better, worse, metric, only=only), metric, trained=trained)


def gains_by_person(
    cases: Sequence[Case], better: str, worse: str, metric: str = "psnr", *, only: Set[Key] | None = None
) -> dict[str, list[float]]:
    """Return person -> by how much one method is better than another in each hole; arguments as for :func:`compare`."""
    rows = rows_of(cases)
    sign = -1 if metric in LOWER_IS_BETTER else 1
    gains: dict[str, list[float]] = {}
    for key, row in rows.get(better, {}).items():
        other = rows.get(worse, {}).get(key)
        if (only is None or key in only) and other and None not in (row[metric], other[metric]):
            gains.setdefault(cases[key[0]]["subject"], []).append(sign * (row[metric] - other[metric]))
    return gains


def score_table(
    cases: Sequence[Case],
    base: str,
    only: Set[Key] | None = None,
    methods: Sequence[str] | None = None,
    *,
    trained: Collection[str] = (),
) -> str:
    """Return a table with a line per method: mean ± standard deviation over holes, and the gain by person.

    Args:
        cases: of one task.
        base: the method with which the others are compared in the same holes.
        only: these holes; all by default.
        methods: these, in this order; all by default.
        trained: methods whose gain over ``base`` must exceed the chance of a training.
    """
    rows = {
        method: {key: row for key, row in scores.items() if only is None or key in only}
        for method, scores in rows_of(cases).items()
        if methods is None or method in methods
    }
    if methods is not None:
        rows = {method: rows[method] for method in methods}
    best = max(rows, key=lambda method: Spread.of([row["psnr"] for row in rows[method].values()]).mean)
    lines = [
        "| method | PSNR dB | SSIM | texture | Δ PSNR dB | people | reading | s |",
        "|---|---:|---:|---:|---:|---:|---|---:|",
    ]
    for method, kept in rows.items():
        psnr, ssim = (Spread.of([row[metric] for row in kept.values()]) for metric in ("psnr", "ssim"))
        # Where the truth is flat, any texture is infinitely more.
        textures = [row["gradient_energy"] for row in kept.values() if row["gradient_energy"] is not None]
        texture = f"{np.mean(textures):.2f}" if textures else ""
        seconds = np.mean([case["seconds"][method] for case in cases if method in case["seconds"]])
        mark = "**" if method == best else ""
        gain = " |  | "
        if method != base:
            difference = compare(cases, method, base, trained=method in trained, only=only)
            gain = f"{str(difference).replace(' dB', '')} | {difference.people} | {difference.verdict.value}"
        lines.append(f"| {mark}{method}{mark} | {psnr.text(2)} | {ssim.text(3)} | {texture} | {gain} | {seconds:.2f} |")
    return "\n".join(lines)
