"""Outputs that would overwrite an input or each other."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import OutputPathError


def check_that_nothing_is_overwritten(inputs: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Check that no output overwrites an input or another output.

    Args:
        inputs, outputs: what each is called -> its path.

    Raises:
        OutputPathError: naming the two that are one file.
    """
    for (name, path), (other, other_path) in itertools.product(inputs.items(), outputs.items()):
        if share_a_file(path, other_path):
            raise OutputPathError(f"The {other} '{other_path}' would overwrite an input, the {name}; rename it.")
    for (name, path), (other, other_path) in itertools.combinations(outputs.items(), 2):
        if share_a_file(path, other_path):
            raise OutputPathError(
                f"The {name} and the {other} would both be written to '{other_path}'; rename one of them."
            )


def lies_in(path: str, place: str) -> bool:
    """Return whether a path leads to a file or folder, or into the folder."""
    return any(share_a_file(str(at), place) for at in (path, *Path(os.path.realpath(path)).parents))


def share_a_file(first: str, second: str) -> bool:
    """Return whether two paths lead to one file: as they are, through links, or by a header's file of voxels."""
    for path, other in itertools.product(_files_of(first), _files_of(second)):
        if os.path.realpath(path) == os.path.realpath(other):
            return True
        # Hard links, and names that differ in capitals where the file system does not mind.
        with contextlib.suppress(OSError):
            if os.path.samefile(path, other):
                return True
    return False


def _files_of(path: str) -> list[str]:
    """Return the file and, where it is only a header, the files beside it that hold the voxels."""
    stem, ending = os.path.splitext(path)
    voxels = (".raw", ".raw.gz", ".zraw") if ending.lower() in (".mhd", ".nhdr") else ()
    return [path, *(stem + other for other in voxels)]
