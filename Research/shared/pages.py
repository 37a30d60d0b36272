"""What the pages of experiments with trained models have in common."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.files import write_text
from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.models.bundle import rescore
from MedInpaintLib.models.store import find
from MedInpaintLib.evaluation.figure import save_comparison
from MedInpaintLib.evaluation.protocol import evaluate
from MedInpaintLib.evaluation.report import Spread
from .cases import Case, Task
from .tables import about, rows_of


def claim(words: str, task: Task, own: Sequence[Case], better: str, worse: str) -> str:
    """A line of a table: by how much one method is better than another, and whether that can be told.

    Paired over the holes, then averaged over each image's.

    Args:
        words: what is claimed.
        task: the kind of holes.
        own: its cases.
        better, worse: labels of the methods.
    """
    rows = rows_of(own)
    cells, holds = [], ""
    for metric, digits in (("psnr", 2), ("ssim", 3)):
        gains: dict[str, list[float]] = {}
        for (number, hole), row in rows[better].items():
            gain = row[metric] - rows[worse][number, hole][metric]
            gains.setdefault(own[number]["image"], []).append(gain)
        spread = Spread.of([float(np.mean(each)) for each in gains.values()])
        error = spread.sd / np.sqrt(spread.n) if spread.n > 1 else np.inf
        cells.append(f"{spread.mean:+.{digits}f} ± {error:.{digits}f}")
        if metric == "psnr":
            holds = "yes" if spread.mean > 2 * error else "no" if spread.mean < -2 * error else "not to be told apart"
    return f"| {words} | {task.holes} | {cells[0]} | {cells[1]} | {holds} |"


def best_of(own: Sequence[Case], methods: Sequence[str]) -> str:
    """The one with the highest mean PSNR over all holes."""
    rows = rows_of(own)
    return max(methods, key=lambda name: float(np.mean([row["psnr"] for row in rows[name].values()])))


def write_scores(found: Sequence[Case], metrics: Sequence[str], path: Path) -> None:
    """A line for each method and hole."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["task", "image", "subject", "seed", "R", "method", "hole", *metrics])
    for case in found:
        for row in case["scores"]:
            about_it = [case["task"], case["image"], case["subject"], case["seed"], f"{case['range']:.6g}"]
            writer.writerow([*about_it, row["method"], row["hole"], *(_cell(row[metric]) for metric in metrics)])
    write_text(path, out.getvalue())


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"


def write_cards(
    found: Sequence[Case],
    models: Mapping[str, tuple[str, str]],
    tasks: Sequence[Task],
    metrics: Sequence[str],
    *,
    base: str,
    split: str,
    protocol: str,
) -> None:
    """The scores of each model into its card, in place of what was there of this split and protocol.

    Args:
        found: all cases.
        models: label -> method and model.
        tasks: of the experiment.
        metrics: to write.
        base: the method that stands beside the model.
        split: of the data.
        protocol: in words: convention, range, and the experiment.
    """
    for label, (method, name) in models.items():
        bundle = find(name)
        kept = [score for score in bundle.scores if score["protocol"] != protocol or score["split"] != split]
        found_here = _card_scores(found, (label, base), tasks, metrics, protocol, split)
        rescore(bundle, [*kept, *found_here], method)


def _card_scores(
    found: Sequence[Case],
    labels: Sequence[str],
    tasks: Sequence[Task],
    metrics: Sequence[str],
    protocol: str,
    split: str,
) -> Iterator[dict[str, Any]]:
    for task in tasks:
        own = [case for case in found if case["task"] == task.name]
        for method in labels if own else ():
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


#: The protocol of the experiments on brain MR, for cards.
MASKED_3D = "masked, 3-D SSIM, range: 99.5 percentile of the known foreground"


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
    """A case, filled by some methods, side by side.

    Args:
        case: which.
        task: its kind of holes.
        options: label -> options of the engine.
        base: a method that stands first.
        data: folder with MANIFEST.csv.
        split: of the data.
        path: of the picture.
        differences: to the truth, beside each fill.
    """
    entry = next(each for each in read_manifest(data, split) if each.name == case["image"])
    image = task.load(entry)
    methods: list[Any] = [base, *options.items()]
    table = evaluate(
        image, task.holes, methods, seed=case["seed"], modality=task.modality, name=entry.name, keep_fills=True
    )
    fills = {label: table.fills[label] for label in (base, *options)}
    scores = {label: table.mean_scores(label) for label in fills}
    save_comparison(path, image, table.labels > 0, fills, scores, differences=differences)
