"""Which segmentation belongs to which volume."""

import pytest
from panelhost.phantom import addSegmentation, addVolume, box

from MedInpaintSlicer.nodes.ownholes import markedBy, markedByNames, ownMarked


def _segmentation(name: str, drawnOn=None, segments=("lesion",)):
    node = addSegmentation(drawnOn or addVolume(name="somewhere"), **dict.fromkeys(segments, box()))
    if drawnOn is None:
        node.RemoveNodeReferenceIDs(node.GetReferenceImageGeometryReferenceRole())
    node.SetName(name)
    return node


def test_the_one_that_was_drawn_on_the_volume_comes_first():
    t1, t2 = addVolume(name="T1"), addVolume(name="T2")
    drawn, _ = _segmentation("Segmentation", t1), _segmentation("Segmentation_1", t2)
    _segmentation("T1 lesions")
    found = ownMarked(t1, [])
    assert found.problem == ""
    assert found.segmentation is drawn
    assert found.segmentIds == ("lesion",)
    assert found.names == "Segmentation: lesion"


@pytest.mark.parametrize("name", ["Case 1", "Case 1_seg", "Case 1 lesions", "Case 1-label"])
def test_else_the_one_whose_name_begins_with_the_volumes(name):
    volume = addVolume(name="Case 1")
    _segmentation("Case 10_seg")
    _segmentation("Case 1 on another", drawnOn=addVolume(name="Case 2"))
    loaded = _segmentation(name)
    assert ownMarked(volume, []).segmentation is loaded


def test_a_volume_without_any_is_told():
    found = ownMarked(addVolume(name="T1"), [])
    assert found.problem
    assert found.segmentation is None
    assert "no segmentation was drawn on it" in found.problem


def test_of_several_the_one_that_has_the_named_segments_is_taken():
    volume = addVolume(name="T1")
    _segmentation("Brain", volume, ["brain"])
    lesions = _segmentation("Lesions", volume, ["lesion", "edema"])
    found = ownMarked(volume, [])
    assert found.problem
    assert found.problem == "several segmentations belong to it: 'Brain', 'Lesions'"
    assert ownMarked(volume, ["lesion"]).segmentation is lesions
    assert ownMarked(volume, ["lesion"]).segmentIds == ("lesion",)
    assert ownMarked(volume, ["cyst"]).problem


def test_a_hidden_segmentation_belongs_to_nobody():
    volume = addVolume(name="T1")
    _segmentation("Hidden", volume).SetHideFromEditors(True)
    assert ownMarked(volume, []).problem


def test_segments_are_found_by_their_names():
    node = _segmentation("Lesions", segments=["a", "b", "c"])
    node.GetSegmentation().GetSegment("a").SetName("lesion")
    node.GetSegmentation().GetSegment("c").SetName("lesion")
    assert markedByNames(node, ["lesion"]).segmentIds == ("a", "c")
    assert markedByNames(node, ["lesion"]).names == "Lesions: lesion, lesion"
    assert markedByNames(node, []).segmentIds == ("a", "b", "c")
    assert markedByNames(node, ["b", "cyst"]).problem == "'Lesions' has no segment 'cyst'"
    assert markedByNames(_segmentation("Empty", segments=[]), []).problem == "'Empty' has no segments"
    assert markedByNames(None, []).problem == "no segmentation"


def test_segments_that_have_gone_are_left_out():
    node = _segmentation("Lesions", segments=["a", "b"])
    assert markedBy(node, ["a", "gone"]).segmentIds == ("a",)
    assert markedBy(node, ["gone"]).problem
    assert markedBy(node, []).problem == "no segment of 'Lesions' is chosen"
    assert markedBy(None, ["a"]).problem
