"""Which methods and trained models go together. Only the models' facts are read: no torch is needed.

The panel asks at each change of a choice; the models are looked at anew only when their folder has changed.
"""

import os
from pathlib import Path

from slicer.i18n import tr as _

#: The fill method that repairs a contrast from the others; estimating a whole one needs the same models and packages.
REPAIR_METHOD = "collagan"

#: The state of the user's folder -> the models that were found in it and beside it; the last look alone.
_seen: dict = {}


def methodFor(bundle):
    """The method that uses a model, a ``MethodInfo``; None where none of them does."""
    import MedInpaintLib

    fitting = (info for info in MedInpaintLib.list_methods().values() if info.architecture == bundle.architecture)
    return next(fitting, None)


def modelsFor(info) -> dict[str, str]:
    """The models that a method can use: name -> title; none where they cannot be read."""
    try:
        models = _models()
    except OSError:
        return {}
    return {name: each.title for name, each in models.items() if each.architecture == info.architecture}


def complaint(info, values: dict) -> str:
    """Why a method cannot work for want of a model, in a line; empty when nothing is wrong.

    Args:
        info: the method's ``MethodInfo``; None: the method is chosen later, from those that can work.
        values: parameter name -> value, as the user has chosen; what is missing has its default.
    """
    if info is None or not info.needs_model:
        return ""
    name = values.get("model", "auto")
    try:
        return _complaintAboutAny(info) if name == "auto" else _complaintAboutOne(info, name)
    except OSError as error:
        return unreadable(error)


def unreadable(error: OSError) -> str:
    """What to say when the folders with the models cannot be read."""
    return _("The models cannot be read: {reason}. Mend the rights of that folder, or remove it.").format(reason=error)


def _complaintAboutAny(info) -> str:
    if any(each.architecture == info.architecture for each in _models().values()):
        return ""
    if info.name == REPAIR_METHOD:
        return _("There is no model that estimates contrasts; add one in the tab Models.")
    return _("There is no model for '{method}'; add one in the tab Models, or choose another method.").format(
        method=info.title
    )


def _complaintAboutOne(info, name: str) -> str:
    from MedInpaintLib.errors import ModelError
    from MedInpaintLib.models import store

    try:
        bundle = _models().get(name) or store.find(name)
    except ModelError:
        return _(
            "There is no model '{model}' that can be used; choose one in the tab Models, or set model to auto."
        ).format(model=name)
    if bundle.architecture == info.architecture:
        return ""
    return _(
        "The model '{model}' is not one for '{method}'; choose one in the tab Models, or set model to auto."
    ).format(model=name, method=info.title)


def _models() -> dict:
    """All models that can be used, by name.

    Raises:
        OSError: a folder cannot be read.
    """
    from MedInpaintLib.models import store

    state = _stateOf(store.user_folder())
    if state not in _seen:
        _seen.clear()
        _seen[state] = store.models()
    return _seen[state]


def _stateOf(folder: Path) -> tuple:
    """Changes whenever a model, or a file of one, comes or goes. Released models stay as they are installed."""
    try:
        inside = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        inside = []
    return (str(folder), *((name, _changed(folder / name)) for name in inside))


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # it is just being removed, or a link that leads nowhere
        return 0
