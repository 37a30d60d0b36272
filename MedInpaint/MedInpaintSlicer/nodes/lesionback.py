"""The lesion put back into a segmentation of the filled volume, and the table of its regions."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from . import attributes
from .hierarchy import placeBeside
from .holes import Labelmaps, holeOf
from .images import fileVolume, imageOf
from .segments import MARK, segmentNames
from .tables import Column, addTable

if TYPE_CHECKING:
    from MedInpaintLib.report import RegionFacts

#: The role of a segmentation's reference to the table of its regions.
REGIONS_ROLE = "MedInpaint.Regions"
#: The colors that Slicer gives to label maps whose labels it does not know: their names mean nothing there.
_GENERIC = "vtkMRMLColorTableNodeFileGeneric"
_LABELMAP = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()


@dataclasses.dataclass(frozen=True)
class Lesion:
    """The segments that mark the lesion.

    Attributes:
        segmentation: a segmentation node.
        segmentIds: its segments.
    """

    segmentation: Any
    segmentIds: tuple[str, ...]


def putBack(segmentationNode, lesion: Lesion, volumeNode=None, cut=False, number=None):
    """Add a copy of a segmentation with the lesion in it, and a table with its regions before and after.

    Args:
        segmentationNode: a segmentation or label map volume that was made of the filled volume; it does not change.
        lesion: what was filled.
        volumeNode: on whose grid the segments are compared; None: the volume that they were drawn on.
        cut: only take the lesion away from the regions, without a segment or label of its own.
        number: the lesion's label in a label map, or ``"sides"``; None: by the engine's choice.

    Returns:
        The new node, which refers to its table, and warnings.

    Raises:
        MedInpaintLib.errors.MedInpaintError: the nodes cannot be used.
    """
    if segmentationNode is not None and segmentationNode.IsA("vtkMRMLLabelMapVolumeNode"):
        node, rows, warnings = _intoLabels(segmentationNode, lesion, cut, number)
    else:
        node, rows, warnings = _intoSegments(segmentationNode, lesion, volumeNode, cut, number)
    table = _addRegions(rows, _("{segmentation} regions").format(segmentation=node.GetName()))
    node.SetNodeReferenceID(REGIONS_ROLE, table.GetID())
    for each in (node, table):
        attributes.setAll(
            each, {"Method": "lesion-back", "Input": segmentationNode.GetName(), "Date": attributes.now()}
        )
        placeBeside(segmentationNode, each)
    return node, warnings


def regionsOf(node):
    """Return the table of a segmentation's regions, or None if it was removed."""
    return node.GetNodeReference(REGIONS_ROLE)


def _intoLabels(labelsNode, lesion: Lesion, cut, number):
    from MedInpaintLib import lesion_back

    image = imageOf(labelsNode)
    hole = holeOf(lesion.segmentation, lesion.segmentIds, labelsNode)
    labels = fileVolume(image.array, image.geometry)
    result = lesion_back(labels, hole.mask, number=number, cut=cut, names=_namesIn(labelsNode))
    node = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, labelsNode, _nameOf(labelsNode))
    slicer.util.updateVolumeFromArray(node, result.volume.array)
    return node, result.report["regions"], [*image.warnings, *hole.warnings, *result.report["warnings"]]


def _namesIn(labelsNode) -> dict[int, str]:
    """Return the names of labels in a label map's colors, where they were made for it."""
    display = labelsNode.GetDisplayNode()
    colors = display.GetColorNode() if display is not None else None
    if colors is None or not colors.IsA("vtkMRMLColorTableNode") or (colors.GetID() or "").startswith(_GENERIC):
        return {}
    defined = [label for label in range(1, colors.GetNumberOfColors()) if colors.GetColorDefined(label)]
    names = {label: colors.GetColorName(label) for label in defined}
    return {label: name for label, name in names.items() if name and not name.isdecimal()}


def _intoSegments(segmentationNode, lesion: Lesion, volumeNode, cut, number):
    from MedInpaintLib.errors import MaskError
    from MedInpaintLib.segmentation.regions import region
    from MedInpaintLib.segmentation.segments import lesion_out_of_segments

    volumeNode = _checkedVolume(segmentationNode, lesion, volumeNode, number)
    hole = holeOf(lesion.segmentation, lesion.segmentIds, volumeNode)
    own = lesion.segmentIds if segmentationNode is lesion.segmentation else ()
    ids = [each for each in segmentNames(segmentationNode) if each not in own]
    kept, rows = lesion_out_of_segments(_segmentsOf(segmentationNode, ids, volumeNode), hole.mask)
    hit = {row["label"] for row in rows if row["covered_ml"] > 0}
    if not hit:
        raise MaskError(
            _("The lesion covers no segment of '{name}': choose the segmentation of the filled volume.").format(
                name=segmentationNode.GetName()
            )
        )
    copy = _copyOf(segmentationNode, volumeNode)
    for segmentId in own:
        copy.GetSegmentation().RemoveSegment(segmentId)
    # Segments that lie as they did keep their own grids, and the voxels beyond the volume.
    everything = _isMoved(segmentationNode, volumeNode) or not _hasLabelmaps(segmentationNode)
    for segmentId, segment in zip(ids, kept.segments, strict=True):
        if everything or segment.number in hit:
            array = np.zeros(hole.mask.shape, np.uint8)
            array[segment.box] = segment.voxels
            _write(array, copy, segmentId, volumeNode)
    if not cut:
        _write(hole.mask.astype(np.uint8), copy, _addLesion(copy), volumeNode)
        voxels, voxelMl = int(hole.mask.sum()), float(np.prod(kept.grid.spacing)) / 1000
        rows.append(region(len(ids) + 1, _("Lesion"), before=0, covered=0, after=voxels, voxel_ml=voxelMl))
    return copy, rows, list(hole.warnings)


def _checkedVolume(segmentationNode, lesion: Lesion, volumeNode, number):
    """Return the volume on whose grid segments are compared; raise an error that says what is missing."""
    from MedInpaintLib.errors import MaskError, ParameterError

    if segmentationNode is None or not segmentationNode.IsA("vtkMRMLSegmentationNode"):
        raise MaskError(_("There is no segmentation; choose the one that was made of the filled volume."))
    if number is not None:
        raise ParameterError(_("Segments have no numbers: give one only with a label map."))
    volumeNode = volumeNode or _drawnOn(segmentationNode) or _drawnOn(lesion.segmentation)
    if volumeNode is None:
        raise MaskError(
            _("It is not known on which volume segmentation '{name}' was drawn; name the volume.").format(
                name=segmentationNode.GetName()
            )
        )
    return volumeNode


def _segmentsOf(segmentationNode, segmentIds: Sequence[str], volumeNode):
    """Return segments on the grid of a volume, numbered from 1 in their order."""
    from MedInpaintLib.io.segments import Segment, Segments
    from MedInpaintLib.mask import bounding_box

    image, names, segments = imageOf(volumeNode), segmentNames(segmentationNode), []
    with Labelmaps(segmentationNode, segmentIds, volumeNode) as labelmaps:
        for number, segmentId in enumerate(segmentIds, start=1):
            mask = labelmaps.array(segmentId) > 0
            box = bounding_box(mask) or (slice(0, 0),) * mask.ndim
            segments.append(Segment(number, names[segmentId], mask[box].copy(), box))
    return Segments(fileVolume(image.array, image.geometry), tuple(segments))


def _copyOf(segmentationNode, volumeNode):
    """Add a copy of a segmentation, of label maps under the parent transform of a volume."""
    copy = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", _nameOf(segmentationNode))
    copy.GetSegmentation().DeepCopy(segmentationNode.GetSegmentation())
    copy.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    copy.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    copy.GetSegmentation().CreateRepresentation(_LABELMAP)
    copy.GetSegmentation().SetSourceRepresentationName(_LABELMAP)
    copy.CreateDefaultDisplayNodes()
    return copy


def _isMoved(segmentationNode, volumeNode) -> bool:
    """Tell whether a segmentation has another parent transform than the volume whose coordinates are used."""
    return segmentationNode.GetTransformNodeID() != volumeNode.GetTransformNodeID()


def _hasLabelmaps(segmentationNode) -> bool:
    return segmentationNode.GetSegmentation().ContainsRepresentation(_LABELMAP)


def _addLesion(segmentationNode) -> str:
    """Add an empty segment for the lesion, and return its id."""
    segmentation = segmentationNode.GetSegmentation()
    segmentId = segmentation.AddEmptySegment("", _("Lesion"))
    segmentation.GetSegment(segmentId).SetColor(*MARK)
    return segmentId


def _write(array: np.ndarray, segmentationNode, segmentId: str, volumeNode) -> None:
    """Write the voxels of a segment."""
    if array.any():
        slicer.util.updateSegmentBinaryLabelmapFromArray(array, segmentationNode, segmentId, volumeNode)
    else:  # an empty label map holds no segment that could be imported
        slicer.vtkSlicerSegmentationsModuleLogic.ClearSegment(segmentationNode, segmentId)


def _drawnOn(segmentationNode):
    return segmentationNode.GetNodeReference(segmentationNode.GetReferenceImageGeometryReferenceRole())


def _nameOf(node) -> str:
    return slicer.mrmlScene.GenerateUniqueName(_("{name} with lesion").format(name=node.GetName()))


def _addRegions(rows: "Sequence[RegionFacts]", name: str):
    """Add a table with a row for each region, those with most under the lesion first."""
    before, after = _("Volume as segmented on the filled volume, ml."), _("Volume without the lesion, ml.")
    columns = [
        Column("label", _("Label"), [row["label"] for row in rows]),
        Column("name", _("Region"), [row["name"] for row in rows]),
        Column("side", _("Side"), [row["side"] for row in rows]),
        Column("volume_before_ml", _("ml before"), [float(row["volume_before_ml"]) for row in rows], before),
        Column("volume_after_ml", _("ml after"), [float(row["volume_after_ml"]) for row in rows], after),
        Column("covered_ml", _("Lesion ml"), [float(row["covered_ml"]) for row in rows], _("Under the lesion, ml.")),
        Column("covered_percent", _("%"), [float(row["covered_percent"]) for row in rows], _("Share of the region.")),
    ]
    return addTable(name, columns)
