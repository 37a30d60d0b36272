"""Manifests: tables of images with their subjects and splits."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
from pathlib import Path

from .documents import read_text
from .errors import InputError, ParameterError
from .modality import FILM

SPLITS = ("train", "val", "test")
#: Other names of modalities in manifests.
_MODALITIES = {"CXR": FILM.name}
#: Largest manifest: a million images.
MOST_BYTES = 1 << 30
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
    rows = _rows(manifest)
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


def _rows(manifest: Path) -> list[dict[str, str]]:
    """Return the rows of a manifest by column; cells that are left out at a row's end are empty."""
    what = f"The manifest '{manifest}'"
    text = read_text(manifest, what, ParameterError, MOST_BYTES)
    try:
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (csv.Error, ValueError) as error:  # ValueError: it is empty
        raise ParameterError(f"{what} is no table ({error}); write it as CSV, a line an image.") from None
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise ParameterError(f"{what} has no column {', '.join(missing)}.")
    filled = [{name: "" for name in header} | dict(zip(header, row, strict=False)) for row in rows if row]
    for cells, row in zip(filled, (row for row in rows if row), strict=True):
        lacking = [name for name in ("path", "split") if not cells[name].strip()]
        if lacking or len(row) > len(header):
            wrong = f"no {lacking[0]}" if lacking else f"{len(row)} cells for {len(header)} columns"
            raise ParameterError(
                f"{what} has a row with {wrong} ('{', '.join(row)[:60]}'); put cells with commas in double quotes."
            )
    return filled
