"""Temporary folders beside outputs, and the removal of those that killed runs left behind."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .signals import before_the_end, forget, held_back

PREFIX = ".medinpaint-"
NEW, OLD, _LOCK = "new", "old", "lock"


@contextlib.contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """Provide a folder for this block that holds an empty folder ``new``; leftovers beside it are removed first.

    What is moved into its folder ``old`` returns to ``parent`` where its name is free there at the end, also when this
    process is killed: the next run that writes there moves it back.

    Raises:
        OSError: the file system refuses.
    """
    _remove_leftovers_once(parent)
    folder, lock = None, None
    try:
        with held_back():
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            before_the_end(folder, functools.partial(_clear, folder))
            lock = _own(folder)
            (folder / NEW).mkdir()  # other users cannot read mkdtemp's own folder, but may read what moves out of it
        yield folder
    finally:
        if folder is not None:
            with held_back():
                _clear(folder)
                if lock is not None:
                    lock.close()
                    _clear(folder)  # Windows removes no file that is open
                forget(folder)


def remove_leftovers(parent: Path) -> None:
    """Remove the temporary folders in ``parent`` whose owners are dead.

    A process holds the lock of its folder as long as it lives. A folder is left alone when its lock is held, when it
    was made on another computer (whose locks may not be seen from here) or by another user, and without a lock.
    """
    with contextlib.suppress(OSError):
        for entry in os.scandir(parent):
            if entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False) and _is_mine(entry):
                folder = Path(entry.path)
                if _owner_is_dead(folder):
                    _clear(folder)


def _owner_is_dead(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("r+", encoding="utf-8") as lock:
            computer, _, process = lock.read().partition("\n")
            # Some network file systems would grant this process its own lock again.
            return computer == _this_computer() and process != str(os.getpid()) and _take(lock)
    except (OSError, ValueError):
        return False


@functools.cache
def _remove_leftovers_once(parent: Path) -> None:
    remove_leftovers(parent)


def _own(folder: Path) -> IO[str] | None:
    """Hold the lock of a folder and sign it; where the file system knows no locks, nobody removes the folder."""
    lock = (folder / _LOCK).open("x+", encoding="utf-8")
    if not _take(lock):
        lock.close()
        return None
    # Only now: a folder whose lock was made and is not held yet is nobody's to remove.
    lock.write(f"{_this_computer()}\n{os.getpid()}")
    lock.flush()
    return lock


def _take(lock: IO[str]) -> bool:
    """Take the lock of an open file unless another process holds it; the system frees it when this process ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            lock.seek(1 << 20)  # beyond the text: a byte that is locked cannot be read
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
            lock.seek(0)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _this_computer() -> str:
    """Return the computer's name and, on Linux, its number: names such as 'localhost' are not unique."""
    with contextlib.suppress(OSError):
        return f"{socket.gethostname()} {Path('/etc/machine-id').read_text(encoding='ascii').strip()}"
    return f"{socket.gethostname()}"


def _is_mine(entry: os.DirEntry[str]) -> bool:
    return not hasattr(os, "getuid") or entry.stat(follow_symlinks=False).st_uid == os.getuid()


def _clear(folder: Path) -> None:
    """Move back what was moved away and not replaced, then remove the folder unless something must stay in it."""
    old = folder / OLD
    if old.is_dir():
        for each in list(old.iterdir()):
            if not os.path.lexists(folder.parent / each.name):
                try:
                    os.rename(each, folder.parent / each.name)
                except OSError:
                    return
    shutil.rmtree(folder, ignore_errors=True)
