"""Pictures of holes, true and filled by each method, with the scores of the fills; one file a person."""

from __future__ import annotations

import dataclasses
import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.errors import InputError, MaskError
from MedInpaintLib.evaluation.protocol import evaluate
from MedInpaintLib.evaluation.report import Table
from MedInpaintLib.files import make_folder, replacing
from MedInpaintLib.frames import PLANES, pose
from MedInpaintLib.manifest import Entry, read_manifest

from ..shared.cases import Case, Task, fingerprint, folder_of, in_parallel, summary
from ..shared.conventions import MOST, OURS
from ..shared.manifests import reduced, some
from ..shared.study import ACROSS

TASKS = (
    Task("films", "Chest films, squares of 32 px", "film", True, "squares:32px:2"),
    Task("mr", "T1 of the brain, spheres of 20 mm", "MR", False, "spheres:20mm:1", contrasts=("T1",)),
)
#: Task -> label -> options of the engine. In heads `patch`, which `mirror` runs where the sides differ, `pconv`, which
#: fills like `unet`, and the latent searches are left out: each costs another 2 to 8 s a hole on one core.
METHODS: dict[str, dict[str, dict[str, Any]]] = {
    "films": {
        "biharmonic": {"method": "biharmonic"},
        "patch": {"method": "patch"},
        "unet": {"method": "unet", "parameters": {"model": "chest-film-unet"}},
    },
    "mr": {
        "biharmonic": {"method": "biharmonic"},
        "mirror": {"method": "mirror"},
        "unet": {"method": "unet", "parameters": {"model": "brain-mr-unet"}},
        "rfr": {"method": "rfr", "parameters": {"model": "brain-mr-rfr"}},
    },
}
#: Task -> share of the people of the split train from whom classifiers learn; all of them would take hours.
SHARES = {"films": 0.15, "mr": 0.2}
#: Splits: classifiers learn from the first, are stopped by the second and asked about the third.
SPLITS = ("train", "val", "test")
#: Pixels along the side of a picture, at least twice the hole's; more is needed by people than by classifiers.
SIDE = 96
#: The view of a film.
FLAT = "film"
#: The views of a volume -> mm from the middle of the hole: three slices in each plane, since fills take long.
VIEWS = {f"{plane}{f' {mm:+d} mm' if mm else ''}": mm for plane in PLANES for mm in (0, -5, 5)}


@dataclasses.dataclass(frozen=True)
class Pictures:
    """The holes of one image as 8-bit pictures of ``SIDE`` x ``SIDE`` pixels with the hole in the middle.

    Attributes:
        case: the image, its person, and the scores of each fill.
        split: of the data.
        holes: the hole's number, for each picture.
        views: the plane and the slice in which it is cut, for each picture.
        truth: uint8, (pictures, SIDE, SIDE).
        inside: bool, of the same shape: the hole.
        fills: method -> uint8, of the same shape; as the truth outside of the hole.
    """

    case: Case
    split: str
    holes: list[int]
    views: list[str]
    truth: np.ndarray
    inside: np.ndarray
    fills: dict[str, np.ndarray]


def run(data: Path, out: Path, runs: Path, tasks: Sequence[Task] = TASKS, *, workers: int = 2) -> list[Pictures]:
    """Fill the holes of all people; those that were filled before are read from their files.

    Args:
        data: folder with MANIFEST.csv.
        out: folder of the page; pictures are kept in ``cases`` there.
        runs: folder for reduced films.
        tasks: of :data:`TASKS`.
        workers: processes, each with a core of its own.

    Raises:
        InputError: there is no image for a task.
    """
    pictures: list[Pictures] = []
    for task in tasks:
        jobs = jobs_of(task, data, out, runs)
        for number, one in enumerate(in_parallel(kept, jobs, workers=workers), start=1):
            if one is not None:
                pictures.append(one)
            print(f"{task.name}: {number}/{len(jobs)} images filled", flush=True)
    return sorted(pictures, key=lambda one: (one.case["task"], one.split, one.case["image"], one.case["seed"]))


def jobs_of(
    task: Task, data: Path, out: Path, runs: Path, splits: Sequence[str] = SPLITS
) -> list[tuple[Task, Entry, int, Path]]:
    """Return the arguments of :func:`kept` for the images of a task."""
    models = [each["parameters"]["model"] for each in METHODS[task.name].values() if "parameters" in each]
    data_hash = fingerprint(data, task.modality)
    # Pictures of other holes, methods or views are others.
    made_of = f"{data_hash} {task.holes} {METHODS[task.name]} {VIEWS}"
    keep = folder_of(out / "cases", models, made_of)
    images = reduced(data, runs / f"film-{ACROSS}-{data_hash}", "film", ACROSS) if task.flat else data
    entries = [entry for split in splits for entry in people(task, read_manifest(images, split))]
    if not entries:
        raise InputError(f"The data in '{data}' hold no images for '{task.name}'.")
    return [(task, entry, seed, keep) for seed in task.seeds for entry in entries]


def people(task: Task, entries: Sequence[Entry]) -> list[Entry]:
    """Return one image of each person: the first by name; of the split train, some of the people."""
    own = [entry for entry in sorted(entries, key=lambda entry: entry.name) if task.suits(entry)]
    if own and own[0].split == "train":
        chosen = set(some(own, SHARES[task.name]))
        own = [entry for entry in own if entry.subject in chosen]
    first: dict[str, Entry] = {}
    for entry in own:
        first.setdefault(entry.subject, entry)
    return list(first.values())


def kept(task: Task, entry: Entry, seed: int, keep: Path) -> Pictures | None:
    """Return the pictures of an image from their file, or fill its holes and write the file; None: they do not fit."""
    path = keep / f"{task.name}--{entry.split}--{entry.name.replace('/', '-')}--{seed}.npz"
    if not path.is_file():
        made = _filled(task, entry, seed)
        make_folder(keep)
        _write(path, made)
    return _read(path)


def _filled(task: Task, entry: Entry, seed: int) -> Pictures | None:
    image, methods = task.load(entry), list(METHODS[task.name].items())
    # By name, because images of one size would have their holes at the same position otherwise.
    seed += zlib.crc32(entry.name.encode())
    try:
        table = evaluate(
            image, task.holes, methods, seed=seed, modality=task.modality, name=entry.name, keep_fills=True
        )
    except MaskError:
        return None
    scores = [
        {"method": row.method, "hole": row.hole, **{name: _counted(name, row.scores[name]) for name in OURS}}
        for row in table.rows
    ]
    cuts = _cuts(task, table)
    return Pictures(
        {**summary(task, entry, seed, table), "scores": scores},
        entry.split,
        [hole for hole, _ in cuts],
        [view for _, view in cuts],
        np.stack([_cut(table, image.array, *cut) for cut in cuts]),
        np.stack([_cut(table, table.labels == cut[0], *cut) for cut in cuts]),
        {name: np.stack([_cut(table, fill, *cut) for cut in cuts]) for name, fill in table.fills.items()},
    )


def _counted(name: str, value: float) -> float | None:
    """Return a score that can be averaged: PSNR is limited, and the texture of a fill over a flat truth is left out."""
    if name == "psnr":
        return min(value, MOST)
    return value if np.isfinite(value) else None


def _cuts(task: Task, table: Table) -> list[tuple[int, str]]:
    """Return the hole and the view of each picture."""
    views = (FLAT,) if task.flat else VIEWS
    return [(int(hole), view) for hole in np.unique(table.labels[table.labels > 0]) for view in views]


def _cut(table: Table, array: np.ndarray, hole: int, view: str) -> np.ndarray:
    """Return a picture of an array around a hole: bool as it is, intensities in the range of the scores as 8 bits.

    True and filled intensities get the same 256 levels, or a classifier could learn which of them is rounded.
    """
    inside, off = table.labels == hole, 0
    if view == FLAT:
        array, inside = array[np.newaxis], inside[np.newaxis]
    else:
        turn = pose(table.image, view.split()[0])
        array, inside = turn.turn(array), turn.turn(inside)
        off = round(VIEWS[view] / table.image.spacing[turn.order[0]])
    centre = [round(float(along.mean())) for along in np.nonzero(inside)]
    # A picture may reach beyond the image, where all is black.
    padded = np.pad(array[centre[0] + off], SIDE)
    picture = padded[tuple(slice(at + SIDE - SIDE // 2, at + SIDE + SIDE // 2) for at in centre[1:])]
    if picture.dtype == bool:
        return picture
    share = (picture.astype(np.float64) - float(table.constants["black"])) / float(table.constants["R"])
    return np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)


def _write(path: Path, pictures: Pictures | None) -> None:
    """Write pictures; an empty file says that the holes do not fit."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        if pictures is None:
            return
        about = {"case": pictures.case, "split": pictures.split, "holes": pictures.holes, "views": pictures.views}
        arrays: dict[str, Any] = {f"fill {name}": fill for name, fill in pictures.fills.items()}
        np.savez_compressed(
            file, about=np.array(json.dumps(about)), truth=pictures.truth, inside=pictures.inside, **arrays
        )


def _read(path: Path) -> Pictures | None:
    if path.stat().st_size == 0:
        return None
    try:
        with np.load(path) as arrays:
            about = json.loads(str(arrays["about"]))
            fills = {name.removeprefix("fill "): arrays[name] for name in arrays if name.startswith("fill ")}
            return Pictures(**about, truth=arrays["truth"], inside=arrays["inside"], fills=fills)
    except (zipfile.BadZipFile, ValueError, KeyError):
        raise InputError(
            f"The pictures in '{path}' cannot be read; delete the file, and run the command again."
        ) from None
