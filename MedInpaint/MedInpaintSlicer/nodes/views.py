"""The content of the slice views; without a main window, nothing happens."""

from collections.abc import Callable

import slicer
import vtk
from slicer.util import VTKObservationMixin


class Removals(VTKObservationMixin):
    """An observer of nodes that are removed from the scene."""

    def __init__(self, removed: Callable[[], None]) -> None:
        super().__init__()
        self._removed = removed
        self._nodes: tuple = ()

    def observe(self, *nodes) -> None:
        """Observe these nodes, or none, instead of the present ones."""
        self.removeObservers()
        self._nodes = nodes
        if nodes:
            self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeRemovedEvent, self._onNodeRemoved)

    def _onNodeRemoved(self, caller, event) -> None:
        if not all(slicer.mrmlScene.IsNodePresent(node) for node in self._nodes):
            self._removed()


class Layers:
    """The layers of all slice views at one moment, to be shown again later."""

    def __init__(self) -> None:
        self._layers = [
            (each.GetID(), each.GetBackgroundVolumeID(), each.GetForegroundVolumeID(), each.GetForegroundOpacity())
            for each in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        ]

    def show(self) -> None:
        """Show the layers again in all views and with all volumes that still exist."""
        for identifier, background, foreground, opacity in self._layers:
            view = slicer.mrmlScene.GetNodeByID(identifier)
            if view is not None:
                view.SetBackgroundVolumeID(_ifThere(background))
                view.SetForegroundVolumeID(_ifThere(foreground))
                view.SetForegroundOpacity(opacity)


class Layer:
    """The foreground or the labels of all slice views, which show a volume from :meth:`show` until :meth:`restore`."""

    def __init__(self, kind: str) -> None:
        """Choose the layer: "Foreground" or "Label"."""
        self._kind = kind
        self._shown = ""
        self._before: dict[str, tuple[str | None, float]] = {}

    def show(self, volumeNode) -> None:
        """Show a volume, opaque, in all views."""
        self.restore()
        self._shown = volumeNode.GetID()
        for view in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            self._before[view.GetID()] = self._volumeIn(view), getattr(view, f"Get{self._kind}Opacity")()
            self._set(view, volumeNode.GetID(), 1.0)

    def restore(self) -> None:
        """Show what was shown before, except in views where the user has chosen another volume since."""
        for identifier, (before, opacity) in self._before.items():
            view = slicer.mrmlScene.GetNodeByID(identifier)
            if view is not None and self._volumeIn(view) == self._shown:
                self._set(view, _ifThere(before), opacity)
        self._before = {}

    def _volumeIn(self, view) -> str | None:
        return getattr(view, f"Get{self._kind}VolumeID")()

    def _set(self, view, identifier: str | None, opacity: float) -> None:
        getattr(view, f"Set{self._kind}VolumeID")(identifier)
        getattr(view, f"Set{self._kind}Opacity")(opacity)


def showLayers(below, above, opacity: float) -> None:
    """Show one volume over another in all slice views.

    Args:
        below, above: volume nodes, or None.
        opacity: of the volume above, 0..1.
    """
    slicer.util.setSliceViewerLayers(background=below, foreground=above, foregroundOpacity=opacity)


def jumpTo(point) -> None:
    """Center all slice views on a point (RAS, mm)."""
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *point, slicer.vtkMRMLSliceNode.CenteredJumpSlice)


def showLegend(volumeNode, title: str) -> None:
    """Show a volume's color legend in the views that show the volume."""
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(volumeNode)
    legend.SetTitleText(title)
    legend.SetVisibility(True)
    legend.Modified()  # the views check again which volumes they show


def hideLegend(volumeNode) -> None:
    """Hide a volume's color legend, if there is one."""
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volumeNode)
    if legend is not None:
        legend.SetVisibility(False)


def _ifThere(identifier: str | None) -> str | None:
    return identifier if identifier and slicer.mrmlScene.GetNodeByID(identifier) is not None else None


def inWorld(volumeNode, points) -> tuple:
    """Return points (RAS, mm) with a volume's parent transform applied."""
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(volumeNode.GetParentTransformNode(), None, transform)
    return tuple(transform.TransformPoint(*point) for point in points)
