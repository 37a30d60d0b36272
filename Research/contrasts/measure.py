"""A missing contrast, estimated: CollaGAN, parts of it left out, and what it has to be better than.

``medinpaint experiment contrasts --data DATA --size full`` trains all networks alike but for what is asked, estimates
contrasts of the test subjects, and writes ``scores.csv``, a page ``README.md`` with tables and their reading, and
pictures. Trainings are kept in the folder of runs; what was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
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
from MedInpaintLib.imputation.estimate import estimate, load
from MedInpaintLib.imputation.regression import regress
from MedInpaintLib.imputation.rescaling import match_histograms
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.metrics import nmse, ssim_map
from MedInpaintLib.models.bundle import FACTS, Bundle
from MedInpaintLib.models.store import find
from MedInpaintLib.training.contrasts import brain, sessions
from MedInpaintLib.training.recipe import Recipe, read_recipe
from MedInpaintLib.training.run import run as train
from MedInpaintLib.volume import Volume
from ..shared.cases import fingerprint, folder_of, in_parallel, whole
from .lesions_kept import LesionsKept, lesions_kept

RECIPE = "brain-mr-collagan"
#: Slices with less of the brain than this, in pixels, say nothing.
LEAST_PIXELS = 500
#: Voxels of each session to which fills without a network are fitted.
_SAMPLES = 100_000
T1, T2, FLAIR = "T1", "T2", "FLAIR"


@dataclasses.dataclass(frozen=True)
class Arm:
    """A training.

    Attributes:
        label: in tables.
        architecture: of the network.
        arguments, task: where they are others than in the recipe.
        sees: the contrasts that it can look at; all when empty.
    """

    label: str
    architecture: str = "collagan"
    arguments: tuple[tuple[str, Any], ...] = ()
    task: tuple[tuple[str, Any], ...] = ()
    sees: tuple[str, ...] = ()


NO_CYCLE = (("cycle", 0.0), ("cycle_ssim", 0.0))
NO_SSIM = (("direct_ssim", 0.0), ("cycle_ssim", 0.0))
NO_JUDGE = (("adversarial", 0.0), ("domain", 0.0))
_PAIR = (("source", 1), ("target", 2))
ARMS = (
    Arm("CollaGAN"),
    Arm("without cycle", task=NO_CYCLE),
    Arm("without SSIM", task=NO_SSIM),
    Arm("L1 only", task=(*NO_CYCLE, *NO_SSIM, *NO_JUDGE)),
    Arm("without dropout", task=(("dropout", 0.0),)),
    Arm("pix2pix", "pix2pix", _PAIR, sees=(T2,)),
    Arm("CycleGAN", "cyclegan", _PAIR, sees=(T2,)),
    Arm("StarGAN", "stargan", (("preferred", (1, 0, 3, 2)),), sees=(T2,)),
)
#: Fills without a network; the last is what networks have to be better than.
REGRESSION = "regression"
WITHOUT = ("T1, rescaled", "T2, rescaled", REGRESSION)
#: Which contrasts are there when one is wanted; the first is the main question.
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
    """How much of everything: updates of each training, validation slices, and every so many-th test slice."""

    steps: int
    crops: int
    every: int


SIZES = {"small": Size(steps=30, crops=4, every=8), "full": Size(steps=1000, crops=24, every=1)}

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Session:
    """A subject at a time, on one grid.

    Attributes:
        name, subject: of it.
        volumes: contrast -> image.
        scaled: contrast -> float32, on the scale of :mod:`...imputation.core`.
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
    """What came out.

    Attributes:
        rows: a row a method, question and slice.
        lesions: a row a method and session, for the main question.
        models: label -> the model.
        split: on which was tested.
        size: of the trainings.
    """

    rows: list[Row]
    lesions: list[tuple[str, str, LesionsKept]]
    models: dict[str, Bundle]
    split: str
    size: Size


def recipe_of(arm: Arm, size: Size) -> Recipe:
    """What an arm's training is: the released model's recipe, in fewer steps, but for what is asked."""
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
    """The sessions of a split with the contrasts of the main question.

    Raises:
        InputError: there is none.
    """
    recipe = read_recipe(RECIPE)
    entries = [entry for entry in read_manifest(data, split) if entry.modality == "MR"]
    found = []
    for images, mask in sessions(entries, recipe.data.contrasts, recipe.data.inside):
        if {MAIN[0], *MAIN[1]} <= images.keys():
            found.append(_session(images, mask))
    if not found:
        raise InputError(f"The data in '{data}' have no session with {', '.join((MAIN[0], *MAIN[1]))} in {split}.")
    return found


def _session(images: dict[str, Entry], mask: Entry | None) -> Session:
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
    """The fills without a network, fitted to the subjects that networks learn from.

    Returns:
        what makes them: from a session, the wanted contrast and those that are there.
    """

    def samples(sources: Sequence[str], target: str) -> list[tuple[np.ndarray, np.ndarray]]:
        found = []
        for each in learning:
            if {target, *sources} <= each.scaled.keys():
                step = max(1, int(each.inside.sum()) // _SAMPLES)
                inside = [each.scaled[name][each.inside][::step] for name in (*sources, target)]
                found.append((np.stack(inside[:-1]), inside[-1]))
        return found

    def fills(session: Session, target: str, there: Sequence[str]) -> dict[str, np.ndarray]:
        made = {}
        for name in there:
            pairs = [(sources[0], truth) for sources, truth in samples([name], target)]
            made[f"{name}, rescaled"] = match_histograms(pairs)(session.scaled[name])
        made[REGRESSION] = regress(samples(there, target))(np.stack([session.scaled[name] for name in there]))
        return made

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
        size: how much.
        data: folder with MANIFEST.csv.
        runs: folder for trainings.
        out: folder for the page; answers are kept there.
        released: a model that is tested, too.
        split: to test on.
        accelerator: to train on.
        workers: trainings at a time, each with a core of its own.
    """
    source = fingerprint(data, "MR")
    folders = {arm.label: runs / _place(recipe_of(arm, size), source) for arm in ARMS}
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
    # As they were asked, in whatever order they were answered.
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
    """A question about the session of that number: rows of all methods, and for the main question what becomes of
    lesions. What was answered before is kept.
    """
    session, (target, there) = read_sessions(data, split)[number], question
    place = keep / f"{session.name.replace(' ', '-')}--{target}-from-{'-'.join(there)}--{size.every}.json"
    if place.is_file():
        kept = json.loads(place.read_text(encoding="utf-8"))
        return kept["rows"], [(name, method, LesionsKept(**each)) for name, method, each in kept["lesions"]]
    rows, lesions = _answer(session, question, models, data, size)
    plain = [(name, method, dataclasses.asdict(each)) for name, method, each in lesions]
    write_text(place, json.dumps({"rows": rows, "lesions": plain}) + "\n")
    return rows, lesions


def _answer(
    session: Session, question: tuple[str, tuple[str, ...]], models: dict[str, Bundle], data: Path, size: Size
) -> tuple[list[Row], list[tuple[str, str, LesionsKept]]]:
    target, there = question
    fills = without_network(read_sessions(data, "train"))
    made = fills(session, target, there) | estimates(session, target, there, models)
    rows = [row for method, each in made.items() for row in scored(session, target, there, method, each, size)]
    if question != MAIN:
        return rows, []
    truth, spacing = session.scaled[target], session.volumes[target].spacing
    lesions = [
        (session.name, method, lesions_kept(each, truth, session.inside, spacing))
        for method, each in {"truth": truth, **made}.items()
    ]
    return rows, lesions


def estimates(session: Session, target: str, there: Sequence[str], models: dict[str, Bundle]) -> dict[str, np.ndarray]:
    """What each network makes of a session; those that cannot answer are left out."""
    made = {}
    for label, bundle in models.items():
        arm = next((arm for arm in ARMS if arm.label == label), Arm(label))
        only = bundle.arguments.get("target")
        sees = [name for name in there if not arm.sees or name in arm.sees] or (
            list(there) if bundle.architecture == "stargan" else []
        )
        if sees and only in (None, bundle.contrasts.index(target)):
            images = {name: session.volumes[name] for name in sees}
            made[label] = estimate(images, target, bundle, load(bundle, "cpu"))
    return made


def scored(session: Session, target: str, there: Sequence[str], method: str, made: np.ndarray, size: Size) -> list[Row]:
    """A row a slice, over the brain: NMSE, and SSIM at the range of the truth's 99.5 percentile in the brain."""
    truth = session.scaled[target]
    top = float(np.percentile(truth[session.inside], 99.5))
    found = []
    stacks = [session.turned.turn(each) for each in (made, truth, session.inside)]
    for number, (fill, true, inside) in enumerate(zip(*stacks, strict=True)):
        if number % size.every == 0 and inside.sum() >= LEAST_PIXELS:
            similar = ssim_map(fill, true, data_range=top)
            found.append(
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
    return found


def _train(recipe: Recipe, data: Path, folder: Path, accelerator: str) -> str:
    make_folder(folder)
    train(recipe, data, folder, accelerator=accelerator)
    return folder.name


def _place(recipe: Recipe, source: str) -> str:
    """The folder of a training: readable, and of this recipe and these data alone."""
    content = json.dumps([source, dataclasses.asdict(recipe)], sort_keys=True)
    identity = hashlib.sha256(content.encode()).hexdigest()[:8]
    return f"contrasts-{recipe.architecture}-{recipe.schedule.steps}-steps-{identity}"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    from .assemble import assemble
    from .page import write_cards, write_page

    parser = argparse.ArgumentParser(prog="medinpaint experiment contrasts", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.csv")
    parser.add_argument("--out", type=Path, default=Path("docs/contrasts"), help="folder for the page")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for trainings")
    parser.add_argument("--size", choices=SIZES, default="small", help="small: minutes; full: what the page shows")
    parser.add_argument("--steps", type=whole, default=0, help="of each training, in place of the size's")
    parser.add_argument("--released", default=RECIPE, help="a model that is tested, too; empty for none")
    parser.add_argument("--split", default="test", help="train, val or test")
    parser.add_argument("--accelerator", default="cpu", help="to train on: cpu, cuda or mps")
    parser.add_argument("--workers", type=whole, default=2, help="processes")
    parser.add_argument("--cards", action="store_true", help="write the scores into the released model's card, too")
    chosen = parser.parse_args(arguments)
    size = SIZES[chosen.size]
    if chosen.steps:
        size = dataclasses.replace(size, steps=chosen.steps)
    outcome = run(
        size,
        chosen.data,
        chosen.runs,
        chosen.out,
        released=chosen.released or None,
        split=chosen.split,
        accelerator=chosen.accelerator,
        workers=chosen.workers,
    )
    changed = [f"--{name} {getattr(chosen, name)}" for name in ("size", "steps", "split") if getattr(chosen, name)]
    command = f"medinpaint experiment contrasts --data DATA {' '.join(changed)}"
    write_page(outcome, chosen.data, chosen.out, command)
    assemble(chosen.out.parent / "experiments")
    if chosen.cards and chosen.released:
        write_cards(outcome)
    print(chosen.out / "README.md")
