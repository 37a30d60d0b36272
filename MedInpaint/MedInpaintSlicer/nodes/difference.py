"""The difference between a result and its input, as a volume."""

import numpy as np
import slicer
from slicer.i18n import tr as _

from . import attributes
from .hierarchy import placeBeside

#: The name of the color table: blue is darker than before, red is brighter, unchanged is transparent.
COLORS = "MedInpaint difference"

#: Number of its colors; odd, so that one is for "unchanged".
STEPS = 255


def canDiffer(beforeNode, afterNode) -> bool:
    """Return whether the two volumes have the same size, so that they can be subtracted."""
    images = beforeNode.GetImageData(), afterNode.GetImageData()
    return all(image is not None for image in images) and images[0].GetDimensions() == images[1].GetDimensions()


def differenceOf(beforeNode, afterNode):
    """Return after minus before as a volume node (float32), which is made on the first call.

    Args:
        beforeNode, afterNode: scalar volumes on one voxel grid.
    """
    existing = afterNode.GetNodeReference(attributes.DIFFERENCE_ROLE)
    if existing is not None:
        return existing
    before, after = slicer.util.arrayFromVolume(beforeNode), slicer.util.arrayFromVolume(afterNode)
    difference = np.subtract(after, before, dtype=np.float32, casting="unsafe")
    name = _("{result} difference").format(result=afterNode.GetName())
    node = slicer.util.addVolumeFromArray(difference, name=slicer.mrmlScene.GenerateUniqueName(name))
    node.CopyOrientation(afterNode)
    node.SetAndObserveTransformNodeID(afterNode.GetTransformNodeID())
    node.SetDescription(f"'{afterNode.GetName()}' minus '{beforeNode.GetName()}'. {attributes.NOTICE}")
    node.SetAttribute("MedInpaint.Notice", attributes.NOTICE)
    afterNode.SetNodeReferenceID(attributes.DIFFERENCE_ROLE, node.GetID())
    _showAsDifference(node, difference)
    placeBeside(afterNode, node)
    return node


def _showAsDifference(node, difference: np.ndarray) -> None:
    """Show a difference with 0 in the middle of the colors, and a window up to the 99th percentile of the changes."""
    changed = np.abs(difference[difference != 0])
    most = float(np.percentile(changed, 99)) if changed.size else 1.0
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(_colors().GetID())
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(-most, most)


def _colors():
    """Return the scene's color table for differences."""
    known = slicer.mrmlScene.GetFirstNode(COLORS, "vtkMRMLColorTableNode", False, True)
    if known is not None:
        return known
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLColorTableNode", COLORS)
    table.SetTypeToUser()
    table.SetNumberOfColors(STEPS)
    for index, signed in enumerate(np.linspace(-1.0, 1.0, STEPS)):
        size = abs(signed)
        # From a pure color to a light one, so that brightness shows the size of the difference as well.
        ends = (1.0, 0.8 * size, 0.2 * size) if signed > 0 else (0.2 * size, 0.8 * size, 1.0)
        table.SetColor(index, f"{signed:+.2f}", *ends, min(1.0, 4 * size))
    return table
