"""The volume of the live preview: a copy in which segments are filled smoothly while they are painted."""

import slicer
from slicer.i18n import tr as _

from . import dicom
from .images import fileVolume, imageOf, matrixOf
from .marks import marksOf
from .snapshot import removeVolume

#: The attribute of the preview's volume.
ATTRIBUTE = "MedInpaint.LivePreview"


class LivePreview:
    """A volume in which the marked voxels are filled, and all others are as in the volume that it was made of.

    It is in no selector and is not saved with the scene.

    Attributes:
        node: the volume.
    """

    def __init__(self, volumeNode) -> None:
        """Add the preview of a volume to the scene.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the volume cannot be filled.
        """
        from MedInpaintLib.live_fill import LiveFill

        image = imageOf(volumeNode)
        self._volume, self._time = volumeNode, _timeOf(volumeNode)
        name = slicer.mrmlScene.GenerateUniqueName(_("{input} live preview").format(input=volumeNode.GetName()))
        self.node = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, volumeNode, name)
        self.node.RemoveAttribute(dicom.INSTANCES)
        self.node.SetAttribute(ATTRIBUTE, "1")
        self.node.SetHideFromEditors(True)
        self.node.SetSaveWithScene(False)
        if self.node.GetDisplayNode() is not None:
            self.node.GetDisplayNode().SetSaveWithScene(False)
        filled = slicer.util.arrayFromVolume(self.node)
        self._fill = LiveFill(fileVolume(image.array, image.geometry), filled)

    def isOf(self, volumeNode) -> bool:
        """Return whether this is the preview of a volume with the voxels that it has now."""
        isThere = slicer.mrmlScene.IsNodePresent(self.node)
        return isThere and volumeNode is self._volume and self._time == _timeOf(volumeNode)

    def follow(self, segmentationNode, segmentIds, growMm: float = 0.0) -> int:
        """Fill what the segments mark now, and return how many parts are too large or too many for a preview."""
        marks = marksOf(segmentationNode, segmentIds, self._volume)
        change = self._fill.follow(marks, dilate_mm=growMm)
        self.node.SetAndObserveTransformNodeID(self._volume.GetTransformNodeID())
        if change.box is not None:
            slicer.util.arrayFromVolumeModified(self.node)
        return change.left_out

    def remove(self) -> None:
        """Remove the preview from the scene."""
        removeVolume(self.node)


def _timeOf(volumeNode) -> tuple:
    """Return what is different when a volume's voxels or their grid have changed."""
    imageData = volumeNode.GetImageData()
    # The node's own time would not do: it changes with the name, too.
    time = None if imageData is None else imageData.GetMTime()
    return imageData, time, matrixOf(volumeNode).tolist()
