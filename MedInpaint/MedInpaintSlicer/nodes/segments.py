"""The ids, names, colors and times of segments."""

from . import arguments

#: Orange.
MARK = (1.0, 0.6, 0.1)


def allSegmentIds(segmentationNode) -> tuple[str, ...]:
    """Return the ids of all segments, none for None; raise a MaskError if the node is no segmentation."""
    if segmentationNode is None:
        return ()
    arguments.checkSegmentation("segmentation", segmentationNode)
    return tuple(segmentationNode.GetSegmentation().GetSegmentIDs())


def segmentNames(segmentationNode) -> dict[str, str]:
    """Return segment id -> name of all segments; empty for None."""
    if segmentationNode is None:
        return {}
    segmentation = segmentationNode.GetSegmentation()
    return {each: segmentation.GetSegment(each).GetName() for each in segmentation.GetSegmentIDs()}


def segmentTimes(segmentationNode, segmentIds) -> dict[str, int]:
    """Return segment id -> time of the last change of its source representation (as painted or loaded)."""
    if segmentationNode is None:
        return {}
    segmentation = segmentationNode.GetSegmentation()
    source = segmentation.GetSourceRepresentationName()
    content = {each: segmentation.GetSegment(each).GetRepresentation(source) for each in segmentIds}
    return {each: data.GetMTime() if data is not None else 0 for each, data in content.items()}


def nameSegments(segmentationNode, name: str) -> None:
    """Set the names of segments from a file that has only numbers, and a color that is visible on gray."""
    ids = allSegmentIds(segmentationNode)
    for number, segmentId in enumerate(ids, start=1):
        segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
        segment.SetName(f"{name} {number}" if len(ids) > 1 else name)
        segment.SetColor(*MARK)
