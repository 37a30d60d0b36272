"""Estimates of a missing contrast and their scores: CollaGAN, CollaGAN without some of its parts, and comparators.

All networks are trained alike except in what is asked. Trainings are kept in the folder of runs, answers in ``cases``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.errors import InputError
from MedInpaintLib.files import make_folder, write_text
from MedInpaintLib.frames import Pose, pose
from MedInpaintLib.imputation.core import fit_core_scaling
from MedInpaintLib.imputation.estimate import estimate, load_network
from MedInpaintLib.imputation.regression import regress
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.metrics import nmse, ssim_map
from MedInpaintLib.models.bundle import FACTS, Bundle
from MedInpaintLib.models.once import LoadedModel
from MedInpaintLib.models.store import find
from MedInpaintLib.training.contrasts import brain, sessions
from MedInpaintLib.training.recipe import Recipe, read_recipe
from MedInpaintLib.training.run import run as train
from MedInpaintLib.volume import Volume

from ..comparators.rescaling import match_histograms
from ..shared.cases import fingerprint, folder_of, in_parallel
from .lesions_kept import LesionsKept, lesions_kept

RECIPE = "brain-mr-collagan"
#: Slices with fewer pixels of brain than this are not scored.
LEAST_PIXELS = 500
#: Voxels of each session to which estimates without a network are fitted.
_SAMPLES = 100_000
T1, T2, FLAIR = "T1", "T2", "FLAIR"


@dataclasses.dataclass(frozen=True)
class Arm:
    """A variant: one training.

    Attributes:
        label: in tables.
        architecture: of the network.
        arguments, task: entries that differ from the recipe's.
        sees: the contrasts that the network can see; all when empty.
    """

    label: str
    architecture: str = "collagan"
    arguments: tuple[tuple[str, Any], ...] = ()
    task: tuple[tuple[str, Any], ...] = ()
    sees: tuple[str, ...] = ()


NO_CYCLE = (("cycle", 0.0), ("cycle_ssim", 0.0))
NO_SSIM = (("direct_ssim", 0.0), ("cycle_ssim", 0.0))
NO_JUDGE = (("adversarial", 0.0), ("domain", 0.0))
_FROM_T2, _FROM_BOTH = ((("sources", numbers), ("target", 2)) for numbers in ((1,), (0, 1)))
ARMS = (
    Arm("CollaGAN"),
    Arm("without cycle", task=NO_CYCLE),
    Arm("without SSIM", task=NO_SSIM),
    Arm("L1 only", task=(*NO_CYCLE, *NO_SSIM, *NO_JUDGE)),
    Arm("without dropout", task=(("dropout", 0.0),)),
    Arm("pix2pix, T2", "pix2pix", _FROM_T2, sees=(T2,)),
    Arm("pix2pix, T1+T2", "pix2pix", _FROM_BOTH, sees=(T1, T2)),
    Arm("CycleGAN, T2", "cyclegan", _FROM_T2, sees=(T2,)),
    Arm("CycleGAN, T1+T2", "cyclegan", _FROM_BOTH, sees=(T1, T2)),
    Arm("StarGAN, T2", "stargan", (("preferred", (1, 0, 3, 2)),), sees=(T2,)),
    Arm("StarGAN, T1+T2", "stargan-stacked", task=(("dropout", 0.3),), sees=(T1, T2)),
)
#: Estimates without a network; networks have to be better than the last.
REGRESSION = "regression"
WITHOUT = ("T1, rescaled", "T2, rescaled", REGRESSION)
#: The main question: the wanted contrast, and those that are present; then all questions.
MAIN = (FLAIR, (T1, T2))
QUESTIONS = (
    MAIN,
    (FLAIR, (T1, T2, "T1C")),
    (FLAIR, (T1,)),
    (FLAIR, (T2,)),
    (T1, (T2, FLAIR)),
    (T2, (T1, FLAIR)),
)


@dataclasses.dataclass(frozen=True)
class Size:
    """The size of the study: updates of each training, validation slices, and the step between test slices."""

    steps: int
    crops: int
    every: int


SIZES = {"small": Size(steps=30, crops=4, every=8), "full": Size(steps=1000, crops=24, every=1)}

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Session:
    """The images of a subject at one time, on one grid.

    Attributes:
        name, subject: of the session.
        volumes: contrast -> image.
        scaled: contrast -> float32, on the scale of :mod:`MedInpaintLib.imputation.core`.
        inside: bool, the brain.
        turned: to (slice, row, column).
    """

    name: str
    subject: str
    volumes: dict[str, Volume]
    scaled: dict[str, np.ndarray]
    inside: np.ndarray
    turned: Pose


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The outcome of the study.

    Attributes:
        rows: a row per method, question and slice.
        lesions: a row per method and session, for the main question.
        models: label -> the model.
        split: that was tested on.
        size: of the trainings.
    """

    rows: list[Row]
    lesions: list[tuple[str, str, LesionsKept]]
    models: dict[str, Bundle]
    split: str
    size: Size


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


def read_sessions(data: Path, split: str) -> list[Session]:
    """Return the sessions of a split that have the contrasts of the main question.

    Raises:
        InputError: there is none.
    """
    recipe = read_recipe(RECIPE)
    entries = [entry for entry in read_manifest(data, split) if entry.modality == "MR"]
    usable = []
    for images, mask in sessions(entries, recipe.data.contrasts, recipe.data.inside):
        if {MAIN[0], *MAIN[1]} <= images.keys():
            usable.append(_session(images, mask))
    if not usable:
        raise InputError(f"The data in '{data}' have no session with {', '.join((MAIN[0], *MAIN[1]))} in {split}.")
    return usable


def _session(images: dict[str, Entry], mask: Entry | None) -> Session:
    """Read a session; its name is that of its folder, with the visit where the file's name has one."""
    volumes = {contrast: Volume.of(entry.path) for contrast, entry in images.items()}
    scaled = {name: fit_core_scaling(each.array, each.spacing).forward(each.array) for name, each in volumes.items()}
    first = images[FLAIR]
    folder, _, stem = first.name.rpartition("/")
    when = stem[: -len(FLAIR)].strip("_-") if stem.lower().endswith(FLAIR.lower()) else ""
    return Session(
        f"{folder.rpartition('/')[2]}{f' {when}' if when else ''}",
        first.subject,
        volumes,
        scaled,
        brain(volumes, mask),
        pose(volumes[FLAIR], "axial"),
    )


def without_network(learning: Sequence[Session]) -> Callable[[Session, str, Sequence[str]], dict[str, np.ndarray]]:
    """Fit estimates without a network to the sessions from which networks learn.

    Returns:
        a function from a session, the wanted contrast and those that are present to the estimates by label.
    """

    def samples(sources: Sequence[str], target: str) -> list[tuple[np.ndarray, np.ndarray]]:
        pairs = []
        for each in learning:
            if {target, *sources} <= each.scaled.keys():
                step = max(1, int(each.inside.sum()) // _SAMPLES)
                inside = [each.scaled[name][each.inside][::step] for name in (*sources, target)]
                pairs.append((np.stack(inside[:-1]), inside[-1]))
        return pairs

    def fills(session: Session, target: str, there: Sequence[str]) -> dict[str, np.ndarray]:
        by_method = {}
        for name in there:
            pairs = [(sources[0], truth) for sources, truth in samples([name], target)]
            by_method[f"{name}, rescaled"] = match_histograms(pairs)(session.scaled[name])
        by_method[REGRESSION] = regress(samples(there, target))(np.stack([session.scaled[name] for name in there]))
        return by_method

    return fills


def run(
    size: Size,
    data: Path,
    runs: Path,
    out: Path,
    *,
    released: str | None,
    split: str = "test",
    accelerator: str = "cpu",
    workers: int = 2,
) -> Outcome:
    """Train what is not trained yet, and test.

    Args:
        size: of trainings and tests.
        data: folder with MANIFEST.csv.
        runs: folder for trainings.
        out: folder for the page; answers are kept there.
        released: the name of a model that is tested, too.
        split: to test on.
        accelerator: to train on.
        workers: trainings at a time, each with a core of its own.
    """
    source = fingerprint(data, "MR")
    folders = {arm.label: runs / _folder_name(recipe_of(arm, size), source) for arm in ARMS}
    missing = [
        (recipe_of(arm, size), data, folders[arm.label], accelerator)
        for arm in ARMS
        if not list(folders[arm.label].glob(f"*/{FACTS}"))
    ]
    for done in in_parallel(_train, missing, workers=workers):
        print(f"trained {done}", flush=True)
    models = {label: find(str(next(folder.glob(f"*/{FACTS}")).parent)) for label, folder in folders.items()}
    if released:
        models["released"] = find(released)
    keep = folder_of(out / "cases" / split, [str(bundle.folder) for bundle in models.values()], source)
    asked = [
        (data, split, number, question, models, size, keep)
        for number, session in enumerate(read_sessions(data, split))
        for question in QUESTIONS
        if {question[0], *question[1]} <= session.scaled.keys()
    ]
    rows: list[Row] = []
    lesions: list[tuple[str, str, LesionsKept]] = []
    for more, kept in in_parallel(_answered, asked, workers=workers):
        rows += more
        lesions += kept
        print(f"{more[0]['session']}: {more[0]['wanted']} from {more[0]['there']}", flush=True)
    # In the order of the questions: answers arrive in any order.
    order = {(target, "+".join(there)): number for number, (target, there) in enumerate(QUESTIONS)}
    rows.sort(key=lambda row: (row["session"], order[row["wanted"], row["there"]]))
    lesions.sort(key=lambda row: row[0])
    return Outcome(rows, lesions, models, split, size)


def _answered(
    data: Path,
    split: str,
    number: int,
    question: tuple[str, tuple[str, ...]],
    models: dict[str, Bundle],
    size: Size,
    keep: Path,
) -> tuple[list[Row], list[tuple[str, str, LesionsKept]]]:
    """Return the rows of all methods for a question about a session, and for the main question the lesions.

    Earlier answers are read from their files.
    """
    session, (target, there) = read_sessions(data, split)[number], question
    path = keep / f"{session.name.replace(' ', '-')}--{target}-from-{'-'.join(there)}--{size.every}.json"
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
        return kept["rows"], [(name, method, LesionsKept(**each)) for name, method, each in kept["lesions"]]
    rows, lesions = _answer(session, question, models, data, size)
    plain = [(name, method, dataclasses.asdict(each)) for name, method, each in lesions]
    write_text(path, json.dumps({"rows": rows, "lesions": plain}) + "\n")
    return rows, lesions


def _answer(
    session: Session, question: tuple[str, tuple[str, ...]], models: dict[str, Bundle], data: Path, size: Size
) -> tuple[list[Row], list[tuple[str, str, LesionsKept]]]:
    """Return what :func:`_answered` returns, without looking for an earlier answer."""
    target, there = question
    fills = without_network(read_sessions(data, "train"))
    by_method = fills(session, target, there) | estimates(session, target, there, models)
    rows = [row for method, each in by_method.items() for row in scored(session, target, there, method, each, size)]
    if question != MAIN:
        return rows, []
    truth, spacing = session.scaled[target], session.volumes[target].spacing
    lesions = [
        (session.name, method, lesions_kept(each, truth, session.inside, spacing))
        for method, each in {"truth": truth, **by_method}.items()
    ]
    return rows, lesions


def estimates(session: Session, target: str, there: Sequence[str], models: dict[str, Bundle]) -> dict[str, np.ndarray]:
    """Return the estimate of each network that can answer the question."""
    by_label = {}
    for label, bundle in models.items():
        arm = next((arm for arm in ARMS if arm.label == label), Arm(label))
        only = bundle.arguments.get("target")
        sees = [name for name in there if not arm.sees or name in arm.sees] or (
            list(there) if bundle.architecture == "stargan" else []
        )
        if sees and only in (None, bundle.contrasts.index(target)):
            images = {name: session.volumes[name] for name in sees}
            by_label[label] = estimate(images, target, bundle, LoadedModel(bundle, load_network, "cpu").on_device)
    return by_label


def scored(
    session: Session, target: str, there: Sequence[str], method: str, estimated: np.ndarray, size: Size
) -> list[Row]:
    """Return a row per slice: NMSE and SSIM over the brain, at the range of the truth's 99.5 percentile there."""
    truth = session.scaled[target]
    top = float(np.percentile(truth[session.inside], 99.5))
    rows = []
    stacks = [session.turned.turn(each) for each in (estimated, truth, session.inside)]
    for number, (fill, true, inside) in enumerate(zip(*stacks, strict=True)):
        if number % size.every == 0 and inside.sum() >= LEAST_PIXELS:
            similar = ssim_map(fill, true, data_range=top)
            rows.append(
                {
                    "session": session.name,
                    "wanted": target,
                    "there": "+".join(there),
                    "method": method,
                    "slice": number,
                    "nmse": nmse(fill, true, inside),
                    "ssim": float(similar[inside].mean()),
                }
            )
    return rows


def _train(recipe: Recipe, data: Path, folder: Path, accelerator: str) -> str:
    """Train in a process of its own; return the folder's name."""
    make_folder(folder)
    train(recipe, data, folder, accelerator=accelerator)
    return folder.name


def _folder_name(recipe: Recipe, source: str) -> str:
    """Return the name of a training's folder: readable, and unique to this recipe and these data."""
    content = json.dumps([source, dataclasses.asdict(recipe)], sort_keys=True)
    identity = hashlib.sha256(content.encode()).hexdigest()[:8]
    return f"contrasts-{recipe.architecture}-{recipe.schedule.steps}-steps-{identity}"
