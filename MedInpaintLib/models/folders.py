"""Bundles as folders: their files, and how a new bundle replaces an old one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import OutputError, OutputPathError
from ..files import real_path
from ..signals import held_back
from ..temporary import NEW, OLD, temporary_folder

FACTS, WEIGHTS, CARD = "bundle.json", "weights.safetensors", "README.md"


def belongs(name: str) -> bool:
    """Return whether a file of that name is part of a bundle."""
    return name in (FACTS, CARD) or name.endswith(".safetensors")


def strangers(folder: Path) -> list[str]:
    """Return the names of visible files in a folder that are not part of a bundle, such as checkpoints."""
    names = (path.name for path in folder.iterdir() if not path.name.startswith("."))
    return sorted(name for name in names if not belongs(name))


@contextlib.contextmanager
def replacing_bundle(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Provide a new, empty folder to write to; it becomes ``folder`` when the block ends without an error.

    The new folder is made beside ``folder``. An old bundle is moved away, then deleted once the new one is in place; a
    run that is killed between the two leaves it beside, and the next one moves it back. If ``folder`` is a symbolic
    link, its target is replaced and the link stays.

    Raises:
        OutputPathError: the folder above does not exist, or ``folder`` is not empty and not just a bundle.
        OutputError: the file system refuses (disk full, no permission); the old bundle is unchanged.
    """
    target = real_path(folder)
    _check_replaceable(target)
    with writing(folder), temporary_folder(target.parent) as temporary:
        yield temporary / NEW
        with held_back():
            _swap(temporary, target)


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn errors of the file system in this block into an :class:`OutputError` that names ``path``."""
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
    extras = strangers(target)
    if extras:
        raise OutputPathError(
            f"The folder '{target}' holds more than a model ('{extras[0]}'), which replacing it would delete; "
            "choose another folder."
        )
    if any(target.iterdir()) and not (target / FACTS).is_file():
        raise OutputPathError(f"The folder '{target}' is not empty and holds no model; choose another folder.")


def _swap(temporary: Path, target: Path) -> None:
    """Move the old bundle away and the new one to its place; after an error, or a kill, the old one moves back."""
    if target.exists():
        (temporary / OLD).mkdir()
        os.rename(target, temporary / OLD / target.name)
    os.rename(temporary / NEW, target)
