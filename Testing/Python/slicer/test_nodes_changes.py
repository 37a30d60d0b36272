"""When what is said about nodes has changed."""

import numpy as np
import slicer
from panelhost.batches import addSequence
from panelhost.phantom import addSegmentation, addVolume, box, ramp

from MedInpaintSlicer.nodes.changes import NodesObserver


def _observed(*nodes):
    """An observer, and the list that it adds to."""
    told: list = []
    observer = NodesObserver(lambda: told.append(1))
    observer.observe(nodes)
    return observer, told


def test_another_name_is_told_once():
    volume, other = addVolume(), addVolume(name="T2")
    _observer, told = _observed(volume, None)
    volume.SetName("Head")
    assert len(told) == 1
    volume.SetName("Head")
    other.SetName("Other")
    assert len(told) == 1


def test_segments_that_are_added_renamed_or_removed_are_told_and_nothing_else():
    segmentation = addSegmentation(addVolume(), lesion=box())
    _observer, told = _observed(segmentation)
    segments = segmentation.GetSegmentation()
    segments.GetSegment("lesion").SetColor(1, 0, 0)
    slicer.util.updateSegmentBinaryLabelmapFromArray(box(k=(8, 10)).astype(np.uint8), segmentation, "lesion")
    segmentation.Modified()
    assert told == []
    segments.GetSegment("lesion").SetName("Tumor")
    assert len(told) == 1
    segments.AddEmptySegment("edema", "edema")
    assert len(told) == 2
    segments.RemoveSegment("edema")
    assert len(told) == 3


def test_voxels_and_frames_that_come_later_are_told():
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    sequence, _ = addSequence([ramp()])
    frame = sequence.GetNthDataNode(0)
    _observer, told = _observed(volume, sequence)
    slicer.util.updateVolumeFromArray(volume, ramp())
    assert len(told) == 1
    slicer.util.updateVolumeFromArray(volume, ramp() + 1)
    assert len(told) == 1
    sequence.SetDataNodeAtValue(frame, "7")
    assert len(told) == 2


def test_only_the_nodes_of_now_are_looked_at():
    first, second = addVolume(), addVolume(name="T2")
    observer, told = _observed(first)
    observer.observe([second])
    first.SetName("Other")
    assert told == []
    second.SetName("Head")
    observer.observe(())
    second.SetName("Brain")
    assert len(told) == 1


def test_the_same_nodes_again_are_not_observed_anew(monkeypatch):
    volume, segmentation = addVolume(), addSegmentation(addVolume(), lesion=box())
    observer, told = _observed(volume, segmentation)
    monkeypatch.setattr(observer, "addObserver", lambda *given: told.append(given))
    observer.observe((volume, None, segmentation, volume))
    assert told == []
