"""The first thing that a command does: a signal during its imports is one line, not a traceback.

This module imports next to nothing: what is imported before :func:`end_in_one_line` is called is not covered by it.
"""

import os
import signal

EXIT_CANCELLED = 130
CANCELLED = "Cancelled; nothing was written."
#: SIGBREAK is Ctrl-Break on Windows, the only one that a program can send there to a group of processes.
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]


def end_in_one_line(stream: int, line: str) -> None:
    """Let SIGINT and SIGTERM write a line to a file descriptor and end the process with exit code 130."""

    def end(number: int, frame: object) -> None:
        try:
            os.write(stream, line.encode() + b"\n")
        finally:
            os._exit(EXIT_CANCELLED)

    for number in SIGNALS:
        signal.signal(number, end)
