"""Where the engine and the sample data lie, in each of the ways in which the extension can be on a disk.

Built or installed, everything is in one folder::

    qt-scripted-modules/MedInpaint.py  MedInpaintSlicer/  MedInpaintLib/  Resources/SampleData/

In a plain checkout, the engine and the data lie one folder above the module::

    MedInpaint/MedInpaint.py  MedInpaint/MedInpaintSlicer/  MedInpaintLib/  Resources/SampleData/
"""

import sys
from pathlib import Path

_MODULE_FOLDER = Path(__file__).resolve().parents[1]


def _find(part: str) -> Path:
    """The folder that holds ``part``: the module's own or the one above it."""
    for folder in (_MODULE_FOLDER, _MODULE_FOLDER.parent):
        if (folder / part).exists():
            return folder
    raise FileNotFoundError(
        f"MedInpaint is not complete: there is no '{part}' in '{_MODULE_FOLDER}' nor in '{_MODULE_FOLDER.parent}'. "
        "Install the extension again."
    )


def engineFolder() -> Path:
    """The folder to import ``MedInpaintLib`` from."""
    return _find("MedInpaintLib/__init__.py")


def makeEngineImportable() -> None:
    """Let ``import MedInpaintLib`` work in a plain checkout, where Slicer knows only the module's own folder."""
    folder = str(engineFolder())
    if folder not in sys.path:
        sys.path.append(folder)


def resourcePath(name: str) -> Path:
    """A file of the module's own ``Resources`` folder."""
    return _MODULE_FOLDER / "Resources" / name


def sampleDataPath(name: str) -> Path:
    """A file of ``Resources/SampleData``, for example ``"brain-t1.nii.gz"``.

    Raises:
        FileNotFoundError: there is no such sample.
    """
    part = f"Resources/SampleData/{name}"
    return _find(part) / part
