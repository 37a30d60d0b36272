"""Outputs that would overwrite an input or each other."""

from __future__ import annotations

import contextlib
import itertools
import os
import unicodedata
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from ..errors import OutputPathError
from ..files_of import files_of
from ..models.folders import FACTS


def check_that_nothing_is_overwritten(inputs: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Check that no output overwrites a file of an input or of another output, or lies in a model.

    Args:
        inputs, outputs: what each is called -> its path.

    Raises:
        OutputPathError: naming the two that share a file, or the model.
    """
    read, written = ({name: _identities(path) for name, path in each.items()} for each in (inputs, outputs))
    for (name, files), (other, other_files) in itertools.product(read.items(), written.items()):
        if files & other_files:
            raise OutputPathError(f"The {other} '{outputs[other]}' would overwrite an input, the {name}; rename it.")
    for (name, path), (other, output) in itertools.product(inputs.items(), outputs.items()):
        if os.path.isdir(path) and lies_in(output, path):
            raise OutputPathError(
                f"The {other} '{output}' lies in the folder of an input, the {name}; write it elsewhere."
            )
    for (name, files), (other, other_files) in itertools.combinations(written.items(), 2):
        # Where the file system does not tell capitals apart, two new names may become one file.
        if files & other_files or _folded(outputs[name]) == _folded(outputs[other]):
            raise OutputPathError(
                f"The {name} and the {other} would both be written to '{outputs[other]}'; rename one of them."
            )
    for name, path in outputs.items():
        model = next((folder for folder in Path(os.path.realpath(path)).parents if (folder / FACTS).is_file()), None)
        if model is not None:
            raise OutputPathError(
                f"The {name} '{path}' lies in the folder of the model '{model.name}'; choose another."
            )


def lies_in(path: str, place: str) -> bool:
    """Return whether a path leads to a file or folder, to a file of it, or into the folder."""
    inside = _identities(place)
    return any(_identity(each) & inside for each in (Path(path), *Path(os.path.realpath(path)).parents))


def model_folder(parameters: Any) -> str | None:
    """Return the folder that a method's parameters name as its model, if they do; names are no folders."""
    model = parameters.get("model") if isinstance(parameters, Mapping) else None
    return model if isinstance(model, str) and os.path.isdir(model) else None


def _identities(path: str) -> set[Hashable]:
    """Return what tells the files that a path consists of from all others."""
    return {each for file in files_of(path) for each in _identity(file)}


def _identity(file: str | os.PathLike[str]) -> set[Hashable]:
    """Return the file's real path and, where it is there, its number, which hard links share."""
    identity: set[Hashable] = {os.path.normcase(os.path.realpath(file))}
    with contextlib.suppress(OSError):
        status = os.stat(file)
        identity.add((status.st_dev, status.st_ino))
    return identity


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", os.path.realpath(path)).casefold()
