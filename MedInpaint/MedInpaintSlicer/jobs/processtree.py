"""Ending a process together with its descendants.

Slicer's PythonSlicer is a launcher: killing only the process that was started would leave the real worker running.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

_PROC = Path("/proc")


def kill(pid: int) -> None:
    """End the process ``pid`` and all its descendants now; those that have already ended are ignored."""
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
    """Stop the process and its descendants and return them; stopped processes cannot start others meanwhile."""
    tree: list[int] = []
    generation = [pid]
    while generation:
        for each in generation:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGSTOP)
        tree += generation
        generation = [child for child, parent in _parents().items() if parent in tree and child not in tree]
    return tree


def _parents() -> dict[int, int]:
    """Return process id -> parent's id, for all processes."""
    if (_PROC / "self" / "stat").exists():
        return _parentsFromProc()
    return _parentsFromPs()


def _parentsFromProc() -> dict[int, int]:
    """Read the parents on Linux, where the command ``ps`` may not be installed."""
    parents = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # the process has just ended
                # The name, in parentheses, may itself contain spaces and parentheses, so split after the last one.
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    return parents


def _parentsFromPs() -> dict[int, int]:
    """Read the parents on macOS and other Unix systems."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return {int(pid): int(parent) for pid, parent in (line.split() for line in listing.splitlines())}
