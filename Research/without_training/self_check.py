"""The self-check of the study `without-training`: whether its choice was the best, and its promise kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.evaluation.figure import write_figure

from ..shared.cases import Case, Task
from ..shared.manifests import write_rows
from ..shared.pages import best_of
from ..shared.statistics import LEAST_PEOPLE, Difference, difference_by_person, reading
from ..shared.tables import by_task, compare
from .measure import AUTO, SINGLE

CHECKS = "checks.csv.gz"
FIGURE = "self-check.webp"


def case_means(case: Case) -> dict[str, float]:
    """Return each method's mean PSNR over the holes of a case."""
    means: dict[str, list[float]] = {}
    for row in case["scores"]:
        means.setdefault(row["method"], []).append(row["psnr"])
    return {method: float(np.mean(values)) for method, values in means.items()}


def write_checks(cases: Sequence[Case], path: Path) -> None:
    """Write what the self-check promised in each case, and what was achieved; without a promise its cell is empty."""
    rows: list[list[object]] = [
        ["task", "image", "subject", "seed", "took", "promised_psnr", "achieved_psnr", "best_single", "best_psnr"]
    ]
    for case in cases:
        took, means = case["took"][AUTO[1]], case_means(case)
        promised = case["expected"][took]["mean"] if case["expected"] else None
        best = max((method for method in SINGLE if method in means), key=lambda method: means[method])
        promise = "" if promised is None else f"{promised:.3f}"
        achieved = [f"{means[AUTO[1]]:.3f}", best, f"{means[best]:.3f}"]
        rows.append([case["task"], case["image"], case["subject"], case["seed"], took, promise, *achieved])
    write_rows(path, rows)


def choices_table(cases: Sequence[Case], tasks: Sequence[Task]) -> str:
    """Return a table of how far the automatic choices are from the best single method of each case and of each task."""
    lines = [
        "| task | cases | people | best of each case | auto | auto --self-check | best of the task | auto --self-check "
        "against it |",
        "|---|---:|---:|---:|---:|---:|---|---|",
    ]
    for task, own in by_task(cases, tasks):
        best = [max(means[method] for method in SINGLE if method in means) for means in map(case_means, own)]
        behind = [_behind_best(own, label) for label in AUTO]
        common = [method for method in SINGLE if all(method in case_means(case) for case in own)]
        single = best_of(own, common)
        lines.append(
            f"| {task.name} | {len(own)} | {behind[0].people} | {np.mean(best):.2f} | {behind[0]} | {behind[1]} | "
            f"`{single}` | {reading(compare(own, AUTO[1], single))} |"
        )
    return "\n".join(lines)


def _behind_best(own: Sequence[Case], label: str) -> Difference:
    """Return a choice's PSNR less that of the best single method of each case, averaged over people."""
    gains: dict[str, list[float]] = {}
    for case in own:
        means = case_means(case)
        best = max(means[method] for method in SINGLE if method in means)
        gains.setdefault(case["subject"], []).append(means[label] - best)
    return difference_by_person(gains)


def promises_table(checks: Sequence[dict[str, str]], tasks: Sequence[Task]) -> str:
    """Return a table of how well the self-check keeps its promise on each kind of hole.

    Args:
        checks: rows that :func:`write_checks` wrote.
        tasks: of the study, in the order of the lines.
    """
    lines = ["| task | cases | r | achieved less promised |", "|---|---:|---:|---|"]
    for task in tasks:
        own = [row for row in checks if row["task"] == task.name and row["promised_psnr"]]
        if not own:  # the holes are too large for trial holes beside them
            continue
        promised, achieved = (
            np.array([float(row[f"{what}_psnr"]) for row in own]) for what in ("promised", "achieved")
        )
        gains: dict[str, list[float]] = {}
        for row, gain in zip(own, achieved - promised, strict=True):
            gains.setdefault(row["subject"], []).append(float(gain))
        # Three points lie near some line whatever they are.
        r = f"{np.corrcoef(promised, achieved)[0, 1]:.2f}" if len(own) >= LEAST_PEOPLE else ""
        kept = reading(difference_by_person(gains), "more than promised", "less than promised")
        lines.append(f"| {task.name} | {len(own)} | {r} | {kept} |")
    return "\n".join(lines)


def section(cases: Sequence[Case], checks: Sequence[dict[str, str]], tasks: Sequence[Task]) -> str:
    """Return the part of the page on the self-check."""
    return "\n\n".join(
        [
            "## The self-check: is its choice the best, and its promise kept?",
            "The best single method is chosen afterwards among "
            + ", ".join(f"`{name}`" for name in SINGLE)
            + ": for each case (which few holes decide, so luck has a part in it), whose mean PSNR in dB is shown with "
            "how far the automatic choices are from it, and for each task, by the mean over people. Differences are "
            "by person, as above.",
            choices_table(cases, tasks),
            "The promise is the mean PSNR of the chosen method in the trial holes. How well it ranks the cases of a "
            f"task is their correlation *r*, given from {LEAST_PEOPLE} cases on; over all tasks together *r* would "
            "only say that some tasks are easier than others. How far it is off is by person, as above. Every case is "
            f"in [{CHECKS}]({CHECKS}).",
            promises_table(checks, tasks),
            f"![Promised and achieved PSNR]({FIGURE})",
        ]
    )


def draw_promises(checks: Sequence[dict[str, str]], path: Path) -> None:
    """Draw achieved against promised PSNR, from rows that :func:`write_checks` wrote."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 4.6), dpi=110, layout="tight")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    pairs = [
        (float(row["promised_psnr"]), float(row["achieved_psnr"]), row["task"])
        for row in checks
        if row["promised_psnr"]
    ]
    for task in dict.fromkeys(pair[2] for pair in pairs):
        own = np.array([pair[:2] for pair in pairs if pair[2] == task])
        axis.scatter(own[:, 0], own[:, 1], s=16, label=task)
    ends = np.array([pair[:2] for pair in pairs] or [(10.0, 40.0)])
    low, high = float(ends.min()) - 1, float(ends.max()) + 1
    axis.plot([low, high], [low, high], color="0.6", linewidth=0.8, zorder=0)
    axis.set(
        xlabel="promised by the self-check, PSNR dB", ylabel="achieved, PSNR dB", xlim=(low, high), ylim=(low, high)
    )
    if pairs:
        axis.legend(fontsize=7, frameon=False)
    write_figure(figure, path)
