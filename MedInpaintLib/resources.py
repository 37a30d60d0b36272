"""Where the data lie that come with MedInpaint, such as released models and samples."""

from __future__ import annotations

from pathlib import Path

#: Inside the package in a wheel, in one folder of their own: beside the package ``models``, a folder "Models" would be
#: the same folder on a file system that ignores case. In a checkout and in the Slicer extension, beside the package.
_FOLDERS = (Path(__file__).parent / "_resources", Path(__file__).parents[1] / "Resources")


def resource_folders(kind: str) -> tuple[Path, ...]:
    """Return the folders in which one kind of resources may lie, such as ``"Models"``; one of them exists."""
    return tuple(folder / kind for folder in _FOLDERS)
