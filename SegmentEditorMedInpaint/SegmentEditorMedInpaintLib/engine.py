"""What the effect needs of the module MedInpaint.

All of it is imported when it is first called for: effects are made when Slicer starts, whether they are used or not.
"""

import sys
from pathlib import Path

from slicer.i18n import tr as _

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
    """Return the logic of the module MedInpaint.

    Raises:
        ImportError: the module is not there.
    """
    makeImportable()
    from MedInpaint import MedInpaintLogic

    return MedInpaintLogic()


def methods() -> dict:
    """Return the methods that need no more than the effect has: name -> ``MethodInfo``.

    Other contrasts and other scans can only be chosen in the module's panel.

    Raises:
        ImportError: the module MedInpaint is not there.
    """
    return {name: info for name, info in _allMethods().items() if not (info.needs_guides or info.needs_exemplars)}


def showAvailable(combo, volume) -> None:
    """Grey out the methods in a combo box that have no model for a volume, with the reason as tool tip."""
    makeImportable()
    from MedInpaintSlicer import modelchoice
    from MedInpaintSlicer.nodes import images
    from MedInpaintSlicer.pages import combos

    offered = methods()
    reasons = modelchoice.unavailable(offered, lambda method: {}, images.possibleModalities(volume))
    combos.showAvailable(combo, offered, reasons)


def complaint(method: str, volume) -> str:
    """Say in a line why a method cannot fill a volume here; empty when it can, or when it is chosen later."""
    known = _allMethods()
    if method == "auto":
        return ""
    if method not in known:
        return _("There is no method '{name}'; choose another one.").format(name=method)
    if method not in methods():
        return _("'{title}' needs other images, which are chosen under More options; or choose another method.").format(
            title=known[method].title
        )
    from MedInpaintSlicer import modelchoice
    from MedInpaintSlicer.nodes import images

    return modelchoice.complaint(known[method], {}, images.possibleModalities(volume))


def mostGrowth() -> float:
    """Return by how much (mm) a hole can be grown."""
    makeImportable()
    from MedInpaintSlicer import parameters

    return parameters.MOST_GROWTH


def resultText(job) -> str:
    """Say what was filled, by which method."""
    from MedInpaintSlicer.pages import messages

    title = _allMethods()[job.report["method"]].title
    text = messages.fillText(job.outputVolume.GetName(), title, job.report)
    if job.uncertaintyVolume is not None:
        text += "\n" + _("Uncertainty: '{name}'.").format(name=job.uncertaintyVolume.GetName())
    return text


def scrollAreaAround(widget):
    """Return the innermost scroll area that a widget is in, or None."""
    makeImportable()
    from MedInpaintSlicer.pages import messages

    return messages.scrollAreaAround(widget)


def isDark() -> bool:
    """Tell whether Slicer has its dark theme; False where the module is missing, as the effect says when used."""
    makeImportable()
    try:
        from MedInpaintSlicer import theme
    except ImportError:
        return False
    return theme.isDark()


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
    """Tell whether an error's one line says all: what was wrong, what was found, what to do."""
    try:
        from MedInpaintLib.errors import MedInpaintError
    except ImportError:  # the error may be just this one
        return False
    return isinstance(error, MedInpaintError)


def _allMethods() -> dict:
    makeImportable()
    import MedInpaint  # noqa: F401, it makes the engine importable
    import MedInpaintLib

    return MedInpaintLib.list_methods()
