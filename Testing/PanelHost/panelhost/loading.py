"""``slicer.util.loadVolume`` and ``loadSegmentation``, which in slicer-core lack the file readers; Sample Data."""

import typing
import urllib.parse
import urllib.request
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


class SampleDataLogic:
    """``SampleData.SampleDataLogic``: what was registered can be loaded, from files that are there already."""

    sources: typing.ClassVar[dict[str, list[dict]]] = {}

    @classmethod
    def registerCustomSampleDataSource(cls, category: str, sampleName: str, **source) -> None:
        known = cls.sources.setdefault(category, [])
        if sampleName not in [each["sampleName"] for each in known]:
            known.append({"sampleName": sampleName, **source})

    def downloadSamples(self, sampleName: str) -> list:
        source = next(each for known in self.sources.values() for each in known if each["sampleName"] == sampleName)
        readers = {"VolumeFile": loadVolume, "SegmentationFile": loadSegmentation}
        nodes = []
        for uri, name, kind in zip(source["uris"], source["nodeNames"], source["loadFileTypes"], strict=True):
            node = readers[kind](urllib.request.url2pathname(urllib.parse.urlparse(uri).path))
            node.SetName(name)
            nodes.append(node)
        return nodes
