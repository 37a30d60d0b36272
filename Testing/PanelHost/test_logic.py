"""Filling from scripts, as in Slicer's Python console."""

import gc
import weakref

import numpy as np
import pytest
import slicer
from panelhost import host, mrml
from panelhost.phantom import addSegmentation, addVolume, box, ramp

from MedInpaintLib import Volume
from MedInpaintLib.errors import InputError, MaskError, ParameterError


@pytest.fixture
def logic():
    mrml.clearScene()
    yield host.install().MedInpaintLogic()
    mrml.clearScene()


@pytest.fixture
def inputs(logic):
    array = ramp()
    array[box()] = 0
    volume = addVolume(array)
    return volume, addSegmentation(volume, lesion=box())


def test_one_call_returns_the_filled_volume(logic, inputs):
    stages = []
    filled = logic.inpaint(
        *inputs, segmentIds=["lesion"], method="harmonic", progress=lambda fraction, stage: stages.append(stage)
    )
    assert np.allclose(slicer.util.arrayFromVolume(filled), ramp(), atol=1)
    assert stages[-1] == "Done"


def test_all_options_have_defaults(logic, inputs):
    filled = logic.inpaint(*inputs, ["lesion"])
    assert filled.GetAttribute("MedInpaint.Method") != "auto"


def test_all_segments_are_filled_unless_some_are_named(logic):
    other = np.zeros_like(box())
    other[0, 0, 0] = True
    volume = addVolume(ramp())
    filled = logic.inpaint(volume, addSegmentation(volume, lesion=box(), corner=other))
    assert int(filled.GetAttribute("MedInpaint.HoleVoxels")) == box().sum() + 1


def test_guides_exemplars_self_check_and_uncertainty_can_be_asked_for(logic, inputs, tmp_path):
    Volume(ramp(), (2.0, 0.9, 0.8)).write(tmp_path / "other.nrrd")
    filled = logic.inpaint(
        *inputs,
        ["lesion"],
        method="patch",
        guides=[addVolume(name="T2")],
        exemplars=tmp_path,
        selfCheck=True,
        uncertainty=True,
    )
    assert filled.GetAttribute("MedInpaint.Guides") == '["T2"]'
    assert filled.GetNodeReference("MedInpaint.Uncertainty").GetName() == "T1 uncertainty (patch)"


def test_without_waiting_a_job_tells_when_it_has_ended(logic, inputs):
    ended = []
    job = logic.inpaint(*inputs, ["lesion"], method="nearest", wait=False, finished=ended.append)
    assert job.state == "running"
    host.waitUntil(lambda: ended)
    assert ended == [job]
    assert job.state == "done"
    assert job.report["method"] == "nearest"
    assert job.outputVolume.GetName() == "T1 filled (nearest)"


def test_a_job_can_be_cancelled(logic, inputs):
    job = logic.inpaint(*inputs, ["lesion"], wait=False)
    job.cancel()
    assert job.state == "cancelled"
    assert job.outputVolume is None


def test_bad_input_raises_the_engines_errors(logic, inputs):
    with pytest.raises(MaskError, match="no segment with the id"):
        logic.inpaint(*inputs, ["unknown"])
    with pytest.raises(InputError, match="cannot guide itself"):
        logic.inpaint(*inputs, ["lesion"], guides=inputs[:1])
    with pytest.raises(ParameterError, match="no method 'magic'"):
        logic.inpaint(*inputs, ["lesion"], method="magic")
    with pytest.raises(ParameterError, match="no parameter 'speed'"):
        logic.inpaint(*inputs, ["lesion"], method="harmonic", parameters={"speed": 9})


def test_a_job_that_has_ended_does_not_keep_its_volumes(logic, inputs):
    """Slicer keeps the callbacks of a process for ever; the job must not hang on them."""
    ended = []
    job = logic.inpaint(*inputs, ["lesion"], method="nearest", wait=False, finished=lambda job: ended.append(True))
    host.waitUntil(lambda: ended)
    runner, kept = job._runner, weakref.ref(job)
    del job
    gc.collect()
    assert kept() is None
    assert runner._process.poll() == 0


def test_one_segment_and_one_guide_need_no_list(logic, inputs):
    filled = logic.inpaint(*inputs, "lesion", method="nearest", guides=addVolume(name="T2"))
    assert filled.GetAttribute("MedInpaint.Segments") == '["lesion"]'
    assert filled.GetAttribute("MedInpaint.Guides") == '["T2"]'


def _labelmap():
    return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")


WRONG = {
    "a label map for the segmentation": lambda logic, volume, marks: logic.inpaint(volume, _labelmap()),
    "its name for a volume": lambda logic, volume, marks: logic.inpaint("T1", marks),
    "a segmentation for the output": lambda logic, volume, marks: logic.inpaint(volume, marks, outputVolume=marks),
    "a segmentation for a guide": lambda logic, volume, marks: logic.inpaint(volume, marks, guides=[marks]),
    "a text for the seed": lambda logic, volume, marks: logic.inpaint(volume, marks, seed="x"),
    "a text for a length": lambda logic, volume, marks: logic.inpaint(volume, marks, dilateMm="wide"),
    "numbers for segments": lambda logic, volume, marks: logic.inpaint(volume, marks, [1]),
    "pairs for the parameters": lambda logic, volume, marks: logic.inpaint(volume, marks, parameters=[("a", 1)]),
    "a node for a parameter": lambda logic, volume, marks: logic.inpaint(volume, marks, parameters={"a": volume}),
    "no text for the method": lambda logic, volume, marks: logic.inpaint(volume, marks, method=3),
    "a number for the exemplars": lambda logic, volume, marks: logic.inpaint(volume, marks, exemplars=3),
    "names for volumes": lambda logic, volume, marks: logic.inpaintVolumes(["T1"], marks),
    "a label map for all": lambda logic, volume, marks: logic.inpaintVolumes([volume], _labelmap()),
    "a label map for one": lambda logic, volume, marks: logic.inpaintVolumes([volume], {volume: _labelmap()}),
    "the seed of many": lambda logic, volume, marks: logic.inpaintVolumes([volume], marks, seed="x"),
    "the ids of one of many": lambda logic, volume, marks: logic.inpaintVolumes([volume], marks, {volume: [2]}),
    "its name for a sequence": lambda logic, volume, marks: logic.inpaintSequence("Time", marks),
    "a volume for a sequence": lambda logic, volume, marks: logic.inpaintSequence(volume, marks),
    "a volume for the contrasts": lambda logic, volume, marks: logic.impute(volume, "FLAIR"),
    "a name for a contrast": lambda logic, volume, marks: logic.impute({"T1": "T1"}, "FLAIR"),
    "no text for the target": lambda logic, volume, marks: logic.impute({"T1": volume}, volume),
    "a segmentation to be like": lambda logic, volume, marks: logic.impute({"T1": volume}, "FLAIR", like=marks),
    "a label map to avoid": lambda logic, volume, marks: logic.evaluate(volume, avoid=_labelmap()),
    "numbers for holes": lambda logic, volume, marks: logic.evaluate(volume, 20),
    "methods that are no texts": lambda logic, volume, marks: logic.evaluate(volume, methods=[None]),
    "the seed of an evaluation": lambda logic, volume, marks: logic.evaluate(volume, seed="x"),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_what_is_of_the_wrong_type_is_told_in_a_line_before_anything_starts(logic, inputs, call, monkeypatch):
    from MedInpaintSlicer.jobs import process

    monkeypatch.setattr(process.ForegroundRunner, "start", lambda *arguments: pytest.fail("a worker was started"))
    with pytest.raises(InputError) as caught:
        call(logic, *inputs)
    assert "\n" not in str(caught.value)
    assert "AttributeError" not in str(caught.value)


def test_the_line_names_the_argument_and_what_was_found(logic, inputs):
    with pytest.raises(MaskError, match=r"segmentationNode must be .* found the vtkMRMLLabelMapVolumeNode 'labels'"):
        logic.inpaint(inputs[0], _labelmap())
    with pytest.raises(InputError, match=r"volumeNode must be a scalar volume node, .*; found 'T1'\."):
        logic.inpaint("T1", inputs[1])
    with pytest.raises(MaskError, match="no segment with the id 'lesions'"):
        logic.inpaint(*inputs, "lesions")
