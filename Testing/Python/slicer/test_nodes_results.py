"""A result is a volume like its input, beside it, and says how it was made; the input is never changed."""

import json

import numpy as np
import pytest
import slicer
import vtk
from panelhost.phantom import addTransform, addVolume, box, obliqueMatrix, ramp, rotation, sceneContent

from MedInpaintLib.errors import InputError
from MedInpaintSlicer.nodes import names, results, uncertainty

REPORT = {
    "software": "MedInpaintLib 1.2.3",
    "method": "harmonic",
    "reason": "",
    "parameters": {"tolerance": 1e-6},
    "blend": "paste",
    "seed": 7,
    "device": "cpu",
    "self_check": None,
    "hole": {"voxels": 100, "volume_ml": 0.144, "components": 1, "regions": 1},
    "parts": [],
    "warnings": ["The hole touches the border."],
    "seconds": {"total": 0.5},
    "trust": "Smooth.",
}


def _matrix(node) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_voxels_and_geometry_are_exact(dtype):
    volume = addVolume(ramp(dtype))
    filled = ramp(dtype) + dtype(1)
    result = results.addResult(filled, obliqueMatrix(), volume, "harmonic")
    array = slicer.util.arrayFromVolume(result)
    assert array.dtype == dtype
    assert np.array_equal(array, filled)
    assert np.array_equal(_matrix(result), _matrix(volume))
    assert result.GetName() == "T1 filled (harmonic)"


def _named(inputNode, method):
    """A result with the name that a fill gives it."""
    node = results.addResult(ramp(), obliqueMatrix(), inputNode, method)
    results.describeResult(node, results.Provenance(REPORT, inputNode.GetName(), ("lesion",)))
    return node


def test_the_name_says_the_last_method_only():
    first = _named(addVolume(), "telea")
    second = _named(first, "nearest")
    assert second.GetName() == "T1 filled (nearest)"
    assert names.resultName(_named(second, "nearest"), "harmonic") == "T1 filled (harmonic)"
    assert names.resultName(addVolume(name="T1 filled (by me)"), "harmonic") == "T1 filled (by me) filled (harmonic)"


def test_a_result_is_recognised_in_any_language(monkeypatch):
    monkeypatch.setattr(names, "_", lambda text: text.replace("filled", "gefüllt"))
    first = _named(addVolume(), "telea")
    assert first.GetName() == "T1 gefüllt (telea)"
    assert _named(first, "nearest").GetName() == "T1 gefüllt (nearest)"


def test_a_name_that_the_user_gave_a_result_is_kept():
    first = _named(addVolume(), "telea")
    first.SetName("Head")
    assert names.resultName(first, "nearest") == "Head filled (nearest)"


def test_an_output_of_the_users_keeps_its_own_name():
    output = _named(addVolume(), "telea")
    results.addResult(ramp(), obliqueMatrix(), addVolume(name="T2"), "nearest", output)
    assert names.resultName(output, "nearest") == "T1 filled (telea) filled (nearest)"


def test_the_input_is_not_changed():
    volume = addVolume()
    before = volume.GetMTime(), volume.GetImageData().GetMTime()
    results.addResult(ramp() + 1, obliqueMatrix(), volume, "harmonic")
    assert np.array_equal(slicer.util.arrayFromVolume(volume), ramp())
    assert (volume.GetMTime(), volume.GetImageData().GetMTime()) == before


def test_the_parent_transform_is_kept():
    volume = addVolume()
    transform = addTransform(rotation(30, "X"))
    volume.SetAndObserveTransformNodeID(transform.GetID())
    assert results.addResult(ramp(), obliqueMatrix(), volume, "harmonic").GetParentTransformNode() is transform


def test_window_level_and_colors_are_kept_on_a_display_node_of_its_own():
    volume = addVolume()
    display = volume.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(80, 35)
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeRainbow")
    made = results.addResult(ramp(), obliqueMatrix(), volume, "harmonic").GetDisplayNode()
    assert made is not display
    assert (made.GetWindow(), made.GetLevel()) == (80, 35)
    assert made.GetColorNodeID() == "vtkMRMLColorTableNodeRainbow"


def test_the_result_is_not_taken_for_the_inputs_dicom_series():
    volume = addVolume()
    volume.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    assert results.addResult(ramp(), obliqueMatrix(), volume, "harmonic").GetAttribute("DICOM.instanceUIDs") is None


def test_the_result_is_placed_in_the_inputs_study():
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Patient")
    study = hierarchy.CreateStudyItem(patient, "Study")
    volume = addVolume()
    hierarchy.CreateItem(study, volume)
    result = results.addResult(ramp(), obliqueMatrix(), volume, "harmonic")
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(result)) == study


def test_an_existing_output_is_overwritten_and_nothing_else_made():
    volume = addVolume()
    output = addVolume(np.zeros((2, 3, 4), np.float32), np.eye(4), name="Old")
    nodes = set(sceneContent())
    result = results.addResult(ramp() + 1, obliqueMatrix(), volume, "harmonic", output)
    assert result is output
    assert np.array_equal(slicer.util.arrayFromVolume(output), ramp() + 1)
    assert slicer.util.arrayFromVolume(output).dtype == np.int16
    assert np.array_equal(_matrix(output), _matrix(volume))
    assert set(sceneContent()) == nodes
    assert np.array_equal(slicer.util.arrayFromVolume(volume), ramp())


def test_the_input_is_refused_as_output():
    volume = addVolume()
    with pytest.raises(InputError, match="another volume"):
        results.addResult(ramp() + 1, obliqueMatrix(), volume, "harmonic", volume)
    assert np.array_equal(slicer.util.arrayFromVolume(volume), ramp())


def test_the_result_says_how_it_was_made():
    node = addVolume()
    results.describeResult(node, results.Provenance(REPORT, "T1", ("lesion",)))
    description = node.GetDescription()
    for fact in ("MedInpaintLib 1.2.3", "0.144 mL", "'harmonic'", "tolerance", "'paste'", "not for clinical use"):
        assert fact in description
    assert node.GetAttribute("MedInpaint.Method") == "harmonic"
    assert node.GetAttribute("MedInpaint.HoleVolumeMl") == "0.144"
    assert node.GetAttribute("MedInpaint.Segments") == '["lesion"]'
    assert node.GetAttribute("MedInpaint.Notice") == "Synthetic voxels inside the hole, not for clinical use."


@pytest.mark.parametrize("count", [1, 99, 100])
def test_the_result_lists_its_parts_unless_there_are_too_many(count):
    facts = {"voxels": 4, "depth_mm": 1.0, "middle": [1, 2, 3], "reason": "Small.", "warnings": [], "scores": None}
    parts = [{"number": number + 1, "volume_ml": 0.5, "method": "harmonic", **facts} for number in range(count)]
    node = addVolume()
    results.describeResult(node, results.Provenance({**REPORT, "parts": parts}, "T1", ("lesion",)))
    listed = json.loads(node.GetAttribute("MedInpaint.Parts") or "[]")
    assert len(listed) == (count if count < 100 else 0)
    assert listed[:1] in ([], [{"number": 1, "volume_ml": 0.5, "method": "harmonic"}])


def test_the_result_survives_being_saved_as_nrrd(tmp_path):
    result = results.addResult(ramp() + 1, obliqueMatrix(), addVolume(), "harmonic")
    writer, reader = slicer.vtkMRMLVolumeArchetypeStorageNode(), slicer.vtkMRMLVolumeArchetypeStorageNode()
    for storage in (writer, reader):
        slicer.mrmlScene.AddNode(storage)
        storage.SetFileName(str(tmp_path / "filled.nrrd"))
    loaded = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Loaded")
    assert writer.WriteData(result)
    assert reader.ReadData(loaded)
    assert np.array_equal(slicer.util.arrayFromVolume(loaded), ramp() + 1)
    assert np.allclose(_matrix(loaded), obliqueMatrix(), atol=1e-12)


def test_the_result_survives_being_saved_in_a_scene_bundle(tmp_path):
    volume = addVolume()
    volume.SetAndObserveTransformNodeID(addTransform(rotation(30, "X")).GetID())
    result = results.addResult(ramp() + 1, obliqueMatrix(), volume, "harmonic")
    results.describeResult(result, results.Provenance(REPORT, "T1", ("lesion",)))
    description = result.GetDescription()
    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert slicer.mrmlScene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    loaded = slicer.mrmlScene.GetFirstNodeByName("T1 filled (harmonic)")
    assert np.array_equal(slicer.util.arrayFromVolume(loaded), ramp() + 1)
    assert np.allclose(_matrix(loaded), obliqueMatrix(), atol=1e-9)
    assert loaded.GetParentTransformNode() is not None
    assert loaded.GetDescription() == description
    assert loaded.GetAttribute("MedInpaint.Parameters") == '{"tolerance": 1e-06}'


def _study():
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Patient")
    return hierarchy, hierarchy.CreateStudyItem(patient, "Study")


def _addUncertainty(array=None):
    volume = addVolume()
    volume.SetAndObserveTransformNodeID(addTransform(rotation(30, "X")).GetID())
    hierarchy, study = _study()
    hierarchy.CreateItem(study, volume)
    result = results.addResult(ramp(), obliqueMatrix(), volume, "patch")
    array = (box() * ramp()).astype(np.float32) if array is None else array
    return volume, result, uncertainty.addUncertainty(array, obliqueMatrix(), volume, result, "patch")


def test_the_uncertainty_lies_beside_the_input_in_space_and_in_the_study():
    volume, _, node = _addUncertainty()
    assert node.GetName() == "T1 uncertainty (patch)"
    assert np.array_equal(_matrix(node), _matrix(volume))
    assert node.GetParentTransformNode() is volume.GetParentTransformNode()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    parents = [hierarchy.GetItemParent(hierarchy.GetItemByDataNode(each)) for each in (volume, node)]
    assert parents[0] == parents[1]
    assert "not for clinical use" in node.GetDescription()


def test_the_uncertainty_is_shown_from_0_to_its_99_percentile_in_colors():
    _, _, node = _addUncertainty()
    display = node.GetDisplayNode()
    assert display.GetWindowLevelMin() == 0
    assert display.GetWindowLevelMax() == pytest.approx(np.percentile(ramp()[box()], 99))
    assert display.GetColorNodeID() in uncertainty.UNCERTAINTY_COLORS
    assert display.GetApplyThreshold()
    assert 0 < display.GetLowerThreshold() <= ramp()[box()].min()


def test_the_uncertainty_says_what_it_rests_on():
    volume = addVolume()
    result = results.addResult(ramp(), obliqueMatrix(), volume, "patch")
    array, basis = np.ones(ramp().shape, np.float32), "calibrated by other people"
    node = uncertainty.addUncertainty(array, obliqueMatrix(), volume, result, "patch", basis)
    assert "It is calibrated by other people." in node.GetDescription()
    assert node.GetAttribute("MedInpaint.Basis") == basis


def test_an_uncertainty_of_0_can_be_shown():
    _, _, node = _addUncertainty(np.zeros(ramp().shape, np.float32))
    assert node.GetDisplayNode().GetWindow() == 1


def test_a_result_that_is_filled_again_forgets_the_first_uncertainty():
    _, result, node = _addUncertainty()
    assert result.GetNodeReference("MedInpaint.Uncertainty") is node
    again = results.addResult(ramp(), obliqueMatrix(), result, "harmonic")
    assert again.GetNodeReference("MedInpaint.Uncertainty") is None
    assert uncertainty.addUncertainty(
        np.zeros(ramp().shape, np.float32), obliqueMatrix(), result, again, "harmonic"
    ).GetName() == ("T1 uncertainty (harmonic)")


def test_the_result_says_what_the_self_check_expects():
    node = addVolume()
    expected = {"psnr": {"mean": 31.25, "sd": 2.04}}
    report = {**REPORT, "self_check": [{"best": "harmonic", "holes": 8, "expected": expected}]}
    results.describeResult(node, results.Provenance(report, "T1", ("lesion",), ("T2",), "others"))
    assert "Self-check on 8 holes of the same shape in healthy tissue: expected PSNR 31.2 ± 2.0 dB." in (
        node.GetDescription()
    )
    (checked,) = json.loads(node.GetAttribute("MedInpaint.SelfCheck"))
    assert checked["expected"] == expected
    assert node.GetAttribute("MedInpaint.Guides") == '["T2"]'
    assert node.GetAttribute("MedInpaint.Exemplars") == "others"
