"""The forced choices of classifiers, for each method, in pictures of people from whom none of them learned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.evaluation.protocol import TRIVIAL
from MedInpaintLib.files import make_folder, write_text

from ..shared.cases import Task, in_parallel
from .classifier import BATCH, EPOCHS, RATE, SEEN, Pairs, learn, told
from .measure import METHODS, Pictures

#: Trainings of each classifier, which differ in their seed.
TRAININGS = 3
#: The columns of the choices: a line for each picture of the split test, method and training; told is 1, 0 or 0.5.
COLUMNS = ("task", "image", "person", "hole", "view", "method", "training", "told")


def methods_of(task: str) -> tuple[str, ...]:
    """Return the methods of a task, the trivial fill first."""
    return (TRIVIAL, *METHODS[task])


def choices(
    pictures: Sequence[Pictures], tasks: Sequence[Task], keep: Path, *, workers: int = 2
) -> list[tuple[object, ...]]:
    """Train all classifiers and return what they choose: rows of :data:`COLUMNS`.

    Args:
        pictures: of all splits.
        tasks: whose holes they show.
        keep: folder for one file a training; what a classifier chose from the same pictures before is read from there.
        workers: processes, each with a core of its own.
    """
    own = {task.name: [one for one in pictures if one.case["task"] == task.name] for task in tasks}
    jobs = [
        (name, method, training, keep, *(pairs_of(own[name], method, split) for split in ("train", "val", "test")))
        for name in own
        for method in methods_of(name)
        for training in range(TRAININGS)
    ]
    answers: dict[tuple[str, str, int], np.ndarray] = {}
    for number, (name, method, training, answer) in enumerate(in_parallel(_choose, jobs, workers=workers), start=1):
        answers[name, method, training] = answer
        print(f"{number}/{len(jobs)} {name} {method} {training}: told {answer.mean():.3f}", flush=True)
    return list(_rows(own, answers))


def pairs_of(pictures: Sequence[Pictures], method: str, split: str) -> Pairs:
    """Return true and filled pictures of a split."""
    own = [one for one in pictures if one.split == split]
    return Pairs(
        np.concatenate([one.truth for one in own]),
        np.concatenate([one.fills[method] for one in own]),
        np.concatenate([one.inside for one in own]),
    )


def _choose(
    task: str, method: str, training: int, keep: Path, train: Pairs, val: Pairs, test: Pairs
) -> tuple[str, str, int, np.ndarray]:
    """Train a classifier and return what it chooses, or what it chose before."""
    made_of = hashlib.sha256(repr((EPOCHS, BATCH, RATE, SEEN)).encode())
    for pairs in (train, val, test):
        for array in (pairs.truth, pairs.fill, pairs.inside):
            made_of.update(np.ascontiguousarray(array).data)
    path = keep / f"{task}--{method}--{training}--{made_of.hexdigest()[:12]}.json"
    if not path.is_file():
        make_folder(keep)
        write_text(path, json.dumps(told(learn(train, val, training), test).tolist()) + "\n")
    return task, method, training, np.array(json.loads(path.read_text(encoding="utf-8")))


def _rows(
    pictures: Mapping[str, Sequence[Pictures]], answers: Mapping[tuple[str, str, int], np.ndarray]
) -> Iterator[tuple[object, ...]]:
    for (name, method, training), answer in sorted(answers.items()):
        tested = [one for one in pictures[name] if one.split == "test"]
        shown = [(one, *cut) for one in tested for cut in zip(one.holes, one.views, strict=True)]
        for (one, hole, view), value in zip(shown, answer, strict=True):
            yield name, one.case["image"], one.case["subject"], hole, view, method, training, f"{value:g}"
