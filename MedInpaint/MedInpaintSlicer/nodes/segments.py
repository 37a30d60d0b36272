"""Which segments there are, what they are called, and when they were last changed."""

from . import arguments

#: Orange.
MARK = (1.0, 0.6, 0.1)


def allSegmentIds(segmentationNode) -> tuple[str, ...]:
    """Return the ids of all segments; none where there is no segmentation (None).

    Raises:
        MedInpaintLib.errors.MaskError: it is something else.
    """
    if segmentationNode is None:
        return ()
    arguments.checkSegmentation("segmentation", segmentationNode)
    return tuple(segmentationNode.GetSegmentation().GetSegmentIDs())


def segmentNames(segmentationNode) -> dict[str, str]:
    """Segment id -> name, of all segments; none where there is no segmentation."""
    if segmentationNode is None:
        return {}
    segmentation = segmentationNode.GetSegmentation()
    return {each: segmentation.GetSegment(each).GetName() for each in segmentation.GetSegmentIDs()}


def segmentTimes(segmentationNode, segmentIds) -> dict[str, int]:
    """Segment id -> when what the segment was made as (painted, loaded) was last changed."""
    if segmentationNode is None:
        return {}
    segmentation = segmentationNode.GetSegmentation()
    source = segmentation.GetSourceRepresentationName()
    made = {each: segmentation.GetSegment(each).GetRepresentation(source) for each in segmentIds}
    return {each: data.GetMTime() if data is not None else 0 for each, data in made.items()}


def nameSegments(segmentationNode, name: str) -> None:
    """Give segments from a file, which has only numbers for them, a name, and a color that is seen on gray."""
    ids = allSegmentIds(segmentationNode)
    for number, segmentId in enumerate(ids, start=1):
        segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
        segment.SetName(f"{name} {number}" if len(ids) > 1 else name)
        segment.SetColor(*MARK)
