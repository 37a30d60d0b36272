"""Fingerprints of cases: the sha256 of all that their outputs depend on."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from ..files import sha256
from ..files_of import files_of
from ..jobs.job_file import JobFile
from ..report import software
from .case import CaseKind

#: Of each file that was read: device, number, size and time of its last change, ns. It says that a file was replaced
#: during the work; that a file is the same as in another run, its content alone says: a copy may keep all four.
Stamps = dict[str, tuple[int, int, int, int]]


def fingerprint(kind: CaseKind, job: JobFile) -> tuple[str, Stamps]:
    """Return the sha256 of all that a job's outputs depend on, in hexadecimal digits, and the stamps of its files.

    That is the version of MedInpaint, the options, and names and contents of all files that are read. Names, since
    endings and headers say how a file is read; not their folders, so that a study can be moved.
    """
    files, facts = kind.further_inputs(job)
    inputs = {name: files_in(path) for name, path in kind.inputs(job).items()}
    # With a number, since the files of two models have the same names.
    inputs["further"] = {f"{number} {file.name}": file for number, file in enumerate(files) if file.is_file()}
    stamps = {str(file): _stamp(file) for each in inputs.values() for file in each.values()}
    paths = {*kind.reads, *kind.writes, *kind.without_effect}
    document = {
        "software": software(),
        "options": {name: value for name, value in _fields(job).items() if name not in paths},
        # Which outputs there are: an uncertainty, say, is computed only if it is written.
        "outputs": [name for name in kind.writes if getattr(job, name)],
        "inputs": {name: _digests(each) for name, each in inputs.items()},
        "facts": facts,
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest(), stamps


def are_unchanged(stamps: Stamps) -> bool:
    """Return whether no file was changed or replaced since its stamp was taken."""
    try:
        return all(_stamp(Path(file)) == stamp for file, stamp in stamps.items())
    except OSError:
        return False


def contents(kind: CaseKind, job: JobFile) -> dict[str, dict[str, str]]:
    """Return the sha256 of each file of a job's outputs by field and name; without the outputs that are not there."""
    outputs = kind.outputs(job).items()
    return {field: _digests(files_in(path)) for field, path in outputs if os.path.exists(path)}


def files_in(path: str) -> dict[str, Path]:
    """Return the files that an image, a report or a folder consists of, by their names beside it or inside it.

    The first file is returned even if it is not there, so that whoever opens it fails.
    """
    folder = Path(path)
    if folder.is_dir():
        return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}
    first, *others = files_of(path)
    return {file.name: file for file in [*(other for other in others if other.is_file()), first]}


def _digests(files: dict[str, Path]) -> dict[str, str]:
    return {name: sha256(file) for name, file in files.items()}


def _fields(job: JobFile) -> dict[str, Any]:
    return {field.name: getattr(job, field.name) for field in dataclasses.fields(job)}


def _stamp(file: Path) -> tuple[int, int, int, int]:
    status = file.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
