"""Studies of networks that are trained alike except in one respect, and tested on the same holes.

A study is data: what is trained, on what it is tested, and what is compared. Everything else is done here, in
:mod:`.study_command`, which writes tables and pictures, and in :mod:`.study_page`, which makes the page from them.
Trainings are kept in the folder of runs and shared by studies; a study that was stopped resumes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.files import make_folder
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.models.bundle import FACTS
from MedInpaintLib.training.recipe import Recipe, read_recipe
from MedInpaintLib.training.run import run as train

from .cases import Case, Task, fingerprint, folder_of, go_through, in_parallel, list_cases
from .comparison import WITHOUT, Comparison
from .conventions import run_case
from .manifests import reduced, some, write_manifest

#: Pixels along the longer side of a film.
ACROSS = 256
#: The environment variable with the user's folder of models.
MODELS = "MEDINPAINT_MODELS"


@dataclasses.dataclass(frozen=True)
class Arm:
    """A variant: one training.

    Attributes:
        label: in tables.
        architecture: of the network.
        holes: that it learns to fill; validation holes are of the same kind. Those of the recipe when empty.
        contrasts: of the images that it learns from; all when empty.
        arguments: of the network, where they differ from the recipe's.
        task: options of the training, such as weights of losses, where they differ from the recipe's.
        across: pixels along the longer side of the films that it learns from, and of its frames; 0 for films of the
            study's size and frames of the recipe's.
        seed: of the training.
        share: of the people to learn from; each share contains the smaller ones.
    """

    label: str
    architecture: str = "unet"
    holes: tuple[str, ...] = ("squares:1/8",)
    contrasts: tuple[str, ...] = ()
    arguments: tuple[tuple[str, Any], ...] = ()
    task: tuple[tuple[str, Any], ...] = ()
    across: int = 0
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
        across: pixels along the longer side of the films, if not the study's; only arms of this size are tested.
    """

    label: str
    holes: str
    contrasts: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    across: int = 0


@dataclasses.dataclass(frozen=True)
class Size:
    """The size of a study.

    Attributes:
        steps, cases, crops: of each training: updates, holes to learn from, frames to validate with.
        images: to test on, at most.
        seeds: each makes one set of holes in each image.
        batch: frames in each update; 0 for the recipe's.
    """

    steps: int
    cases: int
    crops: int
    images: int
    seeds: tuple[int, ...]
    batch: int = 0


#: For studies whose networks also see and correct a slow fill, as those that are released.
RELEASED = {
    "small": Size(steps=200, cases=120, crops=32, images=6, seeds=(0,)),
    "full": Size(steps=1500, cases=1200, crops=256, images=1000, seeds=(0,)),
}
SIZES = {
    "small": Size(steps=200, cases=120, crops=32, images=6, seeds=(0,)),
    "full": Size(steps=800, cases=800, crops=256, images=1000, seeds=(0,)),
}


#: For networks that take longer a frame: half the frames in each update.
SMALL_BATCH = {name: dataclasses.replace(size, batch=8) for name, size in SIZES.items()}


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
        hint: whether networks see the fill of another method, where their recipe says so. It takes longer to make than
            everything else, so only studies of released networks do that.
        encoder: recipe of a network that is trained first, whose features losses compare; none when empty.
        match: only images whose name begins so; all when empty.
        sizes: of the study, by name.
        pictured: labels of the conditions of which fills are drawn; all when empty. A picture takes 14 to 142 kB of a
            repository that must stay small.
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
    hint: bool = False
    encoder: str = ""
    match: str = ""
    sizes: Mapping[str, Size] = dataclasses.field(default_factory=lambda: SIZES)
    pictured: tuple[str, ...] = ()

    @property
    def modality(self) -> str:
        """The modality of the images."""
        return read_recipe(f"{self.base}-{self.arms[0].architecture}").data.modality

    def recipe(self, arm: Arm, size: Size) -> Recipe:
        """Return the recipe of an arm's training."""
        recipe = read_recipe(f"{self.base}-{arm.architecture}")
        holes = arm.holes or recipe.data.holes
        data = dataclasses.replace(recipe.data, holes=holes, contrasts=arm.contrasts, cases=size.cases)
        schedule = dataclasses.replace(
            recipe.schedule,
            steps=size.steps,
            batch=size.batch or recipe.schedule.batch,
            check_every=max(1, size.steps // 8),
            holes=arm.holes or recipe.schedule.holes,
            crops=size.crops,
            seed=arm.seed,
            # After few steps a long average would still hold much of the first weights.
            ema=0.99,
        )
        task = {**recipe.task, "fine_tune": size.steps * 3 // 4, **dict(arm.task)}
        arguments = {**recipe.arguments, **dict(arm.arguments)}
        if arm.across:
            data, arguments = dataclasses.replace(data, across=arm.across), {**arguments, "pixels": arm.across}
        if data.hint and not self.hint:
            data, arguments = dataclasses.replace(data, hint=""), {**arguments, "hint": False}
        return dataclasses.replace(recipe, arguments=arguments, data=data, schedule=schedule, task=task)

    def uses(self, entry: Entry) -> bool:
        """Return whether an image is one of the study's."""
        return entry.name.startswith(self.match)

    def tested(self, condition: Condition) -> tuple[Arm, ...]:
        """Return the arms that are tested on a condition: those of its size."""
        return tuple(arm for arm in self.arms if self._across(arm) == self._across(condition))

    def _across(self, what: Arm | Condition) -> int:
        return what.across or self.across

    def task_name(self, condition: Condition) -> str:
        """Return the name of a condition's task, as tables hold it."""
        size = f"--{condition.across}" if condition.across else ""
        return f"{self.base}--{_plain(condition.holes)}--{_plain(' '.join(condition.contrasts)) or 'all'}{size}"

    def as_task(self, condition: Condition, size: Size) -> Task:
        """Return a condition as a task."""
        return Task(
            self.task_name(condition),
            condition.label,
            self.modality,
            True,
            condition.holes,
            size.seeds,
            size.images,
            condition.contrasts,
        )


def with_network(study: Study, architecture: str, *, name: str, title: str) -> Study:
    """Return a study of the same holes and images with another network, and half the frames in each update."""
    arms = tuple(dataclasses.replace(arm, architecture=architecture) for arm in study.arms)
    return dataclasses.replace(study, name=name, title=title, arms=arms, sizes=SMALL_BATCH)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The outcome of a study.

    Attributes:
        study, size: what was run.
        data: pixels along the longer side -> folder with MANIFEST.csv of the images, reduced to that (0: as they are).
        folders: label of an arm -> folder of its training.
        cases: of all conditions; a case's ``title`` is the condition's label.
        split: that was tested on.
    """

    study: Study
    size: Size
    data: dict[int, Path]
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
    sizes = {study.across, *map(study._across, study.arms), *map(study._across, study.conditions)}
    images = {across: _images(data, runs, study.modality, source, across) for across in sizes}
    folders = {arm.label: runs / _folder_name(study, arm, size, source) for arm in study.arms}
    missing = []
    for arm in study.arms:
        folder, recipe = folders[arm.label], study.recipe(arm, size)
        if not list(folder.glob(f"*/{FACTS}")):
            own = images[study._across(arm)]
            if arm.share < 1 or study.match:
                own = _some(own, recipe, arm.share, study.match, folder)
            missing.append((recipe, own, folder, runs / "cases", accelerator))
    if missing:
        with _encoder(study, images[study.across], runs, source, accelerator):
            for done in in_parallel(_train, missing, workers=workers):
                print(f"trained {done}", flush=True)
    models = {arm.label: (arm.architecture, str(bundle_of(folders[arm.label]))) for arm in study.arms}
    keep = folder_of(out / "cases" / split, [folder for _, folder in models.values()], source)
    cases: list[Case] = []
    for condition in study.conditions:
        entries = [each for each in read_manifest(images[study._across(condition)], split) if study.uses(each)]
        tested = {arm.label: models[arm.label] for arm in study.tested(condition)}
        work = functools.partial(run_case, without=WITHOUT, models=tested)
        cases += go_through(list_cases(entries, [study.as_task(condition, size)]), work, keep, workers=workers)
    return Outcome(study, size, images, folders, cases, split)


def _images(data: Path, runs: Path, modality: str, source: str, across: int) -> Path:
    """Return the folder of the images at a size, which are made first if they are missing; 0 for the data's own."""
    if not across:
        return data
    return reduced(data, runs / f"{modality}-{across}-{source}", modality, across)


@contextlib.contextmanager
def _encoder(study: Study, data: Path, runs: Path, source: str, accelerator: str) -> Iterator[None]:
    """Train the network whose features losses compare, and let the trainings inside find it by its name.

    Does nothing for a study without such a network. Recipes name it, so that a training's folder does not depend on
    where it lies.
    """
    if not study.encoder:
        yield
        return
    recipe = read_recipe(study.encoder)
    content = json.dumps(dataclasses.asdict(recipe), sort_keys=True)
    folder = runs / f"{recipe.name}-{source}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"
    if not (folder / recipe.name / FACTS).is_file():
        for done in in_parallel(_train, [(recipe, data, folder, runs / "cases", accelerator)], workers=1):
            print(f"trained {done}", flush=True)
    with _models_in(folder):
        yield


@contextlib.contextmanager
def _models_in(folder: Path) -> Iterator[None]:
    """Let this process and those that it starts find models in a folder, in place of the user's own."""
    before = os.environ.get(MODELS)
    os.environ[MODELS] = str(folder.resolve())
    try:
        yield
    finally:
        if before is None:
            del os.environ[MODELS]
        else:
            os.environ[MODELS] = before


def _train(recipe: Recipe, data: Path, folder: Path, cache: Path, accelerator: str) -> str:
    """Train a network, in a process of its own; return the folder's name."""
    make_folder(folder)
    train(recipe, data, folder, accelerator=accelerator, cache=cache)
    return folder.name


def _some(data: Path, recipe: Recipe, share: float, match: str, folder: Path) -> Path:
    """Write a manifest of a share of the people to learn from and all for validation; return its folder."""
    own = [
        entry
        for entry in read_manifest(data, "train")
        if entry.modality == recipe.data.modality and entry.name.startswith(match)
    ]
    write_manifest(data, recipe, some(own, share), folder, match)
    return folder


def _folder_name(study: Study, arm: Arm, size: Size, source: str) -> str:
    """Return the name of a training's folder: readable, and unique to its recipe and data."""
    recipe = study.recipe(arm, size)
    content = json.dumps([source, dataclasses.asdict(recipe)], sort_keys=True)
    content += f"{arm.share}" if arm.share < 1 else ""
    identity = hashlib.sha256(f"{content}{study.match}".encode()).hexdigest()[:8]
    # A recipe's own holes are too many for the name of a folder.
    words = [recipe.name, *arm.holes, *recipe.data.contrasts, f"{recipe.schedule.steps} steps"]
    return f"study-{_plain(' '.join(words))}-{identity}"


def _plain(words: str) -> str:
    """Return words as part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
