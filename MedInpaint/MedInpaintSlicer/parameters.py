"""The choices of the user, which are kept in the scene and saved with it."""

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

_DEVICES = ("auto", "cpu", "cuda", "mps")

#: Field -> all that it can be, the default first. "method" is one of them, too.
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

    Of the tab "Contrast":

    wantedContrast - Which contrast to create, a key of CONTRASTS.
    imputeMode - "create": a whole volume; "repair": inside a segment.
    t1Volume, t2Volume, flairVolume, t1PostVolume - The contrasts of the subject, as far as there are any.
    imputeSegmentation, imputeSegmentId - What is repaired.
    registerFirst - Whether the contrasts are registered to each other first.
    likeVolume - An image of the target contrast whose intensities the created one is to have; none: the engine's own.
    imputeModel - A model's name, or "auto".
    imputeDevice - "auto", "cpu", "cuda" or "mps".
    estimatedVolume - Takes the result; none: a new volume.

    Of the tab "Evaluate":

    evaluateVolume - The volume that holes are cut out of; none: inputVolume. It is never changed.
    evaluateShape - Of the holes, as the engine calls it; "segments": evaluateSegmentation has the holes.
    evaluateSizeMm, evaluateSlabMm - How large they are, and how thick if they are flat; 0: one slice.
    evaluateCount - How many.
    evaluateSegmentation - Marks the holes.
    evaluateAvoid - Marks where no hole may lie; none: nowhere.
    evaluateMethods - What is scored, besides the trivial method.
    evaluateSeed - For the positions of the holes, and for the methods.
    evaluateDevice - "auto", "cpu", "cuda" or "mps".
    evaluateScores - The table with the scores of the last evaluation.

    Of the tab "Batch", which fills with the choices of the tab "Fill":

    batchKind - "volumes" or "sequence".
    batchVolumes - The volumes that are filled.
    batchSequence - The sequence whose frames are filled.
    batchHole - "fill": marked as in the tab "Fill"; "one": by one segmentation; "own": by each volume's own.
    batchSegmentation - Marks the hole of all.
    batchSegmentNames - The names of the segments that are filled, separated by commas; empty: all.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    segmentIds: list[str]
    dilateMm: Annotated[float, WithinRange(0, MOST_GROWTH)] = 0
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
    """Return what a field holds, after replacing what it cannot hold by its default.

    Scenes of other versions and scripts may hold such values.
    """
    value, choices = getattr(parameterNode, field), _choicesOf(field)
    if choices and value not in choices:
        value = choices[0]
        setattr(parameterNode, field, value)
    return value


def fillOptions(parameterNode: MedInpaintParameterNode) -> "FillOptions":
    """Return the engine's options that are chosen in the tab "Fill"; the seed is none of them and keeps its default."""
    from MedInpaintLib.options import FillOptions

    fields = MedInpaintParameterNode.__annotations__
    values = {field: getattr(parameterNode, name) for field, name in options.names().items() if name in fields}
    return FillOptions(**values, parameters=valuesOf(parameterNode, parameterNode.method))


def valuesOf(parameterNode: MedInpaintParameterNode, method: str) -> dict[str, Any]:
    """Return the values that the user has given a method's parameters; missing ones have their defaults.

    Values that the parameters cannot have, from a scene of another version or a script, are left out.
    """
    import MedInpaintLib

    info = MedInpaintLib.list_methods().get(method)
    if info is None:
        return {}
    stored = _decoded(dict(parameterNode.methodParameters).get(method, "{}"))
    known = {each.name: each for each in info.describe()}
    return {
        name: valid
        for name, value in stored.items()
        if name in known and (valid := _validParameter(info, known[name], value)) is not None
    }


def setValuesOf(parameterNode: MedInpaintParameterNode, method: str, values: dict) -> None:
    """Store the values of a method's parameters."""
    parameterNode.methodParameters = {**dict(parameterNode.methodParameters), method: json.dumps(values)}


def contrastVolumes(parameterNode: MedInpaintParameterNode) -> dict:
    """Return the chosen volumes by contrast, as the engine calls it."""
    volumes = {contrast: getattr(parameterNode, field) for contrast, field in CONTRASTS.items()}
    return {contrast: node for contrast, node in volumes.items() if node is not None}


def _choicesOf(field: str) -> tuple[str, ...]:
    """Return all values that a field can have, the default first; none where that is not known here."""
    if field == "method":
        import MedInpaintLib

        return ("auto", *MedInpaintLib.list_methods())
    if field == "evaluateShape":
        from . import holeshapes

        return ("spheres", *holeshapes.titles(), holeshapes.SEGMENTS)
    return _CHOICES.get(field, ())


def _decoded(text: str) -> dict:
    """Return the values in a JSON object; none where the text is no such object."""
    try:
        values = json.loads(text)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _validParameter(info, parameter, value):
    """Return a value in the parameter's own type; None where the method refuses it."""
    from MedInpaintLib.errors import ParameterError
    from MedInpaintLib.parameters import parse

    if isinstance(value, str) != (parameter.kind in ("str", "choice")):
        return None
    try:
        return getattr(parse(info.parameters, {parameter.name: value}, method=info.name), parameter.name)
    except ParameterError:
        return None
