"""The hole: the chosen segments on the grid of a volume."""

import dataclasses

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _


@dataclasses.dataclass(frozen=True)
class Hole:
    """The chosen segments on a volume's grid.

    Attributes:
        mask: bool, the volume's shape, True = fill.
        names: the segments' names.
        warnings: messages for the user.
    """

    mask: np.ndarray
    names: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def holeOf(segmentationNode, segmentIds, volumeNode) -> Hole:
    """Return the union of segments on the grid of a volume, with all parent transforms applied.

    Neither node is changed: a segmentation that has only closed surfaces is converted in a copy.

    Raises:
        MedInpaintLib.errors.MaskError: no segmentation, no segments, unknown ids, or no voxel inside the volume.
    """
    from MedInpaintLib.errors import MaskError

    names = _checkedNames(segmentationNode, segmentIds)
    mask = np.zeros(slicer.util.arrayFromVolume(volumeNode).shape, dtype=bool)
    emptySegments = []
    with Labelmaps(segmentationNode, segmentIds, volumeNode) as labelmaps:
        for segmentId, name in names.items():
            # One at a time: in a merged labelmap, overlapping segments would hide each other.
            segment = labelmaps.array(segmentId) > 0
            if not segment.any():
                emptySegments.append(name)
            mask |= segment
    if not mask.any():
        raise MaskError(
            _(
                "No voxel of volume '{volume}' is inside the segment(s) {segments}: paint the hole first, "
                "or check the transforms of the volume and the segmentation."
            ).format(volume=volumeNode.GetName(), segments=_quoted(emptySegments))
        )
    warnings: tuple[str, ...] = ()
    if emptySegments:
        warnings = (
            _("Segment(s) {segments} have no voxel inside volume '{volume}' and were left out.").format(
                segments=_quoted(emptySegments), volume=volumeNode.GetName()
            ),
        )
    return Hole(mask, tuple(names.values()), warnings)


class Labelmaps:
    """Segments as labelmaps on a volume's grid, inside a ``with`` block that restores the scene."""

    def __init__(self, segmentationNode, segmentIds, volumeNode) -> None:
        self._node = segmentationNode
        self._segmentIds = segmentIds
        self._volumeNode = volumeNode
        self._copy = None

    def __enter__(self):
        labelmap = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
        if not self._node.GetSegmentation().ContainsRepresentation(labelmap):
            self._node = self._copy = self._convertedCopy(labelmap)
        return self

    def __exit__(self, *error) -> None:
        if self._copy is not None:
            slicer.mrmlScene.RemoveNode(self._copy)

    def array(self, segmentId: str) -> np.ndarray:
        """Return one segment in the volume's shape; it is nonzero inside."""
        ids = vtk.vtkStringArray()
        ids.InsertNextValue(segmentId)
        labelmap = slicer.vtkOrientedImageData()
        slicer.vtkSlicerSegmentationsModuleLogic.GenerateMergedLabelmapInReferenceGeometry(
            self._node, self._volumeNode, ids, slicer.vtkSegmentation.EXTENT_REFERENCE_GEOMETRY, labelmap
        )
        shape = tuple(reversed(labelmap.GetDimensions()))
        return vtk.util.numpy_support.vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(shape)

    def _convertedCopy(self, labelmap: str):
        # Converting adds a representation, which would be saved with the user's scene, so convert a hidden copy. It
        # must be in the scene, because only there a node finds its parent transform.
        copy = slicer.vtkMRMLSegmentationNode()
        copy.SetHideFromEditors(True)
        copy.SetSaveWithScene(False)
        slicer.mrmlScene.AddNode(copy)
        source = self._node.GetSegmentation()
        copy.GetSegmentation().SetSourceRepresentationName(source.GetSourceRepresentationName())
        for segmentId in self._segmentIds:
            copy.GetSegmentation().CopySegmentFromSegmentation(source, segmentId)
        copy.SetAndObserveTransformNodeID(self._node.GetTransformNodeID())
        copy.SetReferenceImageGeometryParameterFromVolumeNode(self._volumeNode)
        copy.GetSegmentation().CreateRepresentation(labelmap)
        return copy


def _checkedNames(segmentationNode, segmentIds) -> dict[str, str]:
    """Return segment id -> name; raise a MaskError that says what is missing."""
    from MedInpaintLib.errors import MaskError

    if segmentationNode is None or not segmentationNode.IsA("vtkMRMLSegmentationNode"):
        raise MaskError(_("There is no segmentation; choose the one that marks the hole."))
    segmentation = segmentationNode.GetSegmentation()
    if segmentation.GetNumberOfSegments() == 0:
        raise MaskError(
            _("Segmentation '{name}' has no segments; mark the hole in the Segment Editor first.").format(
                name=segmentationNode.GetName()
            )
        )
    if len(segmentIds) == 0:
        raise MaskError(_("No segment is chosen; choose at least one that marks the hole."))
    known = list(segmentation.GetSegmentIDs())
    unknown = [segmentId for segmentId in segmentIds if segmentId not in known]
    if unknown:
        raise MaskError(
            _("Segmentation '{name}' has no segment with the id {unknown}; its segments are: {known}.").format(
                name=segmentationNode.GetName(), unknown=_quoted(unknown), known=_quoted(known)
            )
        )
    return {segmentId: segmentation.GetSegment(segmentId).GetName() for segmentId in segmentIds}


def _quoted(names) -> str:
    return ", ".join(f"'{name}'" for name in names)
