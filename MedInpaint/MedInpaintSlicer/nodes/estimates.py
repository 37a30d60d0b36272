"""An estimated contrast in the scene, and the attributes that say how it was made."""

import json
from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from . import attributes, dicom
from .hierarchy import placeBeside

if TYPE_CHECKING:
    from MedInpaintLib.report import ImputeReport

#: The notice of an estimate of a whole contrast.
ESTIMATE_NOTICE = "All voxels are synthetic, not for clinical use."


def addEstimate(array: np.ndarray, ijkToRAS: np.ndarray, referenceNode, target: str, likeNode=None, outputNode=None):
    """Put an estimated contrast into the scene: as a new volume, or into ``outputNode``.

    It gets the reference's parent transform and subject-hierarchy folder, and the window/level and colors of
    ``likeNode``, if any. The other nodes are only read.

    Args:
        array: the reference's shape, any real dtype; 64-bit integers, which Slicer does not support, become floats.
        ijkToRAS: the grid's matrix, without the parent transform.
        target: the contrast, which becomes part of a new volume's name.

    Returns:
        The estimate's volume node.
    """
    if array.dtype in (np.int64, np.uint64):
        array = array.astype(np.float64)
    if outputNode is None:
        name = slicer.mrmlScene.GenerateUniqueName(_("{contrast} (estimated)").format(contrast=target))
        outputNode = slicer.util.addVolumeFromArray(array, ijkToRAS, name)
    else:
        # New memory, because the old image may be shared with another node.
        outputNode.SetAndObserveImageData(vtk.vtkImageData())
        slicer.util.updateVolumeFromArray(outputNode, array)
        outputNode.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToRAS))
        outputNode.CreateDefaultDisplayNodes()
        attributes.forgetDerived(outputNode)  # that uncertainty does not belong to the new content
    outputNode.SetAndObserveTransformNodeID(referenceNode.GetTransformNodeID())
    _showAsContrast(outputNode, likeNode)
    placeBeside(referenceNode, outputNode)
    dicom.describeSeries(referenceNode, outputNode)
    return outputNode


def describeEstimate(node, report: "ImputeReport", sourceNames: dict[str, str], likeName: str = "") -> None:
    """Write to an estimated contrast how it was made; attributes are saved with the scene.

    Args:
        report: the engine's report of the run.
        sourceNames: contrast -> name of a volume that it was estimated from.
        likeName: name of the volume whose intensities it has, if any.
    """
    date = attributes.now()
    sources = ", ".join(f"'{name}' ({contrast})" for contrast, name in sourceNames.items())
    units = f"those of '{likeName}'" if likeName else report["units"]
    registered = ", registered rigidly" if report["registered"] else ""
    node.SetDescription(
        f"{report['software']}: {report['target']} estimated from {sources}{registered}, by model '{report['model']}'; "
        f"intensities: {units}, {date}. {ESTIMATE_NOTICE}"
    )
    attributes.setAll(
        node,
        {
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
        },
    )


def _showAsContrast(node, likeNode) -> None:
    """Show with the window, level and colors of another volume, or else in gray with an automatic window."""
    like = likeNode.GetDisplayNode() if likeNode is not None else None
    display = node.GetDisplayNode()
    if like is not None:
        display.CopyContent(like)
        return
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    display.SetAutoWindowLevel(True)
    display.SetApplyThreshold(False)
