"""Which segments there are, what they are called, and when they change."""

from collections.abc import Callable

from slicer.util import VTKObservationMixin

from . import arguments

#: Orange.
MARK = (1.0, 0.6, 0.1)


def allSegmentIds(segmentationNode) -> tuple[str, ...]:
    """The ids of all segments; none where there is no segmentation (None).

    Raises:
        MedInpaintLib.errors.MaskError: it is something else.
    """
    if segmentationNode is None:
        return ()
    arguments.checkSegmentation("segmentation", segmentationNode)
    return tuple(segmentationNode.GetSegmentation().GetSegmentIDs())


def segmentNames(segmentationNode) -> dict[str, str]:
    """Segment id -> name, of all segments; none where there is no segmentation."""
    return _names(segmentationNode.GetSegmentation()) if segmentationNode is not None else {}


def segmentTimes(segmentationNode, segmentIds) -> dict[str, int]:
    """Segment id -> when what the segment was made as (painted, loaded) was last changed."""
    if segmentationNode is None:
        return {}
    segmentation = segmentationNode.GetSegmentation()
    source = segmentation.GetSourceRepresentationName()
    made = {each: segmentation.GetSegment(each).GetRepresentation(source) for each in segmentIds}
    return {each: data.GetMTime() if data is not None else 0 for each, data in made.items()}


class SegmentsObserver(VTKObservationMixin):
    """Tells when segments are added to the segmentation that is looked at, removed from it, or renamed."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed
        self._names: dict[str, str] = {}

    def observe(self, segmentationNode) -> None:
        """Look at this segmentation from now on, or at none."""
        self.removeObservers()
        self._names = segmentNames(segmentationNode)
        if segmentationNode is not None:
            segmentation = segmentationNode.GetSegmentation()
            for event in (segmentation.SegmentAdded, segmentation.SegmentRemoved, segmentation.SegmentModified):
                self.addObserver(segmentation, event, self._onEvent)

    def _onEvent(self, caller, event) -> None:
        names = _names(caller)
        # Colors change, too, and painting is a stream of events.
        if names != self._names:
            self._names = names
            self._changed()


def nameSegments(segmentationNode, name: str) -> None:
    """Give segments from a file, which has only numbers for them, a name, and a color that is seen on gray."""
    ids = allSegmentIds(segmentationNode)
    for number, segmentId in enumerate(ids, start=1):
        segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
        segment.SetName(f"{name} {number}" if len(ids) > 1 else name)
        segment.SetColor(*MARK)


def _names(segmentation) -> dict[str, str]:
    return {each: segmentation.GetSegment(each).GetName() for each in segmentation.GetSegmentIDs()}
