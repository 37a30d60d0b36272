"""Sequences, and workers that only pretend to fill many things one after another."""

import numpy as np
import slicer

from MedInpaintLib import Volume

from .phantom import addVolume, box, ramp
from .workers import PretendingRunner


def damagedRamp(number: int, dtype=np.int16) -> np.ndarray:
    """The ramp plus a number, with a hole; the smooth methods restore it exactly."""
    array = ramp(dtype) + dtype(number)
    array[box()] = 0
    return array


def addSequence(frames, name: str = "CT", indexValues=None, browser=None):
    """A sequence of copies of nodes, which are removed, or of arrays, with a browser that shows its first frame.

    Returns:
        The sequence node and the browser node.
    """
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    for number, frame in enumerate(frames):
        node = addVolume(frame, name=name) if isinstance(frame, np.ndarray) else frame
        sequence.SetDataNodeAtValue(node, indexValues[number] if indexValues else str(0.5 * number))
        slicer.mrmlScene.RemoveNode(node)
    if browser is None:
        browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", f"{name} browser")
    browser.AddSynchronizedSequenceNode(sequence)
    browser.SetSelectedItemNumber(max(browser.GetSelectedItemNumber(), 0))
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    return sequence, browser


def framesOf(sequence) -> dict[str, np.ndarray]:
    """Index value -> a copy of the frame's voxels."""
    values = [sequence.GetNthIndexValue(number) for number in range(sequence.GetNumberOfDataNodes())]
    return {each: slicer.util.arrayFromVolume(sequence.GetDataNodeAtValue(each)).copy() for each in values}


def nodeNames() -> list[str]:
    """Of all nodes in the scene, hidden ones too."""
    return sorted(f"{node.GetID()} {node.GetName()}" for node in slicer.util.getNodesByClass("vtkMRMLNode"))


class Workers:
    """Makes runners and keeps them; the test then plays the worker of the last one."""

    def __init__(self) -> None:
        self.runners: list[PretendingRunner] = []

    def __call__(self) -> PretendingRunner:
        self.runners.append(PretendingRunner())
        return self.runners[-1]

    def fill(self, value: int = 999, **report) -> None:
        """The worker puts a value into the hole, and ends; a report with a reason comes without an uncertainty."""
        runner = self.runners[-1]
        image, mask = Volume.read(runner.job["image"]), Volume.read(runner.job["mask"])
        array = image.array.copy()
        array[mask.array > 0] = value
        image.with_array(array).write(runner.job["output"])
        if runner.job["uncertainty"] and not report.get("uncertainty", {}).get("reason"):
            image.with_array((mask.array > 0).astype(np.float32) * value).write(runner.job["uncertainty"])
        hole = {"volume_ml": 1.0, "voxels": int((mask.array > 0).sum())}
        said = {"software": "Pretender", "method": "harmonic", "parameters": {}, "blend": "paste", "seed": 0}
        said |= {"hole": hole, "parts": [], "self_check": None, "warnings": [], "trust": "None.", **report}
        runner.say({"event": "result", "output": runner.job["output"], "report": said})
        runner.exit(0)

    def fail(self, message: str) -> None:
        """The worker ends with an error."""
        self.runners[-1].say({"event": "error", "kind": "MaskError", "message": message})
        self.runners[-1].exit(2)
