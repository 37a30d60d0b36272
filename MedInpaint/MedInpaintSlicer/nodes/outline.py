"""Segments shown as outlines, so that the fill inside them is visible."""

import slicer


class Outline:
    """Segments in slice views whose color is turned off, because it would hide the result, until :meth:`restore`."""

    def __init__(self, segmentationNode, segmentIds) -> None:
        self._segmentation = segmentationNode
        display = segmentationNode.GetDisplayNode()
        self._before = {} if display is None else {each: _looks(display, each) for each in segmentIds}

    def show(self, visible: bool) -> None:
        """Show only the outlines, or nothing of the segments."""
        self._set(dict.fromkeys(self._before, (False, visible)))

    def restore(self) -> None:
        """Show the segments as before."""
        self._set(self._before)

    def _set(self, looks: dict[str, tuple[bool, bool]]) -> None:
        display = self._segmentation.GetDisplayNode() if slicer.mrmlScene.IsNodePresent(self._segmentation) else None
        if display is None:
            return
        known = self._segmentation.GetSegmentation().GetSegmentIDs()
        with slicer.util.NodeModify(display):
            for segmentId, (fill, outline) in looks.items():
                if segmentId in known:
                    display.SetSegmentVisibility2DFill(segmentId, fill)
                    display.SetSegmentVisibility2DOutline(segmentId, outline)


def _looks(display, segmentId: str) -> tuple[bool, bool]:
    return display.GetSegmentVisibility2DFill(segmentId), display.GetSegmentVisibility2DOutline(segmentId)
