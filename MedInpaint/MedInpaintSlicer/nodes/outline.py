"""Segments as outlines, so that what was filled can be seen in them."""

import slicer


class Outline:
    """A segmentation's appearance in slice views, while its fill would hide the result; can be put back."""

    def __init__(self, segmentationNode) -> None:
        self._segmentation = segmentationNode
        display = segmentationNode.GetDisplayNode()
        self._before = None if display is None else (display.GetVisibility2DFill(), display.GetVisibility2DOutline())

    def show(self, visible: bool) -> None:
        """Only the outlines, or neither outlines nor what is in them."""
        self._set(False, visible)

    def restore(self) -> None:
        """As it was."""
        if self._before is not None:
            self._set(*self._before)

    def _set(self, fill: bool, outline: bool) -> None:
        if self._before is None or not slicer.mrmlScene.IsNodePresent(self._segmentation):
            return
        display = self._segmentation.GetDisplayNode()
        if display is not None:
            display.SetVisibility2DFill(fill)
            display.SetVisibility2DOutline(outline)
