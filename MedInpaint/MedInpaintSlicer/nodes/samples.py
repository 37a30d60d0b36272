"""The samples of a result as a sequence in the scene, with a browser that shows one of them at a time."""

from collections.abc import Iterable

import numpy as np
import slicer
from slicer.i18n import tr as _

from . import attributes
from .hierarchy import placeBeside
from .names import originalName
from .snapshot import removeVolume


def addSamples(arrays: Iterable[np.ndarray], inputNode, resultNode, method: str):
    """Add the samples of a result as a sequence with a browser of its own, and return it; the result refers to it.

    Args:
        arrays: of the result's shape and dtype, one after the other.
        inputNode: the volume that was filled.
        resultNode: the filled volume.
        method: the method's name, which becomes part of the sequence's name.
    """
    scene = slicer.mrmlScene
    name = _("{input} samples ({method})").format(input=originalName(inputNode), method=method)
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", scene.GenerateUniqueName(name))
    sequence.SetIndexName("sample")
    sequence.SetIndexUnit("")
    for number, array in enumerate(arrays, start=1):
        frame = sequence.SetDataNodeAtValue(resultNode, str(number))
        # Into the existing memory, which keeps the VTK scalar type.
        slicer.util.arrayFromVolume(frame)[...] = array
    sequence.SetDescription(
        f"Plausible fills by method '{method}'; their standard deviation is the uncertainty of "
        f"'{resultNode.GetName()}'. {attributes.NOTICE}"
    )
    sequence.SetAttribute("MedInpaint.Notice", attributes.NOTICE)
    resultNode.SetNodeReferenceID(attributes.SAMPLES_ROLE, sequence.GetID())
    _browse(sequence, inputNode, resultNode)
    return sequence


def removeSamples(sequence) -> None:
    """Remove a sequence of samples with its browser and proxy, if it is still in the scene."""
    scene = slicer.mrmlScene
    if sequence is None or not scene.IsNodePresent(sequence):
        return
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForSequenceNode(sequence)
    proxy = None if browser is None else browser.GetProxyNode(sequence)
    # Remove the browser first: it would create the removed proxy again.
    if browser is not None and browser.GetNumberOfSynchronizedSequenceNodes(True) == 1:
        scene.RemoveNode(browser)
    elif browser is not None:
        browser.RemoveSynchronizedSequenceNode(sequence.GetID())
    scene.RemoveNode(sequence)
    removeVolume(proxy)


def _browse(sequence, inputNode, resultNode) -> None:
    """Show a sequence in a new browser: its proxy has the transform and appearance of the result."""
    scene = slicer.mrmlScene
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", scene.GenerateUniqueName(sequence.GetName()))
    browser.AddSynchronizedSequenceNode(sequence)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    proxy = browser.GetProxyNode(sequence)
    if proxy is None:
        return
    proxy.CreateDefaultDisplayNodes()
    proxy.SetAndObserveTransformNodeID(resultNode.GetTransformNodeID())
    if resultNode.GetDisplayNode() is not None:
        proxy.GetDisplayNode().CopyContent(resultNode.GetDisplayNode())
    placeBeside(inputNode, proxy)
