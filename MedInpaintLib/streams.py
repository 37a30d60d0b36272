"""Standard output and error: there from the start, and emptied at the end without a word too many."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable


def opened() -> None:
    """Prepare the standard streams of a program: all exist, and any text can be printed.

    A closed one (``2>&-``) is opened to nowhere; otherwise the next file that is opened gets its number, and messages
    of libraries go into that file. Characters that the terminal cannot show are written as in Python's source.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number, which is this one.
            os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
    # Python has none where the descriptor was closed, and libraries expect one.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def emptied(work: Callable[[], int]) -> int:
    """Run ``work``, write what is still buffered, and return the exit code; 1 where standard output takes no more.

    That nobody reads any more (``| head``) is no message; a full disk is one line on standard error.
    """
    try:
        code = work()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _abandon()
    except OSError as error:
        _abandon()
        with contextlib.suppress(OSError):
            print(f"Error: Standard output could not be written ({error.strerror or error}).", file=sys.stderr)
    return 1


def _abandon() -> None:
    """Let what Python still wants to write to standard output at its end go nowhere."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
