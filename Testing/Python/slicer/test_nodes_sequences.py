"""Frames of sequences as nodes of the scene, and filled frames as sequences; on real MRML."""

import numpy as np
import pytest
import slicer
import vtk
from panelhost import mrml
from panelhost.batches import addSequence, damagedRamp, framesOf, nodeNames
from panelhost.phantom import addSegmentation, addTransform, addVolume, box, obliqueMatrix, ramp, rotation

from MedInpaintLib.errors import InputError
from MedInpaintSlicer.nodes import sequences
from MedInpaintSlicer.nodes.holes import holeOf


def _shift(voxels: float) -> np.ndarray:
    """A translation by voxels along i."""
    matrix = np.eye(4)
    matrix[:3, 3] = voxels * obliqueMatrix()[:3, 0]
    return matrix


def _scroll(browser, number: int) -> None:
    browser.SetSelectedItemNumber(number)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)


def _matrixToWorld(node) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    node.GetParentTransformNode().GetMatrixTransformToWorld(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _ijkToRAS(volume) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def test_what_does_not_change_over_the_sequence_is_taken_as_it_is():
    _, browser = addSequence([ramp(), ramp()])
    volume, transform = addVolume(name="T2"), addTransform(rotation(10, "X"))
    volume.SetAndObserveTransformNodeID(transform.GetID())
    before = nodeNames()
    moment = sequences.Moment(browser, "0.5")
    assert moment.at(volume) is volume
    assert moment.at(transform) is transform
    assert moment.at(None) is None
    assert nodeNames() == before


def test_a_proxy_is_what_it_shows_at_that_moment_and_itself_stays_as_it_is():
    sequence, browser = addSequence([ramp(), ramp() + 1, ramp() + 2])
    proxy = browser.GetProxyNode(sequence)
    before = nodeNames()
    for number, value in enumerate(("0.0", "0.5", "1.0")):
        moment = sequences.Moment(browser, value)
        copy = moment.at(proxy)
        assert copy is moment.at(proxy), "each node is copied once"
        assert np.array_equal(slicer.util.arrayFromVolume(copy), ramp() + number)
        assert copy.GetHideFromEditors()
        assert not copy.GetSaveWithScene()
        assert copy.GetDisplayNode() is None
        moment.close()
        assert nodeNames() == before
    assert browser.GetSelectedItemNumber() == 0
    assert np.array_equal(slicer.util.arrayFromVolume(proxy), ramp())


def test_what_is_under_a_moving_transform_moves():
    transforms = [addTransform(_shift(number)) for number in range(3)]
    moving, browser = addSequence(transforms, "Motion")
    table = addTransform(rotation(15, "Z"), "Table")
    proxy = browser.GetProxyNode(moving)
    proxy.SetAndObserveTransformNodeID(table.GetID())
    volume = addVolume()
    volume.SetAndObserveTransformNodeID(proxy.GetID())
    moment = sequences.Moment(browser, "1.0")
    copy = moment.at(volume)
    assert np.allclose(_matrixToWorld(copy), rotation(15, "Z") @ _shift(2))
    assert np.allclose(_matrixToWorld(volume), rotation(15, "Z"))
    moment.close()


def test_a_hole_under_a_moving_transform_is_where_it_is_in_that_frame():
    moving, browser = addSequence([addTransform(_shift(number)) for number in range(3)], "Motion")
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box())
    segmentation.SetAndObserveTransformNodeID(browser.GetProxyNode(moving).GetID())
    for number, value in enumerate(("0.0", "0.5", "1.0")):
        moment = sequences.Moment(browser, value)
        hole = holeOf(moment.at(segmentation), ["lesion"], moment.at(volume))
        assert np.array_equal(hole.mask, box(i=(4 + number, 9 + number)))
        moment.close()


def test_a_sequence_without_browser_has_frames_too():
    sequence, browser = addSequence([ramp(), ramp() + 1])
    slicer.mrmlScene.RemoveNode(browser)
    before = nodeNames()
    moment = sequences.Moment(None, "0.5")
    copy = moment.frameOf(sequence)
    assert np.array_equal(slicer.util.arrayFromVolume(copy), ramp() + 1)
    assert copy.GetName() == "CT"
    moment.close()
    assert nodeNames() == before


def test_what_a_sequence_does_not_have_at_that_moment_is_told():
    volumes, browser = addSequence([ramp(), ramp()])
    segmentation, _ = addSequence([addSegmentation(addVolume(), lesion=box())], "Lesions", browser=browser)
    moment = sequences.Moment(browser, "0.5")
    with pytest.raises(InputError, match=r"'Lesions' has nothing at time 0\.5 s"):
        moment.at(browser.GetProxyNode(segmentation))
    assert sequences.hasFrame(volumes, "0.5")
    assert not sequences.hasFrame(segmentation, "0.5")


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
def test_a_filled_frame_keeps_voxel_type_and_place_and_the_input_its_voxels(dtype):
    sequence, _ = addSequence([damagedRamp(0, dtype)])
    filled = sequences.FilledSequence(sequence, uncertainty=False)
    frame = filled.add("0.0", ramp(dtype))
    original = sequence.GetNthDataNode(0)
    assert frame.GetImageData().GetScalarType() == original.GetImageData().GetScalarType()
    assert np.array_equal(slicer.util.arrayFromVolume(frame), ramp(dtype))
    assert np.array_equal(slicer.util.arrayFromVolume(original), damagedRamp(0, dtype))
    assert np.allclose(_ijkToRAS(frame), obliqueMatrix())
    assert filled.result.GetScene() is None


def test_the_index_of_the_input_is_kept():
    sequence, browser = addSequence([])
    sequence.SetIndexType(sequence.TextIndex)
    sequence.SetIndexName("phase")
    sequence.SetIndexUnit("")
    for value in ("rest", "stress", "late"):
        sequence.SetDataNodeAtValue(addVolume(), value)
    filled = sequences.FilledSequence(sequence, uncertainty=True)
    filled.add("rest", ramp(), np.zeros(ramp().shape, np.float32))
    filled.leave("stress", "Too large.")
    filled.add("late", ramp(), np.zeros(ramp().shape, np.float32))
    filled.show(browser, "harmonic", "Filled.")
    for made in (filled.result, filled.uncertainty):
        assert sequences.indexValues(made) == ("rest", "stress", "late")
        assert (made.GetIndexName(), made.GetIndexUnit()) == ("phase", "")
        assert made.GetIndexType() == made.TextIndex
    assert sequences.frameName(filled.result, "late") == "phase late"


def test_close_index_values_stay_apart():
    sequence, _ = addSequence([])
    sequence.SetNumericIndexValueTolerance(1e-6)
    for value in ("0.0001", "0.0002"):
        sequence.SetDataNodeAtValue(addVolume(), value)
    filled = sequences.FilledSequence(sequence, uncertainty=False)
    for value in sequences.indexValues(sequence):
        filled.add(value, ramp())
    assert sequences.indexValues(filled.result) == ("0.0001", "0.0002")


def test_the_result_is_shown_like_the_input_and_scrolls_with_it():
    sequence, browser = addSequence([ramp(), ramp() + 1])
    _scroll(browser, 1)
    proxy = browser.GetProxyNode(sequence)
    transform = addTransform(rotation(10, "X"))
    proxy.SetAndObserveTransformNodeID(transform.GetID())
    proxy.GetDisplayNode().SetAutoWindowLevel(False)
    proxy.GetDisplayNode().SetWindowLevel(33, 44)
    proxy.GetDisplayNode().SetAndObserveColorNodeID("vtkMRMLColorTableNodeWarm1")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "Study")
    hierarchy.CreateItem(study, proxy)
    filled = sequences.FilledSequence(sequence, uncertainty=False)
    filled.add("0.0", ramp() + 10)
    filled.add("0.5", ramp() + 20)
    filled.show(browser, "harmonic", "Filled.")
    assert browser.GetSelectedItemNumber() == 1
    made = filled.resultProxy
    assert browser.GetSequenceNode(made) is filled.result
    assert browser.GetMasterSequenceNode() is sequence
    assert made.GetParentTransformNode() is transform
    assert (made.GetDisplayNode().GetWindow(), made.GetDisplayNode().GetLevel()) == (33, 44)
    assert made.GetDisplayNode().GetColorNode() is proxy.GetDisplayNode().GetColorNode()
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(made)) == study
    assert made.GetName() == filled.result.GetName() == "CT filled (harmonic)"
    assert np.array_equal(slicer.util.arrayFromVolume(made), ramp() + 20)
    _scroll(browser, 0)
    assert np.array_equal(slicer.util.arrayFromVolume(made), ramp() + 10)
    assert np.array_equal(slicer.util.arrayFromVolume(proxy), ramp())


def test_the_result_says_that_it_is_synthetic_and_what_was_not_filled():
    sequence, browser = addSequence([ramp(), ramp() + 1])
    filled = sequences.FilledSequence(sequence, uncertainty=False)
    filled.add("0.0", ramp())
    filled.leave("0.5", "No voxel is inside.")
    filled.show(browser, "harmonic", "1 of 2 frames filled.")
    assert filled.result.GetAttribute("MedInpaint.Method") == "harmonic"
    assert filled.result.GetAttribute("MedInpaint.Input") == "CT"
    assert filled.result.GetDescription().startswith("1 of 2 frames filled.")
    assert "not for clinical use" in filled.result.GetDescription()
    _scroll(browser, 1)
    assert np.array_equal(slicer.util.arrayFromVolume(filled.resultProxy), ramp() + 1)
    assert filled.resultProxy.GetAttribute(sequences.NOT_FILLED) == "No voxel is inside."
    assert "No voxel is inside" in filled.resultProxy.GetDescription()
    _scroll(browser, 0)
    assert filled.resultProxy.GetAttribute(sequences.NOT_FILLED) is None


def test_the_uncertainty_has_one_scale_for_all_frames():
    sequence, browser = addSequence([ramp(), ramp(), ramp()])
    filled = sequences.FilledSequence(sequence, uncertainty=True)
    for value, most in (("0.0", 1), ("0.5", 100)):
        filled.add(value, ramp(), box().astype(np.float32) * most)
    filled.leave("1.0", "Too large.")
    filled.show(browser, "harmonic", "Filled.")
    proxy = filled.uncertaintyProxy
    assert proxy.GetName() == "CT uncertainty (harmonic)"
    assert filled.resultProxy.GetNodeReference("MedInpaint.Uncertainty") is proxy
    assert filled.result.GetNodeReference("MedInpaint.Uncertainty") is filled.uncertainty
    assert proxy.GetDisplayNode().GetWindowLevelMax() == pytest.approx(100)
    assert slicer.util.arrayFromVolume(filled.uncertainty.GetNthDataNode(2)).max() == 0
    assert slicer.util.arrayFromVolume(filled.uncertainty.GetNthDataNode(1)).dtype == np.float32
    assert np.allclose(_ijkToRAS(filled.uncertainty.GetNthDataNode(1)), obliqueMatrix())


def test_the_result_survives_saving_and_loading_the_scene(tmp_path):
    sequence, browser = addSequence([damagedRamp(0), damagedRamp(1)])
    filled = sequences.FilledSequence(sequence, uncertainty=False)
    filled.add("0.0", ramp())
    filled.add("0.5", ramp() + 1)
    filled.show(browser, "harmonic", "Filled.")
    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "scene.mrb"))
    mrml.clearScene()
    assert slicer.mrmlScene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    loaded = {each.GetName(): each for each in slicer.util.getNodesByClass("vtkMRMLSequenceNode")}
    arrays = framesOf(loaded["CT filled (harmonic)"])
    assert list(arrays) == ["0.0", "0.5"]
    assert np.array_equal(arrays["0.5"], ramp() + 1)
    (browser,) = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")
    assert browser.GetProxyNode(loaded["CT filled (harmonic)"]).GetName() == "CT filled (harmonic)"


def test_of_a_browser_the_first_sequence_of_volumes_is_taken():
    segmentations, browser = addSequence([addSegmentation(addVolume(), lesion=box())], "Lesions")
    volumes, _ = addSequence([ramp()], browser=browser)
    assert browser.GetMasterSequenceNode() is segmentations
    assert sequences.volumeSequenceOf(browser) is volumes
    assert sequences.volumeSequenceOf(volumes) is volumes


def test_what_is_no_sequence_of_volumes_is_told():
    segmentations, browser = addSequence([addSegmentation(addVolume(), lesion=box())], "Lesions")
    empty, _ = addSequence([], "Nothing yet")
    for node, words in (
        (None, "Choose a sequence"),
        (addVolume(), "Choose a sequence"),
        (segmentations, "'Lesions' holds no scalar volumes"),
        (browser, "'Lesions' holds no scalar volumes"),
        (empty, "'Nothing yet' has no frames"),
        (slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode"), "Choose a sequence"),
    ):
        with pytest.raises(InputError, match=words):
            sequences.volumeSequenceOf(node)
