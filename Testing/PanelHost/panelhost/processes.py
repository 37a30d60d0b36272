"""Looking at processes."""

import os
from pathlib import Path


def isRunning(pid: int) -> bool:
    """Whether a process is there and alive (Unix)."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
        # A killed process whose parent is gone stays in the table as a zombie until somebody collects it.
        return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
    except (ProcessLookupError, FileNotFoundError):
        return False
