"""Atomic writing: a killed run leaves the old file or the new one, never half of one."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import InputError, OutputError, OutputPathError


def check_path(path: str | os.PathLike[str]) -> None:
    """Check that a file can have this path, whether there is one or not; every path that a user gives comes by here.

    Raises:
        InputError: it is too long for the file system, goes in circles, or holds characters that no file name can have
            or that SimpleITK cannot be given: it takes UTF-8 alone, and ends the process at anything else.
    """
    try:
        os.fsencode(path).decode("utf-8")
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # whoever opens it says what is wrong with it
    except OSError as error:
        raise InputError(f"The path '{path}' cannot be used ({error.strerror or error}).") from None
    except ValueError:  # UnicodeError is one
        raise InputError(
            f"The path '{path}' holds NUL, or bytes that are no text in UTF-8; rename the file or folder."
        ) from None


def native(path: str | os.PathLike[str]) -> str:
    """Return a path as libraries written in C++ take it: in UTF-8 even where Python's own file names are not."""
    return os.fsencode(path).decode("utf-8")


def real_path(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path with every symbolic link followed; the file need not be there.

    Raises:
        InputError: see :func:`check_path`.
    """
    check_path(path)
    return Path(os.path.realpath(path))


def check_folder(path: str | os.PathLike[str]) -> None:
    """Check before the work that a file can be made there.

    Raises:
        OutputPathError: the folder does not exist or is write-protected, or there is a folder of the file's own name.
    """
    target = real_path(path)
    folder = target.parent
    if not folder.is_dir():
        raise OutputPathError(f"The folder '{folder}' for the output does not exist; create it first.")
    if not os.access(folder, os.W_OK):
        raise OutputPathError(f"The folder '{folder}' for the output is write-protected.")
    if target.is_dir():
        raise OutputPathError(f"The output '{path}' is a folder; give the name of a file.")


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder and its parents where they are missing.

    Raises:
        OutputPathError: it cannot be made, for example because a file has its name.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputPathError(f"The folder '{path}' cannot be made ({error.strerror or error}).") from None


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path; what is written there replaces ``path`` when the block ends without an error.

    The temporary path has the target's name, in a folder beside it, so that the two files of a format (``.mhd`` +
    ``.zraw``) name each other correctly. The header moves last: it never points at a missing file. Symbolic links stay,
    and the file that they point to is replaced.

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
