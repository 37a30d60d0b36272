"""Which segments mark the hole of a volume, when they are told by their names, or by the volume they were drawn on."""

import dataclasses
from typing import Any

import slicer
from slicer.i18n import tr as _

from .segments import segmentNames


@dataclasses.dataclass(frozen=True)
class Marked:
    """Segments that mark a hole, or why there are none.

    Attributes:
        segmentation: the segmentation node; None where there is none.
        segmentIds: of the segments that are filled.
        names: what segmentation and segments are called; empty where there is nothing to fill.
        problem: why there is nothing to fill, in a few words; empty where there is something.
    """

    segmentation: Any = None
    segmentIds: tuple[str, ...] = ()
    names: str = ""
    problem: str = ""


def markedBy(segmentation, segmentIds) -> Marked:
    """Segments of a segmentation by their ids; those that have gone are left out."""
    if segmentation is None:
        return Marked(problem=_("no segmentation"))
    known = segmentNames(segmentation)
    there = tuple(each for each in segmentIds if each in known)
    name = segmentation.GetName()
    if not there:
        return Marked(segmentation, problem=_("no segment of '{segmentation}' is chosen").format(segmentation=name))
    chosen = ", ".join(known[each] for each in there)
    return Marked(segmentation, there, f"{name}: {chosen}")


def markedByNames(segmentation, names) -> Marked:
    """Segments of a segmentation by their names; no names: all of its segments."""
    if segmentation is None:
        return Marked(problem=_("no segmentation"))
    known = segmentNames(segmentation)
    name = segmentation.GetName()
    if not known:
        return Marked(segmentation, problem=_("'{segmentation}' has no segments").format(segmentation=name))
    unknown = [each for each in names if each not in known.values()]
    if unknown:
        return Marked(
            segmentation,
            problem=_("'{segmentation}' has no segment '{segment}'").format(segmentation=name, segment=unknown[0]),
        )
    return markedBy(segmentation, [each for each in known if not names or known[each] in names])


def ownMarked(volumeNode, names) -> Marked:
    """Return the segments by their names in a volume's own segmentation.

    That is the one which was drawn on the volume: the volume is its reference, as the Segment Editor makes it. Where
    there is none, it is the one whose name begins with the volume's name, among those that were drawn on no volume,
    such as those loaded from files.
    """
    segmentations = offered()
    drawn = [each for each in segmentations if _drawnOn(each) is volumeNode]
    called = [
        each for each in segmentations if _drawnOn(each) is None and _beginsWith(each.GetName(), volumeNode.GetName())
    ]
    own = [markedByNames(each, names) for each in drawn or called]
    if len(own) > 1:
        own = [each for each in own if names and not each.problem] or own
    if not own:
        return Marked(problem=_("no segmentation was drawn on it or is called like it"))
    if len(own) > 1:
        found = ", ".join(f"'{each.segmentation.GetName()}'" for each in own)
        return Marked(problem=_("several segmentations belong to it: {found}").format(found=found))
    return own[0]


def offered() -> list:
    """Return the segmentations that may belong to a volume."""
    return [each for each in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if not each.GetHideFromEditors()]


def _drawnOn(segmentation):
    return segmentation.GetNodeReference(segmentation.GetReferenceImageGeometryReferenceRole())


def _beginsWith(name: str, start: str) -> bool:
    """Whether a name is another one with something after it, but not the next of a row: "Case 10" is no "Case 1"."""
    rest = name[len(start) :]
    return bool(start) and name.startswith(start) and not rest[:1].isalnum()
