"""The cases of a study: kinds of holes, the images for each, and the work on all of them."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from MedInpaintLib import processes
from MedInpaintLib.evaluation.report import Table
from MedInpaintLib.files import make_folder, write_text
from MedInpaintLib.frames import pose
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.models.store import find
from MedInpaintLib.volume import Volume

from .. import STUDIES

#: The scores of a case, ready for JSON.
Case = dict[str, Any]
Result = TypeVar("Result")


@dataclasses.dataclass(frozen=True)
class Task:
    """A kind of hole, and the images into which it is cut.

    Attributes:
        name: of the task.
        title: for headings.
        modality: of the images.
        flat: whether the images are films and single slices, or volumes.
        holes: for :func:`MedInpaintLib.evaluation.protocol.evaluate`.
        seeds: one case each.
        most: images at most, the first by name.
        contrasts: only these; all when empty.
    """

    name: str
    title: str
    modality: str
    flat: bool
    holes: str
    seeds: tuple[int, ...] = (0,)
    most: int = 1000
    contrasts: tuple[str, ...] = ()

    def suits(self, entry: Entry) -> bool:
        """Return whether an image is one for this task; a mask never is."""
        flat = entry.modality == "film" or "ct_slices" in entry.name
        if entry.modality != self.modality or flat != self.flat or entry.contrast.startswith("MASK"):
            return False
        return not self.contrasts or entry.contrast in self.contrasts

    def load(self, entry: Entry) -> Volume:
        """Read the image; a slice that is stored as a volume of one slice becomes 2-D, in the viewing orientation."""
        image = Volume.read(entry.path)
        if not self.flat or image.array.ndim == 2:
            return image
        turned = pose(image, "axial")
        return Volume(turned.turn(image.array)[0], tuple(image.spacing[axis] for axis in turned.order[1:]))

    def cut(self, image: Volume, seed: int) -> str | np.ndarray:
        """Return the holes as :func:`MedInpaintLib.evaluation.protocol.evaluate` takes them: described, or a mask."""
        return self.holes


def list_cases(entries: Sequence[Entry], tasks: Iterable[Task]) -> list[tuple[Task, Entry, int]]:
    """Return every task with every image that suits it and every seed."""
    cases = []
    for task in tasks:
        own = [entry for entry in entries if task.suits(entry)][: task.most]
        cases += [(task, entry, seed) for entry in own for seed in task.seeds]
    return cases


def fingerprint(data: Path, modality: str) -> str:
    """Return a hash of the images of a modality and their splits: other data make other cases and trainings."""
    rows = [
        (each.name, each.subject, each.split, each.contrast)
        for each in read_manifest(data)
        if each.modality == modality
    ]
    return hashlib.sha256(repr(sorted(rows)).encode()).hexdigest()[:8]


def folder_of(keep: Path, models: Sequence[str], data: str = "") -> Path:
    """Make and return the folder for cases of these models; models with other weights get another folder.

    Args:
        keep: the folder above it.
        models: names or folders.
        data: the :func:`fingerprint` of the images.
    """
    weights = "".join(find(name).weights_file["sha256"] for name in models) + data
    folder = keep / hashlib.sha256(weights.encode()).hexdigest()[:12]
    make_folder(folder)
    return folder


def go_through(
    todo: Sequence[tuple[Task, Entry, int]],
    work: Callable[[Task, Entry, int], Case | None],
    keep: Path,
    *,
    workers: int = 2,
) -> list[Case]:
    """Score all cases, several at a time; those that were scored before are read from their files.

    Args:
        todo: what :func:`list_cases` returned.
        work: returns the scores of one image with one set of holes, or None where the holes do not fit. It is a
            function of a module, because it is pickled by name.
        keep: an existing folder for one file per case.
        workers: processes, each with a core of its own.
    """
    cases: list[Case] = []
    jobs = [(work, task, entry, seed, keep) for task, entry, seed in todo]
    for number, case in enumerate(in_parallel(_kept, jobs, workers=workers), start=1):
        if case is not None:
            cases.append(case)
            print(f"{number}/{len(todo)} {case['task']} {case['image']} {case['seed']}", flush=True)
    return sorted(cases, key=lambda case: (case["task"], case["image"], case["seed"]))


def score(
    tasks: Sequence[Task],
    work: Callable[[Task, Entry, int], Case | None],
    data: Path,
    out: Path,
    models: Sequence[str] = (),
    *,
    split: str = "test",
    only: Sequence[str] = (),
    match: str = "",
    workers: int = 2,
) -> list[Case]:
    """Score the cases of a study; those that were scored before are read from their files.

    Args:
        tasks: of the study.
        work: see :func:`go_through`.
        data: folder with MANIFEST.csv.
        out: folder for the page.
        models: names of the models that are tested.
        split: of the data.
        only: names of tasks; all by default.
        match: only images with this in their name.
        workers: processes, each with a core of its own.
    """
    keep = out / "cases" / split
    if models:
        keep = folder_of(keep, models)
    make_folder(keep)
    entries = [entry for entry in read_manifest(data, split) if match in entry.name]
    wanted = [task for task in tasks if not only or task.name in only]
    return go_through(list_cases(entries, wanted), work, keep, workers=workers)


def summary(task: Task, entry: Entry, seed: int, table: Table) -> Case:
    """Return what is kept of every case, without its scores."""
    return {
        "task": task.name,
        "image": entry.name,
        "subject": entry.subject,
        "seed": seed,
        "range": table.constants["R"],
        "seconds": table.seconds,
    }


def in_parallel(work: Callable[..., Result], jobs: Sequence[tuple[Any, ...]], *, workers: int) -> Iterator[Result]:
    """Yield what a function of a module returns for each tuple of arguments, as each is done, on a core of its own."""
    # One thread each: matrix products that share cores with each other's waiting threads take many times as long.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    yield from processes.in_parallel(work, jobs, workers=workers)


def _kept(
    work: Callable[[Task, Entry, int], Case | None], task: Task, entry: Entry, seed: int, keep: Path
) -> Case | None:
    """Return a case from its file, or score it and write the file."""
    path = keep / f"{task.name}--{entry.name.replace('/', '-')}--{seed}.json"
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    case = work(task, entry, seed)
    write_text(path, json.dumps(case) + "\n")
    return case


def whole(text: str) -> int:
    """Return the number of an option that counts things: 1 or more."""
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of 1 or more")
    return int(text)


def command(name: str, out: Path, question: str = "") -> argparse.ArgumentParser:
    """Return the parser of a study's command, with the options that every study has.

    Args:
        name: of the study.
        out: where the page lies by default.
        question: of the study; by default that of :data:`Research.STUDIES`.
    """
    parser = argparse.ArgumentParser(prog=f"python -m Research {name}", description=question or STUDIES[name][0])
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.csv")
    parser.add_argument("--out", type=Path, default=out, help="folder for the page")
    return parser


def options(name: str, out: Path) -> argparse.ArgumentParser:
    """Return the parser of a study that fills images of :class:`Task`; arguments as for :func:`command`."""
    parser = command(name, out)
    parser.add_argument("--split", default="test", help="train, val or test")
    parser.add_argument("--task", action="append", default=[], help="only this task; repeatable")
    parser.add_argument("--match", default="", help="only images with this in their name")
    parser.add_argument("--workers", type=whole, default=2, help="processes")
    return parser


def selected(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return which cases to score, for :func:`score`, from the options of :func:`options`."""
    return {"split": chosen.split, "only": chosen.task, "match": chosen.match, "workers": chosen.workers}


def training_options(name: str, out: Path, sizes: Iterable[str], question: str = "") -> argparse.ArgumentParser:
    """Return the parser of a study that trains networks; ``sizes`` are its choices of ``--size``."""
    parser = command(name, out, question)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for trainings and damaged images")
    parser.add_argument("--size", choices=sizes, default="small", help="small: minutes; full: what the pages show")
    parser.add_argument("--steps", type=whole, default=0, help="of each training, in place of the size's")
    parser.add_argument("--split", default="test", help="train, val or test")
    parser.add_argument("--accelerator", default="cpu", help="to train on: cpu, cuda or mps")
    parser.add_argument("--workers", type=whole, default=2, help="processes")
    return parser


def written(name: str, chosen: argparse.Namespace) -> str:
    """Return the command that makes a page again, from the options of :func:`training_options`."""
    parts = [f"--{option} {value}" for option in ("size", "steps", "split") if (value := getattr(chosen, option))]
    return f"python -m Research {name} --data DATA {' '.join(parts)}"
