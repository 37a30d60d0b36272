"""The uncertainty of a result as a volume in the scene."""

import numpy as np
import slicer
from slicer.i18n import tr as _

from . import attributes
from .hierarchy import placeBeside
from .names import originalName

#: Color tables: dark is certain, bright is not. The second is for scenes without the application's color files.
UNCERTAINTY_COLORS = ("vtkMRMLColorTableNodeFileInferno.txt", "vtkMRMLColorTableNodeWarm1")


def addUncertainty(array: np.ndarray, ijkToRAS: np.ndarray, inputNode, resultNode, method: str, basis: str = ""):
    """Add a result's uncertainty as a new volume beside the input, and return it; the result refers to it.

    Args:
        array: float32, the input's shape and unit; 0 outside the hole.
        ijkToRAS: the grid's matrix, without the parent transform.
        resultNode: the filled volume.
        method: the method's name, which becomes part of the volume's name.
        basis: what the standard deviations rest on, such as "calibrated by other people".
    """
    name = _("{input} uncertainty ({method})").format(input=originalName(inputNode), method=method)
    node = slicer.util.addVolumeFromArray(array, ijkToRAS, slicer.mrmlScene.GenerateUniqueName(name))
    node.SetAndObserveTransformNodeID(inputNode.GetTransformNodeID())
    node.SetDescription(
        f"Standard deviation of the error, in image units, of the voxels filled by method '{method}' in "
        f"'{resultNode.GetName()}': about 68 % of them are less far off than this, and 95 % less than twice as far. "
        + (f"It is {basis}. " if basis else "")
        + attributes.NOTICE
    )
    node.SetAttribute("MedInpaint.Method", method)
    node.SetAttribute("MedInpaint.Basis", basis)
    node.SetAttribute("MedInpaint.Notice", attributes.NOTICE)
    resultNode.SetNodeReferenceID(attributes.UNCERTAINTY_ROLE, node.GetID())
    showAsUncertainty(node, array)
    placeBeside(inputNode, node)
    return node


def showAsUncertainty(node, array: np.ndarray) -> None:
    """Show colors from 0 to the 99th percentile of the filled voxels; all other voxels are transparent."""
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
