"""An estimate of a contrast from nodes to nodes; with the engine, and with workers that only pretend."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import slicer
import vtk
from panelhost.phantom import (
    HEAD_MATRIX,
    addHead,
    addTransform,
    addVolume,
    head,
    rotation,
    sceneContent,
)
from panelhost.workers import PretendingRunner

from MedInpaintLib import Volume
from MedInpaintLib.errors import GeometryError, ImageReadError, InputError, MedInpaintError, ParameterError
from MedInpaintSlicer.jobs import impute, process
from MedInpaintSlicer.nodes import estimates, results

REPORT = {
    "software": "MedInpaintLib 1.2.3",
    "target": "FLAIR",
    "model": "a-model",
    "images": {"T1": {}, "T2": {}},
    "reference": "T1",
    "registered": False,
    "units": "1000 is the median of the core of the head",
    "warnings": [],
    "seconds": {"total": 1.5},
    "trust": "An estimate.",
}


def _startedJob(volumes=None, target="FLAIR", **request):
    volumes = {"T1": addHead("T1"), "T2": addHead("T2")} if volumes is None else volumes
    runner, finished = PretendingRunner(), []
    job = impute.ImputeJob(impute.Request(volumes, target, **request), runner, finished=finished.append)
    job.start()
    return job, runner, finished


def _end(runner, array, **report):
    """Play the worker that is done."""
    grid = Volume.read(runner.job["images"][runner.job["reference"]])
    grid.with_array(array).write(runner.job["output"])
    runner.say({"event": "result", "output": runner.job["output"], "report": {**REPORT, **report}})
    runner.exit(0)


def _moved(node, matrix):
    node.SetAndObserveTransformNodeID(addTransform(matrix).GetID())
    return node


def _matrix(node) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _shift(voxels):
    """Along the first axis of the heads."""
    matrix = np.eye(4)
    matrix[0, 3] = voxels * HEAD_MATRIX[0, 0]
    return matrix


def _shifted(array, voxels):
    """The same anatomy, so many voxels further down the first axis."""
    return np.roll(array, -voxels, axis=2)


def test_the_engine_estimates_the_contrast_and_changes_nothing_else():
    pytest.importorskip("torch")
    volumes = {"T1": addHead("T1"), "T2": addHead("T2")}
    like = addVolume((3 * head("FLAIR")).astype(np.int16), HEAD_MATRIX, "Earlier FLAIR")
    for node in volumes.values():
        _moved(node, rotation(20, "Z"))
    inputs = [*volumes.values(), like]
    before = [(node.GetTransformNodeID(), node.GetImageData().GetMTime()) for node in inputs]
    nodes = set(sceneContent())
    stages = []
    job = impute.ImputeJob(
        impute.Request(volumes, "flair", like, model="a-tiny-collagan"),
        process.ForegroundRunner(),
        progress=lambda fraction, stage: stages.append(stage),
    )
    job.start()
    assert job.state == "done", job.error
    node = job.outputVolume
    assert node.GetName() == "FLAIR (estimated)"
    made = slicer.util.arrayFromVolume(node)
    assert (made.shape, made.dtype) == (head("T1").shape, np.int16)
    assert made[head("T1") > 0].std() > 1
    assert np.allclose(_matrix(node), HEAD_MATRIX)
    assert node.GetParentTransformNode() is volumes["T1"].GetParentTransformNode()
    assert stages[-1] == "Done"
    assert nodes < set(sceneContent())
    assert [(node.GetTransformNodeID(), node.GetImageData().GetMTime()) for node in inputs] == before
    assert all(np.array_equal(_matrix(node), HEAD_MATRIX) for node in inputs)
    assert all(np.array_equal(slicer.util.arrayFromVolume(volumes[name]), head(name)) for name in volumes)
    assert np.array_equal(slicer.util.arrayFromVolume(like), (3 * head("FLAIR")).astype(np.int16))


def test_other_anatomy_is_an_error_of_the_engine_and_leaves_no_trace():
    pytest.importorskip("torch")
    volumes = {"T1": addHead("T1"), "T2": addHead("T2", subject=1)}
    before = sceneContent()
    job = impute.ImputeJob(impute.Request(volumes, "FLAIR"), process.ForegroundRunner())
    job.start()
    assert isinstance(job.error, GeometryError)
    assert "same anatomy" in str(job.error)
    assert "\n" not in str(job.error)
    assert sceneContent() == before


def test_the_worker_gets_what_was_asked_for():
    _, runner, _ = _startedJob(register=True, model="mine", reference="t2", device="cuda")
    asked = {name: value for name, value in runner.job.items() if name not in ("images", "output")}
    assert asked == {
        "job": "impute",
        "target": "FLAIR",
        "report": None,
        "allow_outside_data": False,
        "like": None,
        "model": "mine",
        "reference": "T2",
        "register": True,
        "mirrored": False,
        "force": False,
        "device": "cuda",
        "compress": False,
    }
    assert list(runner.job["images"]) == ["T1", "T2"]
    assert [Path(path).name for path in runner.job["images"].values()] == ["T1.nrrd", "T2.nrrd"]


def test_what_is_not_there_and_what_is_wanted_is_not_sent():
    broken = addVolume(np.zeros((2, 2, 2), np.float32), name="FLAIR")
    volumes = {"FLAIR": broken, "T1": None, "T2": addHead("T2"), "T1C": addHead("T1")}
    _, runner, _ = _startedJob(volumes, target="flair")
    assert list(runner.job["images"]) == ["T2", "T1C"]
    assert runner.job["reference"] == "T2"


def test_grids_in_one_space_are_left_to_the_engine():
    t1 = addHead("T1")
    finer = addVolume(head("T2"), HEAD_MATRIX @ np.diag([0.5, 0.5, 1, 1]), "T2")
    for node in (t1, finer):
        node.SetAndObserveTransformNodeID(addTransform(rotation(20, "X")).GetID())
    finer.SetAndObserveTransformNodeID(t1.GetTransformNodeID())
    _, runner, _ = _startedJob({"T1": t1, "T2": finer})
    sent = Volume.read(runner.job["images"]["T2"])
    assert np.array_equal(sent.array, head("T2"))
    assert sent.spacing == pytest.approx((12, 2, 2))


def test_volumes_under_other_transforms_are_brought_onto_the_references_grid():
    turned = rotation(20, "Z")
    t1 = _moved(addHead("T1"), turned)
    t2 = _moved(addVolume(_shifted(head("T2"), 2), HEAD_MATRIX, "T2"), turned @ _shift(2))
    _, runner, _ = _startedJob({"T1": t1, "T2": t2})
    images = {name: Volume.read(path) for name, path in runner.job["images"].items()}
    assert images["T1"].grid_difference(images["T2"]) == ""
    assert np.allclose(images["T2"].array[..., 2:], head("T2")[..., 2:], atol=0.5)


def test_a_sheared_reference_gets_the_others_on_its_grid_with_a_warning():
    matrix = HEAD_MATRIX.copy()
    matrix[:3, 2] += 0.5 * matrix[:3, 0]
    t1 = addVolume(head("T1"), matrix, "T1")
    job, runner, _ = _startedJob({"T1": t1, "T2": addHead("T2")})
    images = [Volume.read(path) for path in runner.job["images"].values()]
    assert images[0].grid_difference(images[1]) == ""
    assert any("sheared" in warning for warning in job.warnings)
    _end(runner, head("FLAIR"))
    assert np.allclose(_matrix(job.outputVolume), matrix)
    assert "sheared" in job.outputVolume.GetAttribute("MedInpaint.Warnings")


def test_volumes_without_a_common_place_are_an_error_before_anything_starts():
    far = np.eye(4)
    far[:3, 3] = 5000
    with pytest.raises(GeometryError, match="'T1' and 'T2' do not overlap"):
        _startedJob({"T1": addHead("T1"), "T2": _moved(addHead("T2"), far)})


def test_the_intensities_to_be_like_are_sent_wherever_they_lie():
    like = _moved(addVolume(head("FLAIR"), HEAD_MATRIX, "Earlier"), rotation(90, "X"))
    _, runner, _ = _startedJob(like=like)
    assert np.array_equal(Volume.read(runner.job["like"]).array, head("FLAIR"))


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32, np.float64, np.int64])
def test_the_result_has_the_engines_voxels(dtype):
    """Of 64-bit integers, which Slicer does not take, the values only."""
    job, runner, finished = _startedJob()
    made = (head("FLAIR") / 10).astype(dtype)
    _end(runner, made)
    assert job.state == "done", job.error
    assert finished == [job]
    array = slicer.util.arrayFromVolume(job.outputVolume)
    assert np.array_equal(array, made)
    assert array.dtype == (np.float64 if dtype is np.int64 else dtype)


def test_the_result_says_how_it_was_made_and_keeps_it_in_the_scene(tmp_path):
    like = addVolume(head("FLAIR"), HEAD_MATRIX, "Earlier")
    job, runner, _ = _startedJob(like=like)
    runner.say({"event": "warning", "message": "Fits less well than is usual."})
    _end(runner, head("FLAIR"), warnings=["Fits less well than is usual."])
    description = job.outputVolume.GetDescription()
    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert slicer.mrmlScene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    node = slicer.mrmlScene.GetFirstNodeByName("FLAIR (estimated)")
    assert node.GetDescription() == description
    for fact in ("MedInpaintLib 1.2.3", "FLAIR estimated from 'T1' (T1), 'T2' (T2)", "'a-model'", "those of 'Earlier'"):
        assert fact in description
    said = {name: node.GetAttribute(f"MedInpaint.{name}") for name in ("Method", "Model", "Target", "Trust", "Notice")}
    assert said == {
        "Method": "impute",
        "Model": "a-model",
        "Target": "FLAIR",
        "Trust": "An estimate.",
        "Notice": "All voxels are synthetic, not for clinical use.",
    }
    assert json.loads(node.GetAttribute("MedInpaint.Sources")) == {"T1": "T1", "T2": "T2"}
    assert json.loads(node.GetAttribute("MedInpaint.Warnings")) == ["Fits less well than is usual."]


def test_the_result_lies_beside_the_reference_and_is_named_once():
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "Study")
    volumes = {"T1": addHead("T1"), "T2": addHead("T2")}
    hierarchy.CreateItem(study, volumes["T2"])
    names = []
    for _ in range(2):
        job, runner, _ = _startedJob(volumes, reference="T2")
        _end(runner, head("FLAIR"))
        assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(job.outputVolume)) == study
        names.append(job.outputVolume.GetName())
    assert names == ["FLAIR (estimated)", "FLAIR (estimated)_1"]


def test_the_result_is_shown_like_the_volume_whose_units_it_has():
    like = addVolume(head("FLAIR"), HEAD_MATRIX, "Earlier")
    like.GetDisplayNode().SetAutoWindowLevel(False)
    like.GetDisplayNode().SetWindowLevel(80, 35)
    job, runner, _ = _startedJob(like=like)
    _end(runner, head("FLAIR"))
    display = job.outputVolume.GetDisplayNode()
    assert display is not like.GetDisplayNode()
    assert (display.GetWindow(), display.GetLevel()) == (80, 35)


def test_an_existing_output_takes_the_result_and_forgets_what_it_was():
    output = addVolume(np.zeros((2, 3, 4), np.uint8), np.eye(4), "Old")
    output.SetAttribute("MedInpaint.HoleVoxels", "12")
    output.SetAttribute("DICOM.instanceUIDs", "1.2.3")
    output.GetDisplayNode().SetApplyThreshold(True)
    sharing = addVolume(name="Sharing")
    sharing.SetAndObserveImageData(output.GetImageData())
    job, runner, _ = _startedJob(outputVolume=output)
    nodes = set(sceneContent())
    _end(runner, head("FLAIR"))
    assert job.outputVolume is output
    assert set(sceneContent()) == nodes
    assert np.array_equal(slicer.util.arrayFromVolume(output), head("FLAIR"))
    assert np.allclose(_matrix(output), HEAD_MATRIX)
    assert output.GetAttribute("MedInpaint.HoleVoxels") is output.GetAttribute("DICOM.instanceUIDs") is None
    assert not output.GetDisplayNode().GetApplyThreshold()
    assert slicer.util.arrayFromVolume(sharing).shape == (2, 3, 4)


def test_an_output_that_was_removed_is_replaced_by_a_new_volume():
    output = addVolume(name="Old")
    job, runner, _ = _startedJob(outputVolume=output)
    slicer.mrmlScene.RemoveNode(output)
    _end(runner, head("FLAIR"))
    assert job.outputVolume.GetName() == "FLAIR (estimated)"


def test_what_does_not_go_together_is_refused_in_a_line_before_anything_starts():
    t1, t2, flair = (addHead(contrast) for contrast in ("T1", "T2", "FLAIR"))
    before = sceneContent()
    for volumes, request, kind, words in (
        ({}, {}, InputError, "FLAIR can only be estimated from other contrasts"),
        ({"FLAIR": flair, "T1": None}, {}, InputError, "FLAIR can only be estimated from other contrasts"),
        ({"T1": t1, "T2": t1}, {}, InputError, "'T1' is chosen for T1 and for T2"),
        ({"T1": t1, "T2": t2}, {"outputVolume": t2}, InputError, "another output"),
        ({"T1": t1, "FLAIR": flair}, {"outputVolume": flair}, InputError, "another output"),
        ({"T1": t1}, {"like": flair, "outputVolume": flair}, InputError, "another output"),
        ({"T1": t1, "T2": t2}, {"like": t2}, InputError, "'T2' is another contrast"),
        ({"T1": t1, "T2": t2}, {"reference": "T1C"}, ParameterError, "must be one of T1, T2; found 'T1C'"),
        ({"T1": t1, "T2": t2}, {"reference": "FLAIR"}, ParameterError, "must be one of T1, T2; found 'FLAIR'"),
    ):
        with pytest.raises(kind, match=words) as raised:
            _startedJob(volumes, **request)
        assert "\n" not in str(raised.value)
    assert sceneContent() == before


def test_a_volume_without_voxels_is_refused_before_anything_starts():
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    for request in ({"volumes": {"T1": empty}}, {"volumes": {"T1": addHead("T1"), "T2": empty}}, {"like": empty}):
        with pytest.raises(ImageReadError, match="'Empty' has no voxels"):
            _startedJob(**request)
    assert not list(Path(slicer.app.temporaryPath).glob("medinpaint-*"))


def test_cancelling_kills_the_worker_removes_the_files_and_leaves_the_scene_as_it_was():
    volumes = {"T1": addHead("T1"), "T2": addHead("T2")}
    before = sceneContent()
    job, runner, finished = _startedJob(volumes)
    folder = os.path.dirname(runner.job["output"])
    assert os.path.isdir(folder)
    job.cancel()
    assert runner.killed
    assert job.state == "cancelled"
    runner.exit(-9)
    assert finished == [job]
    assert not os.path.exists(folder)
    assert sceneContent() == before


def test_a_crash_is_reported():
    job, runner, _ = _startedJob()
    runner.onLine("Fatal Python error: Segmentation fault")
    runner.exit(-11)
    assert type(job.error) is MedInpaintError
    assert "Segmentation fault" in str(job.error)


def test_only_the_references_removal_ends_the_job():
    volumes = {"T1": addHead("T1"), "T2": addHead("T2")}
    job, runner, finished = _startedJob(volumes)
    slicer.mrmlScene.RemoveNode(volumes["T2"])
    assert job.state == "running"
    slicer.mrmlScene.RemoveNode(volumes["T1"])
    assert runner.killed
    assert isinstance(job.error, InputError)
    assert "removed" in str(job.error)
    assert finished == [job]


def test_a_result_of_which_a_part_cannot_be_read_leaves_no_trace():
    job, runner, _ = _startedJob()
    before = sceneContent()
    runner.say({"event": "result", "output": runner.job["output"], "report": REPORT})
    runner.exit(0)
    assert job.state == "failed"
    assert sceneContent() == before


def test_a_fill_into_an_estimate_says_nothing_of_the_estimate():
    node = addHead("FLAIR")
    estimates.describeEstimate(node, REPORT, {"T1": "T1"})
    report = {**REPORT, "method": "harmonic", "parameters": {}, "blend": "paste", "seed": 0, "self_check": None}
    report |= {"hole": {"voxels": 1, "volume_ml": 0.1, "components": 1}, "parts": []}
    results.describeResult(node, results.Provenance(report, "T1", ("lesion",)))
    assert node.GetAttribute("MedInpaint.Method") == "harmonic"
    assert node.GetAttribute("MedInpaint.Model") is None
