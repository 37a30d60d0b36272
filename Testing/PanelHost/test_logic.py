"""Filling from scripts, as in Slicer's Python console."""

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
