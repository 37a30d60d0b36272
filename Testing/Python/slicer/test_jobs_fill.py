"""A filling from nodes to nodes; with the engine, and with workers that only pretend."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import slicer
import vtk
from panelhost.phantom import (
    addSegmentation,
    addTransform,
    addVolume,
    box,
    obliqueMatrix,
    ramp,
    rotation,
    sceneContent,
)
from panelhost.workers import PretendingRunner

from MedInpaintLib import Volume
from MedInpaintLib import job as engine
from MedInpaintLib.errors import Cancelled, GeometryError, InputError, MaskError, MedInpaintError, ParameterError
from MedInpaintLib.options import FillOptions
from MedInpaintSlicer.jobs import fill, process
from MedInpaintSlicer.nodes import results

HARMONIC = FillOptions(method="harmonic")


def _request(volume, segmentation, options=HARMONIC, **fields):
    return fill.Request(volume, segmentation, ("lesion",), options, **fields)


def _startedJob(*options, volumeNode=None, segmentationNode=None, **fields):
    volume = volumeNode or addVolume()
    segmentation = segmentationNode or addSegmentation(volume, lesion=box())
    runner, finished = PretendingRunner(), []
    job = fill.FillJob(_request(volume, segmentation, *options, **fields), runner, finished=finished.append)
    job.start()
    return job, runner, finished


def _fill(*arguments, **fields):
    job = fill.FillJob(_request(*arguments, **fields), process.ForegroundRunner())
    job.start()
    return job


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_the_engine_fills_the_hole_and_nothing_else(dtype):
    array = ramp(dtype)
    array[box()] = 0
    volume = addVolume(array)
    job = _fill(volume, addSegmentation(volume, lesion=box()))
    assert job.state == "done", job.error
    filled = slicer.util.arrayFromVolume(job.outputVolume)
    assert filled.dtype == dtype
    assert np.array_equal(filled[~box()], array[~box()])
    # A linear image is harmonic along every axis of the grid, so the fill restores it.
    assert np.allclose(filled[box()], ramp(dtype)[box()], atol=0.51)
    assert np.array_equal(slicer.util.arrayFromVolume(volume), array)


def test_transforms_on_volume_and_segmentation_end_in_the_right_voxels():
    array = ramp()
    array[box(i=(5, 10))] = 0
    volume = addVolume(array)
    segmentation = addSegmentation(volume, lesion=box())
    shift = np.eye(4)
    shift[:3, 3] = obliqueMatrix()[:3, 0]
    turned = rotation(25, "Y")
    volume.SetAndObserveTransformNodeID(addTransform(turned).GetID())
    segmentation.SetAndObserveTransformNodeID(addTransform(turned @ shift).GetID())
    job = _fill(volume, segmentation)
    assert np.allclose(slicer.util.arrayFromVolume(job.outputVolume), ramp(), atol=1)
    assert job.outputVolume.GetParentTransformNode() is volume.GetParentTransformNode()


def test_a_sheared_volume_is_filled_with_a_warning():
    matrix = obliqueMatrix()
    matrix[:3, 2] += 0.5 * matrix[:3, 0]
    volume = addVolume(ijkToRAS=matrix)
    job = _fill(volume, addSegmentation(addVolume(), lesion=box()))
    assert job.state == "done", job.error
    assert any("sheared" in warning for warning in job.warnings)
    assert "sheared" in job.outputVolume.GetAttribute("MedInpaint.Warnings")


def test_the_hole_is_grown():
    volume = addVolume()
    report = _fill(volume, addSegmentation(volume, lesion=box()), FillOptions(method="harmonic", dilate_mm=1.0)).report
    assert report["hole"]["voxels"] > box().sum()


def test_an_error_of_the_engine_arrives_and_leaves_no_trace():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=np.ones_like(box()))
    before = sceneContent()
    job = _fill(volume, segmentation)
    assert job.state == "failed"
    assert isinstance(job.error, MaskError)
    assert sceneContent() == before


def test_an_unknown_method_is_an_error():
    volume = addVolume()
    job = _fill(volume, addSegmentation(volume, lesion=box()), FillOptions(method="magic"))
    assert isinstance(job.error, ParameterError)


def test_the_worker_gets_the_engines_job_with_all_options():
    options = FillOptions(
        method="harmonic", parameters={"tolerance": 1e-4}, blend="poisson", device="cuda", seed=3, dilate_mm=2.0
    )
    _, runner, _ = _startedJob(options)
    job = engine.JOBS["fill"].of(runner.job, Path.cwd())
    assert job.keywords() == options.keywords()
    assert (job.guides, job.exemplars, job.report, job.uncertainty, job.compress) == ([], None, None, None, False)


def test_the_worker_gets_the_guides_on_the_inputs_grid():
    own, moved = addVolume(ramp() + 1, name="T2"), addVolume(name="FLAIR/ß")
    shift = np.eye(4)
    shift[:3, 3] = obliqueMatrix()[:3, 0]
    moved.SetAndObserveTransformNodeID(addTransform(shift).GetID())
    _, runner, _ = _startedJob(guides=(own, moved))
    first, second = (Volume.read(path) for path in runner.job["guides"])
    image = Volume.read(runner.job["image"])
    assert image.grid_difference(first) == image.grid_difference(second) == ""
    assert np.array_equal(first.array, ramp() + 1)
    assert np.allclose(second.array[..., 1:], ramp()[..., :-1], atol=1e-2)
    assert [Path(path).name for path in runner.job["guides"]] == ["T2.nrrd", "FLAIR__.nrrd"]


def test_a_guide_beside_the_hole_is_an_error_before_anything_starts():
    far = np.eye(4)
    far[:3, 3] = 500
    guide = addVolume(name="T2")
    guide.SetAndObserveTransformNodeID(addTransform(far).GetID())
    with pytest.raises(GeometryError, match="'T2' does not cover the hole"):
        _startedJob(guides=(guide,))


def test_the_input_and_the_output_are_refused_as_guides():
    volume, output = addVolume(), addVolume(name="Output")
    with pytest.raises(InputError, match="cannot guide itself"):
        _startedJob(volumeNode=volume, guides=(volume,))
    with pytest.raises(InputError, match="cannot be a guide"):
        _startedJob(volumeNode=volume, outputVolume=output, guides=(output,))


def test_the_worker_gets_exemplars_self_check_and_uncertainty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, runner, _ = _startedJob(FillOptions(self_check=True), exemplars="others", uncertainty=True)
    assert runner.job["exemplars"] == str(tmp_path / "others")
    assert runner.job["self_check"] is True
    assert Path(runner.job["uncertainty"]).parent == Path(runner.job["output"]).parent


def test_guides_and_exemplars_are_remembered_by_the_result(tmp_path):
    array = ramp()
    array[box()] = 0
    volume = addVolume(array)
    Volume(ramp(), (2.0, 0.9, 0.8)).write(tmp_path / "other.nrrd")
    guide = addVolume(name="T2")
    job = _fill(volume, addSegmentation(volume, lesion=box()), guides=(guide,), exemplars=str(tmp_path))
    assert job.state == "done", job.error
    assert job.outputVolume.GetAttribute("MedInpaint.Guides") == '["T2"]'
    assert job.outputVolume.GetAttribute("MedInpaint.Exemplars") == tmp_path.name


def test_where_there_is_no_uncertainty_the_fill_succeeds_and_says_so():
    volume = addVolume()
    options = FillOptions(method="linear-z", modality="CT")  # whose errors were never measured
    job = _fill(volume, addSegmentation(volume, lesion=box()), options, uncertainty=True)
    assert job.state == "done", job.error
    assert job.uncertaintyVolume is None
    assert any("No uncertainty is given: the errors of 'linear-z' in CT volumes" in each for each in job.warnings)


def test_the_uncertainty_becomes_a_volume_of_its_own():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box())
    transform = addTransform(rotation(25, "Y"))
    for each in (volume, segmentation):
        each.SetAndObserveTransformNodeID(transform.GetID())
    job = _fill(volume, segmentation, FillOptions(method="patch"), uncertainty=True)
    assert job.state == "done", job.error
    node = job.uncertaintyVolume
    assert node.GetName() == "T1 uncertainty (patch)"
    assert job.outputVolume.GetNodeReference("MedInpaint.Uncertainty") is node
    array = slicer.util.arrayFromVolume(node)
    assert array.dtype == np.float32
    assert (array[~box()] == 0).all()
    assert array.max() > 0
    assert node.GetParentTransformNode() is transform


def test_samples_become_a_sequence_that_differs_in_the_hole_alone_and_is_undone():
    before = sceneContent()
    rough = ramp() + np.random.default_rng(0).normal(0, 20, ramp().shape).astype(ramp().dtype)
    volume = addVolume(rough)
    segmentation = addSegmentation(volume, lesion=box())
    transform = addTransform(rotation(25, "Y"))
    for each in (volume, segmentation):
        each.SetAndObserveTransformNodeID(transform.GetID())
    before = sceneContent()
    job = _fill(volume, segmentation, FillOptions(method="biharmonic", modality="MR"), samples=3)
    assert job.state == "done", job.error
    sequence = job.samplesSequence
    assert sequence.GetName() == "T1 samples (biharmonic)"
    assert job.outputVolume.GetNodeReference("MedInpaint.Samples") is sequence
    frames = [slicer.util.arrayFromVolume(sequence.GetNthDataNode(number)) for number in range(3)]
    assert sequence.GetNumberOfDataNodes() == 3
    for frame in frames:
        assert frame.dtype == rough.dtype
        assert np.array_equal(frame[~box()], rough[~box()])
    assert (frames[0] != frames[1])[box()].any()
    assert np.array_equal(slicer.util.arrayFromVolume(job.outputVolume)[~box()], rough[~box()])
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForSequenceNode(sequence)
    proxy = browser.GetProxyNode(sequence)
    assert np.array_equal(slicer.util.arrayFromVolume(proxy), frames[0])
    assert proxy.GetParentTransformNode() is transform
    job.undo()
    assert sceneContent() == before


def test_no_samples_are_made_unless_asked_for():
    volume = addVolume()
    job = _fill(volume, addSegmentation(volume, lesion=box()))
    assert job.samplesSequence is None
    assert job.outputVolume.GetNodeReference("MedInpaint.Samples") is None


def test_the_parts_have_centers_inside_them_in_the_reports_order():
    shallow, ring = box(k=(9, 11), j=(12, 14), i=(10, 12)), box(k=(2, 6), j=(2, 11), i=(1, 12))
    ring &= ~box(k=(0, 12), j=(5, 8), i=(5, 8))  # its mean lies outside it
    volume = addVolume()
    job = _fill(volume, addSegmentation(volume, lesion=shallow | ring))
    assert job.state == "done", job.error
    assert len(job.report["parts"]) == len(job.centers) == 2
    toIJK = np.linalg.inv(obliqueMatrix())
    for part, center in zip(job.report["parts"], job.centers, strict=True):
        mask = ring if part["voxels"] == ring.sum() else shallow
        i, j, k = np.rint(toIJK @ [*center, 1.0])[:3].astype(int)
        assert mask[k, j, i]


def test_cancelling_kills_the_worker_and_leaves_the_scene_as_it_was():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box())
    before = sceneContent()
    job, runner, finished = _startedJob(volumeNode=volume, segmentationNode=segmentation)
    job.cancel()
    assert runner.killed
    assert job.state == "cancelled"
    assert finished == [job]
    runner.exit(-9)  # the process's end is told later
    assert finished == [job]
    assert sceneContent() == before


def test_cancelling_what_has_ended_does_nothing():
    job, runner, finished = _startedJob()
    runner.say({"event": "error", "kind": "MaskError", "message": "Empty."})
    runner.exit(2)
    job.cancel()
    assert job.state == "failed"
    assert not runner.killed
    assert len(finished) == 1


def test_files_are_removed_however_it_ends():
    for end in (lambda job, runner: job.cancel(), lambda job, runner: runner.exit(1)):
        job, runner, _ = _startedJob()
        folder = os.path.dirname(runner.job["image"])
        assert os.path.isdir(folder)
        end(job, runner)
        assert not os.path.exists(folder)


def test_a_crash_is_reported_with_the_workers_last_lines():
    job, runner, _ = _startedJob()
    runner.onLine("Fatal Python error: Segmentation fault")
    runner.exit(-11)
    assert type(job.error) is MedInpaintError
    assert "SIGSEGV" in str(job.error)
    assert "Segmentation fault" in str(job.error)


def test_a_worker_that_claims_success_without_a_result_has_failed():
    job, runner, _ = _startedJob()
    runner.exit(0)
    assert job.state == "failed"


def test_a_volume_that_is_removed_meanwhile_ends_the_job_at_once():
    volume = addVolume()
    job, runner, finished = _startedJob(volumeNode=volume)
    slicer.mrmlScene.RemoveNode(addVolume(name="Other"))
    assert job.state == "running"
    slicer.mrmlScene.RemoveNode(volume)
    assert runner.killed
    assert job.state == "failed"
    assert isinstance(job.error, InputError)
    assert "removed" in str(job.error)
    runner.exit(-9)
    assert finished == [job]


def test_the_input_is_refused_as_output_before_any_work():
    volume = addVolume()
    with pytest.raises(InputError, match="another volume"):
        _startedJob(volumeNode=volume, outputVolume=volume)


def test_a_stop_while_waiting_ends_the_worker(monkeypatch, tmp_path):
    script = tmp_path / "endless.py"
    script.write_text(
        'print(\'{"event": "progress", "fraction": 0.1, "stage": ""}\', flush=True)\nimport time\ntime.sleep(600)'
    )
    monkeypatch.setattr(process, "workerCommand", lambda jobFile: [sys.executable, str(script)])

    def interrupt(fraction, stage):
        raise KeyboardInterrupt

    volume = addVolume()
    runner = process.ForegroundRunner()
    request = _request(volume, addSegmentation(volume, lesion=box()))
    job = fill.FillJob(request, runner, progress=interrupt)
    with pytest.raises(KeyboardInterrupt):
        job.start()
    assert runner._process.poll() is not None
    assert job.state == "failed"


def test_a_worker_that_was_stopped_from_outside_has_failed():
    job, runner, _ = _startedJob()
    runner.say({"event": "cancelled"})
    runner.exit(130)
    assert isinstance(job.error, Cancelled)


def test_an_input_that_was_replaced_meanwhile_is_refused_and_a_chosen_output_put_back():
    volume = addVolume()
    output = addVolume(np.full((2, 3, 4), 9, np.int16), name="Mine")
    runner = PretendingRunner()
    job = fill.FillJob(_request(volume, addSegmentation(volume, lesion=box()), outputVolume=output), runner)
    job.start()
    slicer.util.updateVolumeFromArray(volume, np.zeros((5, 5, 5), np.int16))
    before = set(sceneContent())
    _answer(runner)
    assert job.state == "failed"
    assert "another size" in str(job.error)
    assert set(sceneContent()) == before
    assert np.array_equal(slicer.util.arrayFromVolume(output), np.full((2, 3, 4), 9, np.int16))


def test_what_fails_half_way_into_the_scene_leaves_no_trace(monkeypatch):
    volume = addVolume()
    output = addVolume(np.full((2, 3, 4), 9, np.int16), name="Mine")
    segmentation = addSegmentation(volume, lesion=box())
    monkeypatch.setattr(results, "describeResult", lambda *arguments: 1 / 0)
    for chosen in (None, output):
        runner = PretendingRunner()
        job = fill.FillJob(_request(volume, segmentation, outputVolume=chosen), runner)
        job.start()
        before = set(sceneContent())
        _answer(runner)
        assert job.state == "failed"
        assert isinstance(job.error, ZeroDivisionError)
        assert job.outputVolume is None
        assert set(sceneContent()) == before
        assert np.array_equal(slicer.util.arrayFromVolume(output), np.full((2, 3, 4), 9, np.int16))


def test_a_transform_that_is_hardened_meanwhile_takes_the_result_along():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box())
    volume.SetAndObserveTransformNodeID(addTransform(rotation(30, "Y")).GetID())
    segmentation.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    runner = PretendingRunner()
    job = fill.FillJob(_request(volume, segmentation), runner)
    job.start()
    volume.HardenTransform()
    _answer(runner)
    assert job.state == "done", job.error
    assert job.outputVolume.GetTransformNodeID() is None
    matrices = [vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()]
    for node, matrix in zip((volume, job.outputVolume), matrices, strict=True):
        node.GetIJKToRASMatrix(matrix)
    assert np.allclose(*(slicer.util.arrayFromVTKMatrix(matrix) for matrix in matrices))


@pytest.mark.parametrize("callback", ["progress", "warning", "log"])
def test_a_callback_that_raises_ends_the_job(callback):
    """Who polls the worker would stop, and whoever waits for the job would wait for ever."""

    def fail(*arguments):
        raise RuntimeError("my own mistake")

    volume = addVolume()
    runner = PretendingRunner()
    ended = []
    request = _request(volume, addSegmentation(volume, lesion=box()))
    job = fill.FillJob(request, runner, finished=ended.append, **{callback: fail})
    job.start()
    said = {
        "progress": json.dumps({"event": "progress", "fraction": 0.5, "stage": "Filling"}),
        "warning": json.dumps({"event": "warning", "message": "It is large."}),
        "log": "chatter",
    }
    runner.onLine(said[callback])
    assert job.state == "failed"
    assert str(job.error) == "my own mistake"
    assert runner.killed
    assert ended == [job]


def _answer(runner) -> None:
    """As a worker that has filled the hole."""
    job = engine.JOBS[runner.job["job"]].of(runner.job, Path.cwd())
    runner.exit(engine.guarded(lambda: engine.execute(job, runner.say), runner.say))
