"""Atomic writing: a killed run leaves the old file or the new one, never half of one."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import OutputError, OutputPathError


def real_path(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path with every symbolic link followed; the file need not be there."""
    return Path(os.path.realpath(path))


def check_folder(path: str | os.PathLike[str]) -> None:
    """Find out before the work, not after it, that no file can be made there.

    Raises:
        OutputPathError: the folder does not exist or is write-protected, or there is a folder of the file's own name.
    """
    place = real_path(path)
    folder = place.parent
    if not folder.is_dir():
        raise OutputPathError(f"The folder '{folder}' for the output does not exist; create it first.")
    if not os.access(folder, os.W_OK):
        raise OutputPathError(f"The folder '{folder}' for the output is write-protected.")
    if place.is_dir():
        raise OutputPathError(f"The output '{path}' is a folder; give the name of a file.")


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder, and those above it, where they are not there yet.

    Raises:
        OutputPathError: it cannot be made, for example because a file has its name.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputPathError(f"The folder '{path}' cannot be made ({error.strerror or error}).") from None


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to; what was written there replaces ``path`` when the block ends without an error.

    The temporary path is in a folder of its own beside the target and has the target's name, so formats of two files
    (``.mhd`` + ``.zraw``) name each other rightly. The header moves last: it never points at a missing half. Where
    ``path`` is a symbolic link, the file that it points to is replaced, and the link stays.

    Raises:
        OutputError: the file system refuses (disk full, no permission).
    """
    target = real_path(path)
    try:
        # The target's name is not part of the folder's: it may be as long as names can be.
        folder = Path(tempfile.mkdtemp(prefix=".medinpaint-", dir=target.parent))
    except OSError as error:
        raise OutputError(f"'{path}' could not be written ({error.strerror or error}).") from None
    try:
        yield folder / target.name
        for part in sorted(folder.iterdir(), key=lambda part: part.name == target.name):
            os.replace(part, target.parent / part.name)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"'{path}' could not be written ({error.strerror or error}).") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file atomically, UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
