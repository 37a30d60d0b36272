"""Studies of networks that are trained alike except in one respect, and tested on the same holes.

A study is data: what is trained, on what it is tested, and what is compared. Everything else is done here, in
:mod:`.study_command`, which writes tables and pictures, and in :mod:`.study_page`, which makes the page from them.
Trainings are kept in the folder of runs and shared by studies; a study that was stopped resumes.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.files import make_folder
from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.models.bundle import FACTS
from MedInpaintLib.training.recipe import Recipe, read_recipe
from MedInpaintLib.training.run import run as train

from .cases import Case, Task, fingerprint, folder_of, go_through, in_parallel, list_cases
from .comparison import WITHOUT, Comparison
from .conventions import run_case
from .manifests import reduced, some, write_manifest

#: Pixels along the longer side of a film.
ACROSS = 256


@dataclasses.dataclass(frozen=True)
class Arm:
    """A variant: one training.

    Attributes:
        label: in tables.
        architecture: of the network.
        holes: that it learns to fill; validation holes are of the same kind.
        contrasts: of the images that it learns from; all when empty.
        arguments: of the network, where they differ from the recipe's.
        seed: of the training.
        share: of the people to learn from; each share contains the smaller ones.
    """

    label: str
    architecture: str = "unet"
    holes: tuple[str, ...] = ("squares:1/8",)
    contrasts: tuple[str, ...] = ()
    arguments: tuple[tuple[str, Any], ...] = ()
    seed: int = 0
    share: float = 1.0


@dataclasses.dataclass(frozen=True)
class Condition:
    """The holes and images on which all arms are tested.

    Attributes:
        label: in tables.
        holes: to fill.
        contrasts: of the images; all when empty.
        shown: labels of the arms whose fills are drawn; all when empty.
    """

    label: str
    holes: str
    contrasts: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Size:
    """The size of a study.

    Attributes:
        steps, cases, crops: of each training: updates, holes to learn from, frames to validate with.
        images: to test on, at most.
        seeds: each makes one set of holes in each image.
    """

    steps: int
    cases: int
    crops: int
    images: int
    seeds: tuple[int, ...]


SIZES = {
    "small": Size(steps=200, cases=120, crops=32, images=6, seeds=(0,)),
    "full": Size(steps=800, cases=800, crops=256, images=1000, seeds=(0,)),
}


@dataclasses.dataclass(frozen=True)
class Study:
    """A study of networks that differ in one respect.

    Attributes:
        name, title, question: of the study.
        arms: what is trained.
        conditions: on what all arms are tested.
        comparisons: of arms with each other and with the thin plate, which answer the question.
        remark: returns a sentence from the cases that no comparison says.
        base: ``BASE-ARCHITECTURE`` is the recipe of everything that an arm does not set.
        across: pixels along the longer side to which films are reduced first; 0 leaves images as they are.
    """

    name: str
    title: str
    question: str
    arms: tuple[Arm, ...]
    conditions: tuple[Condition, ...]
    comparisons: tuple[Comparison, ...]
    remark: Callable[[Sequence[Case]], str] | None = None
    base: str = "chest-film"
    across: int = ACROSS

    @property
    def modality(self) -> str:
        """The modality of the images."""
        return read_recipe(f"{self.base}-{self.arms[0].architecture}").data.modality

    def recipe(self, arm: Arm, size: Size) -> Recipe:
        """Return the recipe of an arm's training."""
        recipe = read_recipe(f"{self.base}-{arm.architecture}")
        data = dataclasses.replace(recipe.data, holes=arm.holes, contrasts=arm.contrasts, cases=size.cases)
        schedule = dataclasses.replace(
            recipe.schedule,
            steps=size.steps,
            check_every=max(1, size.steps // 8),
            holes=arm.holes,
            crops=size.crops,
            seed=arm.seed,
            # After few steps a long average would still hold much of the first weights.
            ema=0.99,
        )
        task = {**recipe.task, "fine_tune": size.steps * 3 // 4}
        arguments = {**recipe.arguments, **dict(arm.arguments)}
        if data.hint:  # it takes longer to make than everything else, and is not the question
            data, arguments = dataclasses.replace(data, hint=""), {**arguments, "hint": False}
        return dataclasses.replace(recipe, arguments=arguments, data=data, schedule=schedule, task=task)

    def task_name(self, condition: Condition) -> str:
        """Return the name of a condition's task, as tables hold it."""
        return f"{self.base}--{_plain(condition.holes)}--{_plain(' '.join(condition.contrasts)) or 'all'}"

    def tasks(self, size: Size) -> list[Task]:
        """Return the conditions as tasks."""
        return [
            Task(
                self.task_name(condition),
                condition.label,
                self.modality,
                True,
                condition.holes,
                size.seeds,
                size.images,
                condition.contrasts,
            )
            for condition in self.conditions
        ]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The outcome of a study.

    Attributes:
        study, size: what was run.
        data: folder with MANIFEST.csv of the images that were used, reduced where the study reduces them.
        folders: label of an arm -> folder of its training.
        cases: of all conditions; a case's ``title`` is the condition's label.
        split: that was tested on.
    """

    study: Study
    size: Size
    data: Path
    folders: dict[str, Path]
    cases: list[Case]
    split: str


def bundle_of(folder: Path) -> Path:
    """Return the model in a training's folder."""
    return next(path.parent for path in folder.glob(f"*/{FACTS}"))


def run(
    study: Study,
    size: Size,
    data: Path,
    runs: Path,
    out: Path,
    *,
    split: str = "test",
    accelerator: str = "cpu",
    workers: int = 2,
) -> Outcome:
    """Train what is not trained yet, and test what is not tested yet.

    Args:
        study: to run.
        size: of trainings and tests.
        data: folder with MANIFEST.csv.
        runs: folder for trainings.
        out: folder for the page; cases are kept there.
        split: to test on.
        accelerator: to train on, see :class:`MedInpaintLib.training.loop.Hardware`.
        workers: trainings or tests at a time, each with a core of its own.
    """
    source = fingerprint(data, study.modality)
    if study.across:
        data = reduced(data, runs / f"{study.modality}-{study.across}-{source}", study.modality, study.across)
    folders = {arm.label: runs / _folder_name(study.recipe(arm, size), source, arm.share) for arm in study.arms}
    missing = []
    for arm in study.arms:
        folder, recipe = folders[arm.label], study.recipe(arm, size)
        if not list(folder.glob(f"*/{FACTS}")):
            shown = _some(data, recipe, arm.share, folder) if arm.share < 1 else data
            missing.append((recipe, shown, folder, runs / "cases", accelerator))
    for done in in_parallel(_train, missing, workers=workers):
        print(f"trained {done}", flush=True)
    models = {arm.label: (arm.architecture, str(bundle_of(folders[arm.label]))) for arm in study.arms}
    keep = folder_of(out / "cases" / split, [folder for _, folder in models.values()], source)
    entries = read_manifest(data, split)
    work = functools.partial(run_case, without=WITHOUT, models=models)
    cases = go_through(list_cases(entries, study.tasks(size)), work, keep, workers=workers)
    return Outcome(study, size, data, folders, cases, split)


def _train(recipe: Recipe, data: Path, folder: Path, cache: Path, accelerator: str) -> str:
    """Train in a process of its own; return the folder's name."""
    make_folder(folder)
    train(recipe, data, folder, accelerator=accelerator, cache=cache)
    return folder.name


def _some(data: Path, recipe: Recipe, share: float, folder: Path) -> Path:
    """Write a manifest of a share of the people to learn from and all for validation; return its folder."""
    own = [entry for entry in read_manifest(data, "train") if entry.modality == recipe.data.modality]
    write_manifest(data, recipe, some(own, share), folder)
    return folder


def _folder_name(recipe: Recipe, source: str, share: float = 1.0) -> str:
    """Return the name of a training's folder: readable, and unique to this recipe and these data."""
    content = json.dumps([source, dataclasses.asdict(recipe)], sort_keys=True) + (f"{share}" if share < 1 else "")
    identity = hashlib.sha256(content.encode()).hexdigest()[:8]
    words = [recipe.name, *recipe.data.holes, *recipe.data.contrasts, f"{recipe.schedule.steps} steps"]
    return f"study-{_plain(' '.join(words))}-{identity}"


def _plain(words: str) -> str:
    """Return words as part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
