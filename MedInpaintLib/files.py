"""Atomic writing: a killed run leaves the old files or the new ones, never half of one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import InputError, OutputError, OutputPathError
from .files_of import detached_files, named_by_another
from .signals import held_back
from .temporary import NEW, temporary_folder

#: What is neither a file nor a folder, by the test for it.
_KINDS = {
    "a device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
    "a named pipe": stat.S_ISFIFO,
    "a socket": stat.S_ISSOCK,
}


#: Names that :func:`.io.itk.write` gives to files with voxels.
_VOXELS = re.compile(r".*-[0-9a-f]{12}\.(raw|zraw|raw\.gz)")


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


def special_kind(path: str | os.PathLike[str]) -> str | None:
    """Return what is there if it is neither a file nor a folder, such as ``"a named pipe"``; else None."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return None
    return next((kind for kind, is_one in _KINDS.items() if is_one(mode)), None)


def check_folder(path: str | os.PathLike[str]) -> None:
    """Check before the work that a file can be made there.

    Raises:
        OutputPathError: the folder does not exist or is write-protected, or there is something else than a file of that
            name: a folder, a device, a pipe.
    """
    check_kind(path)
    folder = real_path(path).parent
    if not folder.is_dir():
        raise OutputPathError(f"The folder '{folder}' for the output does not exist; create it first.")
    if not os.access(folder, os.W_OK):
        raise OutputPathError(f"The folder '{folder}' for the output is write-protected.")


def check_kind(path: str | os.PathLike[str]) -> None:
    """Check that what a new file would replace is a file, too, if there is anything.

    Raises:
        OutputPathError: naming what it is.
    """
    kind = "a folder" if os.path.isdir(path) else special_kind(path)
    if kind is not None:
        raise OutputPathError(f"The output '{path}' is {kind}, which cannot be replaced; give the name of a file.")


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
    """Yield a temporary path; what is written there replaces ``path`` at the block's end; see :func:`replacing_all`."""
    with replacing_all(path) as (temporary,):
        yield temporary


@contextlib.contextmanager
def replacing_all(*paths: str | os.PathLike[str]) -> Iterator[tuple[Path, ...]]:
    """Yield a temporary path for each path; what is written there replaces all of them when the block ends.

    After an error nothing is replaced: all is written before the first file moves, and where one cannot move, those
    that did move back. Files move in the order of the paths. A temporary path has the target's name, in a folder
    beside it; further files in that folder, such as the voxels that a header names, move before it. The voxels that
    only the old header names are removed after it has gone. Symbolic links stay, and the files that they point to are
    replaced; a file keeps its mode and, where permitted, its owner.

    Raises:
        OutputPathError: see :func:`check_folder`.
        OutputError: the file system refuses (disk full, no permission).
    """
    if not paths:
        yield ()
        return
    for path in paths:
        check_folder(path)
    targets = [real_path(path) for path in paths]
    folders: list[Path] = []
    try:
        with contextlib.ExitStack() as stack:
            folders += [stack.enter_context(temporary_folder(target.parent)) for target in targets]
            yield tuple(folder / NEW / target.name for folder, target in zip(folders, targets, strict=True))
            with held_back(f"Cancelled when '{paths[0]}' was just written."):
                for folder, target in zip(folders, targets, strict=True):
                    _keep_mode_and_owner(folder / NEW, target)
                olds = [detached_files(target) for target in targets]
                _move(list(zip(folders, targets, strict=True)))
                for target, old in zip(targets, olds, strict=True):
                    _remove_voxels(old, target)
    except OSError as error:
        raise _output_error(error, paths, folders) from None


def remove_image(path: str | os.PathLike[str]) -> None:
    """Remove an image that a new result does not have, with the voxels that its header names, if it is there.

    Raises:
        OutputError: the file system refuses.
    """
    target = real_path(path)
    try:
        if target.is_file():
            old = detached_files(target)
            target.unlink()
            _remove_voxels(old, target)
    except OSError as error:
        raise _output_error(error, [path], []) from None


def hashes(temporary: Path) -> dict[str, str]:
    """Return the sha256 of each file that was written for a temporary path of :func:`replacing_all`, by its name."""
    return {file.name: sha256(file) for file in sorted(temporary.parent.iterdir())}


def sha256(file: Path) -> str:
    """Return the sha256 of a file's content, in hexadecimal digits."""
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file atomically, UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write a JSON file atomically; see :func:`as_json`."""
    write_text(path, as_json(value, indent=2) + "\n")


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON, in which what is not finite is null: NaN and Infinity are no JSON.

    >>> as_json({"psnr": float("inf"), "holes": (1, 2)})
    '{"psnr": null, "holes": [1, 2]}'
    """
    return json.dumps(_finite(value), indent=indent, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _keep_mode_and_owner(folder: Path, target: Path) -> None:
    """Give new files the mode and owner of the old one that they replace."""
    try:
        old = target.stat()
    except OSError:
        return  # there is none
    for file in folder.iterdir():
        new = file.stat()
        if hasattr(os, "chown") and (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            with contextlib.suppress(OSError):  # only the administrator may give files away
                os.chown(file, old.st_uid, old.st_gid)
        with contextlib.suppress(OSError):  # not every file system knows modes
            file.chmod(stat.S_IMODE(old.st_mode))


def _move(pairs: list[tuple[Path, Path]]) -> None:
    """Move the new files of temporary folders beside their targets; where one cannot, move back those that did."""
    moved: list[tuple[Path, Path | None]] = []
    try:
        for folder, target in pairs:
            for file in sorted((folder / NEW).iterdir(), key=lambda file: file.name == target.name):
                goal = target.parent / file.name
                old = _second_name(goal, folder)
                existed = os.path.lexists(goal)
                os.replace(file, goal)
                if old is not None or not existed:
                    moved.append((goal, old))
    except BaseException:
        for goal, old in reversed(moved):
            with contextlib.suppress(OSError):
                goal.unlink() if old is None else os.replace(old, goal)
        raise


def _second_name(file: Path, folder: Path) -> Path | None:
    """Return a hard link to a file in the folder; None without the file, or where the file system knows none."""
    link = folder / f"before-{len(os.listdir(folder))}"
    try:
        os.link(file, link)
    except OSError:
        return None
    return link


def _remove_voxels(old: tuple[Path, ...], header: Path) -> None:
    """Remove the files with voxels that the old header named, beside it, if neither the new one nor another does.

    Only those that were written with the header, as their names tell: a header made by hand may name pictures, DICOM
    files or raw data that are there nowhere else.
    """
    new = detached_files(header)
    for file in old:
        if (
            file.parent == header.parent
            and _VOXELS.fullmatch(file.name)
            and file not in new
            and not file.is_dir()
            and not named_by_another(file, header)
        ):
            with contextlib.suppress(OSError):
                file.unlink()


def _output_error(error: OSError, paths: Sequence[str | os.PathLike[str]], folders: Sequence[Path]) -> OutputError:
    """Return the error in the user's words: with the path that was asked for, not the temporary one."""
    text = f"{error} {error.filename}"
    number = next((number for number, folder in enumerate(folders) if str(folder) in text), len(folders))
    path = paths[number if number < len(paths) else 0]
    if not isinstance(error, OutputError):
        return OutputError(f"'{path}' could not be written ({error.strerror or error}).")
    if number < len(folders):
        temporary = folders[number] / NEW / real_path(path).name
        return type(error)(str(error).replace(str(temporary), str(path)))
    return error
