"""Manifests that a study writes: some of the people, or images at another size."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.errors import InputError
from MedInpaintLib.files import make_folder, replacing, write_text
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.shrink import reduced_to
from MedInpaintLib.training.recipe import Recipe
from MedInpaintLib.volume import Volume

#: The columns of a manifest.
COLUMNS = ["path", "modality", "contrast", "subject_id", "split", "dataset", "licence", "citation"]


def write_rows(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Write rows as a CSV file, compressed where its name ends in ``.gz``; equal rows give equal bytes."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    if path.suffix != ".gz":
        write_text(path, out.getvalue())
        return
    with replacing(path) as temporary:
        temporary.write_bytes(gzip.compress(out.getvalue().encode(), mtime=0))


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read the rows of a compressed CSV file by the names of its columns."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def some(entries: Sequence[Entry], share: float) -> list[str]:
    """Return a share of the subjects, at least one; each share contains the smaller ones.

    They are taken from the datasets in turn, the one with the most subjects first: otherwise all subjects of a small
    share would come from one scanner.
    """
    subjects: dict[str, list[str]] = {}
    for entry in entries:
        own = subjects.setdefault(entry.dataset, [])
        if entry.subject not in own:
            own.append(entry.subject)
    largest = sorted(subjects.values(), key=len, reverse=True)
    order = [subject for turn in itertools.zip_longest(*largest) for subject in turn if subject is not None]
    return order[: max(1, round(share * len(order)))]


def write_manifest(data: Path, recipe: Recipe, subjects: Sequence[str], folder: Path, match: str = "") -> None:
    """Write a manifest with the training images of these subjects and all validation images, where they lie.

    Args:
        data: folder with MANIFEST.csv.
        recipe: of the training.
        subjects: to learn from.
        folder: to write to.
        match: only images whose name begins so.
    """
    rows = [
        _row(str(entry.path.resolve()), entry)
        for entry in read_manifest(data)
        if entry.modality == recipe.data.modality
        and entry.name.startswith(match)
        and entry.contrast in (recipe.data.contrasts or [entry.contrast])
        and (entry.split == "val" or (entry.split == "train" and entry.subject in subjects))
    ]
    make_folder(folder)
    write_rows(folder / "MANIFEST.csv", [COLUMNS, *rows])


def reduced(data: Path, folder: Path, modality: str, across: int) -> Path:
    """Write all images of a modality at the size at which networks see them, so that holes can be given in pixels.

    Images that are twice as large or more are reduced, the others are copied.

    Args:
        data: folder with MANIFEST.csv.
        folder: to write to; an earlier copy in it is kept.
        modality: of the images, which are 2-D.
        across: pixels along the longer side, at least.

    Returns:
        the folder.

    Raises:
        InputError: there is no such image.
    """
    entries = [entry for entry in read_manifest(data) if entry.modality == modality]
    if not entries:
        raise InputError(f"The data in '{data}' hold no {modality} images.")
    if (folder / "MANIFEST.csv").is_file():
        return folder
    make_folder(folder)
    rows = []
    for entry in entries:
        name = f"{entry.name}.nii.gz"
        make_folder((folder / name).parent)
        reduced_to(Volume.read(entry.path), across).write(folder / name)
        rows.append(_row(name, entry))
    write_rows(folder / "MANIFEST.csv", [COLUMNS, *rows])
    return folder


def _row(path: str, entry: Entry) -> list[str]:
    """Return an image's row of a manifest in which it has another path."""
    own = [entry.modality, entry.contrast, entry.subject, entry.split, entry.dataset, entry.licence, entry.citation]
    return [path, *own]
