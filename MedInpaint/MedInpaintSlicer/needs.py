"""What a method and its inputs still lack before anything can be run: told beforehand, and not by a run that fails."""

from slicer.i18n import tr as _

from . import modelchoice
from .nodes.images import imageOf


def complaint(info, values: dict, guides, exemplars: str) -> str:
    """What a method lacks, in a line; empty when nothing is missing.

    Args:
        info: the method's ``MethodInfo``; None: the method is chosen later, from those that can work.
        values: parameter name -> value, as the user has chosen; what is missing has its default.
        guides: the chosen volume nodes.
        exemplars: the chosen folder; empty: none.
    """
    withoutModel = modelchoice.complaint(info, values)
    if withoutModel:
        return withoutModel
    if info is not None and info.needs_guides and not guides:
        return _("'{method}' needs guides, other contrasts of the same subject: choose them in More to go by.").format(
            method=info.title
        )
    if info is not None and info.needs_exemplars and not exemplars:
        return _("'{method}' needs a folder with other scans of the same contrast: choose it in More to go by.").format(
            method=info.title
        )
    return next(filter(None, map(volumeComplaint, guides)), "")


def volumeComplaint(volumeNode) -> str:
    """Why a volume's voxels cannot be used, in a line; empty when they can be. No voxel is looked at."""
    from MedInpaintLib.errors import ImageReadError

    try:
        imageOf(volumeNode)
    except ImageReadError as error:
        return str(error)
    return ""
