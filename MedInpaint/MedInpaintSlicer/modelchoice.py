"""The models that a method can use. Only the models' facts are read: no torch is needed.

The panel asks at each change of a choice; the models are read again only when their folder has changed.
"""

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

#: The fill method that repairs a contrast from the others; estimating a whole one needs the same models and packages.
REPAIR_METHOD = "collagan"

#: The last state of the user's folder -> all models at that time.
_cache: dict[tuple, dict[str, Any]] = {}


def methodFor(bundle):
    """Return the ``MethodInfo`` of the method that uses a model; None where no method does."""
    import MedInpaintLib

    fitting = (info for info in MedInpaintLib.list_methods().values() if info.architecture == bundle.architecture)
    return next(fitting, None)


def modelsFor(info) -> dict[str, str]:
    """Return the models that a method can use: name -> title; none where they cannot be read."""
    try:
        models = _models()
    except OSError:
        return {}
    return {name: each.title for name, each in models.items() if each.architecture == info.architecture}


def summaryOf(info) -> str:
    """Return what a method does and, if it needs a model, for which images there is one."""
    from MedInpaintLib.models import store

    if not info.needs_model:
        return info.summary
    try:
        modalities = store.modalities(info.architecture, _models().values())
    except OSError:
        return info.summary
    return _("{summary} Models for: {modalities}.").format(
        summary=info.summary, modalities=", ".join(modalities) or _("none")
    )


def unavailable(
    methods: Mapping[str, Any], valuesOf: Callable[[str], dict], modalities: Collection[str]
) -> dict[str, str]:
    """Return the methods that cannot run for want of a model, each with the reason.

    Args:
        methods: name -> ``MethodInfo``.
        valuesOf: method -> the chosen values of its parameters; called only where "auto" finds no model.
        modalities: as for :func:`complaint`.
    """
    reasons = {name: complaint(info, {}, modalities) for name, info in methods.items()}
    return {
        name: reason
        for name, reason in reasons.items()
        if reason and complaint(methods[name], valuesOf(name), modalities)
    }


def complaint(info, values: Mapping[str, Any], modalities: Collection[str] = ()) -> str:
    """Say in a line why a method has no model to run with; empty when it has one.

    Args:
        info: the method's ``MethodInfo``; None: the method is chosen later, from those that can work.
        values: parameter name -> value, as the user has chosen; what is missing has its default.
        modalities: what the image may be; empty where that is not known.
    """
    if info is None or not info.needs_model:
        return ""
    name = values.get("model", "auto")
    if values.get("any_modality"):
        modalities = ()
    try:
        return _complaintAboutAny(info, modalities) if name == "auto" else _complaintAboutOne(info, name, modalities)
    except OSError as error:
        return unreadable(error)


def unreadable(error: OSError) -> str:
    """Say in a line that the folders with the models cannot be read."""
    return _("The models cannot be read: {reason}. Fix the permissions of that folder or delete it.").format(
        reason=error
    )


def _complaintAboutAny(info, modalities: Collection[str]) -> str:
    from MedInpaintLib.models import recipes, store

    there = store.modalities(info.architecture, _models().values())
    if there and (not modalities or {*modalities} & {*there}):
        return ""
    if info.name == REPAIR_METHOD and not there:
        return _("There is no model that estimates contrasts; add one in the tab Models.")
    known = recipes.recipes(info.architecture)
    names = [name for name, modality in known.items() if modality in (modalities or known.values())]
    if there:
        text = _("'{method}' needs a trained model: the present ones have learned from {there}, not from such images.")
    else:
        text = _("There is no model for '{method}': add one in the tab Models, or choose another method.")
    made = _("The recipe {names} makes one.").format(names=_(" or ").join(names)) if names else ""
    return " ".join([text.format(method=info.title, there=", ".join(there)), made]).strip()


def _complaintAboutOne(info, name: str, modalities: Collection[str]) -> str:
    from MedInpaintLib.errors import ModelError
    from MedInpaintLib.models import store

    try:
        bundle = _models().get(name) or store.find(name)
    except ModelError:
        return _(
            "There is no model '{model}' that can be used; choose one in the tab Models, or set model to auto."
        ).format(model=name)
    if bundle.architecture == info.architecture and modalities and bundle.modality not in modalities:
        return _(
            "The model '{model}' has learned from {modality} images, not from such ones; choose another one, or let "
            "the method use it by any_modality."
        ).format(model=name, modality=bundle.modality)
    if bundle.architecture == info.architecture:
        return ""
    return _(
        "The model '{model}' is not one for '{method}'; choose one in the tab Models, or set model to auto."
    ).format(model=name, method=info.title)


def _models() -> dict:
    """Return all models that can be used, by name.

    Raises:
        OSError: a folder cannot be read.
    """
    from MedInpaintLib.models import store

    state = _stateOf(store.user_folder())
    if state not in _cache:
        _cache.clear()
        _cache[state] = store.models()
    return _cache[state]


def _stateOf(folder: Path) -> tuple:
    """Return what changes whenever a model, or a file of one, comes or goes; released models stay as installed."""
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
