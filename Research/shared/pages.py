"""What the pages of studies have in common."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.evaluation.figure import save_comparison
from MedInpaintLib.evaluation.protocol import evaluate
from MedInpaintLib.evaluation.report import Spread
from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.models.bundle import rescore
from MedInpaintLib.models.store import find

from .cases import Case, Task
from .manifests import write_rows
from .tables import about, by_task, count_holes, machine, rows_of

#: The protocol of the studies on brain MR, for cards.
MASKED_3D = "masked, 3-D SSIM, range: 99.5 percentile of the known foreground"
#: The same on pages; to be completed with the method that others are compared with.
SCORES_3D = (
    "Scores are over the hole (convention `masked`): PSNR with a fixed range R (99.5 percentile of the known "
    "foreground), SSIM in 3-D, *texture* = gradient energy in the hole over the truth's (1 is ideal), mean ± standard "
    "deviation over holes; *Δ* is the difference to `{}` in the same hole, *better* in how many it is positive, *s* "
    "the mean time to fill a case."
)


def introduction(study: str, title: str, cases: Sequence[Case], split: str, *, models: str, scores: str) -> str:
    """Return the head of a page: the title, the data and how the numbers were made.

    Args:
        study: its name.
        title: of the page.
        cases: all.
        split: of the data.
        models: what the methods learned from.
        scores: what the numbers in the tables are.
    """
    images, subjects = ({case[what] for case in cases} for what in ("image", "subject"))
    return (
        f"# {title}\n\n"
        f"{len(images)} images of {len(subjects)} subjects, split **{split}**; {len(cases)} cases, "
        f"{sum(map(count_holes, cases))} holes. {models} Made by\n\n"
        f"    python -m Research {study} --data DATA --split {split}\n\n"
        f"on {datetime.date.today().isoformat()}, {machine()}, one core a case. {scores}"
    )


def models_table(models: Mapping[str, str], frames: str, seen: Mapping[str, str] | None = None) -> str:
    """Return a table of models and their trainings.

    Args:
        models: cell of the first column -> name.
        frames: what they learn from.
        seen: name -> what it sees beside the slices, for one more column.
    """
    more = " sees beside the slices |" if seen else ""
    lines = [
        "## The models\n",
        f"| model | weights | steps of training | minutes |{more} validation, PSNR dB |",
        f"|---|---:|---:|---:|{'---|' if seen else ''}---:|",
    ]
    for label, name in models.items():
        bundle = find(name)
        training = bundle.training
        cell = f" {seen[name]} |" if seen else ""
        lines.append(
            f"| {label} | {bundle.megabytes:.1f} MB | {training['steps']} x {training['batch']} {frames} | "
            f"{training['minutes']:.0f} |{cell} {bundle.scores[0]['psnr']:.2f} |"
        )
    return "\n".join(lines)


def claims_head(first: str, last: str) -> tuple[str, str]:
    """Return the head of a table of which :func:`claim` returns the lines."""
    return f"| {first} | holes | difference in PSNR, dB | in SSIM | {last} |", "|---|---|---:|---:|---|"


def claim(words: str, task: Task, cases: Sequence[Case], better: str, worse: str) -> str:
    """Return a line of a table: by how much one method is better than another, and whether that is clear.

    Differences are paired over the holes, then averaged over each image's.

    Args:
        words: what is claimed.
        task: the kind of holes.
        cases: of the task.
        better, worse: labels of the methods.
    """
    rows = rows_of(cases)
    cells, holds = [], ""
    for metric, digits in (("psnr", 2), ("ssim", 3)):
        gains: dict[str, list[float]] = {}
        for (number, hole), row in rows[better].items():
            gain = row[metric] - rows[worse][number, hole][metric]
            gains.setdefault(cases[number]["image"], []).append(gain)
        spread = Spread.of([float(np.mean(each)) for each in gains.values()])
        error = spread.sd / np.sqrt(spread.n) if spread.n > 1 else np.inf
        cells.append(f"{spread.mean:+.{digits}f} ± {error:.{digits}f}")
        if metric == "psnr":
            holds = "yes" if spread.mean > 2 * error else "no" if spread.mean < -2 * error else "not to be told apart"
    return f"| {words} | {task.holes} | {cells[0]} | {cells[1]} | {holds} |"


def best_of(cases: Sequence[Case], methods: Sequence[str]) -> str:
    """Return the method with the highest mean PSNR over all holes."""
    rows = rows_of(cases)
    return max(methods, key=lambda name: float(np.mean([row["psnr"] for row in rows[name].values()])))


def write_scores(cases: Sequence[Case], metrics: Sequence[str], path: Path) -> None:
    """Write a CSV file with a line for each method and hole."""
    rows: list[list[object]] = [["task", "image", "subject", "seed", "R", "method", "hole", *metrics]]
    for case in cases:
        own = [case["task"], case["image"], case["subject"], case["seed"], f"{case['range']:.6g}"]
        rows += [
            [*own, row["method"], row["hole"], *(_cell(row[metric]) for metric in metrics)] for row in case["scores"]
        ]
    write_rows(path, rows)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"


def write_cards(
    cases: Sequence[Case],
    models: Mapping[str, tuple[str, str]],
    tasks: Sequence[Task],
    metrics: Sequence[str],
    *,
    base: str,
    split: str,
    protocol: str,
) -> None:
    """Write the scores of each model into its card; they replace earlier ones of the same split and protocol.

    Args:
        cases: all.
        models: label -> method and model.
        tasks: of the study.
        metrics: to write.
        base: the method whose scores are shown for comparison.
        split: of the data.
        protocol: in words: convention, range, and the study.
    """
    for label, (method, name) in models.items():
        bundle = find(name)
        kept = [score for score in bundle.scores if score["protocol"] != protocol or score["split"] != split]
        scores = _card_scores(cases, (label, base), tasks, metrics, protocol, split)
        rescore(bundle, [*kept, *scores], method)


def _card_scores(
    cases: Sequence[Case],
    labels: Sequence[str],
    tasks: Sequence[Task],
    metrics: Sequence[str],
    protocol: str,
    split: str,
) -> Iterator[dict[str, Any]]:
    """Yield the scores of these methods on each task, as a card holds them."""
    for task, own in by_task(cases, tasks):
        for method in labels:
            rows = rows_of(own)[method].values()
            # Where the truth is flat, any texture is infinitely more.
            spreads = {metric: Spread.of([row[metric] for row in rows if _finite(row[metric])]) for metric in metrics}
            yield {
                "protocol": protocol,
                "split": split,
                "holes": f"{task.holes}, {about(task, own).split('`, ')[1]}",
                "method": method,
                **{name: {"mean": round(each.mean, 4), "sd": round(each.sd, 4)} for name, each in spreads.items()},
            }


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def draw(
    case: Case,
    task: Task,
    options: Mapping[str, dict[str, Any]],
    base: str,
    data: Path,
    split: str,
    path: Path,
    *,
    differences: bool = False,
) -> None:
    """Draw a case, filled by several methods side by side.

    Args:
        case: to draw.
        task: its kind of holes.
        options: label -> options of the engine.
        base: the method that is drawn first.
        data: folder with MANIFEST.csv.
        split: of the data.
        path: of the picture.
        differences: draw the difference to the truth below each fill, too.
    """
    entry = next(each for each in read_manifest(data, split) if each.name == case["image"])
    image = task.load(entry)
    methods: list[Any] = [base, *options.items()]
    table = evaluate(
        image, task.cut(image, case["seed"]), methods, seed=case["seed"], modality=task.modality, name=entry.name, keep_fills=True
    )
    fills = {label: table.fills[label] for label in (base, *options)}
    scores = {label: table.mean_scores(label) for label in fills}
    save_comparison(path, image, table.labels > 0, fills, scores, differences=differences)
