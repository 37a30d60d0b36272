"""When nodes get another name, or something else that is said about them."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import vtk
from slicer.util import VTKObservationMixin

from .segments import segmentNames


class NodesObserver(VTKObservationMixin):
    """Tells when what is said about nodes has changed: names, names of segments, whether there are voxels or frames.

    Of what changes more often, such as each stroke of a brush, nothing is told.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed
        self._nodes: list[Any] = []
        self._said: list[Hashable] = []

    def observe(self, nodes: Iterable[Any]) -> None:
        """Look at these nodes from now on; None among them is left out. The same nodes again cost nothing."""
        wanted = list(dict.fromkeys(each for each in nodes if each is not None))
        if wanted == self._nodes:
            return
        self.removeObservers()
        self._nodes = wanted
        self._said = self._saidNow()
        for node in wanted:
            for event in _eventsOf(node):
                self.addObserver(node, event, self._onEvent)

    def _onEvent(self, caller, event) -> None:
        said = self._saidNow()
        if said != self._said:
            self._said = said
            self._changed()

    def _saidNow(self) -> list[Hashable]:
        return [_saidOf(each) for each in self._nodes]


def _eventsOf(node) -> set[int]:
    content = node.GetContentModifiedEvents()
    return {vtk.vtkCommand.ModifiedEvent, *(content.GetValue(number) for number in range(content.GetNumberOfValues()))}


def _saidOf(node) -> Hashable:
    content: Hashable = None
    if node.IsA("vtkMRMLSegmentationNode"):
        content = tuple(segmentNames(node).items())
    elif node.IsA("vtkMRMLSequenceNode"):
        content = node.GetNumberOfDataNodes()
    elif node.IsA("vtkMRMLVolumeNode"):
        image = node.GetImageData()
        content = image is not None and image.GetNumberOfPoints() > 0
    return node.GetName(), content
