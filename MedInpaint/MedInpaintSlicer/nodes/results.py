"""The filled volume in the scene, and the attributes that say how it was made."""

import dataclasses
import json
from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from .. import selfcheck
from . import attributes, dicom, names
from .hierarchy import placeBeside

if TYPE_CHECKING:
    from MedInpaintLib.report import FillReport, PartFacts

#: Attributes are shown and saved as one line: a result with this many parts does not list them.
MANY_PARTS = 100


@dataclasses.dataclass(frozen=True)
class Provenance:
    """The record of how a result was made.

    Attributes:
        report: the engine's report of the run.
        inputName: the input volume's name.
        segmentNames: names of the segments that were filled.
        guideNames: names of the guides.
        exemplars: name of the folder with exemplars, without its path, which may be private.
    """

    report: "FillReport"
    inputName: str
    segmentNames: tuple[str, ...]
    guideNames: tuple[str, ...] = ()
    exemplars: str = ""


def addResult(array: np.ndarray, ijkToRAS: np.ndarray, inputNode, method: str, outputNode=None):
    """Put a result into the scene: as a new volume, or into ``outputNode``.

    It gets the input's voxel type, parent transform, window/level, colors and subject-hierarchy folder. The input node
    is only read.

    Args:
        array: the input's shape and dtype.
        ijkToRAS: the grid's matrix, without the parent transform.
        method: the method's name, which becomes part of a new volume's name.

    Returns:
        The result's volume node.
    """
    from MedInpaintLib.errors import InputError

    if outputNode is inputNode:
        raise InputError(_("The output must be another volume than the input, which is never changed."))
    if outputNode is None:
        name = names.resultName(inputNode, method)
        outputNode = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, inputNode, name)
        names.recordOrigin(outputNode, inputNode)
    else:
        _makeAlike(outputNode, inputNode)
        names.forgetOrigin(outputNode)
    attributes.forgetDerived(outputNode)
    outputNode.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToRAS))
    # Into the existing memory, which keeps the VTK scalar type even if numpy has no equivalent.
    slicer.util.arrayFromVolume(outputNode)[...] = array
    slicer.util.arrayFromVolumeModified(outputNode)
    placeBeside(inputNode, outputNode)
    # Its content is not that of the input's files, nor of those that an existing output was loaded from.
    dicom.describeSeries(inputNode, outputNode)
    return outputNode


def describeResult(node, provenance: Provenance) -> None:
    """Write to a result how it was made; attributes are saved with the scene."""
    report, inputName = provenance.report, provenance.inputName
    hole, checked = report["hole"], report["self_check"]
    date = attributes.now()
    parameters = json.dumps(report["parameters"])
    node.SetDescription(
        f"{report['software']}: {hole['volume_ml']:.3g} mL ({hole['voxels']} voxels) of '{inputName}' filled "
        f"with method '{report['method']}', parameters {parameters}, blending '{report['blend']}', {date}. "
        + "".join(f"{selfcheck.expectation(kind)} " for kind in checked or [])
        + attributes.NOTICE
    )
    attributes.setAll(
        node,
        {
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
            "Parts": _compact(report["parts"]),
            "Date": date,
            "Notice": attributes.NOTICE,
        },
        kept=(names.ORIGINAL, names.GIVEN),
    )


def _compact(parts: "list[PartFacts]") -> str:
    """Return the parts as JSON, with what is told in few words; empty if there are too many for an attribute."""
    if len(parts) >= MANY_PARTS:
        return ""
    return json.dumps([{key: part[key] for key in ("number", "volume_ml", "method")} for part in parts])


def _makeAlike(outputNode, inputNode) -> None:
    """Give an existing volume the input's voxels, parent transform and appearance."""
    imageData = vtk.vtkImageData()
    imageData.DeepCopy(inputNode.GetImageData())
    outputNode.SetAndObserveImageData(imageData)
    outputNode.SetAndObserveTransformNodeID(inputNode.GetTransformNodeID())
    if inputNode.GetDisplayNode() is not None:
        outputNode.CreateDefaultDisplayNodes()
        outputNode.GetDisplayNode().CopyContent(inputNode.GetDisplayNode())
