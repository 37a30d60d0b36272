"""What the user has chosen; kept in the scene and saved with it."""

import json
from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper


@parameterNodeWrapper
class MedInpaintParameterNode:
    """The panel's state.

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


def valuesOf(parameterNode: MedInpaintParameterNode, method: str) -> dict:
    """The values that the user has given a method's parameters; what is missing has its default."""
    text = dict(parameterNode.methodParameters).get(method, "{}")
    return json.loads(text)


def setValuesOf(parameterNode: MedInpaintParameterNode, method: str, values: dict) -> None:
    """Keep the values of a method's parameters."""
    parameterNode.methodParameters = {**dict(parameterNode.methodParameters), method: json.dumps(values)}
