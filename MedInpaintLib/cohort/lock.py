"""Locks between processes: one runner at a time for a study or a part of it, and one writer of what runners share."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..errors import InputError

#: What the system says of a lock that another process holds. Others mean that the file system knows no locks.
_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})


@contextlib.contextmanager
def only_runner(file: Path) -> Iterator[None]:
    """Hold a lock on a file in this block; the system frees it when this process ends, however it ends.

    Raises:
        InputError: another process holds it.
    """
    with file.open("a+", encoding="utf-8") as lock:
        try:
            _take(lock, wait=False)
        except OSError as error:
            if error.errno in _HELD:
                raise InputError(
                    f"Another run is at work on this study (it holds '{file}'); wait until it has ended, or end it."
                ) from None
        yield


@contextlib.contextmanager
def one_at_a_time(file: Path) -> Iterator[None]:
    """Hold a lock on a file in this short block, after other processes have left theirs."""
    with file.open("a+", encoding="utf-8") as lock:
        # Some file systems know no locks, and Windows ends its waiting after 10 s.
        with contextlib.suppress(OSError):
            _take(lock, wait=True)
        yield


def _take(lock: IO[str], *, wait: bool) -> None:
    if sys.platform == "win32":
        import msvcrt

        lock.seek(0, os.SEEK_SET)
        msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
