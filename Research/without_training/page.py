"""The command and the page of the study `without-training`: tables, figures, and how the self-check did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.evaluation.report import Spread
from MedInpaintLib.files import replacing, write_text

from ..shared.cases import Case, options, selected
from ..shared.manifests import write_rows
from ..shared.pages import draw, introduction
from ..shared.tables import about, by_task, rows_of, score_table
from .measure import AUTO, METRICS, SINGLE, TASKS, run

BASE = "biharmonic"
#: A sphere of 20 mm is lateral from this distance to the midline on, mm.
LATERAL = 20.0
SHOWN = ("telea", "patch-regression", "patch", "hybrid")


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    chosen = options("without-training", out=Path("docs/fills")).parse_args(arguments)
    cases = run(chosen.data, chosen.out, **selected(chosen))
    write_page(cases, chosen.data, chosen.out, chosen.split)


def write_page(cases: Sequence[Case], data: Path, out: Path, split: str) -> None:
    """Write ``README.md``, ``scores.csv.gz``, ``checks.csv.gz`` and the figures, beside the folder ``cases``."""
    _write_scores(cases, out / "scores.csv.gz")
    _write_checks(cases, out / "checks.csv.gz")
    parts = [
        introduction(
            "without-training",
            "Fills that need no training",
            cases,
            split,
            models="None of these methods is trained; constants were chosen on the splits train and val.",
            scores="Scores are over the hole (convention `masked`): PSNR with a fixed range R (99.5 percentile of the "
            "known foreground; 400 HU for CT; 255 for films), SSIM in 3-D for volumes, *texture* = gradient energy in "
            "the hole over the truth's (1 is ideal), mean ± standard deviation over holes. *Δ* is the difference to "
            "`biharmonic` in the same hole, *better* in how many of them it is positive, *s* the mean time to fill a "
            "case. `shell-mean` is the trivial fill. Every number is in [scores.csv.gz](scores.csv.gz).",
        )
    ]
    for task, own in by_task(cases, TASKS):
        parts.append(f"## {task.title}\n\n{about(task, own)}\n\n{score_table(own, BASE)}")
        if task.name == "mr-20mm":
            parts.append(_lateral(own))
        shown = {method: {"method": method} for method in (*SHOWN, *(["mirror"] if task.modality == "MR" else []))}
        draw(own[0], task, shown, BASE, data, split, out / f"{task.name}.png")
        parts.append(f"![{task.title}]({task.name}.png)\n\n*{own[0]['image']}, the first of the list.*")
    parts.append(_self_check(cases))
    _draw_calibration(cases, out / "self-check.png")
    write_text(out / "README.md", "\n\n".join(parts) + "\n")


def _lateral(own: Sequence[Case]) -> str:
    """Return a table of the spheres far from the midline, or nothing where there are none."""
    rows = rows_of(own)
    lateral = {key for key, row in rows[BASE].items() if (row["off_midline_mm"] or 0) >= LATERAL}
    if not lateral:
        return ""
    return (
        f"### Lateral ones: {LATERAL:g} mm or more from the midline\n\n{len(lateral)} of {len(rows[BASE])} spheres. "
        f"The midline is the one that the engine finds.\n\n{score_table(own, BASE, lateral)}"
    )


def _means(case: Case) -> dict[str, float]:
    """Return each method's mean PSNR over the holes of a case."""
    means: dict[str, list[float]] = {}
    for row in case["scores"]:
        means.setdefault(row["method"], []).append(row["psnr"])
    return {method: float(np.mean(values)) for method, values in means.items()}


def _promises(cases: Sequence[Case]) -> list[tuple[float, float, str]]:
    """Return promised and achieved mean PSNR of each case's self-check, and the task."""
    pairs = []
    for case in cases:
        took = case["took"][AUTO[1]]
        promised = case["expected"] and case["expected"][took]["mean"]
        if promised is not None and promised:
            pairs.append((promised, _means(case)[AUTO[1]], case["task"]))
    return pairs


def _self_check(cases: Sequence[Case]) -> str:
    """Return how close the self-check's choice was to the best, and its promise to what was achieved."""
    lines = [
        "| task | cases | best single method of each case | auto | auto --self-check | best single method of the task "
        "| auto --self-check |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in [*dict.fromkeys(case["task"] for case in cases), "all"]:
        own = [case for case in cases if name in (case["task"], "all")]
        means = [_means(case) for case in own]
        best = [max(mean[method] for method in SINGLE if method in mean) for mean in means]
        cells = [
            Spread.of([mean[label] - top for mean, top in zip(means, best, strict=True)]).text(2, "+") for label in AUTO
        ]
        common = [method for method in SINGLE if all(method in mean for mean in means)]
        single = max(common, key=lambda method: float(np.mean([mean[method] for mean in means])))
        lead = Spread.of([mean[AUTO[1]] - mean[single] for mean in means]).text(2, "+")
        lines.append(
            f"| {name} | {len(own)} | {np.mean(best):.2f} | {cells[0]} | {cells[1]} | "
            f"{single}, {np.mean([mean[single] for mean in means]):.2f} | {lead} |"
        )
    promised, achieved = np.array([pair[:2] for pair in _promises(cases)]).reshape(-1, 2).T
    error = achieved - promised
    kept = (
        f"r = {np.corrcoef(promised, achieved)[0, 1]:.2f}; achieved - promised = {error.mean():+.2f} ± "
        f"{error.std(ddof=1):.2f} dB (mean ± standard deviation)"
        if len(promised) > 1
        else "too few to tell"
    )
    return (
        "## The self-check: is its choice the best, and its promise kept?\n\n"
        "Mean PSNR in dB of the best single method, chosen afterwards among "
        + ", ".join(f"`{name}`" for name in SINGLE)
        + ": for each case (which few holes decide, so luck has a part in it) and for each task; and how far the "
        "automatic choices are from it.\n\n"
        + "\n".join(lines)
        + f"\n\nPromised against achieved mean PSNR over {len(promised)} cases: {kept}. Every case is in "
        "[checks.csv.gz](checks.csv.gz).\n\n"
        "![Promised and achieved PSNR](self-check.png)"
    )


def _write_scores(cases: Sequence[Case], path: Path) -> None:
    """Write a line for each method and hole."""
    rows: list[list[object]] = [
        ["task", "image", "subject", "seed", "R", "method", "hole", "off_midline_mm", *METRICS],
    ]
    for case in cases:
        about = [case["task"], case["image"], case["subject"], case["seed"], f"{case['range']:.6g}"]
        for row in case["scores"]:
            aside = "" if row["off_midline_mm"] is None else f"{row['off_midline_mm']:.1f}"
            rows.append([*about, row["method"], row["hole"], aside, *(f"{row[metric]:.5g}" for metric in METRICS)])
    write_rows(path, rows)


def _write_checks(cases: Sequence[Case], path: Path) -> None:
    """Write what the self-check promised in each case, and what was achieved."""
    rows: list[list[object]] = [
        ["task", "image", "seed", "took", "promised_psnr", "achieved_psnr", "best_single", "best_psnr"]
    ]
    for case in cases:
        took, means = case["took"][AUTO[1]], _means(case)
        promised = case["expected"][took]["mean"] if case["expected"] else None
        best = max((method for method in SINGLE if method in means), key=lambda method: means[method])
        promise = "" if promised is None else f"{promised:.3f}"
        achieved = [f"{means[AUTO[1]]:.3f}", best, f"{means[best]:.3f}"]
        rows.append([case["task"], case["image"], case["seed"], took, promise, *achieved])
    write_rows(path, rows)


def _draw_calibration(cases: Sequence[Case], path: Path) -> None:
    """Draw achieved against promised PSNR."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 4.6), dpi=110, layout="tight")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    pairs = _promises(cases)
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
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")
