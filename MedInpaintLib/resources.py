"""Where data lie: what comes with MedInpaint, such as released models and samples, and what is kept for the user."""

from __future__ import annotations

import os
import sys
from pathlib import Path

#: Inside the package in a wheel, in one folder of their own: beside the package ``models``, a folder "Models" would be
#: the same folder on a file system that ignores case. In a checkout and in the Slicer extension, beside the package.
_FOLDERS = (Path(__file__).parent / "_resources", Path(__file__).parents[1] / "Resources")


def resource_folders(kind: str) -> tuple[Path, ...]:
    """Return the folders in which one kind of resources may lie, such as ``"Models"``; one of them exists."""
    return tuple(folder / kind for folder in _FOLDERS)


def cache_folder() -> Path:
    """Return the folder for data of programs on this platform."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    chosen = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return chosen if chosen.is_absolute() else Path.home() / ".cache"  # relative: invalid, says the XDG specification
