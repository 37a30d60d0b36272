"""The cases of an experiment: kinds of holes, the images for each, and the work of going through all of them."""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from MedInpaintLib.files import make_folder, write_text
from MedInpaintLib.frames import pose
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.models.store import find
from MedInpaintLib.volume import Volume

#: What came out in a case, ready for JSON.
Case = dict[str, Any]
Result = TypeVar("Result")


@dataclasses.dataclass(frozen=True)
class Task:
    """A kind of hole, and the images that it is cut into.

    Attributes:
        name: of the task.
        title: for headings.
        modality: of the images.
        flat: whether it is for films and single slices, or for volumes.
        holes: for :func:`..protocol.evaluate`.
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
        """Whether an image is one for this task. Masks are no images."""
        flat = entry.modality == "film" or "ct_slices" in entry.name
        if entry.modality != self.modality or flat != self.flat or entry.contrast.startswith("MASK"):
            return False
        return not self.contrasts or entry.contrast in self.contrasts

    def load(self, entry: Entry) -> Volume:
        """The image; a slice that is stored as a volume of one slice becomes flat, turned as it is looked at."""
        image = Volume.read(entry.path)
        if not self.flat or image.array.ndim == 2:
            return image
        turned = pose(image, "axial")
        return Volume(turned.turn(image.array)[0], tuple(image.spacing[axis] for axis in turned.order[1:]))


def cases(entries: Sequence[Entry], tasks: Iterable[Task]) -> list[tuple[Task, Entry, int]]:
    """Every task with every image that it is for, by seed."""
    found = []
    for task in tasks:
        own = [entry for entry in entries if task.suits(entry)][: task.most]
        found += [(task, entry, seed) for entry in own for seed in task.seeds]
    return found


def fingerprint(data: Path, modality: str) -> str:
    """Of the images of a modality in a folder of data and their splits: other data make other cases and trainings."""
    rows = [
        (each.name, each.subject, each.split, each.contrast)
        for each in read_manifest(data)
        if each.modality == modality
    ]
    return hashlib.sha256(repr(sorted(rows)).encode()).hexdigest()[:8]


def folder_of(keep: Path, models: Sequence[str], data: str = "") -> Path:
    """A folder, made, for cases of these models as they are: those of other weights are other cases.

    Args:
        keep: where it lies.
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
    """All cases, several at a time; those that are kept from before are not done again.

    Args:
        todo: what :func:`cases` returned.
        work: scores of one image with one set of holes, or None where the holes do not fit. A function of a module: it
            travels by name.
        keep: an existing folder for a file a case.
        workers: processes, each with a core of its own.
    """
    found: list[Case] = []
    jobs = [(work, task, entry, seed, keep) for task, entry, seed in todo]
    for number, done in enumerate(in_parallel(_kept, jobs, workers=workers), start=1):
        if done is not None:
            found.append(done)
            print(f"{number}/{len(todo)} {done['task']} {done['image']} {done['seed']}", flush=True)
    return sorted(found, key=lambda case: (case["task"], case["image"], case["seed"]))


def in_parallel(work: Callable[..., Result], jobs: Sequence[tuple[Any, ...]], *, workers: int) -> Iterator[Result]:
    """What a function of a module returns for each tuple of arguments, as they are done, each on a core of its own."""
    # One thread each: matrix products that share cores with each other's waiting threads take many times as long.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    with concurrent.futures.ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(work, *job) for job in jobs]
        try:
            for future in concurrent.futures.as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _kept(
    work: Callable[[Task, Entry, int], Case | None], task: Task, entry: Entry, seed: int, keep: Path
) -> Case | None:
    place = keep / f"{task.name}--{entry.name.replace('/', '-')}--{seed}.json"
    if place.exists():
        return json.loads(place.read_text(encoding="utf-8"))
    found = work(task, entry, seed)
    write_text(place, json.dumps(found) + "\n")
    return found


def whole(text: str) -> int:
    """A number of things on a command line: 1 or more."""
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of 1 or more")
    return int(text)


def options(description: str, out: Path | None = None) -> argparse.ArgumentParser:
    """What every experiment's command takes; of the description only the first line is shown.

    Args:
        description: of the experiment.
        out: where the page lies by default; without one it must be given.
    """
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.csv")
    parser.add_argument("--out", type=Path, default=out, required=out is None, help="folder for the page")
    parser.add_argument("--split", default="test", help="train, val or test")
    parser.add_argument("--task", action="append", default=[], help="only this task; repeatable")
    parser.add_argument("--match", default="", help="only images with this in their name")
    parser.add_argument("--workers", type=whole, default=2, help="processes")
    return parser
