"""The user's choices, which are kept in the scene and saved with it."""

import json
from typing import TYPE_CHECKING, Annotated, Any

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLSequenceNode, vtkMRMLTableNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from . import options

if TYPE_CHECKING:
    from MedInpaintLib.options import FillOptions

#: Contrast, as the engine calls it -> the field that holds its volume.
CONTRASTS = {"T1": "t1Volume", "T2": "t2Volume", "FLAIR": "flairVolume", "T1C": "t1PostVolume"}

#: A hole can be grown by up to this much (mm).
MOST_GROWTH = 20

#: The tab "Fill" offers so many samples at most, each of which is a whole volume; scripts may ask for 100.
MOST_SAMPLES = 20

_DEVICES = ("auto", "cpu", "cuda", "mps")

#: Field -> its valid values, the default first. :func:`_choicesOf` adds those that depend on the engine.
_CHOICES = {
    "blend": ("auto", "paste", "feather", "poisson"),
    "device": _DEVICES,
    "wantedContrast": ("FLAIR", "T1", "T2", "T1C"),
    "imputeMode": ("create", "repair"),
    "imputeDevice": _DEVICES,
    "evaluateDevice": _DEVICES,
    "batchKind": ("volumes", "sequence"),
    "batchHole": ("fill", "one", "own"),
}


@parameterNodeWrapper
class MedInpaintParameterNode:
    """The choices in the panel's tabs, saved with the scene.

    Of the tab "Fill":

    inputVolume - The volume to fill; it is never changed.
    segmentation - Marks the hole.
    segmentIds - Its segments to fill.
    dilateMm - The hole is grown by this much first.
    method - A method's name, or "auto".
    methodParameters - Method name -> the values of its parameters, as JSON.
    blend - "auto", "paste", "feather" or "poisson".
    grain - Whether noise like that of the scan is added to fills that are smoother.
    device - "auto", "cpu", "cuda" or "mps".
    selfCheck - Whether methods are tried on the same image first.
    regions - Whether the regions of the brain under the hole are named.
    guides - Other contrasts of the same subject.
    exemplars - A folder with scans of other subjects in the same contrast; empty: none.
    outputVolume - Takes the result; none: a new volume.
    uncertainty - Whether a second volume shows the uncertainty.
    samples - How many plausible fills a sequence shows; 0: none.

    Of the tab "Contrast":

    wantedContrast - Which contrast to create, a key of CONTRASTS.
    imputeMode - "create": a whole volume; "repair": inside a segment.
    t1Volume, t2Volume, flairVolume, t1PostVolume - The available contrasts of the subject.
    imputeSegmentation, imputeSegmentId - Mark the hole to repair.
    registerFirst - Whether the contrasts are registered to each other first.
    likeVolume - An image of the target contrast whose intensities the result gets; none: the engine's own.
    imputeModel - A model's name, or "auto".
    imputeDevice - "auto", "cpu", "cuda" or "mps".
    estimatedVolume - Takes the result; none: a new volume.

    Of the tab "Evaluate":

    evaluateVolume - The volume that holes are cut out of; none: inputVolume. It is never changed.
    evaluateShape - The engine's name of the holes' shape; "segments": evaluateSegmentation marks the holes.
    evaluateSizeMm, evaluateSlabMm - Size of the holes, and thickness if they are flat; 0: one slice.
    evaluateCount - Number of holes.
    evaluateSegmentation - Marks the holes.
    evaluateAvoid - Marks where no hole may lie; none: nowhere.
    evaluateMethods - The methods to score, besides the trivial one.
    evaluateSeed - Seed of the holes' positions and of the methods.
    evaluateDevice - "auto", "cpu", "cuda" or "mps".
    evaluateScores - The table with the scores of the last evaluation.

    Of the tab "Batch", which fills with the choices of the tab "Fill":

    batchKind - "volumes" or "sequence".
    batchVolumes - The volumes to fill.
    batchSequence - The sequence whose frames are filled.
    batchHole - "fill": marked as in the tab "Fill"; "one": by one segmentation; "own": by each volume's own.
    batchSegmentation - Marks the hole in all of them.
    batchSegmentNames - The names of the segments to fill, separated by commas; empty: all.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    segmentIds: list[str]
    dilateMm: Annotated[float, WithinRange(0, MOST_GROWTH)] = 0
    method: str = "auto"
    methodParameters: dict[str, str]
    blend: str = "auto"
    grain: bool = False
    device: str = "auto"
    selfCheck: bool = False
    regions: bool = False
    guides: list[vtkMRMLScalarVolumeNode]
    exemplars: str = ""
    outputVolume: vtkMRMLScalarVolumeNode
    uncertainty: bool = False
    samples: Annotated[int, WithinRange(0, MOST_SAMPLES)] = 0

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
    imputeModel: str = "auto"
    imputeDevice: str = "auto"
    estimatedVolume: vtkMRMLScalarVolumeNode

    evaluateVolume: vtkMRMLScalarVolumeNode
    evaluateShape: str = "spheres"
    evaluateSizeMm: Annotated[float, WithinRange(1, 80)] = 10
    evaluateSlabMm: Annotated[float, WithinRange(0, 80)] = 0
    evaluateCount: Annotated[int, WithinRange(1, 40)] = 6
    evaluateSegmentation: vtkMRMLSegmentationNode
    evaluateAvoid: vtkMRMLSegmentationNode
    evaluateMethods: list[str]
    evaluateSeed: Annotated[int, WithinRange(0, 9999)] = 0
    evaluateDevice: str = "auto"
    evaluateScores: vtkMRMLTableNode

    batchKind: str = "volumes"
    batchVolumes: list[vtkMRMLScalarVolumeNode]
    batchSequence: vtkMRMLSequenceNode
    batchHole: str = "fill"
    batchSegmentation: vtkMRMLSegmentationNode
    batchSegmentNames: str = ""


def validValue(parameterNode: MedInpaintParameterNode, field: str) -> Any:
    """Return a field's value; an invalid one, from a scene of another version or a script, is reset to the default."""
    value, choices = getattr(parameterNode, field), _choicesOf(field)
    if choices and value not in choices:
        value = choices[0]
        setattr(parameterNode, field, value)
    return value


def fillOptions(parameterNode: MedInpaintParameterNode) -> "FillOptions":
    """Return the options that are chosen in the tab "Fill", with all cores but one.

    The seed cannot be chosen and keeps its default.
    """
    from MedInpaintLib.options import FillOptions

    fields = MedInpaintParameterNode.__annotations__
    values = {field: getattr(parameterNode, name) for field, name in options.names().items() if name in fields}
    return FillOptions(
        **values,
        parameters=valuesOf(parameterNode, parameterNode.method),
        workers=options.workersBesideSlicer(),
    )


def valuesOf(parameterNode: MedInpaintParameterNode, method: str) -> dict[str, Any]:
    """Return the chosen values of a method's parameters; missing ones have their defaults.

    Invalid values, from a scene of another version or a script, are left out.
    """
    import MedInpaintLib

    info = MedInpaintLib.list_methods().get(method)
    if info is None:
        return {}
    stored = _decoded(dict(parameterNode.methodParameters).get(method, "{}"))
    known = {parameter.name: parameter for parameter in info.describe()}
    return {
        name: valid
        for name, value in stored.items()
        if name in known and (valid := _validParameter(info, known[name], value)) is not None
    }


def setValuesOf(parameterNode: MedInpaintParameterNode, method: str, values: dict) -> None:
    """Store the values of a method's parameters."""
    parameterNode.methodParameters = {**dict(parameterNode.methodParameters), method: json.dumps(values)}


def contrastVolumes(parameterNode: MedInpaintParameterNode) -> dict:
    """Return the engine's name of each contrast -> its chosen volume."""
    volumes = {contrast: getattr(parameterNode, field) for contrast, field in CONTRASTS.items()}
    return {contrast: node for contrast, node in volumes.items() if node is not None}


def _choicesOf(field: str) -> tuple[str, ...]:
    """Return the valid values of a field, the default first; none where all values are valid."""
    if field == "method":
        import MedInpaintLib

        return ("auto", *MedInpaintLib.list_methods())
    if field == "evaluateShape":
        from . import holeshapes

        return ("spheres", *holeshapes.titles(), holeshapes.SEGMENTS)
    return _CHOICES.get(field, ())


def _decoded(text: str) -> dict:
    """Return the values in a JSON object; none if the text is no such object."""
    try:
        values = json.loads(text)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _validParameter(info, parameter, value):
    """Return a value in the parameter's type; None if it is invalid."""
    from MedInpaintLib.errors import ParameterError
    from MedInpaintLib.parameters import parse

    if isinstance(value, str) != (parameter.kind in ("str", "choice")):
        return None
    try:
        return getattr(parse(info.parameters, {parameter.name: value}, method=info.name), parameter.name)
    except ParameterError:
        return None
