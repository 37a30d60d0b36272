"""The edges of the atlas on a volume, as a label map."""

import numpy as np
import slicer
from slicer.i18n import tr as _

from . import attributes
from .hierarchy import placeBeside

#: The name of the color table.
COLORS = "MedInpaint atlas edges"
#: Yellow for the outline of the brain, cyan for the border of white matter; nothing else in the views has these.
BRAIN, WHITE = (1.0, 0.9, 0.1), (0.1, 0.9, 1.0)


def addEdges(labels: np.ndarray, ijkToRAS: np.ndarray, inputNode):
    """Add the edges of the atlas as a label map beside a volume, and return it.

    Args:
        labels: uint8, of the volume's shape: 1 is the outline of the brain, 2 the border of white matter.
        ijkToRAS: the grid's matrix, without the parent transform.
        inputNode: the volume that the atlas was brought onto.
    """
    name = slicer.mrmlScene.GenerateUniqueName(_("{input} atlas edges").format(input=inputNode.GetName()))
    node = slicer.util.addVolumeFromArray(labels, ijkToRAS, name, "vtkMRMLLabelMapVolumeNode")
    node.SetAndObserveTransformNodeID(inputNode.GetTransformNodeID())
    node.GetDisplayNode().SetAndObserveColorNodeID(_colors().GetID())
    node.SetDescription(
        f"Where the atlas expects the outline of the brain and the border of white matter in '{inputNode.GetName()}'."
    )
    attributes.setAll(node, {"Method": "atlas-edges", "Input": inputNode.GetName(), "Date": attributes.now()})
    placeBeside(inputNode, node)
    return node


def _colors():
    """Return the scene's color table for edges."""
    known = slicer.mrmlScene.GetFirstNode(COLORS, "vtkMRMLColorTableNode", False, True)
    if known is not None:
        return known
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLColorTableNode", COLORS)
    table.SetTypeToUser()
    table.SetNumberOfColors(3)
    table.SetColor(0, _("Nothing"), 0.0, 0.0, 0.0, 0.0)
    table.SetColor(1, _("Outline of the brain"), *BRAIN, 1.0)
    table.SetColor(2, _("Border of white matter"), *WHITE, 1.0)
    return table
