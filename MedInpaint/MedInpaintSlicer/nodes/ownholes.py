"""The segments that mark the hole of a volume, found by their names or by the volume they were drawn on."""

import dataclasses
from typing import Any

import slicer
from slicer.i18n import tr as _

from .segments import segmentNames


@dataclasses.dataclass(frozen=True)
class Marked:
    """Segments that mark a hole, or why there are none.

    Attributes:
        segmentation: the segmentation node, or None.
        segmentIds: the ids of the segments to fill.
        names: the names of segmentation and segments; empty if there is nothing to fill.
        problem: why there is nothing to fill, in a few words; empty if there is something.
    """

    segmentation: Any = None
    segmentIds: tuple[str, ...] = ()
    names: str = ""
    problem: str = ""


def markedBy(segmentation, segmentIds) -> Marked:
    """Return a segmentation's segments with these ids; those that were removed are left out."""
    if segmentation is None:
        return Marked(problem=_("no segmentation"))
    known = segmentNames(segmentation)
    presentIds = tuple(each for each in segmentIds if each in known)
    name = segmentation.GetName()
    if not presentIds:
        return Marked(segmentation, problem=_("no segment of '{segmentation}' is chosen").format(segmentation=name))
    return Marked(segmentation, presentIds, f"{name}: {', '.join(known[each] for each in presentIds)}")


def markedByNames(segmentation, names) -> Marked:
    """Return a segmentation's segments with these names; no names: all of its segments."""
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
    """Return the segments with these names in a volume's own segmentation.

    That is the segmentation drawn on the volume, which the Segment Editor makes its reference. If there is none, it is
    the one whose name begins with the volume's name, among those drawn on no volume, such as those loaded from files.
    """
    segmentations = offered()
    byReference = [each for each in segmentations if _drawnOn(each) is volumeNode]
    byName = [
        each for each in segmentations if _drawnOn(each) is None and _beginsWith(each.GetName(), volumeNode.GetName())
    ]
    candidates = [markedByNames(each, names) for each in byReference or byName]
    if len(candidates) > 1:
        candidates = [each for each in candidates if names and not each.problem] or candidates
    if not candidates:
        return Marked(problem=_("no segmentation was drawn on it or is named after it"))
    if len(candidates) > 1:
        candidateNames = ", ".join(f"'{each.segmentation.GetName()}'" for each in candidates)
        return Marked(problem=_("several segmentations belong to it: {names}").format(names=candidateNames))
    return candidates[0]


def offered() -> list:
    """Return the scene's visible segmentations, which may belong to a volume."""
    return [each for each in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if not each.GetHideFromEditors()]


def _drawnOn(segmentation):
    return segmentation.GetNodeReference(segmentation.GetReferenceImageGeometryReferenceRole())


def _beginsWith(name: str, start: str) -> bool:
    """Return whether a name begins with another one that ends at a word's end: "Case 1" does not start "Case 10"."""
    rest = name[len(start) :]
    return bool(start) and name.startswith(start) and not rest[:1].isalnum()
