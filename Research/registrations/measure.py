"""Run all algorithms on a head with hidden balls, and on the images made from two label maps."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from MedInpaintLib.atlas.deformable import Field
from MedInpaintLib.errors import InputError
from MedInpaintLib.files import make_folder, write_text
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.subject import Subject

from ..atlas_regions import DATASET, read_person
from .algorithms import ALGORITHMS
from .heads import BALLS, damage, people
from .scores import fills, folded, overlaps
from .start import Start

#: A line of the table of heads: an algorithm on a head.
Row = dict[str, Any]
COLUMNS = ("image", "subject", "algorithm", "seconds", "folded", "correlation", *BALLS)
OVERLAP_COLUMNS = ("onto", "brought", "algorithm", "seconds", "folded", "correlation", "grey", "white")


def on_head(entry: Entry, *, skull: bool) -> list[Row]:
    """Return the scores of all algorithms on a head with hidden balls."""
    head = damage(entry, skull=skull)
    start, seconds = begin(head.subject)
    rows = []
    for name in ALGORITHMS:
        field, facts = run(start, name, seconds)
        scores = {kind: round(value, 3) for kind, value in fills(head, start.registration(field)).items()}
        rows.append({"image": entry.name, "subject": entry.subject, "algorithm": name, **facts, **scores})
        print(*rows[-1].values(), flush=True)
    return rows


def on_labels(data: Path, split: str) -> list[Row]:
    """Return the overlap of the first two label maps of a split, both ways, by all algorithms.

    Raises:
        InputError: there are fewer than two.
    """
    pair = [entry for entry in read_manifest(data, split) if entry.dataset == DATASET][:2]
    if len(pair) < 2:
        raise InputError(f"The folder '{data}' holds fewer than two label maps of the split '{split}'.")
    labels, subjects = zip(*map(read_person, pair), strict=True)
    starts = [begin(subject) for subject in subjects]
    rows = []
    for name in ALGORITHMS:
        results = [run(start, name, seconds) for start, seconds in starts]
        registrations = [start.registration(field) for (start, _), (field, _) in zip(starts, results, strict=True)]
        for onto, dice in enumerate(overlaps(labels, registrations)):
            names = {"onto": pair[onto].subject, "brought": pair[1 - onto].subject, "algorithm": name}
            rows.append({**names, **results[onto][1], **dice})
            print(*rows[-1].values(), flush=True)
    return rows


def begin(subject: Subject) -> tuple[Start, float]:
    """Return what all algorithms start from, and the seconds of one core that it took."""
    before = time.process_time()
    start = Start.of(subject)
    return start, time.process_time() - before


def run(start: Start, name: str, seconds: float) -> tuple[Field | None, Row]:
    """Return the field of an algorithm, and its seconds (those of the affine map for it alone), folding, agreement."""
    algorithm, field = ALGORITHMS[name], None
    if algorithm is not None:
        before = time.process_time()
        field = algorithm(start)
        seconds = time.process_time() - before
    level = start.levels()[-1]
    added = 0 * level.start if field is None else field.added
    facts = {"seconds": round(seconds, 2), "folded": round(folded(level, field), 6)}
    return field, {**facts, "correlation": round(level.correlation(added), 4)}


def measured(data: Path, runs: Path, split: str) -> tuple[list[Row], list[Row]]:
    """Return the rows of all heads and of the label maps; what was measured before is read from the folder of runs.

    Raises:
        InputError: the split has no T1 head.
    """
    heads = people(data, split)
    if not heads:
        raise InputError(f"The folder '{data}' holds no T1 head of the split '{split}'.")
    make_folder(runs)
    labels = _kept(runs / f"{split}-labels.json", lambda: on_labels(data, split))
    rows = []
    for entry, skull in heads:
        path = runs / f"{split}-{entry.name.replace('/', '-')}.json"
        rows += _kept(path, functools.partial(on_head, entry, skull=skull))
    return rows, labels


def _kept(path: Path, make: Callable[[], list[Row]]) -> list[Row]:
    """Return the rows of a file, which is made when it is missing."""
    if not path.is_file():
        write_text(path, json.dumps(make()) + "\n")
    rows: list[Row] = json.loads(path.read_text(encoding="utf-8"))
    return rows
