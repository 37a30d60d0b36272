"""What is trained: CollaGAN, CollaGAN without some of its parts, and the networks that it is compared with.

All are trained alike except in what is asked. Trainings are kept in the folder of runs.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from MedInpaintLib.files import make_folder
from MedInpaintLib.models.bundle import FACTS, Bundle
from MedInpaintLib.models.store import find
from MedInpaintLib.training.recipe import Recipe, read_recipe
from MedInpaintLib.training.run import run as train

from ..shared.cases import fingerprint, in_parallel

RECIPE = "brain-mr-collagan"
T1, T2, FLAIR = "T1", "T2", "FLAIR"

#: A question: the contrast that is wanted, and those that are present.
Question = tuple[str, tuple[str, ...]]
#: The main question; the same from one contrast; then all questions.
MAIN: Question = (FLAIR, (T1, T2))
FROM_ONE: Question = (FLAIR, (T2,))
QUESTIONS: tuple[Question, ...] = (
    MAIN,
    FROM_ONE,
    (FLAIR, (T1,)),
    (FLAIR, (T1, T2, "T1C")),
    (T1, (T2, FLAIR)),
    (T2, (T1, FLAIR)),
)


@dataclasses.dataclass(frozen=True)
class Arm:
    """A variant: one training.

    Attributes:
        label: in tables; arms of one label answer different questions.
        architecture: of the network.
        arguments, task: entries that differ from the recipe's.
        only: the sets of present contrasts from which it estimates; any when empty.
        wanted: the contrast that it estimates; any when empty.
    """

    label: str
    architecture: str = "collagan"
    arguments: tuple[tuple[str, Any], ...] = ()
    task: tuple[tuple[str, Any], ...] = ()
    only: tuple[tuple[str, ...], ...] = ()
    wanted: str = ""

    @property
    def name(self) -> str:
        """Its label and what it sees: unique.

        >>> Arm("pix2pix", only=((T1, T2),)).name
        'pix2pix from T1+T2'
        """
        return f"{self.label} from {' or '.join(map('+'.join, self.only))}" if self.only else self.label

    def answers(self, question: Question) -> bool:
        """Return whether the network is asked this question."""
        wanted, there = question
        return self.wanted in ("", wanted) and (not self.only or there in self.only)


NO_CYCLE = (("cycle", 0.0), ("cycle_ssim", 0.0))
NO_SSIM = (("direct_ssim", 0.0), ("cycle_ssim", 0.0))
NO_JUDGE = (("adversarial", 0.0), ("domain", 0.0))


def _translators(label: str, architecture: str) -> tuple[Arm, Arm]:
    """Return the arms of a network with fixed sources: from what CollaGAN gets, and from T2 alone."""
    from_both, from_one = (
        Arm(label, architecture, (("sources", numbers), ("target", 2)), only=(there,), wanted=FLAIR)
        for numbers, (_, there) in (((0, 1), MAIN), ((1,), FROM_ONE))
    )
    return from_both, from_one


#: The first one is what the others are compared with.
ARMS = (
    Arm("CollaGAN"),
    Arm("without cycle", task=NO_CYCLE),
    Arm("without SSIM", task=NO_SSIM),
    Arm("L1 only", task=(*NO_CYCLE, *NO_SSIM, *NO_JUDGE)),
    Arm("without dropout", task=(("dropout", 0.0),)),
    *_translators("pix2pix", "pix2pix"),
    *_translators("CycleGAN", "cyclegan"),
    # In its paper it sees one contrast; the stacked one sees all, left out in training as often as CollaGAN's are.
    Arm("StarGAN", "stargan", only=((T1,), (T2,))),
    Arm("StarGAN, stacked", "stargan-stacked", task=(("dropout", 0.3),)),
)
#: Labels of models that were trained elsewhere: the one that this repository releases, and the paper's own network.
RELEASED, PUBLISHED = "released", "published"


#: Models that are asked the first two questions alone, which is enough to see what the losses add.
BRIEF = ("without cycle", "without SSIM", "L1 only")

#: Estimates without a network: the first from one contrast alone; networks have to be better than the second.
RESCALED, REGRESSION = "rescaled", "regression"
#: All methods in the order of tables.
METHODS = tuple(dict.fromkeys([RESCALED, REGRESSION, *(arm.label for arm in ARMS), RELEASED, PUBLISHED]))


def asked(name: str, question: Question) -> bool:
    """Return whether a model is asked a question.

    Args:
        name: :attr:`Arm.name`, or a label of another model.
        question: what is wanted, and from what.
    """
    if name == PUBLISHED:  # an estimate by 34 million weights takes many minutes
        return question == MAIN
    if name in BRIEF:
        return question in (MAIN, FROM_ONE)
    return next((arm.answers(question) for arm in ARMS if arm.name == name), True)


def label_of(name: str) -> str:
    """Return the label of a model in tables."""
    return next((arm.label for arm in ARMS if arm.name == name), name)


@dataclasses.dataclass(frozen=True)
class Size:
    """The size of the study: updates of each training, validation slices, the step between test slices, and updates of
    the segmenter.
    """

    steps: int
    crops: int
    every: int
    segmenter: int


SIZES = {
    "small": Size(steps=30, crops=4, every=8, segmenter=30),
    "full": Size(steps=1000, crops=24, every=1, segmenter=600),
}


def recipe_of(arm: Arm, size: Size) -> Recipe:
    """Return the recipe of an arm: the released model's, in fewer steps, except in what is asked."""
    recipe = read_recipe(RECIPE)
    arguments = {**recipe.arguments, **dict(arm.arguments)}
    known = recipe.task
    if arm.architecture != "collagan":
        known = {name: known[name] for name in ("rate", "half_life")}
    schedule = dataclasses.replace(
        recipe.schedule, steps=size.steps, check_every=max(1, size.steps // 5), crops=size.crops
    )
    task = {**known, "half_life": max(1, size.steps // 3), **dict(arm.task)}
    return dataclasses.replace(recipe, architecture=arm.architecture, arguments=arguments, schedule=schedule, task=task)


def trained(size: Size, data: Path, runs: Path, *, accelerator: str = "cpu", workers: int = 2) -> dict[str, Bundle]:
    """Train the arms that are not trained yet.

    Args:
        size: of the trainings.
        data: folder with MANIFEST.csv.
        runs: folder for trainings.
        accelerator: to train on.
        workers: trainings at a time, each with a core of its own.

    Returns:
        :attr:`Arm.name` -> model.
    """
    source = fingerprint(data, "MR")
    folders = {arm.name: runs / folder_name(recipe_of(arm, size), source) for arm in ARMS}
    missing = [
        (recipe_of(arm, size), data, folders[arm.name], accelerator)
        for arm in ARMS
        if not list(folders[arm.name].glob(f"*/{FACTS}"))
    ]
    for done in in_parallel(_train, missing, workers=workers):
        print(f"trained {done}", flush=True)
    return {name: find(str(next(folder.glob(f"*/{FACTS}")).parent)) for name, folder in folders.items()}


def _train(recipe: Recipe, data: Path, folder: Path, accelerator: str) -> str:
    """Train in a process of its own; return the folder's name."""
    make_folder(folder)
    train(recipe, data, folder, accelerator=accelerator)
    return folder.name


def folder_name(recipe: Recipe, source: str) -> str:
    """Return the name of a training's folder: readable, and unique to this recipe and these data."""
    content = json.dumps([source, dataclasses.asdict(recipe)], sort_keys=True)
    identity = hashlib.sha256(content.encode()).hexdigest()[:8]
    return f"contrasts-{recipe.architecture}-{recipe.schedule.steps}-steps-{identity}"
