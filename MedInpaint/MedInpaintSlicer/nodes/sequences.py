"""Sequences: volumes over time, or over another index, that a sequence browser shows one frame at a time.

The frames of a sequence are in a scene of their own. Users see the proxy, a node in the main scene into which the
browser copies the selected frame.
"""

from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from . import attributes
from .hierarchy import placeBeside
from .names import originalName, recordOrigin, resultName
from .snapshot import removeVolume
from .uncertainty import showAsUncertainty

#: The class of the frames of volume sequences.
_VOLUME = "vtkMRMLScalarVolumeNode"

#: The attribute of a frame that could not be filled; its value says why.
NOT_FILLED = "MedInpaint.NotFilled"


def offerVolumeSequences(selector) -> None:
    """Let a node selector offer only sequences of scalar volumes, as Slicer does for its command line modules."""
    selector.addAttribute("vtkMRMLSequenceNode", "DataNodeClassName", _VOLUME)


def complaint(sequenceNode) -> str:
    """Say in a line why the frames of a sequence cannot be filled; empty when they can be."""
    if sequenceNode is None:
        return _("Choose a sequence of volumes.")
    if sequenceNode.GetNumberOfDataNodes() == 0:
        return _("Sequence '{name}' has no frames; load or record it first.").format(name=sequenceNode.GetName())
    if sequenceNode.GetDataNodeClassName() != _VOLUME:
        return _("Sequence '{name}' holds no scalar volumes; choose another one.").format(name=sequenceNode.GetName())
    return ""


def isSequence(node) -> bool:
    """Return whether a node is a sequence."""
    return node is not None and node.IsA("vtkMRMLSequenceNode")


def volumeSequenceOf(node):
    """Return the node itself if it is a sequence of volumes, or a browser's first such sequence, master first.

    Raises:
        MedInpaintLib.errors.InputError: there is none.
    """
    from MedInpaintLib.errors import InputError

    sequence = node
    if node is not None and node.IsA("vtkMRMLSequenceBrowserNode"):
        browsed = _browsedBy(node)
        sequence = next((each for each in browsed if not complaint(each)), browsed[0] if browsed else None)
    elif not isSequence(node):
        sequence = None
    wrong = complaint(sequence)
    if wrong:
        raise InputError(wrong)
    return sequence


def browserOf(sequenceNode):
    """Return the first browser that shows a sequence, or None."""
    return slicer.modules.sequences.logic().GetFirstBrowserNodeForSequenceNode(sequenceNode)


def sequenceShownBy(node, browserNode):
    """Return the sequence whose proxy in a browser a node is, or None."""
    return browserNode.GetSequenceNode(node) if browserNode is not None and node is not None else None


def indexValues(sequenceNode) -> tuple[str, ...]:
    """Return the index values of the frames in order."""
    return tuple(sequenceNode.GetNthIndexValue(number) for number in range(sequenceNode.GetNumberOfDataNodes()))


def frameName(sequenceNode, indexValue: str) -> str:
    """Return a frame's name: "time 0.5 s"."""
    return " ".join(filter(None, (sequenceNode.GetIndexName(), indexValue, sequenceNode.GetIndexUnit())))


def hasFrame(sequenceNode, indexValue: str) -> bool:
    """Return whether a sequence has a frame at exactly this index value."""
    return sequenceNode.GetDataNodeAtValue(indexValue, True) is not None


def frameAt(sequenceNode, indexValue: str):
    """Return a frame, which is in the sequence's own scene; raise an InputError if there is none at this value."""
    from MedInpaintLib.errors import InputError

    frame = sequenceNode.GetDataNodeAtValue(indexValue, True)
    if frame is None:
        raise InputError(
            _("Sequence '{name}' has nothing at {frame}.").format(
                name=sequenceNode.GetName(), frame=frameName(sequenceNode, indexValue)
            )
        )
    return frame


class Moment:
    """The nodes at one index value, without selecting its frame.

    Nodes that change from frame to frame (proxies, and nodes under a transform that is a proxy) are copied into hidden
    nodes, which are in the main scene until :meth:`close` and are never saved. A copy shares the frame's voxels, which
    are only read.
    """

    def __init__(self, browserNode, indexValue: str) -> None:
        """Prepare a moment without copying anything yet.

        Args:
            browserNode: the browser of the proxies; None: there are no proxies.
            indexValue: the frame's index value.
        """
        self._browser = browserNode
        self._indexValue = indexValue
        self._copies: dict[Any, Any] = {}

    def at(self, node):
        """Return a node of the main scene at this moment: itself, or a hidden copy if it changes.

        Raises:
            MedInpaintLib.errors.InputError: a sequence has no frame at this moment.
        """
        if node is None:
            return None
        if node.GetID() in self._copies:
            return self._copies[node.GetID()]
        sequence = sequenceShownBy(node, self._browser)
        transform = self.at(node.GetParentTransformNode())
        if sequence is None and transform is node.GetParentTransformNode():
            return node
        content = node if sequence is None else frameAt(sequence, self._indexValue)
        return self._copy(node, content, node.GetName(), transform)

    def frameOf(self, sequenceNode):
        """Return a hidden copy of a sequence's frame under the proxy's transform.

        Raises:
            MedInpaintLib.errors.InputError: it has no frame at this moment.
        """
        proxy = self._browser.GetProxyNode(sequenceNode) if self._browser is not None else None
        if proxy is not None:
            return self.at(proxy)
        return self._copy(sequenceNode, frameAt(sequenceNode, self._indexValue), sequenceNode.GetName(), None)

    def close(self) -> None:
        """Remove the copies."""
        # Nodes under a transform are removed before the transform.
        for copy in reversed(self._copies.values()):
            slicer.mrmlScene.RemoveNode(copy)
        self._copies = {}

    def _copy(self, original, content, name: str, transform):
        # Not content.CreateNodeInstance(), whose result is never freed in Python.
        copy = type(content)()
        copy.CopyContent(content, False)
        copy.SetName(name)
        copy.SetHideFromEditors(True)
        copy.SetSaveWithScene(False)
        # In the scene, because only there a node finds its parent transform.
        slicer.mrmlScene.AddNode(copy)
        copy.SetAndObserveTransformNodeID(transform.GetID() if transform is not None else None)
        self._copies[original.GetID()] = copy
        return copy


class FilledSequence:
    """A sequence whose frames are filled one after another; it is not in the scene until :meth:`show`.

    Attributes:
        result: a sequence node with the index of the input and the frames added so far.
        uncertainty: a sequence node with their uncertainty, or None.
        resultProxy, uncertaintyProxy: their proxies, once they are shown in a browser.
    """

    def __init__(self, inputSequence, uncertainty: bool) -> None:
        self._input = inputSequence
        self.result = _emptyLike(inputSequence)
        self.uncertainty: Any = _emptyLike(inputSequence) if uncertainty else None
        self.resultProxy: Any = None
        self.uncertaintyProxy: Any = None

    def add(self, indexValue: str, array: np.ndarray, uncertainty: np.ndarray | None = None):
        """Add a filled frame and return its node.

        Args:
            array: the input frame's shape and dtype.
            uncertainty: float32, the input frame's shape and unit; 0 outside the hole. None where there is none.
        """
        frame = self.result.SetDataNodeAtValue(frameAt(self._input, indexValue), indexValue)
        # The copy's content is not that of the DICOM files.
        frame.RemoveAttribute("DICOM.instanceUIDs")
        # Into the existing memory, which keeps the VTK scalar type.
        slicer.util.arrayFromVolume(frame)[...] = array
        if uncertainty is not None:
            self._addUncertainty(indexValue, uncertainty)
        return frame

    def leave(self, indexValue: str, reason: str) -> None:
        """Add a frame of the input unchanged, with the reason why it was not filled."""
        inputFrame = frameAt(self._input, indexValue)
        frame = self.result.SetDataNodeAtValue(inputFrame, indexValue)
        frame.SetAttribute(NOT_FILLED, reason)
        frame.SetDescription(_("Not filled, as it was in the input: {reason}").format(reason=reason))
        if self.uncertainty is not None:
            zeros = np.zeros(slicer.util.arrayFromVolume(inputFrame).shape, dtype=np.float32)
            self._addUncertainty(indexValue, zeros)

    def show(self, browserNode, method: str, description: str) -> None:
        """Add the sequences to the scene, and to the browser of the input, if there is one."""
        name = resultName(self._input, method)
        values = {"Method": method, "Input": self._input.GetName(), "Notice": attributes.NOTICE}
        if self.uncertainty is not None and self.uncertainty.GetNumberOfDataNodes() < len(indexValues(self.result)):
            self.uncertainty = None  # a frame has none, as its warning says
        self.resultProxy = _show(self.result, name, values, self._input, browserNode)
        self.result.SetDescription(f"{description} {attributes.NOTICE}")
        if self.uncertainty is not None:
            self._showUncertainty(browserNode, method, values)

    def nodes(self) -> list:
        """Return the nodes that :meth:`show` has added to the scene."""
        everything = (self.result, self.resultProxy, self.uncertainty, self.uncertaintyProxy)
        return [each for each in everything if each is not None]

    def remove(self) -> None:
        """Remove from the scene and its browsers what :meth:`show` has added and is still there."""
        for sequence, proxy in ((self.uncertainty, self.uncertaintyProxy), (self.result, self.resultProxy)):
            _remove(sequence, proxy)

    def _addUncertainty(self, indexValue: str, array: np.ndarray) -> None:
        inputFrame = frameAt(self._input, indexValue)
        node = type(inputFrame)()
        node.SetName(inputFrame.GetName())
        node.CopyOrientation(inputFrame)
        slicer.util.updateVolumeFromArray(node, array)
        node.SetAttribute("MedInpaint.Notice", attributes.NOTICE)
        self.uncertainty.SetDataNodeAtValue(node, indexValue)

    def _showUncertainty(self, browserNode, method: str, values: dict[str, str]) -> None:
        name = _("{input} uncertainty ({method})").format(input=originalName(self._input), method=method)
        proxy = self.uncertaintyProxy = _show(self.uncertainty, name, values, self._input, browserNode)
        self.result.SetNodeReferenceID(attributes.UNCERTAINTY_ROLE, self.uncertainty.GetID())
        if proxy is None:
            return
        self.resultProxy.SetNodeReferenceID(attributes.UNCERTAINTY_ROLE, proxy.GetID())
        # One scale for all frames.
        frames = (frameAt(self.uncertainty, each) for each in indexValues(self.uncertainty))
        inside = [array[array > 0] for array in map(slicer.util.arrayFromVolume, frames)]
        showAsUncertainty(proxy, np.concatenate([np.zeros(1), *inside]))


def _emptyLike(sequenceNode):
    """Return a sequence with the same kind of index and no frames."""
    node = slicer.vtkMRMLSequenceNode()
    node.SetIndexType(sequenceNode.GetIndexType())
    node.SetIndexName(sequenceNode.GetIndexName())
    node.SetIndexUnit(sequenceNode.GetIndexUnit())
    node.SetNumericIndexValueTolerance(sequenceNode.GetNumericIndexValueTolerance())
    return node


def _show(sequenceNode, name: str, values: dict[str, str], inputSequence, browserNode):
    """Add a sequence to the scene and to its input's browser, whose selected frame stays selected.

    Returns:
        The proxy, with the transform and appearance of the input's; None without a browser.
    """
    sequenceNode.SetName(slicer.mrmlScene.GenerateUniqueName(name))
    recordOrigin(sequenceNode, inputSequence)
    for attribute, value in values.items():
        sequenceNode.SetAttribute(f"MedInpaint.{attribute}", value)
    slicer.mrmlScene.AddNode(sequenceNode)
    if browserNode is None or not slicer.mrmlScene.IsNodePresent(browserNode):
        return None
    browserNode.AddSynchronizedSequenceNode(sequenceNode)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browserNode)
    proxy, inputProxy = browserNode.GetProxyNode(sequenceNode), browserNode.GetProxyNode(inputSequence)
    if proxy is None:
        return None
    proxy.CreateDefaultDisplayNodes()
    if inputProxy is not None:
        proxy.SetAndObserveTransformNodeID(inputProxy.GetTransformNodeID())
        if inputProxy.GetDisplayNode() is not None:
            proxy.GetDisplayNode().CopyContent(inputProxy.GetDisplayNode())
        placeBeside(inputProxy, proxy)
    return proxy


def _remove(sequenceNode, proxy) -> None:
    """Remove a sequence and its proxies."""
    proxies = [proxy]
    if sequenceNode is not None and slicer.mrmlScene.IsNodePresent(sequenceNode):
        # Remove the sequence first: a browser that has it would create the removed proxy again.
        for browser in _browsersOf(sequenceNode):
            proxies.append(browser.GetProxyNode(sequenceNode))
            browser.RemoveSynchronizedSequenceNode(sequenceNode.GetID())
        slicer.mrmlScene.RemoveNode(sequenceNode)
    for each in proxies:
        removeVolume(each)


def _browsersOf(sequenceNode) -> list:
    nodes = vtk.vtkCollection()
    slicer.modules.sequences.logic().GetBrowserNodesForSequenceNode(sequenceNode, nodes)
    return _items(nodes)


def _browsedBy(browserNode) -> list:
    nodes = vtk.vtkCollection()
    browserNode.GetSynchronizedSequenceNodes(nodes, True)
    return _items(nodes)


def _items(collection) -> list:
    return [collection.GetItemAsObject(number) for number in range(collection.GetNumberOfItems())]
