"""Fill the holes of each head by each method, and score them; register the atlas and time it."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.atlas.maps import atlas_file
from MedInpaintLib.atlas.registration import register, why_none
from MedInpaintLib.evaluation.protocol import evaluate
from MedInpaintLib.evaluation.report import Table
from MedInpaintLib.manifest import Entry
from MedInpaintLib.models.store import models as list_models
from MedInpaintLib.volume import Volume

from ..shared.cases import Case, Task, folder_of, go_through, list_cases, summary
from ..shared.conventions import finite
from ..shared.subjects import damaged_subject
from .holes import TASKS, cut, entries, read

BASE, NETWORK, ATLAS, CONSENSUS, REFINED = "biharmonic", "unet", "atlas", "consensus", "unet-3d"
#: The arms that are trained networks, with their models.
MODELS = {NETWORK: "brain-mr-unet", REFINED: "brain-mr-unet-3d"}
#: Label -> options of the engine.
METHODS: dict[str, dict[str, Any]] = {
    BASE: {"method": BASE},
    "mirror": {"method": "mirror"},
    NETWORK: {"method": NETWORK, "parameters": {"model": MODELS[NETWORK]}},
    ATLAS: {"method": ATLAS},
    CONSENSUS: {"method": CONSENSUS},
    REFINED: {"method": REFINED, "parameters": {"model": MODELS[REFINED]}},
}
METRICS = ("psnr", "ssim", "mae", "gradient_energy")


def methods() -> dict[str, dict[str, Any]]:
    """Return the arms that can run here: networks need torch and their model."""
    there = set(list_models()) if importlib.util.find_spec("torch") is not None else set()
    missing = {label for label, model in MODELS.items() if model not in there}
    return {label: {**options, "workers": 1} for label, options in METHODS.items() if label not in missing}


def _models() -> list[str]:
    """Return the models of the arms that can run here."""
    return [MODELS[label] for label in methods() if label in MODELS]


def run(
    data: Path, runs: Path, *, split: str = "test", only: Sequence[str] = (), match: str = "", workers: int = 2
) -> list[Case]:
    """Score all cases; those that were scored before with the same atlas and network are read from their files.

    Args:
        data: folder with MANIFEST.csv and the shapes of strokes.
        runs: folder for what was measured.
        split: of the data.
        only: names of tasks; all by default.
        match: only images with this in their name.
        workers: images at a time, each on a core of its own.
    """
    keep = folder_of(runs / "atlas" / split, _models(), _atlas())
    tasks = [task for task in TASKS if not only or task.name in only]
    work = functools.partial(run_case, data)
    return go_through(list_cases(entries(data, split, match), tasks), work, keep, workers=workers)


def run_again(
    data: Path, runs: Path, cases: Sequence[Case], arms: Sequence[str], *, split: str, workers: int = 2
) -> list[Case]:
    """Return cases with the scores of some arms measured again, in the same holes; the others' stay.

    Args:
        data, runs, split, workers: as for :func:`run`.
        cases: that were scored before.
        arms: labels of :data:`METHODS`.
    """
    keep = folder_of(runs / "atlas" / f"{split}-{'-'.join(arms)}", _models(), _atlas())
    named = {task.name: task for task in TASKS}
    images = {entry.name: entry for entry in entries(data, split, "")}
    todo = [(named[case["task"]], images[case["image"]], case["seed"]) for case in cases]
    measured = go_through(todo, functools.partial(score_arms, data, tuple(arms)), keep, workers=workers)
    again = {_key(case): case for case in measured}
    return [_joined(case, again[_key(case)]) for case in cases]


def _key(case: Case) -> tuple[str, str, int]:
    return case["task"], case["image"], case["seed"]


def _joined(case: Case, again: Case) -> Case:
    """Return a case whose scores are those of another one where this has the method too."""
    measured = {row["method"] for row in again["scores"]}
    kept = [row for row in case["scores"] if row["method"] not in measured]
    seconds = {**case["seconds"], **again["seconds"]}
    return {**case, **again, "scores": [*kept, *again["scores"]], "seconds": seconds}


def _atlas() -> str:
    return hashlib.sha256(atlas_file().read_bytes()).hexdigest()


def score_arms(data: Path, arms: tuple[str, ...], task: Task, entry: Entry, seed: int) -> Case | None:
    """Return the scores of some arms in one image with one set of holes; None where the holes do not fit."""
    head = read(data, entry)
    labels = cut(task, head, data, seed)
    if labels is None:
        return None
    chosen = {label: options for label, options in methods().items() if label in arms}
    with no_registrations():
        facts = registered(head.image, labels > 0)
        table = fill(head.image, labels, entry, seed, chosen)
    return {
        **summary(task, entry, seed, table),
        "contrast": entry.contrast,
        "registration": facts,
        "scores": _scores(table),
    }


def run_case(data: Path, task: Task, entry: Entry, seed: int) -> Case | None:
    """Return the scores of all arms in one image with one set of holes; None where the holes do not fit."""
    return score_arms(data, tuple(methods()), task, entry, seed)


def _scores(table: Table) -> list[dict[str, Any]]:
    return [
        {"method": row.method, "hole": row.hole, **{metric: finite(metric, row.scores[metric]) for metric in METRICS}}
        for row in table.rows
    ]


def fill(
    image: Volume,
    labels: np.ndarray,
    entry: Entry,
    seed: int,
    arms: dict[str, dict[str, Any]],
    *,
    keep_fills: bool = False,
) -> Table:
    """Return the scores of some arms in the holes of an image."""
    return evaluate(
        image,
        labels,
        list(arms.items()),
        seed=seed,
        modality=entry.modality,
        name=entry.name,
        split=entry.split,
        keep_fills=keep_fills,
    )


def registered(image: Volume, hole: np.ndarray) -> dict[str, Any]:
    """Register the atlas onto a damaged image, and return how long it took and how well it fits, ready for JSON.

    The methods that are run after it find the registration in the cache, so their seconds are without it.
    """
    # Of this process, not of the wall: the machine may be busy.
    started = time.process_time()
    registration = register(damaged_subject(image, hole))
    seconds = time.process_time() - started
    field = registration.field if registration else None
    return {
        "seconds": round(seconds, 2),
        "affine": round(registration.agreement, 3) if registration else None,
        "deformed": round(field.correlation, 3) if field else None,
        "reason": why_none(registration),
    }


@contextmanager
def no_registrations() -> Iterator[None]:
    """Begin with an empty cache of registrations, so that each case registers, and leave the user's own alone."""
    name = "MEDINPAINT_REGISTRATIONS"
    before = os.environ.get(name)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[name] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[name]
            else:
                os.environ[name] = before
