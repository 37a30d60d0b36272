"""Checks before a run: does the method have all inputs that it needs?"""

from collections.abc import Collection

from slicer.i18n import tr as _

from . import modelchoice
from .nodes.images import imageOf


def complaint(info, values: dict, guides, exemplars: str, modalities: Collection[str] = ()) -> str:
    """Say in a line which input a method needs; empty when none is missing.

    Args:
        info: the method's ``MethodInfo``; None: the method is chosen later, from those that can run.
        values: parameter name -> chosen value; missing parameters have their defaults.
        guides: the chosen volume nodes.
        exemplars: the chosen folder; empty: none.
        modalities: the possible modalities of the image; empty if unknown.
    """
    withoutModel = modelchoice.complaint(info, values, modalities)
    if withoutModel:
        return withoutModel
    if info is not None and info.needs_guides and not guides:
        return _("'{method}' needs guides, other contrasts of this subject: choose them in Additional inputs.").format(
            method=info.title
        )
    if info is not None and info.needs_exemplars and not exemplars:
        return _("'{method}' needs a folder with other scans of this contrast: choose it in Additional inputs.").format(
            method=info.title
        )
    return next(filter(None, map(volumeComplaint, guides)), "")


def volumeComplaint(volumeNode) -> str:
    """Say in a line why a volume cannot be used; empty when it can. No voxel is read."""
    from MedInpaintLib.errors import ImageReadError

    try:
        imageOf(volumeNode)
    except ImageReadError as error:
        return str(error)
    return ""
