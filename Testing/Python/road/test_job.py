"""Job files: what the panel, the command line and a cluster execute."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib import calibration_table
from MedInpaintLib.errors import OutputPathError, ParameterError
from MedInpaintLib.job import guarded, read
from MedInpaintLib.jobs.fill import FillJob


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


def test_the_mask_of_the_voxels_that_were_filled_is_written_on_request(files):
    code, events, _ = execute(files, filled_mask="filled-mask.nii.gz", dilate_mm=2.0)
    assert code == 0
    filled = mi.Volume.read(files / "filled-mask.nii.gz")
    assert filled.array.dtype == np.uint8
    assert filled.array.sum() == events[-1]["report"]["hole"]["voxels"]


def test_warnings_are_events(files):
    _, events, _ = execute(files, method="harmonic", device="cuda")
    assert "was not used" in next(event["message"] for event in events if event["event"] == "warning")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is not delivered on Windows")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_job_says_cancelled_leaves_the_old_file_and_no_litter(files, number):
    (files / "filled.nrrd").write_text("old")
    (files / "job.json").write_text(json.dumps(fields(method="harmonic")))
    before = sorted(os.listdir(files))
    # A method that would never end, so that nothing hangs on how fast a machine is.
    script = """
        import dataclasses, sys, time
        from MedInpaintLib import job
        from MedInpaintLib.methods import registry

        def wait(region, settings, run):
            print("waiting", flush=True)
            while True:
                time.sleep(60)

        endless = dataclasses.replace(registry.get("harmonic"), fill=wait)
        registry.get = lambda name: endless
        sys.exit(job.main(sys.argv[1:]))
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(files / "job.json")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        while (line := process.stdout.readline()) != "waiting\n":
            assert line, "the job ended before it could be stopped"
        process.send_signal(number)
        rest = process.communicate(timeout=60)[0]
    finally:
        process.kill()
    assert process.returncode == 130
    assert [json.loads(line) for line in rest.splitlines()] == [
        {"event": "cancelled", "message": "Cancelled; nothing was written."}
    ]
    assert sorted(os.listdir(files)) == before
    assert (files / "filled.nrrd").read_text() == "old"


# nothing is overwritten


@pytest.mark.parametrize("output", ["output", "report", "uncertainty"])
@pytest.mark.parametrize("name", ["image", "mask"])
@pytest.mark.parametrize("how", ["name", "detour", "link", "hard link"])
def test_a_job_never_overwrites_its_input(files, output, name, how):
    target = files / f"{name}.nrrd"
    path = {"name": target, "detour": files / "." / ".." / files.name / target.name}.get(how, files / "other.nrrd")
    if how == "link":
        path.symlink_to(target)
    elif how == "hard link":
        path.hardlink_to(target)
    before = target.read_bytes()
    seen = []
    with pytest.raises(OutputPathError, match=f"The {output} '.*' would overwrite an input, the {name}"):
        FillJob.of(fields(**{output: str(path)}), files).run(mi.Progress(lambda *report: seen.append(report)))
    assert target.read_bytes() == before
    assert seen == []


def test_a_dicom_folder_as_input_is_no_place_for_the_output(files):
    (files / "series").mkdir()
    with pytest.raises(OutputPathError, match="would overwrite an input"):
        FillJob.of(fields(image="series", report="series"), files).run()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"report": "filled.nrrd"}, "The output and the report would both be written"),
        ({"uncertainty": "./filled.nrrd"}, "The output and the uncertainty would both be written"),
        ({"report": "a.nrrd", "uncertainty": "a.nrrd"}, "The report and the uncertainty would both be written"),
        ({"report": "a.nrrd", "page": "a.nrrd"}, "The report and the page would both be written"),
        ({"output": "a.nrrd", "uncertainty": "A.nrrd"}, "The output and the uncertainty would both be written"),
    ],
)
def test_outputs_do_not_replace_each_other(files, changes, message):
    with pytest.raises(OutputPathError, match=message):
        FillJob.of(fields(**changes), files).run()


@pytest.mark.parametrize("output", ["output", "report", "uncertainty", "filled_mask", "page"])
@pytest.mark.parametrize(
    "path", ["others/a.nrrd", "others/new.nrrd", "others/series/new.nrrd", "link/new.nrrd", "b.nrrd"]
)
def test_no_output_lies_among_the_exemplars(files, output, path):
    (files / "others" / "series").mkdir(parents=True)
    (files / "others" / "a.nrrd").write_text("an exemplar")
    (files / "b.nrrd").write_text("another one")
    (files / "others" / "b.nrrd").symlink_to(files / "b.nrrd")
    (files / "link").symlink_to(files / "others")
    with pytest.raises(OutputPathError, match=f"The {output} '.*' lies among the exemplars"):
        FillJob.of(fields(**{output: path}, exemplars="others"), files).run()
    assert (files / "others" / "a.nrrd").read_text() == "an exemplar"


# formats


def test_an_image_that_the_format_cannot_hold_is_told_before_it_is_filled(files, monkeypatch):
    monkeypatch.setattr("MedInpaintLib.pipeline.inpaint", lambda *arguments, **options: pytest.fail("it was filled"))
    with pytest.raises(OutputPathError, match=r"PNG files hold 2-D images .* this one is 3-D int16.*\.nrrd"):
        FillJob.of(fields(output="filled.png"), files).run()


def test_an_uncertainty_that_the_format_cannot_hold_is_told_before_the_work(files, monkeypatch):
    monkeypatch.setattr("MedInpaintLib.pipeline.inpaint", lambda *arguments, **options: pytest.fail("it was filled"))
    film = mi.Volume.of(np.zeros((9, 9), np.uint8))
    film.write(files / "image.png")
    film.write(files / "mask.png")
    names = {"image": "image.png", "mask": "mask.png", "output": "filled.png"}
    with pytest.raises(OutputPathError, match="this one is 2-D float32"):
        FillJob.of(fields(**names, uncertainty="spread.png"), files).run()


def test_the_report_has_the_files_names_and_the_time_of_reading_them(files, monkeypatch):
    read = mi.Volume.read

    def slow(path, **options):
        time.sleep(0.1)
        return read(path)

    monkeypatch.setattr(mi.Volume, "read", slow)
    report = FillJob.of(fields(method="shell-mean"), files).run()
    assert (report["image"]["name"], report["mask"]["name"]) == ("image.nrrd", "mask.nrrd")
    assert report["seconds"]["read"] >= 0.1
    assert report["seconds"]["total"] >= report["seconds"]["read"]


# the file


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "is not JSON"),
        ("[]", '"job": "fill"'),
        ('{"job": "dance"}', '"job": "fill"'),
        ('{"job": "fill", "image": "a"}', "missing: output"),
        ('{"job": "fill", "image": "a", "mask": "b", "output": "c", "color": 1}', "unknown fields: color"),
    ],
)
def test_a_bad_job_file_is_refused_with_the_reason(tmp_path, content, message):
    (tmp_path / "job.json").write_text(content)
    with pytest.raises(ParameterError, match=message):
        read(tmp_path / "job.json")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("image", 5, "a text that is not empty; found 5"),
        ("image", None, "a text that is not empty; found null"),
        ("output", "", "a text that is not empty; found ''"),
        ("report", ["r.json"], "a text that is not empty"),
        ("report", "", "a text that is not empty"),
        ("uncertainty", False, "a text that is not empty; found False"),
        ("labels", 3, "a list of whole numbers and names; found 3"),
        ("labels", "3", "a list of whole numbers"),
        ("labels", [1, ""], "a list of whole numbers and names"),
        ("labels", [1.5], "a list of whole numbers"),
        ("labels", [True], "a list of whole numbers"),
        ("dilate_mm", "2", "a finite number; found '2'"),
        ("dilate_mm", True, "a finite number; found True"),
        ("dilate_mm", None, "a finite number; found null"),
        ("method", 1, "a text"),
        ("method", None, "a text"),
        ("blend", ["paste"], "a text"),
        ("device", 0, "a text"),
        ("modality", 7, "a text"),
        ("parameters", None, "an object of names and values; found null"),
        ("parameters", [1], "an object of names and values"),
        ("seed", 1.5, "a whole number; found 1.5"),
        ("seed", "0", "a whole number"),
        ("seed", False, "a whole number"),
        ("compress", 1, "true or false; found 1"),
        ("compress", "no", "true or false"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named_with_what_was_wanted_and_what_was_found(tmp_path, field, value, message):
    (tmp_path / "job.json").write_text(json.dumps(fields(**{field: value})))
    with pytest.raises(ParameterError, match=rf"field '{field}' must be {message}"):
        read(tmp_path / "job.json")


def test_null_means_left_out_where_a_field_may_be(tmp_path):
    job = FillJob.of(fields(report=None, uncertainty=None, labels=None, modality=None), tmp_path)
    assert (job.report, job.uncertainty, job.labels, job.modality) == (None,) * 4


def test_numbers_of_numpy_are_welcome_and_can_be_written(tmp_path):
    job = FillJob.of(fields(seed=np.int64(5), dilate_mm=np.float32(2), labels=[np.uint8(1)]), tmp_path)
    job.write(tmp_path / "job.json")
    assert read(tmp_path / "job.json") == job
    assert json.loads((tmp_path / "job.json").read_text())["seed"] == 5


def test_a_byte_order_mark_does_no_harm(tmp_path):
    (tmp_path / "job.json").write_text(json.dumps(fields()), encoding="utf-8-sig")
    assert read(tmp_path / "job.json").image == str(tmp_path / "image.nrrd")


def test_a_missing_job_file_is_named(tmp_path):
    with pytest.raises(ParameterError, match=r"job\.json' cannot be read"):
        read(tmp_path / "job.json")


def test_a_job_survives_its_file(tmp_path, files):
    job = FillJob.of(fields(parameters={"tolerance": 1e-4}, method="harmonic"), files)
    job.write(tmp_path / "copy.json")
    assert read(tmp_path / "copy.json") == job


def test_asking_for_uncertainty_gives_a_file_where_errors_were_measured(files):
    code, events, _ = execute(files, method="harmonic", modality="MR", uncertainty="sd.nrrd")
    assert code == 0
    assert events[-1]["report"]["uncertainty"]["basis"] == "calibrated by other people"
    assert mi.Volume.read(files / "sd.nrrd").array.max() > 0


def test_asking_for_uncertainty_where_none_is_known_is_a_warning_and_no_error(files, monkeypatch):
    monkeypatch.setattr(calibration_table, "TABLE", {})
    (files / "sd.nrrd").write_bytes(b"of an earlier fill")
    report = FillJob.of(fields(method="harmonic", modality="MR", uncertainty="sd.nrrd"), files).run()
    assert "the errors of 'harmonic'" in report["uncertainty"]["reason"]
    assert any(each.startswith("No uncertainty is given: the errors of 'harmonic'") for each in report["warnings"])
    assert not (files / "sd.nrrd").exists()
    assert (files / "filled.nrrd").exists()


def test_guides_exemplars_and_the_self_check_are_passed_on(files):
    image = mi.Volume.read(files / "image.nrrd")
    (files / "others").mkdir()
    image.with_array(image.array + 1).write(files / "others" / "a.nrrd")
    image.with_array(2 * image.array).write(files / "guide.nrrd")
    code, events, _ = execute(files, method="shell-mean", guides=["guide.nrrd"], exemplars="others", self_check=True)
    assert code == 0
    assert "self_check" in events[-1]["report"]
    code, events, _ = execute(files, method="shell-mean", guides=["missing.nrrd"])
    assert code == 2
    assert "missing.nrrd" in events[-1]["message"]


def test_a_guide_is_never_overwritten(files):
    mi.Volume.read(files / "image.nrrd").write(files / "filled.nrrd")
    code, events, _ = execute(files, guides=["filled.nrrd"])
    assert code == 2
    assert "would overwrite an input, the guide 1" in events[-1]["message"]


# what goes wrong inside


def test_an_unexpected_error_is_one_event_with_the_traceback_on_standard_error(capsys):
    def work():
        raise KeyError("colour")

    events = []
    assert guarded(work, events.append) == 1
    assert len(events) == 1
    assert (events[0]["event"], events[0]["kind"]) == ("error", "KeyError")
    assert "unexpected error, please report it with the traceback: KeyError: 'colour'" in events[0]["message"]
    assert "Traceback" in capsys.readouterr().err


def test_that_nobody_listens_is_no_error_to_tell_of():
    def work():
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        guarded(work, lambda event: pytest.fail("told"))


@pytest.mark.parametrize("error", [None, ValueError, ParameterError])
def test_signals_do_afterwards_what_they_did_before(error):
    def work():
        assert [signal.getsignal(number) for number in numbers] != before
        if error is not None:
            raise error("on purpose")

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    guarded(work, lambda event: None)
    assert [signal.getsignal(number) for number in numbers] == before
