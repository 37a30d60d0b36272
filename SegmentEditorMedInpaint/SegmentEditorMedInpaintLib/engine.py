"""What the effect needs of the module MedInpaint.

All of it is imported when it is first called for: effects are made when Slicer starts, whether they are used or not.
"""

import sys
from pathlib import Path

_MODULE_FOLDER = Path(__file__).resolve().parents[1]


def makeImportable(moduleFolder: Path = _MODULE_FOLDER) -> None:
    """Let ``import MedInpaint`` work wherever the extension lies.

    Installed, all modules are in one folder; in a plain checkout, MedInpaint has a folder beside this module's.
    """
    for folder in (moduleFolder, moduleFolder.parent / "MedInpaint"):
        if (folder / "MedInpaint.py").is_file():
            if str(folder) not in sys.path:
                sys.path.append(str(folder))
            return


def logic():
    """The logic of the module MedInpaint.

    Raises:
        ImportError: the module is not there.
    """
    makeImportable()
    from MedInpaint import MedInpaintLogic

    return MedInpaintLogic()


def methods() -> dict:
    """Method name -> ``MedInpaintLib.methods.registry.MethodInfo``.

    Raises:
        ImportError: the module MedInpaint is not there.
    """
    makeImportable()
    import MedInpaint  # noqa: F401, it makes the engine importable
    import MedInpaintLib

    return MedInpaintLib.methods()


def ensurePackages(method: str) -> None:
    """Offer to install what a method needs and is missing.

    Raises:
        MedInpaintLib.errors.MissingDependencyError: the user declined, or pip could not install it.
    """
    makeImportable()
    from MedInpaintSlicer import installation

    info = methods().get(method)
    if info is None:
        installation.ensurePackages()
    else:
        installation.ensurePackages(info.title, info.requires)


def isExpected(error: Exception) -> bool:
    """Whether an error's one line says all: what was wrong, what was found, what to do."""
    try:
        from MedInpaintLib.errors import MedInpaintError
    except ImportError:  # the error may be just this one
        return False
    return isinstance(error, MedInpaintError)
