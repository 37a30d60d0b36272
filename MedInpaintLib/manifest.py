"""Manifests: tables of images with their subjects and splits."""

from __future__ import annotations

import csv
import dataclasses
import os
from pathlib import Path

from .errors import InputError, ParameterError
from .modality import FILM

SPLITS = ("train", "val", "test")
#: Other names of modalities in manifests.
_MODALITIES = {"CXR": FILM.name}
_NEEDED = ("path", "modality", "contrast", "subject_id", "split")


@dataclasses.dataclass(frozen=True)
class Entry:
    """One image of a manifest.

    Attributes:
        path: of the file.
        name: path within the data, without the ending.
        modality: a name of :data:`.modality.MODALITIES`.
        contrast: T1, FLAIR, ...; masks have one that begins with MASK.
        subject: identifier of the person; no subject is in two splits.
        split: ``"train"``, ``"val"`` or ``"test"``.
        dataset, licence, citation: the source; empty where the manifest names none.
    """

    path: Path
    name: str
    modality: str
    contrast: str
    subject: str
    split: str
    dataset: str = ""
    licence: str = ""
    citation: str = ""


def read_manifest(folder: str | os.PathLike[str], split: str | None = None) -> list[Entry]:
    """Return the images that ``MANIFEST.csv`` in a folder of data lists.

    Args:
        folder: with the manifest; its columns path, modality, contrast, subject_id and split are used.
        split: only these.

    Raises:
        ParameterError: no such split, or the manifest lacks a column.
        InputError: there is no manifest.
    """
    if split is not None and split not in SPLITS:
        raise ParameterError(f"There is no split '{split}'; the splits are: {', '.join(SPLITS)}.")
    manifest = Path(folder) / "MANIFEST.csv"
    if not manifest.is_file():
        raise InputError(f"There is no manifest '{manifest}': give the folder that holds the data and MANIFEST.csv.")
    with manifest.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    missing = [name for name in _NEEDED if not rows or name not in rows[0]]
    if missing:
        raise ParameterError(f"The manifest '{manifest}' has no column {', '.join(missing)}.")
    entries = [
        Entry(
            Path(folder) / row["path"],
            row["path"].removesuffix(".gz").rsplit(".", 1)[0],
            _MODALITIES.get(row["modality"], row["modality"]),
            row["contrast"],
            row["subject_id"],
            row["split"],
            row.get("dataset") or "",
            row.get("licence") or "",
            row.get("citation") or "",
        )
        for row in rows
    ]
    return [entry for entry in entries if split in (None, entry.split)]
