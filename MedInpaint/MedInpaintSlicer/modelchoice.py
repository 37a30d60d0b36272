"""Which methods and trained models go together. Only the models' facts are read: no torch is needed."""

from slicer.i18n import tr as _


def methodFor(bundle):
    """The method that uses a model, a ``MethodInfo``; None where none of them does."""
    import MedInpaintLib

    fitting = (info for info in MedInpaintLib.methods().values() if info.architecture == bundle.architecture)
    return next(fitting, None)


def modelsFor(info) -> dict[str, str]:
    """The models that a method can use: name -> title."""
    from MedInpaintLib.models import store

    return {name: each.title for name, each in store.models().items() if each.architecture == info.architecture}


def complaint(info, values: dict) -> str:
    """Why a method cannot work for want of a model, in a line; empty when nothing is wrong.

    Args:
        info: the method's ``MethodInfo``; None: the method is chosen later, from those that can work.
        values: parameter name -> value, as the user has chosen; what is missing has its default.
    """
    if info is None or not info.needs_model:
        return ""
    name = values.get("model", "auto")
    return _complaintAboutAny(info) if name == "auto" else _complaintAboutOne(info, name)


def _complaintAboutAny(info) -> str:
    from MedInpaintLib.models import store

    if store.fitting(info.architecture) is not None:
        return ""
    return _("There is no model for '{method}'; add one in the tab Models, or choose another method.").format(
        method=info.title
    )


def _complaintAboutOne(info, name: str) -> str:
    from MedInpaintLib.errors import ModelError
    from MedInpaintLib.models import store

    try:
        bundle = store.find(name)
    except ModelError:
        return _(
            "There is no model '{model}' that can be used; choose one in the tab Models, or set model to auto."
        ).format(model=name)
    if bundle.architecture == info.architecture:
        return ""
    return _(
        "The model '{model}' is not one for '{method}'; choose one in the tab Models, or set model to auto."
    ).format(model=name, method=info.title)
