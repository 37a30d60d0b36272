"""Which segments there are, what they are called, and when they change."""

from collections.abc import Callable

import slicer
from slicer.util import VTKObservationMixin

#: Orange.
MARK = (1.0, 0.6, 0.1)


def allSegmentIds(segmentationNode) -> tuple[str, ...]:
    """The ids of all segments; none where there is no segmentation."""
    if segmentationNode is None:
        return ()
    return tuple(segmentationNode.GetSegmentation().GetSegmentIDs())


def segmentNames(segmentationNode) -> dict[str, str]:
    """Segment id -> name, of all segments; none where there is no segmentation."""
    ids = allSegmentIds(segmentationNode)
    return {each: segmentationNode.GetSegmentation().GetSegment(each).GetName() for each in ids}


def segmentTimes(segmentationNode, segmentIds) -> dict[str, int]:
    """Segment id -> when what the segment was made as (painted, loaded) was last changed."""
    if segmentationNode is None:
        return {}
    segmentation = segmentationNode.GetSegmentation()
    source = segmentation.GetSourceRepresentationName()
    made = {each: segmentation.GetSegment(each).GetRepresentation(source) for each in segmentIds}
    return {each: data.GetMTime() if data is not None else 0 for each, data in made.items()}


class SegmentsObserver(VTKObservationMixin):
    """Tells when segments are added to the segmentation that is looked at, or removed from it."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed

    def observe(self, segmentationNode) -> None:
        """Look at this segmentation from now on, or at none."""
        self.removeObservers()
        if segmentationNode is not None:
            for event in (slicer.vtkSegmentation.SegmentAdded, slicer.vtkSegmentation.SegmentRemoved):
                self.addObserver(segmentationNode.GetSegmentation(), event, self._onEvent)

    def _onEvent(self, caller, event) -> None:
        self._changed()


def nameSegments(segmentationNode, name: str) -> None:
    """Give segments from a file, which has only numbers for them, a name, and a color that is seen on gray."""
    ids = allSegmentIds(segmentationNode)
    for number, segmentId in enumerate(ids, start=1):
        segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
        segment.SetName(f"{name} {number}" if len(ids) > 1 else name)
        segment.SetColor(*MARK)
