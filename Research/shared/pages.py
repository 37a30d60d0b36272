"""What the pages of studies have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.evaluation.figure import save_comparison
from MedInpaintLib.evaluation.protocol import evaluate
from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.models.store import find

from .cases import Case, Task
from .statistics import CHANCE_OF_TRAINING, LEAST_PEOPLE, reading
from .tables import compare, count_holes

#: The protocol of the studies on brain MR, for cards.
MASKED_3D = "masked, 3-D SSIM, range: 99.5 percentile of the known foreground"
#: What the colours of the differences in a picture of fills mean.
COLOURS = "Red: the fill is brighter than the truth; blue: darker."
#: What the columns of :func:`.tables.score_table` are; to be completed with the method that others are compared with.
COLUMNS = (
    "*texture* = gradient energy in the hole over the truth's (1 is ideal); mean ± standard deviation over holes, the "
    "highest mean in bold. *Δ* is the difference to `{}` in the same holes, averaged over each person's holes and then "
    "over people, with its 95 % t-interval over people. The *reading* follows from that interval; fewer than "
    f"{LEAST_PEOPLE} people are too few to tell. *s* is the mean time to fill a case."
)
#: What else decides where a trained network is compared.
TRAINED = (
    "A trained network must also gain or lose more than "
    f"{CHANCE_OF_TRAINING['psnr']:g} dB: [two trainings alike](../experiments/seeds/README.md) differ by almost as "
    "much."
)
#: The columns on pages of networks for brain MR.
SCORES_3D = (
    "Scores are over the hole (convention `masked`): PSNR with a fixed range R (99.5 percentile of the known "
    f"foreground), SSIM in 3-D, {COLUMNS} {TRAINED}"
)


def introduction(
    study: str, title: str, cases: Sequence[Case], facts: Mapping[str, Any], *, models: str, scores: str
) -> str:
    """Return the head of a page: the title, the data and how the numbers were made.

    Args:
        study: its name.
        title: of the page.
        cases: all.
        facts: of the page: ``split`` of the data, and ``made``, see :func:`.facts.write_facts`.
        models: what the methods learned from.
        scores: what the numbers in the tables are.
    """
    images, people = (len({case[what] for case in cases}) for what in ("image", "subject"))
    split = facts["split"]
    return (
        f"# {title}\n\n"
        f"{images} images of {people} people, split **{split}**; {len(cases)} cases, "
        f"{sum(map(count_holes, cases))} holes. {models} Made by\n\n"
        f"    python -m Research {study} --data DATA --split {split}\n\n"
        f"on {facts['made']}, one core a case. {scores}"
    )


def describe_models(models: Mapping[str, str], seen: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Return what a page says of models and their trainings, for its facts.

    Args:
        models: cell of the first column -> name.
        seen: name -> what it sees beside the slices.
    """
    rows = []
    for label, name in models.items():
        bundle = find(name)
        training = bundle.training
        rows.append(
            {
                "label": label,
                "megabytes": round(bundle.megabytes, 1),
                **{key: training[key] for key in ("steps", "batch", "minutes", "machine")},
                "validation_psnr": bundle.scores[0]["psnr"],
                **({"seen": seen[name]} if seen else {}),
            }
        )
    return rows


def models_table(models: Sequence[Mapping[str, Any]], frames: str) -> str:
    """Return a table of models and their trainings.

    Args:
        models: what :func:`describe_models` returned.
        frames: what they learn from.
    """
    seen = "seen" in models[0]
    more = " sees beside the slices |" if seen else ""
    lines = [
        "## The models\n",
        f"| model | weights | steps of training | minutes |{more} validation, PSNR dB |",
        f"|---|---:|---:|---:|{'---|' if seen else ''}---:|",
    ]
    for model in models:
        cell = f" {model['seen']} |" if seen else ""
        lines.append(
            f"| {model['label']} | {model['megabytes']:.1f} MB | {model['steps']} x {model['batch']} {frames} | "
            f"{model['minutes']:.0f} |{cell} {model['validation_psnr']:.2f} |"
        )
    return "\n".join(lines)


#: What the lines of :func:`claim` are.
CLAIMS = (
    "Differences in the same holes, averaged over each person's holes and then over people, with the 95 % t-interval "
    "over people. Yes or no: the interval of PSNR leaves out 0 and, where trainings differ, the difference is larger "
    f"than {CHANCE_OF_TRAINING['psnr']:g} dB; otherwise the two cannot be told apart. "
    f"Fewer than {LEAST_PEOPLE} people are too few to tell."
)


def claims_head(first: str, last: str) -> tuple[str, str]:
    """Return the head of a table of which :func:`claim` returns the lines."""
    return f"| {first} | holes | {last} (by PSNR) | difference in SSIM |", "|---|---|---|---:|"


def claim(words: str, task: Task, cases: Sequence[Case], better: str, worse: str, *, trained: bool) -> str:
    """Return a line of a table: whether one method is better than another, and by how much.

    Args:
        words: what is claimed.
        task: the kind of holes.
        cases: of the task.
        better, worse: labels of the methods.
        trained: whether they differ by the training of a network, see :class:`.statistics.Difference`.
    """
    psnr, ssim = (compare(cases, better, worse, metric, trained=trained) for metric in ("psnr", "ssim"))
    return f"| {words} | {task.title} | {reading(psnr, 'yes', 'no')} | {ssim} |"


def best_of(cases: Sequence[Case], methods: Sequence[str]) -> str:
    """Return the method with the highest PSNR, averaged over each person's holes and then over people."""
    return max(methods, key=lambda method: compare(cases, method, methods[0]).mean)


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
        image,
        task.cut(image, case["seed"]),
        methods,
        seed=case["seed"],
        modality=task.modality,
        name=entry.name,
        keep_fills=True,
    )
    fills = {label: table.fills[label] for label in (base, *options)}
    scores = {label: table.mean_scores(label) for label in fills}
    save_comparison(path, image, table.labels > 0, fills, scores, differences=differences)
