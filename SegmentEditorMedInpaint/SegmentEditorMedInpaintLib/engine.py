"""The functions of the module MedInpaint that the effect uses.

They import the module when they are called: effects are made when Slicer starts, whether they are used or not.
"""

import sys
from pathlib import Path

from slicer.i18n import tr as _

_MODULE_FOLDER = Path(__file__).resolve().parents[1]


def makeImportable(moduleFolder: Path = _MODULE_FOLDER) -> None:
    """Make ``import MedInpaint`` work.

    In an installed extension, all modules are in one folder; in a plain checkout, MedInpaint is in the folder beside.
    """
    for folder in (moduleFolder, moduleFolder.parent / "MedInpaint"):
        if (folder / "MedInpaint.py").is_file():
            if str(folder) not in sys.path:
                sys.path.append(str(folder))
            return


def logic():
    """Return the logic of the module MedInpaint; raise an ImportError if the module is missing."""
    makeImportable()
    from MedInpaint import MedInpaintLogic

    return MedInpaintLogic()


def methods() -> dict:
    """Return the methods that need neither guides nor exemplars: name -> ``MethodInfo``.

    Those can only be chosen in the module's panel.

    Raises:
        ImportError: the module MedInpaint is missing.
    """
    return {name: info for name, info in _allMethods().items() if not (info.needs_guides or info.needs_exemplars)}


def addMethods(combo, offered: dict) -> None:
    """Add "Automatic" and methods (name -> ``MethodInfo``) to a combo box, in groups as in the module's panel."""
    makeImportable()
    from MedInpaintSlicer import methodgroups
    from MedInpaintSlicer.pages import combos

    combos.addRows(combo, methodgroups.rows(offered))


def isDoubt(error: Exception) -> bool:
    """Return whether an error says that the inputs only look wrong, so that the user may go on with them."""
    from MedInpaintLib.errors import DoubtError

    return isinstance(error, DoubtError)


def showAvailable(combo, volume) -> None:
    """Grey out methods in a combo box that have no model for a volume, with the reason as tool tip."""
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
    """Return the maximum growth of a hole in mm."""
    makeImportable()
    from MedInpaintSlicer import parameters

    return parameters.MOST_GROWTH


def livePreviewBox(box, say, marks):
    """Return the live preview of a check box; see ``LivePreviewBox`` of the module's panel."""
    makeImportable()
    from MedInpaintSlicer.pages import livepreview

    return livepreview.LivePreviewBox(box, say, lambda: None if marks() is None else livepreview.Marks(*marks()))


def stopLivePreview() -> None:
    """End the live preview that is shown, in the effect or in the module's panel."""
    from MedInpaintSlicer.pages import livepreview

    livepreview.stop()


def workers() -> int:
    """Return how many parts of the hole to fill at a time, as in the module's panel."""
    from MedInpaintSlicer import options

    return options.workersBesideSlicer()


def resultText(job) -> str:
    """Describe a job's fill, as the module's panel does."""
    from MedInpaintSlicer.pages import messages

    titles = {name: info.title for name, info in _allMethods().items()}
    text = messages.fillText(job.outputVolume.GetName(), titles, job.report)
    return "\n".join([text, *messages.derivedTexts(job)])


def scrollAreaAround(widget):
    """Return the innermost scroll area around a widget, or None."""
    makeImportable()
    from MedInpaintSlicer.pages import messages

    return messages.scrollAreaAround(widget)


def isDark() -> bool:
    """Return whether Slicer has its dark theme; False if the module is missing, which the effect says when used."""
    makeImportable()
    try:
        from MedInpaintSlicer import theme
    except ImportError:
        return False
    return theme.isDark()


def ensurePackages(method: str) -> None:
    """Offer to install a method's missing packages.

    Raises:
        MedInpaintLib.errors.MissingDependencyError: the user declined, or pip failed.
    """
    makeImportable()
    from MedInpaintSlicer import installation

    info = methods().get(method)
    if info is None:
        installation.ensurePackages()
    else:
        installation.ensurePackages(info.title, info.requires)


def isExpected(error: Exception) -> bool:
    """Return whether an error is one of the engine's, whose message says all: what was wrong and what to do."""
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
