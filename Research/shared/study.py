"""Studies: networks that are trained alike but for one thing, and tested on the same holes.

A study is data: what is trained, on what it is tested, and how its outcome is put into a sentence. All else, from the
command to the page, is here and in :mod:`.study_page`. Trainings are kept in the folder of runs and shared by studies;
what was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.files import make_folder
from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.models.bundle import FACTS
from MedInpaintLib.training.recipe import Recipe, read_recipe
from MedInpaintLib.training.run import run as train
from MedInpaintLib.evaluation.protocol import TRIVIAL
from .cases import Case, Task, cases, fingerprint, folder_of, go_through, in_parallel, whole
from .conventions import run_case
from .people import manifest as write_manifest
from .people import some
from .reduced import reduced

#: Fills without training; the first is what a network has to be better than.
WITHOUT = ("biharmonic", "harmonic")
#: Pixels along the longer side of a film.
ACROSS = 256


@dataclasses.dataclass(frozen=True)
class Arm:
    """A training.

    Attributes:
        label: in tables.
        architecture: of the network.
        holes: that it learns to fill; of these it is validated, too.
        contrasts: of the images that it learns from; all when empty.
        arguments: of the network, where they are others than in the recipe.
        seed: of the training.
        share: of the people to learn from; each share holds the smaller ones.
    """

    label: str
    architecture: str = "unet"
    holes: tuple[str, ...] = ("squares:1/8",)
    contrasts: tuple[str, ...] = ()
    arguments: tuple[tuple[str, Any], ...] = ()
    seed: int = 0
    share: float = 1.0


@dataclasses.dataclass(frozen=True)
class Exam:
    """A test.

    Attributes:
        label: in tables.
        holes: that are made.
        contrasts: of the images in which they are made; all when empty.
        shown: labels of the arms whose fills are drawn; all when empty.
    """

    label: str
    holes: str
    contrasts: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Size:
    """How much of everything.

    Attributes:
        steps, cases, crops: of each training: updates, holes to learn from, frames to validate with.
        images: to test on, at most.
        seeds: holes are made so often in each.
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
    """Networks that differ in one thing.

    Attributes:
        name, title, question: of the study.
        arms: what is trained.
        exams: on what all of them are tested.
        finding: what came out, in a sentence or some.
        base: ``BASE-ARCHITECTURE`` is the recipe that is followed in all that an arm does not say.
        across: films are reduced to so many pixels first; 0 leaves images as they are.
    """

    name: str
    title: str
    question: str
    arms: tuple[Arm, ...]
    exams: tuple[Exam, ...]
    finding: Callable[[Any], str]
    base: str = "chest-film"
    across: int = ACROSS

    @property
    def modality(self) -> str:
        """Of the images."""
        return read_recipe(f"{self.base}-{self.arms[0].architecture}").data.modality

    def recipe(self, arm: Arm, size: Size) -> Recipe:
        """Of an arm's training."""
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
        if data.hint:  # takes longer to make than all the rest, and is not what is asked
            data, arguments = dataclasses.replace(data, hint=""), {**arguments, "hint": False}
        return dataclasses.replace(recipe, arguments=arguments, data=data, schedule=schedule, task=task)

    def tasks(self, size: Size) -> list[Task]:
        """The exams."""
        return [
            Task(
                f"{self.base}--{_plain(exam.holes)}--{_plain(' '.join(exam.contrasts)) or 'all'}",
                exam.label,
                self.modality,
                True,
                exam.holes,
                size.seeds,
                size.images,
                exam.contrasts,
            )
            for exam in self.exams
        ]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came out of a study.

    Attributes:
        study, size: which.
        data: folder with MANIFEST.csv, of images as they were trained and tested on.
        folders: label of an arm -> folder of its training.
        found: the cases of all exams; a case's ``title`` is the exam's label.
        split: on which was tested.
    """

    study: Study
    size: Size
    data: Path
    folders: dict[str, Path]
    found: list[Case]
    split: str


def bundle_of(folder: Path) -> Path:
    """The model in a training's folder."""
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
        study: which.
        size: how much.
        data: folder with MANIFEST.csv.
        runs: folder for trainings.
        out: folder for the page; cases are kept there.
        split: to test on.
        accelerator: to train on, see :class:`...training.loop.Hardware`.
        workers: trainings or tests at a time, each with a core of its own.
    """
    source = fingerprint(data, study.modality)
    if study.across:
        data = reduced(data, runs / f"{study.modality}-{study.across}-{source}", study.modality, study.across)
    folders = {arm.label: runs / _place(study.recipe(arm, size), source, arm.share) for arm in study.arms}
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
    found = go_through(cases(entries, study.tasks(size)), work, keep, workers=workers)
    return Outcome(study, size, data, folders, found, split)


def main(study: Study, arguments: Sequence[str] | None = None) -> None:
    """The command of a study."""
    from .assemble import assemble
    from .study_page import write_page

    chosen = options(study).parse_args(arguments)
    size = SIZES[chosen.size]
    if chosen.steps:
        size = dataclasses.replace(size, steps=chosen.steps)
    out = chosen.out / study.name
    outcome = run(
        study,
        size,
        chosen.data,
        chosen.runs,
        out,
        split=chosen.split,
        accelerator=chosen.accelerator,
        workers=chosen.workers,
    )
    changed = [f"--{name} {getattr(chosen, name)}" for name in ("size", "steps", "split") if getattr(chosen, name)]
    write_page(outcome, out, f"medinpaint experiment {study.name} --data DATA {' '.join(changed)}")
    assemble(chosen.out)
    print(f"{out / 'README.md'}\n{study.finding(outcome)}")


def options(study: Study) -> argparse.ArgumentParser:
    """What the command of each study takes."""
    parser = argparse.ArgumentParser(prog=f"medinpaint experiment {study.name}", description=study.question)
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.csv")
    parser.add_argument("--out", type=Path, default=Path("docs/experiments"), help="folder for the pages")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for trainings and damaged images")
    parser.add_argument("--size", choices=SIZES, default="small", help="small: minutes; full: what the pages show")
    parser.add_argument("--steps", type=whole, default=0, help="of each training, in place of the size's")
    parser.add_argument("--split", default="test", help="train, val or test")
    parser.add_argument("--accelerator", default="cpu", help="to train on: cpu, cuda or mps")
    parser.add_argument("--workers", type=whole, default=2, help="processes")
    return parser


def _train(recipe: Recipe, data: Path, folder: Path, cache: Path, accelerator: str) -> str:
    make_folder(folder)
    train(recipe, data, folder, accelerator=accelerator, cache=cache)
    return folder.name


def _some(data: Path, recipe: Recipe, share: float, folder: Path) -> Path:
    """A folder with the manifest of a share of the people to learn from, and all for validation."""
    own = [entry for entry in read_manifest(data, "train") if entry.modality == recipe.data.modality]
    write_manifest(data, recipe, some(own, share), folder)
    return folder


def _place(recipe: Recipe, source: str, share: float = 1.0) -> str:
    """The folder of a training: readable, and of this recipe and these data alone."""
    content = json.dumps([source, dataclasses.asdict(recipe)], sort_keys=True) + (f"{share}" if share < 1 else "")
    identity = hashlib.sha256(content.encode()).hexdigest()[:8]
    words = [recipe.name, *recipe.data.holes, *recipe.data.contrasts, f"{recipe.schedule.steps} steps"]
    return f"study-{_plain(' '.join(words))}-{identity}"


def _plain(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def without(labels: Iterable[str]) -> list[str]:
    """All rows of a table: trivial, without training, arms."""
    return [TRIVIAL, *WITHOUT, *labels]
