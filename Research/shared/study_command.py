"""The command of a study of trained networks: writes tables, facts and pictures, then the page from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.files import write_text
from MedInpaintLib.models.store import find

from .cases import Case, training_options, written
from .comparison import BASE, mean, of_condition
from .conventions import METRICS
from .curves import PICTURE, TABLE, Curves, draw_curves, read_curves, read_history, write_curves
from .facts import write_facts
from .pages import draw
from .scores import SCORES, write_scores
from .study import Arm, Condition, Outcome, Study, bundle_of, run
from .study_page import picture, text
from .tables import count_holes


def main(study: Study, arguments: Sequence[str]) -> None:
    """Run the command of a study."""
    chosen = training_options(study.name, Path("docs/experiments"), study.sizes, study.question).parse_args(arguments)
    size = study.sizes[chosen.size]
    if chosen.steps:
        size = dataclasses.replace(size, steps=chosen.steps)
    folder = chosen.out / study.name
    outcome = run(
        study,
        size,
        chosen.data,
        chosen.runs,
        folder,
        split=chosen.split,
        accelerator=chosen.accelerator,
        workers=chosen.workers,
    )
    write(outcome, folder, written(study.name, chosen))
    print(folder / "README.md")


def write(outcome: Outcome, folder: Path, command: str) -> None:
    """Write the tables of scores and of curves, ``facts.json``, the pictures, and from these ``README.md``.

    Args:
        outcome: of the study.
        folder: of the page.
        command: that makes the page.
    """
    study = outcome.study
    write_scores([averaged(case) for case in outcome.cases], METRICS, folder / SCORES)
    write_curves(folder / TABLE, _curves(outcome))
    draw_curves(read_curves(folder / TABLE), folder / PICTURE)
    tested = [
        (number, condition)
        for number, condition in enumerate(study.conditions, start=1)
        if of_condition(outcome.cases, condition.label)
    ]
    pictures = {
        condition.label: _draw(outcome, condition, folder / picture(number))
        for number, condition in tested
        if not study.pictured or condition.label in study.pictured
    }
    holes = {
        condition.label: sum(map(count_holes, of_condition(outcome.cases, condition.label))) for _, condition in tested
    }
    write_facts(folder, command=command, split=outcome.split, holes=holes, pictures=pictures, **_trainings(outcome))
    write_text(folder / "README.md", text(study, folder))


def averaged(case: Case) -> Case:
    """Return a case with one row per method, the mean over the image's holes, which keeps ``scores.csv.gz`` small.

    A metric that is undefined in some holes is averaged over the others, and is None where it is undefined in all.
    """
    rows = []
    for method in dict.fromkeys(row["method"] for row in case["scores"]):
        row: dict[str, Any] = {"method": method, "hole": "mean"}
        for metric in METRICS:
            values = [each[metric] for each in case["scores"] if each["method"] == method and each[metric] is not None]
            row[metric] = float(np.mean(values)) if values else None
        rows.append(row)
    return {**case, "scores": rows}


def _draw(outcome: Outcome, condition: Condition, path: Path) -> Mapping[str, str]:
    """Draw fills and their differences to the truth in the image with the median gain of the first arm shown.

    Returns:
        the name of the image, and the label of that arm.
    """
    study = outcome.study
    arms = {arm.label: arm for arm in study.arms}
    shown = [arms[label] for label in dict.fromkeys(condition.shown or [arm.label for arm in study.tested(condition)])]
    first = shown[0].label
    own = of_condition(outcome.cases, condition.label)
    case = sorted(own, key=lambda each: mean([each], first) - mean([each], BASE))[len(own) // 2]
    task, images = study.as_task(condition, outcome.size), outcome.data[condition.across or study.across]
    options = {
        arm.label: {"method": arm.architecture, "parameters": {"model": str(bundle_of(outcome.folders[arm.label]))}}
        for arm in shown
    }
    draw(case, task, options, BASE, images, outcome.split, path, differences=True)
    return {"image": case["image"], "arm": first}


def _trainings(outcome: Outcome) -> dict[str, Any]:
    """Return the facts about the trainings."""
    training = find(str(bundle_of(next(iter(outcome.folders.values()))))).training
    return {
        "steps": training["steps"],
        "batch": training["batch"],
        "cases": outcome.size.cases,
        "trained_on": training["machine"],
        "networks": [_network(outcome, arm) for arm in outcome.study.arms],
    }


def _network(outcome: Outcome, arm: Arm) -> dict[str, Any]:
    """Return the facts about the training of one network."""
    bundle = find(str(bundle_of(outcome.folders[arm.label])))
    return {
        "network": arm.label,
        "architecture": arm.architecture,
        "learned_from": ", ".join([*(arm.holes or ["the recipe's holes"]), *arm.contrasts]),
        "people": sum(row["subjects"] for row in bundle.training["data"]),
        "megabytes": round(bundle.megabytes, 1),
        "step_size": outcome.study.recipe(arm, outcome.size).task["rate"],
        "minutes": round(bundle.training["minutes"]),
    }


def _curves(outcome: Outcome) -> Curves:
    """Return the curves of all trainings."""
    study = outcome.study
    widths = {arm.label: study.recipe(arm, outcome.size).data.half_width for arm in study.arms}
    return {label: read_history(folder, widths[label]) for label, folder in outcome.folders.items()}
