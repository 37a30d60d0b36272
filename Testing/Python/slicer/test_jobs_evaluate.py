"""Jobs of the kind evaluate: what the worker gets, what comes into the scene, and how they end."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import slicer
from panelhost import phantom
from panelhost.batches import nodeNames
from panelhost.evaluations import YARDSTICK, report
from panelhost.phantom import HEAD_MATRIX, addHead, addSegmentation, addTransform, addVolume, rotation, sceneContent
from panelhost.workers import PretendingRunner

from MedInpaintLib import Volume
from MedInpaintLib.errors import ImageReadError, InputError, MaskError, MedInpaintError, ParameterError
from MedInpaintSlicer.jobs import evaluate, process
from MedInpaintSlicer.nodes import evaluations

SHAPE = phantom.head("T1").shape


def _box(k, j, i) -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[slice(*k), slice(*j), slice(*i)] = True
    return mask


FIRST, SECOND = _box((3, 5), (14, 18), (8, 12)), _box((6, 8), (20, 23), (16, 20))


def _request(volume=None, holes=("spheres:10mm:3",), methods=("patch",), **fields):
    return evaluate.Request(addHead("T1") if volume is None else volume, holes, methods, **fields)


def _startedJob(*args, **fields):
    runner, finished = PretendingRunner(), []
    job = evaluate.EvaluateJob(_request(*args, **fields), runner, finished=finished.append)
    job.start()
    return job, runner, finished


def _run(request):
    job = evaluate.EvaluateJob(request, process.ForegroundRunner())
    job.start()
    assert job.state == "done", job.error
    return job


def _end(runner, found=None):
    """Play the worker that is done."""
    found = found or report({YARDSTICK: [10.0, 20.0], "patch": [15.0, 22.0]})
    runner.say({"event": "result", "output": runner.job["output"], "report": found})
    runner.exit(0)


def _rows(table) -> list[dict]:
    columns = {
        table.GetColumnName(number): table.GetTable().GetColumn(number) for number in range(table.GetNumberOfColumns())
    }
    return [{name: column.GetValue(row) for name, column in columns.items()} for row in range(table.GetNumberOfRows())]


def _folders() -> list[Path]:
    return list(Path(slicer.app.temporaryPath).glob("medinpaint-*"))


def test_the_engine_scores_the_methods_and_nothing_else_is_changed():
    volume = addHead("T1")
    before, nodes = sceneContent(), set(sceneContent())
    stages = []
    job = evaluate.EvaluateJob(
        _request(volume, ("spheres:25mm:2",), ("harmonic", "nearest")),
        process.ForegroundRunner(),
        progress=lambda fraction, stage: stages.append(stage),
    )
    job.start()
    assert job.state == "done", job.error
    rows = _rows(job.scoresTable)
    assert [(row["method"], row["hole"]) for row in rows] == [
        (method, hole) for method in ("shell-mean", "harmonic", "nearest") for hole in (1, 2)
    ]
    assert [row["method"] for row in _rows(job.summaryTable)][-1] == "shell-mean"
    assert len(job.charts) == 1
    assert stages[-1] == "Done"
    assert np.array_equal(slicer.util.arrayFromVolume(volume), phantom.head("T1"))
    after = sceneContent()
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene).GetID()
    assert {node: time for node, time in after.items() if node in nodes and node != tree} == {
        node: time for node, time in before.items() if node != tree
    }
    assert not _folders()


def test_the_scores_are_those_of_the_fill_itself():
    """In a hole that is given: the errors of what ``nearest`` puts there, computed by hand."""
    volume = addHead("T1")
    segmentation = addSegmentation(volume, hole=FIRST)
    job = _run(_request(volume, (), ("nearest",), segmentationNode=segmentation, segmentIds=("hole",)))
    from MedInpaintLib import inpaint

    truth = phantom.head("T1")
    filled = inpaint(np.where(FIRST, 0, truth), FIRST, spacing=(12, 4, 4), method="nearest").volume.array
    error = filled[FIRST].astype(float) - truth[FIRST]
    (row,) = [row for row in _rows(job.scoresTable) if row["method"] == "nearest"]
    assert row["voxels"] == FIRST.sum()
    assert row["mae"] == pytest.approx(np.abs(error).mean(), rel=1e-4)
    assert row["rmse"] == pytest.approx(np.sqrt((error**2).mean()), rel=1e-4)


def test_holes_lie_where_the_table_says():
    volume = addHead("T1")
    segmentation = addSegmentation(volume, hole=FIRST)
    turn = addTransform(rotation(30, "X")).GetID()
    for node in (volume, segmentation):
        node.SetAndObserveTransformNodeID(turn)
    job = _run(_request(volume, (), ("nearest",), segmentationNode=segmentation, segmentIds=("hole",)))
    middle = np.argwhere(FIRST).mean(axis=0)[::-1]
    expected = rotation(30, "X") @ HEAD_MATRIX @ [*middle, 1]
    row = _rows(job.scoresTable)[0]
    assert [row[f"center_{axis}"] for axis in "RAS"] == pytest.approx(expected[:3], abs=0.1)


def test_given_holes_are_the_connected_parts_of_all_segments_and_called_like_the_segmentation():
    volume = addHead("T1")
    segmentation = addSegmentation(volume, first=FIRST, second=SECOND)
    segmentation.SetName("Drawn: by hand")
    ids = ("first", "second")
    job = _run(_request(volume, ("spheres:25mm:1",), ("nearest",), segmentationNode=segmentation, segmentIds=ids))
    rows = [row for row in _rows(job.scoresTable) if row["holes"] == "Drawn: by hand"]
    assert sorted({row["voxels"] for row in rows}) == sorted([FIRST.sum(), SECOND.sum()])
    assert [chart.GetTitle() for chart in job.charts] == [
        "T1 PSNR by hole (spheres:25mm:1)",
        "T1 PSNR by hole (Drawn: by hand)",
    ]
    assert job.scoresTable.GetName() == "T1 scores (2 sets of holes)"
    assert {each["holes"] for each in job.report["rows"]} == {"spheres:25mm:1", "Drawn: by hand"}


def test_no_hole_lies_where_none_may_lie():
    volume = addHead("T1")
    forbidden = np.ones(SHAPE, dtype=bool)
    forbidden[:, :, 16:] = False
    avoid = addSegmentation(volume, lesion=forbidden)
    request = _request(volume, ("spheres:20mm:3",), ("nearest",), avoidNode=avoid, avoidSegmentIds=("lesion",))
    for row in _rows(_run(request).scoresTable):
        assert row["center_R"] > HEAD_MATRIX[0, 0] * 16


def test_a_method_that_cannot_run_is_left_out_with_a_warning():
    warnings = []
    job = evaluate.EvaluateJob(
        _request(methods=("nearest", "vae-latent"), parameters={"vae-latent": {"model": "nowhere"}}),
        process.ForegroundRunner(),
        warning=warnings.append,
    )
    job.start()
    assert job.state == "done", job.error
    (message,) = [each for each in warnings if "vae-latent" in each]
    assert "left out" in message
    assert "vae-latent" not in {row["method"] for row in _rows(job.scoresTable)}
    assert "vae-latent" in json.loads(job.scoresTable.GetAttribute("MedInpaint.LeftOut"))
    assert message in json.loads(job.scoresTable.GetAttribute("MedInpaint.Warnings"))


def test_the_report_that_tests_play_with_is_the_engines():
    """Else the other tests would be of no worth."""
    real = _run(_request(holes=("spheres:20mm:2",), methods=("nearest",))).report
    played = report({YARDSTICK: [10.0, 20.0], "nearest": [15.0, 22.0]})
    assert set(played) <= set(real)
    for part in ("rows", "methods"):
        assert set(played[part][0]) == set(real[part][0])
    assert set(played["holes"][0]) == set(real["holes"][0])
    assert set(played["holes"][0]["about"]) <= set(real["holes"][0]["about"])
    assert {name: set(info) for name, info in played["metrics"].items()} == {
        name: set(real["metrics"][name]) for name in played["metrics"]
    }
    assert set(played["methods"][0]["scores"]["psnr"]) == set(real["methods"][0]["scores"]["psnr"])
    assert set(played["methods"][0]["gain"]) == set(real["methods"][0]["gain"])


def test_the_worker_gets_what_was_asked_for():
    volume = addHead("T1")
    avoid = addSegmentation(volume, lesion=FIRST)
    avoid.SetName("Lesions")
    _, runner, _ = _startedJob(
        volume,
        ("spheres:10mm:3", "blobs:5mm:2"),
        ("patch", "auto"),
        avoidNode=avoid,
        avoidSegmentIds=("lesion",),
        parameters={"patch": {"detail": "all"}},
        convention="brats",
        device="cuda",
        seed=5,
    )
    files = {name: runner.job.pop(name) for name in ("image", "avoid", "output")}
    assert runner.job == {
        "job": "evaluate",
        "holes": ["spheres:10mm:3", "blobs:5mm:2"],
        "methods": ["patch", "auto"],
        "parameters": {"patch": {"detail": "all"}},
        "convention": "brats",
        "device": "cuda",
        "seed": 5,
        "data_range": None,
        "modality": None,
        "series": None,
        "allow_outside_data": False,
        "workers": None,
    }
    assert {name: Path(path).name for name, path in files.items()} == {
        "image": "T1.nrrd",
        "avoid": "Lesions.nrrd",
        "output": "scores.csv",
    }
    assert np.array_equal(Volume.read(files["image"]).array, phantom.head("T1"))
    assert np.array_equal(Volume.read(files["avoid"]).array != 0, FIRST)


def test_given_holes_are_sent_on_the_volumes_grid():
    volume = addHead("T1")
    segmentation = addSegmentation(volume, first=FIRST, second=SECOND)
    _, runner, _ = _startedJob(volume, (), segmentationNode=segmentation, segmentIds=("first",))
    (path,) = runner.job["holes"]
    image, mask = Volume.read(runner.job["image"]), Volume.read(path)
    assert image.grid_difference(mask) == ""
    assert np.array_equal(mask.array != 0, FIRST)


def test_the_result_is_beside_the_volume_in_one_folder_and_a_second_one_has_other_names():
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    volume = addHead("T1")
    study = tree.CreateStudyItem(tree.GetSceneItemID(), "Study")
    tree.CreateItem(study, volume)
    seen: list = []
    for _ in range(2):
        job, runner, _ = _startedJob(volume)
        _end(runner)
        folders = {tree.GetItemParent(tree.GetItemByDataNode(node)) for node in job.created}
        (folder,) = folders
        assert tree.GetItemParent(folder) == study
        assert tree.GetItemName(folder) == job.scoresTable.GetName()
        seen += [node.GetName() for node in job.created if not node.IsA("vtkMRMLPlotSeriesNode")]
    assert len(seen) == 8
    assert len(set(seen)) == 8


def test_the_scores_lead_to_the_rest_and_say_how_they_were_made():
    job, runner, _ = _startedJob()
    runner.say({"event": "warning", "message": "mirror: the sides are not alike."})
    _end(runner)
    assert job.scoresTable.GetNodeReference(evaluations.SUMMARY_ROLE) is job.summaryTable
    assert evaluations.chartOf(job.scoresTable) is job.charts[0]
    for node in job.created:
        assert "spheres:10mm:3 in 'T1'" in node.GetDescription()
        assert json.loads(node.GetAttribute("MedInpaint.Warnings")) == ["mirror: the sides are not alike."]


def test_undo_removes_all_of_it():
    before = set(sceneContent())
    volume = addHead("T1")
    job, runner, _ = _startedJob(volume)
    _end(runner)
    job.undo()
    job.undo()
    assert not slicer.util.getNodesByClass("vtkMRMLTableNode")
    assert not slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode")
    assert {slicer.mrmlScene.GetNodeByID(each).GetName() for each in set(sceneContent()) - before} >= {"T1"}
    assert not [each for each in slicer.util.getNodesByClass("vtkMRMLNode") if "scores" in (each.GetName() or "")]


@pytest.mark.parametrize(
    "step",
    [
        "evaluations._scores",
        "evaluations.addSummary",
        "evaluations.addPsnrByHole",
        "plots._rangeOf",
        "evaluations.describe",
        "hierarchy._place",
    ],
)
def test_what_fails_halfway_leaves_nothing_behind(monkeypatch, step):
    def fail(*given):
        raise RuntimeError("halfway")

    job, runner, finished = _startedJob()
    before = nodeNames()
    monkeypatch.setattr(f"MedInpaintSlicer.nodes.{step}", fail)
    _end(runner)
    assert finished == [job]
    assert (job.state, str(job.error)) == ("failed", "halfway")
    assert nodeNames() == before
    assert job.created == []
    assert (job.scoresTable, job.summaryTable, job.charts) == (None, None, ())


def test_what_cannot_be_is_refused_in_a_line_before_anything_starts():
    volume = addHead("T1")
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    nothing = addSegmentation(volume)
    outside = addSegmentation(volume, hole=np.zeros(SHAPE, dtype=bool))
    before = sceneContent()
    for request, kind, words in (
        (_request(volume, holes=()), ParameterError, "nothing to cut out"),
        (_request(volume, methods=()), ParameterError, "nothing to score"),
        (_request(empty), ImageReadError, "'Empty' has no voxels"),
        (_request(volume, (), segmentationNode=nothing), MaskError, "has no segments"),
        (_request(volume, avoidNode=nothing), MaskError, "has no segments"),
        (_request(volume, (), segmentationNode=outside, segmentIds=("hole",)), MaskError, "No voxel of volume 'T1'"),
    ):
        with pytest.raises(kind, match=words) as raised:
            evaluate.EvaluateJob(request, PretendingRunner()).start()
        assert "\n" not in str(raised.value)
    assert sceneContent() == before
    assert not _folders()


def test_what_the_engine_refuses_leaves_no_trace():
    volume = addHead("T1")
    before = sceneContent()
    for request, kind, words in (
        (_request(volume, ("spheres:500mm:2",)), MaskError, "fit into the foreground"),
        (_request(volume, ("cubes:5mm:2",)), ParameterError, "neither a file nor a description"),
        (_request(volume, methods=("magic",)), ParameterError, "no method 'magic'"),
    ):
        job = evaluate.EvaluateJob(request, process.ForegroundRunner())
        job.start()
        assert isinstance(job.error, kind)
        assert words in str(job.error)
    assert sceneContent() == before


def test_cancelling_kills_the_worker_removes_the_files_and_leaves_the_scene_as_it_was():
    volume = addHead("T1")
    before = sceneContent()
    job, runner, finished = _startedJob(volume)
    folder = os.path.dirname(runner.job["output"])
    assert os.path.isdir(folder)
    job.cancel()
    assert runner.killed
    assert job.state == "cancelled"
    runner.exit(-9)
    assert finished == [job]
    assert not os.path.exists(folder)
    assert sceneContent() == before


def test_a_crash_is_reported_and_leaves_no_trace():
    volume = addHead("T1")
    before = sceneContent()
    job, runner, _ = _startedJob(volume)
    runner.onLine("Fatal Python error: Segmentation fault")
    runner.exit(-11)
    assert type(job.error) is MedInpaintError
    assert "Segmentation fault" in str(job.error)
    assert sceneContent() == before


def test_removing_the_volume_ends_the_job_and_removing_a_segmentation_does_not():
    volume = addHead("T1")
    segmentation = addSegmentation(volume, hole=FIRST)
    job, runner, finished = _startedJob(volume, (), segmentationNode=segmentation, segmentIds=("hole",))
    slicer.mrmlScene.RemoveNode(segmentation)
    assert job.state == "running"
    slicer.mrmlScene.RemoveNode(volume)
    assert runner.killed
    assert isinstance(job.error, InputError)
    assert "removed" in str(job.error)
    assert finished == [job]


def test_a_segmentation_that_was_removed_still_gives_its_name():
    volume = addHead("T1")
    segmentation = addSegmentation(volume, hole=FIRST)
    segmentation.SetName("Mine")
    job, runner, _ = _startedJob(volume, (), segmentationNode=segmentation, segmentIds=("hole",))
    slicer.mrmlScene.RemoveNode(segmentation)
    _end(runner, report({YARDSTICK: [10.0], "patch": [15.0]}, "Mine.nrrd"))
    assert job.scoresTable.GetName() == "T1 scores (Mine)"


def test_a_sheared_volume_is_scored_with_a_warning():
    matrix = HEAD_MATRIX.copy()
    matrix[:3, 2] += 0.5 * matrix[:3, 0]
    job, runner, _ = _startedJob(addVolume(phantom.head("T1"), matrix, "T1"))
    assert any("sheared" in warning for warning in job.warnings)
    _end(runner)
    assert "sheared" in job.scoresTable.GetAttribute("MedInpaint.Warnings")
