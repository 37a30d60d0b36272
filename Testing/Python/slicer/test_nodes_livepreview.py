"""The live preview in the scene: one hidden volume that follows the segments, exactly as the engine fills them."""

import numpy as np
import pytest
import slicer
from panelhost.phantom import addSegmentation, addTransform, addVolume, box, obliqueMatrix, ramp, rotation, sceneContent

from MedInpaintLib.errors import ImageReadError
from MedInpaintSlicer.nodes import images, marks, views
from MedInpaintSlicer.nodes.holes import holeOf
from MedInpaintSlicer.nodes.livepreview import LivePreview


def _damaged():
    array = ramp()
    array[box()] = 0
    return array


def _paint(segmentation, mask, volume, segmentId="lesion"):
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), segmentation, segmentId, volume)


def _shown(preview):
    return slicer.util.arrayFromVolume(preview.node)


def test_the_preview_follows_the_segment_and_is_exact_outside():
    volume = addVolume(_damaged())
    segmentation = addSegmentation(volume, lesion=box())
    preview = LivePreview(volume)
    assert preview.follow(segmentation, ["lesion"]) == 0
    assert np.array_equal(_shown(preview), ramp())  # a thin plate restores what is linear
    larger = box(k=(4, 10))
    _paint(segmentation, larger, volume)
    preview.follow(segmentation, ["lesion"])
    assert np.array_equal(_shown(preview), ramp())
    _paint(segmentation, box(k=(4, 6)), volume)
    preview.follow(segmentation, ["lesion"])
    assert np.array_equal(_shown(preview)[6:], _damaged()[6:])
    assert np.array_equal(slicer.util.arrayFromVolume(volume), _damaged())


def test_the_hole_may_grow():
    volume = addVolume(_damaged())
    preview = LivePreview(volume)
    preview.follow(addSegmentation(volume, lesion=box(k=(5, 7))), ["lesion"], growMm=2.0)
    assert np.array_equal(_shown(preview), ramp())


def test_nothing_marked_shows_the_volume():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box(), empty=np.zeros_like(box()))
    preview = LivePreview(volume)
    preview.follow(segmentation, ["lesion"])
    preview.follow(segmentation, ["empty", "removed meanwhile"])
    assert np.array_equal(_shown(preview), ramp())


def test_the_preview_is_hidden_not_saved_and_leaves_nothing_behind():
    volume = addVolume()
    volume.SetAttribute("DICOM.instanceUIDs", "1.2.3")
    segmentation = addSegmentation(volume, lesion=box())
    before = set(sceneContent())
    preview = LivePreview(volume)
    preview.follow(segmentation, ["lesion"])
    assert preview.node.GetHideFromEditors()
    assert not preview.node.GetSaveWithScene()
    assert preview.node.GetAttribute("DICOM.instanceUIDs") is None
    assert images.firstNode("vtkMRMLScalarVolumeNode") is volume
    preview.remove()
    assert set(sceneContent()) == before


def test_it_is_told_from_the_preview_of_other_voxels():
    volume, other = addVolume(), addVolume(name="T2")
    preview = LivePreview(volume)
    volume.SetName("Head")
    assert preview.isOf(volume)
    assert not preview.isOf(other)
    slicer.util.updateVolumeFromArray(volume, ramp() + 1)
    assert not preview.isOf(volume)


def test_it_moves_with_the_volume():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box())
    preview = LivePreview(volume)
    transform = addTransform(rotation(30, "X"))
    for node in (volume, segmentation):
        node.SetAndObserveTransformNodeID(transform.GetID())
    preview.follow(segmentation, ["lesion"])
    assert preview.node.GetParentTransformNode() is transform


def test_a_color_volume_is_refused():
    node = slicer.util.addVolumeFromArray(np.zeros((4, 4, 4, 3), np.uint8), nodeClassName="vtkMRMLVectorVolumeNode")
    with pytest.raises(ImageReadError, match="3 values per voxel"):
        LivePreview(node)


# The marks, against the resampling of a fill.


def _agree(segmentation, segmentIds, volume):
    mask = marks.marksOf(segmentation, segmentIds, volume)
    assert mask.any()
    assert np.array_equal(mask, holeOf(segmentation, segmentIds, volume).mask)
    return mask


def test_painted_segments_are_read_without_resampling(monkeypatch):
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box(), edema=box(k=(9, 11)), both=box(k=(7, 10)))
    masks = [_agree(segmentation, ids, volume) for ids in (["lesion"], ["lesion", "both"], ["edema"])]
    monkeypatch.setattr(marks, "Labelmaps", None)
    assert np.array_equal(marks.marksOf(segmentation, ["lesion"], volume), masks[0])


def test_segments_that_share_a_labelmap_are_told_apart():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box(), edema=box(k=(9, 11)))
    segmentation.GetSegmentation().CollapseBinaryLabelmaps(False)
    for each in ("lesion", "edema"):
        _agree(segmentation, [each], volume)


@pytest.mark.parametrize("shift", [(0, 0, 0), (-3, 2, 1), (40, 0, 0)])
def test_a_labelmap_that_covers_another_box_of_the_grid(shift):
    volume = addVolume()
    moved = np.eye(4)
    moved[:3, 3] = shift
    other = addVolume(np.zeros((9, 20, 10), np.int16), obliqueMatrix() @ moved, "Other")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(other)
    segmentation.GetSegmentation().AddEmptySegment("lesion", "lesion")
    _paint(segmentation, np.ones((9, 20, 10)), other)
    mask = marks.marksOf(segmentation, ["lesion"], volume)
    expected = np.zeros(mask.shape, dtype=bool)
    i, j, k = shift
    expected[max(k, 0) : k + 9, max(j, 0) : j + 20, max(i, 0) : i + 10] = True  # 40 lies beyond the volume
    assert np.array_equal(mask, expected)


@pytest.mark.parametrize("what", ["another grid", "a transform of its own", "a closed surface"])
def test_other_segments_are_resampled(what):
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box())
    if what == "another grid":
        matrix = obliqueMatrix() @ np.diag([0.5, 0.5, 0.5, 1.0])
        finer = addVolume(np.zeros([2 * size for size in ramp().shape], np.int16), matrix, "Finer")
        _paint(segmentation, box().repeat(2, 0).repeat(2, 1).repeat(2, 2), finer)
    elif what == "a transform of its own":
        segmentation.SetAndObserveTransformNodeID(addTransform(rotation(3, "Y")).GetID())
    else:
        segmentation.CreateClosedSurfaceRepresentation()
        segmentation.GetSegmentation().SetSourceRepresentationName("Closed surface")
        segmentation.RemoveBinaryLabelmapRepresentation()
    _agree(segmentation, ["lesion"], volume)


# The layer of the views.


def test_a_layer_is_shown_and_then_as_it_was():
    before, preview, chosen = addVolume(), addVolume(name="Preview"), addVolume(name="Chosen")
    seen, elsewhere = (slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode") for _ in range(2))
    seen.SetForegroundVolumeID(before.GetID())
    seen.SetForegroundOpacity(0.25)
    layer = views.Layer("Foreground")
    layer.show(preview)
    for view in (seen, elsewhere):
        assert (view.GetForegroundVolumeID(), view.GetForegroundOpacity()) == (preview.GetID(), 1.0)
    elsewhere.SetForegroundVolumeID(chosen.GetID())
    layer.restore()
    assert (seen.GetForegroundVolumeID(), seen.GetForegroundOpacity()) == (before.GetID(), 0.25)
    assert elsewhere.GetForegroundVolumeID() == chosen.GetID()
