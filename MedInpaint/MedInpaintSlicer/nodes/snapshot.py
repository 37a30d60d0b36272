"""The state of a volume before a result was put into it."""

import slicer
import vtk

from . import dicom
from .attributes import DIFFERENCE_ROLE, SAMPLES_ROLE, UNCERTAINTY_ROLE

_ROLES = (UNCERTAINTY_ROLE, SAMPLES_ROLE, DIFFERENCE_ROLE)


class Snapshot:
    """The state that a result replaces: voxels, grid, transform, appearance, description, attributes and references.

    The voxels are not copied: results use new memory (:func:`.results.addResult`, :func:`.estimates.addEstimate`).
    """

    def __init__(self, volumeNode) -> None:
        self._node = volumeNode
        self._imageData = volumeNode.GetImageData()
        self._ijkToRAS = vtk.vtkMatrix4x4()
        volumeNode.GetIJKToRASMatrix(self._ijkToRAS)
        self._transformID = volumeNode.GetTransformNodeID()
        self._description = volumeNode.GetDescription()
        self._attributes = {name: volumeNode.GetAttribute(name) for name in volumeNode.GetAttributeNames()}
        self._references = {role: volumeNode.GetNodeReferenceID(role) for role in _ROLES}
        self._display = _copyOfDisplay(volumeNode.GetDisplayNode())
        self._parentItem = _parentItem(volumeNode)
        self._identity = dicom.identityOf(volumeNode)

    def restore(self) -> None:
        """Restore the volume if it is still in the scene."""
        node = self._node
        if not slicer.mrmlScene.IsNodePresent(node):
            return
        with slicer.util.NodeModify(node):
            node.SetAndObserveImageData(self._imageData)
            node.SetIJKToRASMatrix(self._ijkToRAS)
            node.SetAndObserveTransformNodeID(self._transformID)
            node.SetDescription(self._description)
            for name in node.GetAttributeNames():
                node.RemoveAttribute(name)
            for name, value in self._attributes.items():
                node.SetAttribute(name, value)
            for role, identifier in self._references.items():
                node.SetNodeReferenceID(role, identifier)
        if self._display is not None and node.GetDisplayNode() is not None:
            node.GetDisplayNode().CopyContent(self._display)
        hierarchy, item = _item(node)
        if item and self._parentItem:
            hierarchy.SetItemParent(item, self._parentItem)
        dicom.setIdentity(node, self._identity)


def _copyOfDisplay(displayNode):
    if displayNode is None:
        return None
    copy = type(displayNode)()  # CreateNodeInstance would leak it
    copy.CopyContent(displayNode)
    return copy


def _item(node):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    return hierarchy, hierarchy.GetItemByDataNode(node)


def _parentItem(node) -> int:
    hierarchy, item = _item(node)
    return hierarchy.GetItemParent(item) if item else 0


def removeVolume(volumeNode) -> None:
    """Remove a volume with its display and storage nodes, if it is still in the scene."""
    if volumeNode is None or not slicer.mrmlScene.IsNodePresent(volumeNode):
        return
    helpers = [volumeNode.GetNthDisplayNode(number) for number in range(volumeNode.GetNumberOfDisplayNodes())]
    helpers += [volumeNode.GetNthStorageNode(number) for number in range(volumeNode.GetNumberOfStorageNodes())]
    slicer.mrmlScene.RemoveNode(volumeNode)
    for node in helpers:
        if node is not None and slicer.mrmlScene.IsNodePresent(node):
            slicer.mrmlScene.RemoveNode(node)
