"""Changes of nodes: of what the panel displays, such as another name, and of each stroke of a brush."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import slicer
import vtk
from slicer.util import VTKObservationMixin

from .segments import segmentNames

_ANY_CHANGE = {vtk.vtkCommand.ModifiedEvent}


class NodesObserver(VTKObservationMixin):
    """An observer of the displayed facts of nodes: names, names of segments, whether there are voxels or frames.

    Frequent changes, such as each stroke of a brush, are ignored.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed
        self._nodes: list[Any] = []
        self._facts: list[Hashable] = []

    def observe(self, nodes: Iterable[Any]) -> None:
        """Observe these nodes instead of the present ones; None is ignored. The same nodes again cost nothing."""
        newNodes = list(dict.fromkeys(node for node in nodes if node is not None))
        if newNodes == self._nodes:
            return
        self.removeObservers()
        self._nodes = newNodes
        self._facts = self._currentFacts()
        for node in newNodes:
            for event in _eventsOf(node):
                self.addObserver(node, event, self._onEvent)

    def _onEvent(self, caller, event) -> None:
        facts = self._currentFacts()
        if facts != self._facts:
            self._facts = facts
            self._changed()

    def _currentFacts(self) -> list[Hashable]:
        return [_factsOf(node) for node in self._nodes]


class StrokesObserver(VTKObservationMixin):
    """An observer of the content of nodes: each stroke of a brush in a segmentation, other voxels, other transforms."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed
        self._nodes: list[Any] = []

    def observe(self, nodes: Iterable[Any]) -> None:
        """Observe these nodes instead of the present ones. The same nodes again cost nothing."""
        newNodes = list(nodes)
        if newNodes == self._nodes:
            return
        self.removeObservers()
        self._nodes = newNodes
        for node in newNodes:
            for event in {*_eventsOf(node), slicer.vtkMRMLTransformableNode.TransformModifiedEvent} - _ANY_CHANGE:
                self.addObserver(node, event, self._onEvent)

    def _onEvent(self, caller, event) -> None:
        self._changed()


def _eventsOf(node) -> set[int]:
    content = node.GetContentModifiedEvents()
    return {vtk.vtkCommand.ModifiedEvent, *(content.GetValue(number) for number in range(content.GetNumberOfValues()))}


def _factsOf(node) -> Hashable:
    content: Hashable = None
    if node.IsA("vtkMRMLSegmentationNode"):
        content = tuple(segmentNames(node).items())
    elif node.IsA("vtkMRMLSequenceNode"):
        content = node.GetNumberOfDataNodes()
    elif node.IsA("vtkMRMLVolumeNode"):
        image = node.GetImageData()
        content = image is not None and image.GetNumberOfPoints() > 0
    return node.GetName(), content
