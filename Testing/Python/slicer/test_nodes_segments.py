"""Segments that come, go and are renamed."""

import numpy as np
import pytest

pytest.importorskip("slicer.util", reason="the tests on real MRML need the package slicer-core")

import slicer
from panelhost import mrml
from panelhost.phantom import addSegmentation, addVolume, box

from MedInpaintLib.errors import MaskError
from MedInpaintSlicer.nodes import changes, segments


@pytest.fixture
def marks():
    mrml.clearScene()
    volume = addVolume()
    yield volume, addSegmentation(volume, lesion=box())
    mrml.clearScene()


def test_each_change_of_the_list_of_segments_is_told(marks):
    told = []
    observer = changes.NodesObserver(lambda: told.append(list(segments.segmentNames(marks[1]).values())))
    observer.observe([marks[1]])
    segmentation = marks[1].GetSegmentation()
    segmentation.AddEmptySegment("edema", "edema")
    segmentation.GetSegment("lesion").SetName("tumor")
    segmentation.RemoveSegment("edema")
    assert told == [["lesion", "edema"], ["tumor", "edema"], ["tumor"]]
    observer.observe(())
    segmentation.GetSegment("lesion").SetName("scar")
    assert len(told) == 3


def test_painting_and_colors_are_not_told(marks):
    volume, segmentation = marks
    told = []
    observer = changes.NodesObserver(lambda: told.append(True))
    observer.observe([segmentation])
    segmentation.GetSegmentation().GetSegment("lesion").SetColor(0, 0, 1)
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        np.ones_like(box(), dtype=np.uint8), segmentation, "lesion", volume
    )
    assert told == []


def test_only_a_segmentation_has_segments(marks):
    assert segments.allSegmentIds(marks[1]) == ("lesion",)
    assert segments.allSegmentIds(None) == ()
    with pytest.raises(MaskError, match=r"must be a segmentation node .*; found the vtkMRMLScalarVolumeNode 'T1'\."):
        segments.allSegmentIds(marks[0])
