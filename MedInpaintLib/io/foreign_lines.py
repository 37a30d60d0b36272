"""Lines that libraries in C and C++ print by themselves, caught so that they reach the report, not the terminal.

SimpleITK's own logger (``sitk.LoggerBase``) gets ITK's warnings only: libpng, libtiff and MetaIO write straight to file
descriptor 2 (measured with SimpleITK 2.5 on cut and damaged files), so the descriptor is what is redirected.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import BinaryIO

from ..texts import in_one_line

#: Distinct lines that are kept: a damaged file can cause one a row of pixels.
MOST = 10
#: A line that only says where in the library's source it comes from.
_POSITION = re.compile(r"(WARNING|ERROR): In .*, line \d+")
#: The address of an object of C++, new in each run.
_ADDRESS = re.compile(r" ?\(0x[0-9a-fA-F]+\)")

_lock = threading.Lock()
_capture: _Capture | None = None


@contextlib.contextmanager
def foreign_lines() -> Iterator[list[str]]:
    """Catch what is written to file descriptor 2 in this block; the list has the lines after it.

    Python's own ``sys.stderr`` (a progress bar in another thread) goes on writing to where it did. Blocks may be nested
    and run in several threads, which then see each other's lines. Without a standard error (``pythonw``) nothing is
    caught. Takes 0.1 ms.

    Yields:
        list[str]: empty in the block; afterwards each distinct line once, at most :data:`MOST`, without source
        positions and addresses.
    """
    lines: list[str] = []
    capture = _begin()
    start = capture.size() if capture else 0
    try:
        yield lines
    finally:
        if capture:
            lines += _distinct(capture.text(start))
            _end(capture)


class _Capture:
    """A redirection of file descriptor 2 into an unnamed file; a pipe would block the library once it is full."""

    def __init__(self, file: BinaryIO, before: int) -> None:
        self._file, self._before = file, before
        self.users = 1
        self._stream = sys.stderr
        self._own = None
        if _writes_to_descriptor_2(sys.stderr):
            sys.stderr.flush()
            encoding = sys.stderr.encoding
            self._own = os.fdopen(os.dup(before), "w", encoding=encoding, errors="backslashreplace", buffering=1)
            sys.stderr = self._own
        os.dup2(file.fileno(), 2)

    def size(self) -> int:
        """Return the number of bytes that were caught so far."""
        return os.fstat(self._file.fileno()).st_size

    def text(self, start: int) -> str:
        """Return what was caught since a size."""
        with os.fdopen(os.dup(self._file.fileno()), "rb") as file:
            end = file.tell()  # shared with descriptor 2, which goes on writing there
            file.seek(start)
            content = file.read()
            file.seek(end)
        return content.decode("utf-8", errors="replace")

    def close(self) -> None:
        """Undo the redirection."""
        os.dup2(self._before, 2)
        os.close(self._before)
        self._file.close()
        if self._own is not None:
            if sys.stderr is self._own:
                sys.stderr = self._stream
            self._own.close()


def _begin() -> _Capture | None:
    """Return the capture that is on, or begin one; None where there is no standard error or no room for its text."""
    global _capture
    with _lock:
        if _capture is not None:
            _capture.users += 1
            return _capture
        try:
            before = os.dup(2)
        except OSError:
            return None
        try:
            _capture = _Capture(_unnamed_file(), before)
        except OSError:
            os.close(before)
        return _capture


def _end(capture: _Capture) -> None:
    global _capture
    with _lock:
        capture.users -= 1
        if not capture.users:
            _capture = None
            capture.close()


def _unnamed_file() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("medinpaint"), "w+b")
    return tempfile.TemporaryFile()


def _writes_to_descriptor_2(stream: object) -> bool:
    try:
        return stream.fileno() == 2  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):  # none, closed, or in memory
        return False


def _distinct(text: str) -> list[str]:
    kept = (_ADDRESS.sub("", in_one_line(line.strip())) for line in text.splitlines() if line.strip())
    return list(dict.fromkeys(line for line in kept if not _POSITION.fullmatch(line)))[:MOST]
