"""Between MRML nodes and arrays: with guides.py the only place that knows both.

Arrays are ``(k, j, i)``; matrices are 4 x 4, from voxel indices (i, j, k) to mm in RAS. The image is handed to the
engine on the volume's own voxel grid, and the hole is resampled onto that grid through the parent transforms of both
nodes. So the engine never needs to know about transforms, and the result, under the same transform as the input, lies
where the input lies.
"""

import dataclasses
import json
import re
from collections.abc import Callable
from datetime import datetime

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from . import selfcheck

#: Direction vectors further from orthonormal than this describe a sheared grid, which image files cannot hold.
SHEAR_TOLERANCE = 1e-3

#: What every result says about itself, in the node's description and in an attribute that is saved with the scene.
NOTICE = "Synthetic voxels inside the hole, not for clinical use."

#: What an estimate of a whole contrast says.
ESTIMATE_NOTICE = "All voxels are synthetic, not for clinical use."

#: The role under which a result refers to its uncertainty.
UNCERTAINTY_ROLE = "MedInpaint.Uncertainty"

#: For uncertainty: dark is certain, bright is not. The second is for scenes without the application's color files.
UNCERTAINTY_COLORS = ("vtkMRMLColorTableNodeFileInferno.txt", "vtkMRMLColorTableNodeWarm1")


@dataclasses.dataclass(frozen=True)
class Image:
    """A volume node's voxels and place.

    Attributes:
        array: a view of the node's own memory: read it, never write to it.
        ijkToRAS: the node's own matrix, without its parent transform.
        geometry: the matrix to write into files; without shear.
        warnings: what the user should know.
    """

    array: np.ndarray
    ijkToRAS: np.ndarray
    geometry: np.ndarray
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Hole:
    """The chosen segments on a volume's grid.

    Attributes:
        mask: bool, the volume's shape, True = fill.
        names: the segments' names.
        warnings: what the user should know.
    """

    mask: np.ndarray
    names: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Provenance:
    """How a result was made.

    Attributes:
        report: the engine's report of the run.
        inputName: the input volume's name.
        segmentNames: of the segments that were filled.
        guideNames: of the volumes that guided.
        exemplars: the name of the folder with exemplars, without what leads to it, which is nobody else's business.
    """

    report: dict
    inputName: str
    segmentNames: tuple[str, ...]
    guideNames: tuple[str, ...] = ()
    exemplars: str = ""


def fileVolume(array: np.ndarray, ijkToRAS: np.ndarray):
    """A ``MedInpaintLib.Volume`` to write to a file, whose space is LPS.

    Args:
        array: ``(k, j, i)``, any real dtype or bool.
        ijkToRAS: 4 x 4 matrix without shear.
    """
    from MedInpaintLib import Volume

    ijkToLPS = np.diag([-1.0, -1.0, 1.0, 1.0]) @ ijkToRAS
    spacing = np.linalg.norm(ijkToLPS[:3, :3], axis=0)
    direction = ijkToLPS[:3, :3] / spacing
    return Volume(array, tuple(spacing[::-1]), tuple(ijkToLPS[:3, 3]), tuple(direction.ravel()))


def firstNode(className: str):
    """The first visible node that is of this very class (a label map is a kind of scalar volume, too), or None."""
    nodes = slicer.util.getNodesByClass(className)
    return next((node for node in nodes if node.GetClassName() == className and not node.GetHideFromEditors()), None)


class SegmentsObserver(VTKObservationMixin):
    """Tells when segments are added to the segmentation that is looked at, or removed from it."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed

    def observe(self, segmentationNode) -> None:
        """Look at this segmentation from now on, or at none."""
        self.removeObservers()
        if segmentationNode is not None:
            for event in (slicer.vtkSegmentation.SegmentAdded, slicer.vtkSegmentation.SegmentRemoved):
                self.addObserver(segmentationNode.GetSegmentation(), event, self._onEvent)

    def _onEvent(self, caller, event) -> None:
        self._changed()


def imageOf(volumeNode) -> Image:
    """The voxels and the place of a scalar volume.

    Raises:
        MedInpaintLib.errors.ImageReadError: no node, no voxels, or several values per voxel.
    """
    from MedInpaintLib.errors import ImageReadError

    if volumeNode is None or not volumeNode.IsA("vtkMRMLScalarVolumeNode"):
        raise ImageReadError(_("The input must be a scalar volume; choose the volume to fill."))
    imageData = volumeNode.GetImageData()
    if imageData is None or imageData.GetNumberOfPoints() == 0:
        raise ImageReadError(
            _("Volume '{name}' has no voxels; load its image first.").format(name=volumeNode.GetName())
        )
    components = imageData.GetNumberOfScalarComponents()
    if components > 1:
        raise ImageReadError(
            _(
                "Volume '{name}' has {components} values per voxel (color or vector volume). "
                "Convert it to a scalar volume first, for example with the module Vector to Scalar Volume."
            ).format(name=volumeNode.GetName(), components=components)
        )
    ijkToRAS = _matrixOf(volumeNode)
    spacing = np.linalg.norm(ijkToRAS[:3, :3], axis=0)
    directions = ijkToRAS[:3, :3] / spacing
    if np.allclose(directions.T @ directions, np.eye(3), atol=SHEAR_TOLERANCE):
        return Image(slicer.util.arrayFromVolume(volumeNode), ijkToRAS, ijkToRAS)
    warning = _(
        "Volume '{name}' has a sheared grid; distances are computed from its voxel size alone, "
        "as if its axes were at right angles."
    ).format(name=volumeNode.GetName())
    return Image(slicer.util.arrayFromVolume(volumeNode), ijkToRAS, np.diag([*spacing, 1.0]), (warning,))


def allSegmentIds(segmentationNode) -> tuple[str, ...]:
    """The ids of all segments; none where there is no segmentation."""
    if segmentationNode is None:
        return ()
    return tuple(segmentationNode.GetSegmentation().GetSegmentIDs())


def segmentNames(segmentationNode) -> dict[str, str]:
    """Segment id -> name, of all segments; none where there is no segmentation."""
    ids = allSegmentIds(segmentationNode)
    return {each: segmentationNode.GetSegmentation().GetSegment(each).GetName() for each in ids}


def segmentTimes(segmentationNode, segmentIds) -> dict[str, int]:
    """Segment id -> when what the segment was made as (painted, loaded) was last changed."""
    if segmentationNode is None:
        return {}
    segmentation = segmentationNode.GetSegmentation()
    source = segmentation.GetSourceRepresentationName()
    made = {each: segmentation.GetSegment(each).GetRepresentation(source) for each in segmentIds}
    return {each: data.GetMTime() if data is not None else 0 for each, data in made.items()}


def holeOf(segmentationNode, segmentIds, volumeNode) -> Hole:
    """The union of segments, on the grid of a volume, wherever parent transforms have put the two.

    Neither node is changed: a segmentation that holds only closed surfaces is converted in a copy.

    Raises:
        MedInpaintLib.errors.MaskError: no segmentation, no segments, unknown ids, or nothing inside the volume.
    """
    from MedInpaintLib.errors import MaskError

    names = _segmentNames(segmentationNode, segmentIds)
    mask = np.zeros(slicer.util.arrayFromVolume(volumeNode).shape, dtype=bool)
    nothing = []
    with _Labelmaps(segmentationNode, segmentIds, volumeNode) as labelmaps:
        for segmentId, name in names.items():
            # One at a time: in a merged labelmap, overlapping segments would hide each other.
            segment = labelmaps.array(segmentId) > 0
            if not segment.any():
                nothing.append(name)
            mask |= segment
    if not mask.any():
        raise MaskError(
            _(
                "No voxel of volume '{volume}' is inside the segment(s) {segments}: paint the hole first, "
                "or check the transforms of the volume and the segmentation."
            ).format(volume=volumeNode.GetName(), segments=_quoted(nothing))
        )
    warnings = ()
    if nothing:
        warnings = (
            _("Segment(s) {segments} have no voxel inside volume '{volume}' and were left out.").format(
                segments=_quoted(nothing), volume=volumeNode.GetName()
            ),
        )
    return Hole(mask, tuple(names.values()), warnings)


def addResult(array: np.ndarray, ijkToRAS: np.ndarray, inputNode, method: str, outputNode=None):
    """Put a result into the scene: as a new volume, or into ``outputNode``.

    It gets the input's voxel type, parent transform, window/level and colors, and its place in the subject hierarchy.
    The input node is only read.

    Args:
        array: the input's shape and dtype.
        ijkToRAS: where the voxels lie, before the parent transform.
        method: its name becomes part of a new volume's name.

    Returns:
        The volume node that holds the result.
    """
    from MedInpaintLib.errors import InputError

    if outputNode is inputNode:
        raise InputError(_("The output must be another volume than the input, which is never changed."))
    if outputNode is None:
        name = resultName(inputNode.GetName(), method)
        outputNode = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, inputNode, name)
        # The clone is no longer what those DICOM files hold.
        outputNode.RemoveAttribute("DICOM.instanceUIDs")
    else:
        _makeAlike(outputNode, inputNode)
    # That is the uncertainty of an earlier result: of the input, or of what was in the output.
    outputNode.RemoveNodeReferenceIDs(UNCERTAINTY_ROLE)
    outputNode.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToRAS))
    # Into the clone's memory rather than a new array: this keeps the VTK scalar type even where numpy has no such name.
    slicer.util.arrayFromVolume(outputNode)[...] = array
    slicer.util.arrayFromVolumeModified(outputNode)
    _placeBeside(inputNode, outputNode)
    return outputNode


def resultName(inputName: str, method: str) -> str:
    """How a new result is called; the result of filling a result is not "filled" twice."""
    return _("{input} filled ({method})").format(input=_originalName(inputName), method=method)


def addUncertainty(array: np.ndarray, ijkToRAS: np.ndarray, inputNode, resultNode, method: str):
    """Put a result's uncertainty into the scene, as a new volume beside the input that the result refers to.

    Args:
        array: float32, the input's shape and unit; 0 outside the hole.
        ijkToRAS: where the voxels lie, before the parent transform.
        resultNode: the filled volume.
        method: its name becomes part of the volume's name.

    Returns:
        The volume node.
    """
    name = _("{input} uncertainty ({method})").format(input=_originalName(inputNode.GetName()), method=method)
    node = slicer.util.addVolumeFromArray(array, ijkToRAS, slicer.mrmlScene.GenerateUniqueName(name))
    node.SetAndObserveTransformNodeID(inputNode.GetTransformNodeID())
    node.SetDescription(
        f"Standard deviation, in image units, of the voxels filled by method '{method}' in '{resultNode.GetName()}': "
        f"how far the truth may be off. {NOTICE}"
    )
    node.SetAttribute("MedInpaint.Method", method)
    node.SetAttribute("MedInpaint.Notice", NOTICE)
    resultNode.SetNodeReferenceID(UNCERTAINTY_ROLE, node.GetID())
    _showAsUncertainty(node, array)
    _placeBeside(inputNode, node)
    return node


def describeResult(node, provenance: Provenance) -> None:
    """Write onto a result how it was made; attributes are saved with the scene."""
    report, inputName = provenance.report, provenance.inputName
    hole, checked = report["hole"], report["self_check"]
    date = _now()
    parameters = json.dumps(report["parameters"])
    node.SetDescription(
        f"{report['software']}: {hole['volume_ml']:.3g} mL ({hole['voxels']} voxels) of '{inputName}' filled "
        f"with method '{report['method']}', parameters {parameters}, blending '{report['blend']}', {date}. "
        + (f"{selfcheck.expectation(checked)} " if checked else "")
        + NOTICE
    )
    attributes = {
        "Software": report["software"],
        "Method": report["method"],
        "Parameters": parameters,
        "Blend": report["blend"],
        "Seed": str(report["seed"]),
        "HoleVolumeMl": f"{hole['volume_ml']:.6g}",
        "HoleVoxels": str(hole["voxels"]),
        "Input": inputName,
        "Segments": json.dumps(list(provenance.segmentNames)),
        "Guides": json.dumps(list(provenance.guideNames)),
        "Exemplars": provenance.exemplars,
        "SelfCheck": json.dumps(checked) if checked else "",
        "Warnings": json.dumps(report["warnings"]),
        "Trust": report["trust"],
        "Date": date,
        "Notice": NOTICE,
    }
    _setAttributes(node, attributes)


def addEstimate(array: np.ndarray, ijkToRAS: np.ndarray, referenceNode, target: str, likeNode=None, outputNode=None):
    """Put an estimated contrast into the scene: as a new volume, or into ``outputNode``.

    It gets the reference's parent transform and its place in the subject hierarchy, and the window/level and colors of
    ``likeNode`` where there is one. The other nodes are only read.

    Args:
        array: the reference's shape, any real dtype; 64-bit integers, which Slicer does not take, become floats.
        ijkToRAS: where the voxels lie, before the parent transform.
        target: the contrast; it becomes part of a new volume's name.

    Returns:
        The volume node that holds the estimate.
    """
    if array.dtype in (np.int64, np.uint64):
        array = array.astype(np.float64)
    if outputNode is None:
        name = slicer.mrmlScene.GenerateUniqueName(_("{contrast} (estimated)").format(contrast=target))
        outputNode = slicer.util.addVolumeFromArray(array, ijkToRAS, name)
    else:
        # Memory of its own: an image may be shared with another node.
        outputNode.SetAndObserveImageData(vtk.vtkImageData())
        slicer.util.updateVolumeFromArray(outputNode, array)
        outputNode.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToRAS))
        outputNode.CreateDefaultDisplayNodes()
        # It is no longer what those files hold, nor what that uncertainty is of.
        outputNode.RemoveAttribute("DICOM.instanceUIDs")
        outputNode.RemoveNodeReferenceIDs(UNCERTAINTY_ROLE)
    outputNode.SetAndObserveTransformNodeID(referenceNode.GetTransformNodeID())
    _showAsContrast(outputNode, likeNode)
    _placeBeside(referenceNode, outputNode)
    return outputNode


def describeEstimate(node, report: dict, sourceNames: dict[str, str], likeName: str = "") -> None:
    """Write onto an estimated contrast how it was made; attributes are saved with the scene.

    Args:
        report: the engine's report of the run.
        sourceNames: contrast -> name of the volume that it was estimated from.
        likeName: of the volume whose intensities it has.
    """
    date = _now()
    sources = ", ".join(f"'{name}' ({contrast})" for contrast, name in sourceNames.items())
    units = f"those of '{likeName}'" if likeName else report["units"]
    registered = ", registered rigidly" if report["registered"] else ""
    node.SetDescription(
        f"{report['software']}: {report['target']} estimated from {sources}{registered}, by model '{report['model']}'; "
        f"intensities: {units}, {date}. {ESTIMATE_NOTICE}"
    )
    attributes = {
        "Software": report["software"],
        "Method": "impute",
        "Model": report["model"],
        "Target": report["target"],
        "Sources": json.dumps(sourceNames),
        "Reference": report["reference"],
        "Registered": json.dumps(report["registered"]),
        "Units": units,
        "Warnings": json.dumps(report["warnings"]),
        "Trust": report["trust"],
        "Date": date,
        "Notice": ESTIMATE_NOTICE,
    }
    _setAttributes(node, attributes)


class _Labelmaps:
    """Segments as labelmaps on a volume's grid, inside a ``with`` block; the scene is afterwards as it was."""

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
        """One segment, nonzero inside, in the volume's shape."""
        ids = vtk.vtkStringArray()
        ids.InsertNextValue(segmentId)
        labelmap = slicer.vtkOrientedImageData()
        slicer.vtkSlicerSegmentationsModuleLogic.GenerateMergedLabelmapInReferenceGeometry(
            self._node, self._volumeNode, ids, slicer.vtkSegmentation.EXTENT_REFERENCE_GEOMETRY, labelmap
        )
        shape = tuple(reversed(labelmap.GetDimensions()))
        return vtk.util.numpy_support.vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(shape)

    def _convertedCopy(self, labelmap: str):
        # Converting adds a representation to the segmentation, which would be saved with the user's scene; so do it to
        # a hidden copy. It must be in the scene: only there does a node find its parent transform.
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


def _segmentNames(segmentationNode, segmentIds) -> dict[str, str]:
    """Segment id -> name, or a MaskError that says what is missing."""
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


def _originalName(name: str) -> str:
    """Of the volume that was filled first, when a result is filled again."""
    return re.sub(r"( filled \([^()]*\)(_\d+)?)+$", "", name)


def _showAsUncertainty(node, array: np.ndarray) -> None:
    """Colors from 0 to the 99 percentile of the filled voxels; all others are transparent when it is laid over."""
    inside = array[array > 0]
    most = float(np.percentile(inside, 99)) if inside.size else 1.0
    display = node.GetDisplayNode()
    colors = (slicer.mrmlScene.GetNodeByID(each) for each in UNCERTAINTY_COLORS)
    display.SetAndObserveColorNodeID(next(each.GetID() for each in colors if each is not None))
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0.0, most)
    display.SetAutoThreshold(False)
    display.SetThreshold(float(inside.min()) if inside.size else 1.0, float(max(array.max(), most)))
    display.SetApplyThreshold(True)


def _showAsContrast(node, likeNode) -> None:
    """In the window, level and colors of another volume; without one, in gray, with a window that fits."""
    like = likeNode.GetDisplayNode() if likeNode is not None else None
    display = node.GetDisplayNode()
    if like is not None:
        display.CopyContent(like)
        return
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    display.SetAutoWindowLevel(True)
    display.SetApplyThreshold(False)


def _setAttributes(node, attributes: dict[str, str]) -> None:
    """In place of what an earlier run has said of the node."""
    for name in node.GetAttributeNames():
        if name.startswith("MedInpaint."):
            node.RemoveAttribute(name)
    for name, value in attributes.items():
        node.SetAttribute(f"MedInpaint.{name}", value)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _makeAlike(outputNode, inputNode) -> None:
    """Give an existing volume the input's voxels, parent transform and appearance."""
    imageData = vtk.vtkImageData()
    imageData.DeepCopy(inputNode.GetImageData())
    outputNode.SetAndObserveImageData(imageData)
    outputNode.SetAndObserveTransformNodeID(inputNode.GetTransformNodeID())
    if inputNode.GetDisplayNode() is not None:
        outputNode.CreateDefaultDisplayNodes()
        outputNode.GetDisplayNode().CopyContent(inputNode.GetDisplayNode())


def _placeBeside(inputNode, outputNode) -> None:
    """Put a node into the subject-hierarchy folder, study or patient of another one."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    inputItem = hierarchy.GetItemByDataNode(inputNode)
    if inputItem == hierarchy.GetInvalidItemID():
        return
    parent = hierarchy.GetItemParent(inputItem)
    outputItem = hierarchy.GetItemByDataNode(outputNode)
    if outputItem == hierarchy.GetInvalidItemID():
        # The application makes an item for every new node; a scene without the application's plugins does not.
        hierarchy.CreateItem(parent, outputNode)
    else:
        hierarchy.SetItemParent(outputItem, parent)


def _matrixOf(volumeNode) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _quoted(names) -> str:
    return ", ".join(f"'{name}'" for name in names)
