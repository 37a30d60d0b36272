"""What the user has chosen; kept in the scene and saved with it."""

import json
from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

#: Contrast, as the engine calls it -> the field that holds its volume.
CONTRASTS = {"T1": "t1Volume", "T2": "t2Volume", "FLAIR": "flairVolume", "T1C": "t1PostVolume"}


@parameterNodeWrapper
class MedInpaintParameterNode:
    """The panel's state.

    Of the tab "Fill a hole":

    inputVolume - The volume to fill; it is never changed.
    segmentation - Marks the hole.
    segmentIds - The segments of it that are filled.
    dilateMm - The hole is grown by this much first.
    method - A method's name, or "auto".
    methodParameters - Method name -> the values of its form, as JSON; each method keeps its own.
    blend - "auto", "paste", "feather" or "poisson".
    device - "auto", "cpu", "cuda" or "mps".
    selfCheck - Whether methods are tried on the same scan first.
    guides - Other contrasts of the same subject.
    exemplars - A folder with other scans of the same contrast; empty: none.
    outputVolume - Takes the result; none: a new volume.
    uncertainty - Whether a second volume shows how far the truth may be off.

    Of the tab "Missing contrast":

    wantedContrast - Which contrast to create, a key of CONTRASTS.
    imputeMode - "create": a whole volume; "repair": inside a segment.
    t1Volume, t2Volume, flairVolume, t1PostVolume - The contrasts of the subject, as far as there are any.
    imputeSegmentation, imputeSegmentId - What is repaired.
    registerFirst - Whether the contrasts are laid over each other first.
    likeVolume - An image of the wanted contrast whose intensities the created one is to have; none: the engine's own.
    imputeDevice - "auto", "cpu", "cuda" or "mps".
    estimatedVolume - Takes the result; none: a new volume.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    segmentIds: list[str]
    dilateMm: Annotated[float, WithinRange(0, 20)] = 0
    method: str = "auto"
    methodParameters: dict[str, str]
    blend: str = "auto"
    device: str = "auto"
    selfCheck: bool = False
    guides: list[vtkMRMLScalarVolumeNode]
    exemplars: str = ""
    outputVolume: vtkMRMLScalarVolumeNode
    uncertainty: bool = False

    wantedContrast: str = "FLAIR"
    imputeMode: str = "create"
    t1Volume: vtkMRMLScalarVolumeNode
    t2Volume: vtkMRMLScalarVolumeNode
    flairVolume: vtkMRMLScalarVolumeNode
    t1PostVolume: vtkMRMLScalarVolumeNode
    imputeSegmentation: vtkMRMLSegmentationNode
    imputeSegmentId: str = ""
    registerFirst: bool = False
    likeVolume: vtkMRMLScalarVolumeNode
    imputeDevice: str = "auto"
    estimatedVolume: vtkMRMLScalarVolumeNode


def valuesOf(parameterNode: MedInpaintParameterNode, method: str) -> dict:
    """The values that the user has given a method's parameters; what is missing has its default."""
    text = dict(parameterNode.methodParameters).get(method, "{}")
    return json.loads(text)


def setValuesOf(parameterNode: MedInpaintParameterNode, method: str, values: dict) -> None:
    """Keep the values of a method's parameters."""
    parameterNode.methodParameters = {**dict(parameterNode.methodParameters), method: json.dumps(values)}


def contrastVolumes(parameterNode: MedInpaintParameterNode) -> dict:
    """Contrast, as the engine calls it -> its volume, of those that are there."""
    volumes = {contrast: getattr(parameterNode, field) for contrast, field in CONTRASTS.items()}
    return {contrast: node for contrast, node in volumes.items() if node is not None}
