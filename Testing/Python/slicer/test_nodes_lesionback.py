"""The lesion in segmentations and label maps of the scene: voxels, volumes in the table, and untouched inputs."""

import numpy as np
import pytest
import slicer
from panelhost.phantom import addSegmentation, addTransform, addVolume, box, obliqueMatrix, rotation, sceneContent

from MedInpaintLib.errors import MaskError, ParameterError
from MedInpaintSlicer.nodes import holes, lesionback, segments

BRAIN, SMALL = box((2, 10), (3, 13), (2, 12)), box((5, 6), (6, 8), (5, 7))
#: Of the oblique phantom's voxels.
ML = 0.8 * 0.9 * 2.0 / 1000


@pytest.fixture
def scene():
    """The filled volume, the lesion that was filled in it, and a segmentation that was made of it."""
    volume = addVolume()
    lesion = addSegmentation(volume, lesion=box())
    anatomy = addSegmentation(volume, brain=BRAIN, small=SMALL, far=box((0, 1), (0, 2), (0, 2)))
    anatomy.SetName("Anatomy")
    return volume, lesion, anatomy


def _putBack(segmentation, lesion, segmentIds=None, **options):
    ids = segments.allSegmentIds(lesion) if segmentIds is None else segmentIds
    node, warnings = lesionback.putBack(segmentation, lesionback.Lesion(lesion, ids), **options)
    assert warnings == []
    return node


def _array(node, segmentId, volume):
    return slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentId, volume).astype(bool)


def _table(node) -> dict[str, dict]:
    table = lesionback.regionsOf(node).GetTable()
    columns = [table.GetColumn(number) for number in range(table.GetNumberOfColumns())]
    rows = [{column.GetName(): column.GetValue(row) for column in columns} for row in range(table.GetNumberOfRows())]
    return {row["name"]: row for row in rows}


def _names(node) -> list[str]:
    segmentation = node.GetSegmentation()
    return [segmentation.GetSegment(each).GetName() for each in segmentation.GetSegmentIDs()]


def test_the_lesion_becomes_a_segment_and_leaves_the_others(scene):
    volume, lesion, anatomy = scene
    before = {each: _array(anatomy, each, volume).copy() for each in ("brain", "small", "far")}
    node = _putBack(anatomy, lesion)
    assert node.GetName() == "Anatomy with lesion"
    assert _names(node) == ["brain", "small", "far", "Lesion"]
    lesionId = node.GetSegmentation().GetSegmentIdBySegmentName("Lesion")
    np.testing.assert_array_equal(_array(node, lesionId, volume), box())
    for each, array in before.items():
        np.testing.assert_array_equal(_array(node, each, volume), array & ~box())
        np.testing.assert_array_equal(_array(anatomy, each, volume), array)
    rows = _table(node)
    assert list(rows) == ["brain", "small", "far", "Lesion"]
    assert rows["brain"]["volume_before_ml"] == pytest.approx(BRAIN.sum() * ML, rel=1e-5)
    assert rows["brain"]["volume_after_ml"] == pytest.approx((BRAIN & ~box()).sum() * ML, rel=1e-5)
    assert (rows["small"]["covered_percent"], rows["small"]["volume_after_ml"]) == (100, 0)
    assert rows["far"]["covered_ml"] == 0
    assert rows["Lesion"]["volume_after_ml"] == pytest.approx(box().sum() * ML, rel=1e-5)


def test_the_lesion_can_be_cut_out(scene):
    volume, lesion, anatomy = scene
    node = _putBack(anatomy, lesion, cut=True)
    assert _names(node) == ["brain", "small", "far"]
    np.testing.assert_array_equal(_array(node, "brain", volume), BRAIN & ~box())
    assert "Lesion" not in _table(node)


def test_nodes_may_lie_under_transforms(scene):
    """First all is turned; then the anatomy alone is moved, so that it lies elsewhere in the volume."""
    volume, lesion, anatomy = scene
    turn = addTransform(rotation(25, "Z"))
    for each in scene:
        each.SetAndObserveTransformNodeID(turn.GetID())
    node = _putBack(anatomy, lesion)
    assert node.GetTransformNodeID() == turn.GetID()
    np.testing.assert_array_equal(_array(node, "brain", volume), BRAIN & ~box())

    move = np.eye(4)
    move[:3, 3] = obliqueMatrix()[:3, 0]  # a voxel along i
    anatomy.SetAndObserveTransformNodeID(addTransform(move).GetID())
    for each in (volume, lesion):
        each.SetAndObserveTransformNodeID(None)
    node = _putBack(anatomy, lesion, volumeNode=volume)
    expected = np.roll(BRAIN, 1, axis=2) & ~box()
    np.testing.assert_array_equal(holes.holeOf(node, ("brain",), volume).mask, expected)
    np.testing.assert_array_equal(holes.holeOf(node, ("far",), volume).mask, box((0, 1), (0, 2), (1, 3)))


def test_lesion_and_regions_may_be_in_one_segmentation(scene):
    volume, _lesion, _anatomy = scene
    both = addSegmentation(volume, brain=BRAIN, lesion=box())
    node = _putBack(both, both, segmentIds=("lesion",))
    assert _names(node) == ["brain", "Lesion"]
    lesionId = node.GetSegmentation().GetSegmentIdBySegmentName("Lesion")
    np.testing.assert_array_equal(_array(node, "brain", volume), BRAIN & ~box())
    np.testing.assert_array_equal(_array(node, lesionId, volume), box())
    assert _names(both) == ["brain", "lesion"]
    assert list(_table(node)) == ["brain", "Lesion"]


def test_closed_surfaces_are_made_label_maps_in_the_copy(scene):
    volume, lesion, anatomy = scene
    segmentation = anatomy.GetSegmentation()
    surface = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    labelmap = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    assert segmentation.CreateRepresentation(surface)
    segmentation.SetSourceRepresentationName(surface)
    segmentation.RemoveRepresentation(labelmap)
    node = _putBack(anatomy, lesion, volumeNode=volume)
    assert not segmentation.ContainsRepresentation(labelmap)
    after = _array(node, "brain", volume)
    assert not after[box()].any()
    # Surfaces round off corners, here a tenth of the voxels; the table tells of what is there.
    assert after.sum() == pytest.approx((BRAIN & ~box()).sum(), rel=0.15)
    assert _table(node)["brain"]["volume_after_ml"] == pytest.approx(after.sum() * ML, rel=1e-5)


def _addLabels(volume, labels):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Labels")
    slicer.modules.volumes.logic().CreateLabelVolumeFromVolume(slicer.mrmlScene, node, volume)
    slicer.util.updateVolumeFromArray(node, labels)
    return node


LABELS = np.where(SMALL, 5, np.where(BRAIN, 2, 0)).astype(np.uint8)


@pytest.mark.parametrize(("number", "dtype"), [(None, np.uint8), (1000, np.int16)])
def test_a_label_map_gets_a_label(scene, number, dtype):
    volume, lesion, _anatomy = scene
    labels = _addLabels(volume, LABELS)
    result, warnings = lesionback.putBack(labels, lesionback.Lesion(lesion, ("lesion",)), number=number)
    assert ["does not fit" in each for each in warnings] == [True] * (number == 1000)
    array = slicer.util.arrayFromVolume(result)
    np.testing.assert_array_equal(array, np.where(box(), number or 6, LABELS.astype(int)))
    assert array.dtype == dtype
    assert result.IsA("vtkMRMLLabelMapVolumeNode")
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(labels), LABELS)
    assert lesionback.regionsOf(result).GetNumberOfRows() == 3


def test_names_of_labels_are_those_of_colors_made_for_them(scene):
    volume, lesion, _anatomy = scene
    labels = _addLabels(volume, LABELS)
    colors = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLColorTableNode", "Mine")
    colors.SetTypeToUser()
    colors.SetNumberOfColors(10)
    for label, name in ((2, "Left brain"), (5, "spot"), (9, "Lesion")):
        colors.SetColor(label, name, 1, 1, 1)
    labels.CreateDefaultDisplayNodes()
    labels.GetDisplayNode().SetAndObserveColorNodeID(colors.GetID())
    result = _putBack(labels, lesion)
    rows = _table(result)
    assert (rows["Left brain"]["side"], rows["spot"]["label"]) == ("left", 5)
    assert rows["Lesion"]["label"] == 9


def test_what_cannot_be_used_is_said_and_leaves_no_trace(scene):
    volume, lesion, anatomy = scene
    far = addSegmentation(volume, lesion=box((11, 12), (15, 16), (13, 14)))
    before = sceneContent()
    for arguments, error, message in (
        ((anatomy, far), MaskError, "covers no segment of 'Anatomy'"),
        ((None, lesion), MaskError, "There is no segmentation"),
        ((volume, lesion), MaskError, "There is no segmentation"),
        ((anatomy, volume), MaskError, "must be a segmentation node"),
    ):
        with pytest.raises(error, match=message):
            _putBack(*arguments)
    with pytest.raises(ParameterError, match="Segments have no numbers"):
        _putBack(anatomy, lesion, number=7)
    assert sceneContent().keys() == before.keys()
