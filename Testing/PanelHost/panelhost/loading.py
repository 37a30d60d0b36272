"""``slicer.util.loadVolume`` and ``loadSegmentation``, which in slicer-core lack the application's file readers."""

from pathlib import Path

import slicer


def loadVolume(path: str, nodeClassName: str = "vtkMRMLScalarVolumeNode"):
    """A volume node with the image of a file."""
    node = slicer.mrmlScene.AddNewNodeByClass(nodeClassName, Path(path).name.partition(".")[0])
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    slicer.mrmlScene.AddNode(storage)
    storage.SetFileName(path)
    if not storage.ReadData(node):
        raise RuntimeError(f"'{path}' could not be read")
    node.SetAndObserveStorageNodeID(storage.GetID())
    node.CreateDefaultDisplayNodes()
    return node


def loadSegmentation(path: str):
    """A segmentation node with one segment for each label of a file."""
    labels = loadVolume(path, "vtkMRMLLabelMapVolumeNode")
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", labels.GetName())
    slicer.modules.segmentations.logic().ImportLabelmapToSegmentationNode(labels, node)
    node.CreateDefaultDisplayNodes()
    slicer.mrmlScene.RemoveNode(labels)
    return node
