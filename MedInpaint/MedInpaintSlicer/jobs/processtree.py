"""Ending a process and everything it has started, at once.

Slicer's PythonSlicer is a launcher: killing only the process one has started would leave the real worker running.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

_PROC = Path("/proc")


def kill(pid: int) -> None:
    """End the process ``pid`` and all its descendants now; those that are gone already are no error."""
    if sys.platform == "win32":
        subprocess.run(
            ["taskkill", "/PID", str(pid), "/T", "/F"],
            capture_output=True,
            check=False,
            creationflags=subprocess.CREATE_NO_WINDOW,
        )
        return
    for each in _stoppedTree(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def _stoppedTree(pid: int) -> list[int]:
    """Stop the process and its descendants, and return them: a stopped process cannot start another one meanwhile."""
    tree: list[int] = []
    found = [pid]
    while found:
        for each in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGSTOP)
        tree += found
        found = [child for child, parent in _parents().items() if parent in tree and child not in tree]
    return tree


def _parents() -> dict[int, int]:
    """Process id -> its parent's, for all processes."""
    if (_PROC / "self" / "stat").exists():
        return _parentsFromProc()
    return _parentsFromPs()


def _parentsFromProc() -> dict[int, int]:
    """On Linux; also where the command ``ps`` is not installed."""
    parents = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it ended while we looked
                # The name, in parentheses, may itself hold spaces and parentheses: after the last one, all is regular.
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    return parents


def _parentsFromPs() -> dict[int, int]:
    """On macOS and other Unix systems."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return {int(pid): int(parent) for pid, parent in (line.split() for line in listing.splitlines())}
