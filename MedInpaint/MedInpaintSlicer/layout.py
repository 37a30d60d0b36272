"""The folders of the engine and of the module's resources.

In a built or installed extension, everything is in one folder::

    qt-scripted-modules/MedInpaint.py  MedInpaintSlicer/  MedInpaintLib/  Resources/

In a plain checkout, the engine is one folder above the module::

    MedInpaint/MedInpaint.py  MedInpaint/MedInpaintSlicer/  MedInpaint/Resources/  MedInpaintLib/

In both cases the samples are in ``Resources/SampleData`` beside ``MedInpaintLib``.
"""

import sys
from pathlib import Path

_MODULE_FOLDER = Path(__file__).resolve().parents[1]


def engineFolder() -> Path:
    """Return the folder to import ``MedInpaintLib`` from.

    Raises:
        FileNotFoundError: the installation is not complete.
    """
    for folder in (_MODULE_FOLDER, _MODULE_FOLDER.parent):
        if (folder / "MedInpaintLib" / "__init__.py").is_file():
            return folder
    raise FileNotFoundError(
        f"MedInpaint is not complete: there is no MedInpaintLib in '{_MODULE_FOLDER}' nor in the folder above it. "
        "Install the extension again."
    )


def makeEngineImportable() -> None:
    """Make ``import MedInpaintLib`` work in a plain checkout, where Slicer knows only the module's own folder."""
    folder = str(engineFolder())
    if folder not in sys.path:
        sys.path.append(folder)


def resourcePath(name: str) -> Path:
    """Return the path of a file in the module's own ``Resources`` folder."""
    return _MODULE_FOLDER / "Resources" / name
