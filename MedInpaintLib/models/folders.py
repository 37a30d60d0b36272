"""Bundles as folders: what may lie in one, and how a new one takes the place of an old one."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import OutputError, OutputPathError
from ..files import real_path

FACTS, WEIGHTS, CARD = "bundle.json", "weights.safetensors", "README.md"


def belongs(name: str) -> bool:
    """Whether a file of that name is part of a bundle."""
    return name in (FACTS, CARD) or name.endswith(".safetensors")


def strangers(folder: Path) -> list[str]:
    """Return the names in a folder that no bundle has, such as checkpoints; hidden files aside."""
    names = (path.name for path in folder.iterdir() if not path.name.startswith("."))
    return sorted(name for name in names if not belongs(name))


@contextlib.contextmanager
def replacing_bundle(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a new, empty folder to write to; it becomes ``folder`` when the block ends without an error.

    The new folder is made beside ``folder``. An old bundle is moved away, and deleted once the new one is in its
    place. Where ``folder`` is a symbolic link, the folder that it points to is replaced, and the link stays.

    Raises:
        OutputPathError: the folder above does not exist, or ``folder`` is neither empty nor a bundle and nothing else.
        OutputError: the file system refuses (disk full, no permission); the old bundle is as it was.
    """
    target = real_path(folder)
    _check_replaceable(target)
    with writing(folder):
        temporary = Path(tempfile.mkdtemp(prefix=".medinpaint-", dir=target.parent))
    new, old = temporary / "new", temporary / "old"
    try:
        with writing(folder):
            new.mkdir()  # mkdtemp's own folder is closed to all other users, and a bundle should not be
            yield new
            _swap(new, target, old)
    finally:
        if target.exists() or not old.exists():  # else: the file system took the old bundle and did not give it back
            shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what the file system refuses in this block into an :class:`OutputError` that names ``path``."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"'{path}' could not be written ({error.strerror or error}).") from None


def _check_replaceable(target: Path) -> None:
    if not target.parent.is_dir():
        raise OutputPathError(f"The folder '{target.parent}' for the model does not exist; create it first.")
    if not target.exists():
        return
    if not target.is_dir():
        raise OutputPathError(f"The place for the model, '{target}', is a file; give the name of a folder.")
    others = strangers(target)
    if others:
        raise OutputPathError(
            f"The folder '{target}' holds more than a model ('{others[0]}'), which replacing it would delete; "
            "choose another folder."
        )
    if any(target.iterdir()) and not (target / FACTS).is_file():
        raise OutputPathError(f"The folder '{target}' is not empty and holds no model; choose another folder.")


def _swap(new: Path, target: Path, old: Path) -> None:
    if not target.exists():
        os.rename(new, target)
        return
    os.rename(target, old)
    try:
        os.rename(new, target)
    except BaseException:  # a signal to stop may come between the two as well
        os.rename(old, target)
        raise
