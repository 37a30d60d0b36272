"""Job files: what the panel, the command line and a cluster execute."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.errors import OutputPathError, ParameterError
from MedInpaintLib.job import Job, run


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    image = mi.Volume(rng.integers(0, 1000, (20, 22, 24)).astype(np.int16), (2.0, 1.0, 1.0))
    hole = np.zeros(image.array.shape, np.uint8)
    hole[6:12, 7:13, 8:14] = 1
    image.write(tmp_path / "image.nrrd")
    image.with_array(hole).write(tmp_path / "mask.nrrd")
    return tmp_path


def fields(**changes):
    return {"job": "fill", "image": "image.nrrd", "mask": "mask.nrrd", "output": "filled.nrrd", **changes}


def execute(folder, **changes):
    (folder / "job.json").write_text(json.dumps(fields(**changes)))
    command = [sys.executable, "-m", "MedInpaintLib.job", str(folder / "job.json")]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    return process.returncode, [json.loads(line) for line in process.stdout.splitlines()], process.stderr


def test_a_job_prints_progress_and_the_result_as_json_lines_and_writes_its_files(files):
    code, events, errors = execute(files, method="harmonic", report="report.json", dilate_mm=2.0)
    assert (code, errors) == (0, "")
    assert {event["event"] for event in events} == {"progress", "result"}
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    report = events[-1]["report"]
    assert report == json.loads((files / "report.json").read_text())
    assert report["hole"]["voxels"] > 6**3
    direct = mi.inpaint(files / "image.nrrd", files / "mask.nrrd", method="harmonic", dilate_mm=2.0)
    np.testing.assert_array_equal(mi.Volume.read(files / "filled.nrrd").array, direct.volume.array)


def test_bad_input_is_one_error_event_and_exit_code_2(files):
    code, events, errors = execute(files, mask="nowhere.nrrd")
    assert (code, errors) == (2, "")
    assert events[-1]["kind"] == "ImageReadError"
    assert "nowhere.nrrd" in events[-1]["message"]
    assert not (files / "filled.nrrd").exists()


def test_a_report_folder_that_does_not_exist_is_told_before_the_work(files):
    code, events, _ = execute(files, report="nowhere/report.json")
    assert code == 2
    assert [event["event"] for event in events] == ["error"]
    assert "does not exist" in events[0]["message"]


def test_warnings_are_events(files):
    _, events, _ = execute(files, method="harmonic", device="cuda")
    assert "was not used" in next(event["message"] for event in events if event["event"] == "warning")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is not delivered on Windows")
def test_a_terminated_job_says_cancelled_leaves_the_old_file_and_no_litter(files):
    big = mi.Volume(np.random.default_rng(0).random((160, 160, 160)), (1.0,) * 3)
    hole = np.zeros(big.array.shape, np.uint8)
    hole[10:150, 10:150, 10:149] = 1
    hole[80, 80, 80] = 0
    big.write(files / "image.nrrd")
    big.with_array(hole).write(files / "mask.nrrd")
    (files / "filled.nrrd").write_text("old")
    (files / "job.json").write_text(json.dumps(fields(method="biharmonic")))
    before = sorted(os.listdir(files))
    process = subprocess.Popen(
        [sys.executable, "-m", "MedInpaintLib.job", str(files / "job.json")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while '"Solving"' not in (line := process.stdout.readline()):
        assert line, "the job ended before it could be cancelled"
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    rest = process.communicate(timeout=30)[0]
    assert process.returncode == 130
    assert json.loads(rest.splitlines()[-1]) == {"event": "cancelled"}
    assert sorted(os.listdir(files)) == before
    assert (files / "filled.nrrd").read_text() == "old"


def test_a_job_never_overwrites_its_input(files):
    job = Job.of(fields(output="image.nrrd"), files)
    with pytest.raises(OutputPathError, match="would overwrite an input"):
        run(job)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "is not JSON"),
        ("[]", '"job": "fill"'),
        ('{"job": "dance"}', '"job": "fill"'),
        ('{"job": "fill", "image": "a"}', "missing: mask, output"),
        ('{"job": "fill", "image": "a", "mask": "b", "output": "c", "color": 1}', "unknown fields: color"),
    ],
)
def test_a_bad_job_file_is_refused_with_the_reason(tmp_path, content, message):
    (tmp_path / "job.json").write_text(content)
    with pytest.raises(ParameterError, match=message):
        Job.read(tmp_path / "job.json")


def test_a_missing_job_file_is_named(tmp_path):
    with pytest.raises(ParameterError, match=r"job\.json' cannot be read"):
        Job.read(tmp_path / "job.json")


def test_a_job_survives_its_file(tmp_path, files):
    job = Job.of(fields(parameters={"tolerance": 1e-4}, method="harmonic"), files)
    job.write(tmp_path / "copy.json")
    assert Job.read(tmp_path / "copy.json") == job


def test_asking_a_smooth_fill_for_uncertainty_is_refused_before_anything_is_written(files):
    code, events, _ = execute(files, method="harmonic", uncertainty="spread.nrrd")
    assert code == 2
    assert "gives no uncertainty" in events[-1]["message"]
    assert not (files / "filled.nrrd").exists()
