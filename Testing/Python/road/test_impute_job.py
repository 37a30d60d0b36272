"""Jobs that estimate a contrast, and the command that makes them."""

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib.cli.app import app
from MedInpaintLib.errors import OutputPathError, ParameterError
from MedInpaintLib.job import JOBS, read
from MedInpaintLib.jobs.impute import ImputeJob

pytest.importorskip("torch")

SHAPE, MM = (6, 36, 32), (20.0, 4.0, 4.0)
MODEL = "a-tiny-collagan"


@pytest.fixture(scope="module")
def scans():
    """Three contrasts of a head, and a hole in the last one."""
    k, j, i = np.ogrid[-1:1:6j, -1:1:36j, -1:1:32j]
    inside = k**2 + j**2 + i**2 < 0.9
    tissue = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), (0.4, 1.6, 1.6))
    tissue /= tissue.std()
    hole = np.zeros(SHAPE, bool)
    hole[2:4, 14:20, 16:22] = True
    made = {"t1": 600 + 150 * tissue, "t2": 250 + 150 * np.exp(-tissue / 1.5), "flair": 500 + 100 * np.cos(tissue)}
    found = {
        name: mi.Volume(np.where(inside, np.clip(each, 60, 1400), 0).astype(np.int16), MM)
        for name, each in made.items()
    }
    found["hole"] = found["t1"].with_array(hole.astype(np.uint8))
    found["flair"].array[hole] = 1500
    return found


@pytest.fixture
def files(scans, tmp_path):
    for name, each in scans.items():
        each.write(tmp_path / f"{name}.nrrd")
    return tmp_path


def fields(**changes):
    images = {"T1": "t1.nrrd", "T2": "t2.nrrd"}
    return {"job": "impute", "images": images, "target": "FLAIR", "output": "out.nrrd", "model": MODEL, **changes}


@pytest.fixture(scope="module")
def direct(scans):
    """What the function makes of the same images."""
    return mi.impute({"T1": scans["t1"], "T2": scans["t2"]}, "FLAIR", model=MODEL).volume.array


# jobs


def test_a_job_is_run_as_a_program_and_paths_are_those_beside_it(files, direct, tiny_models):
    (files / "jobs").mkdir()
    images = {"T1": "../t1.nrrd", "T2": str(files / "t2.nrrd")}
    job = files / "jobs" / "job.json"
    job.write_text(json.dumps(fields(images=images, output="../out.nrrd", report="report.json")))
    command = [sys.executable, "-m", "MedInpaintLib.job", str(job)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stderr) == (0, "")
    *others, result = [json.loads(line) for line in process.stdout.splitlines()]
    assert {event["event"] for event in others} == {"progress"}
    fractions = [event["fraction"] for event in others]
    assert fractions == sorted(fractions)
    assert result["event"] == "result"
    assert (files / "jobs" / result["output"]).resolve() == files / "out.nrrd"
    report = json.loads((files / "jobs" / "report.json").read_text())
    assert report["images"]["T2"]["name"] == "t2.nrrd"
    assert {name: result["report"][name] for name in report} == report
    np.testing.assert_array_equal(mi.Volume.read(files / "out.nrrd").array, direct)


def test_a_job_survives_its_file(tmp_path):
    (tmp_path / "job.json").write_text(json.dumps(fields(like="flair.nrrd", register=True, mirrored=False)))
    job = read(tmp_path / "job.json")
    assert isinstance(job, ImputeJob)
    assert job.images == {"T1": str(tmp_path / "t1.nrrd"), "T2": str(tmp_path / "t2.nrrd")}
    assert (job.like, job.report) == (str(tmp_path / "flair.nrrd"), None)
    (tmp_path / "deep").mkdir()
    job.write(tmp_path / "deep" / "copy.json")
    assert read(tmp_path / "deep" / "copy.json") == job


def test_options_of_a_job_are_passed_on(files, scans):
    job = ImputeJob.of(fields(like="flair.nrrd", mirrored=False, reference="T2", compress=False), files)
    report = job.run()
    assert (report["reference"], report["mirrored"], report["units"]) == ("T2", False, "those of flair.nrrd")
    images = {"T1": scans["t1"], "T2": scans["t2"]}
    own = mi.impute(images, "FLAIR", like=scans["flair"], mirrored=False, reference="T2", model=MODEL)
    np.testing.assert_array_equal(mi.Volume.read(files / "out.nrrd").array, own.volume.array)


@pytest.mark.parametrize("content", ["{}", "[]", '{"job": "dance"}', '{"job": ["fill"]}', '{"job": null}'])
def test_a_job_of_another_kind_is_refused_with_the_kinds_there_are(tmp_path, content):
    (tmp_path / "job.json").write_text(content)
    kinds = '"job": "fill" or "fill-together" or "impute" or "evaluate" or "lesion-back" or "atlas-edges"'
    with pytest.raises(ParameterError, match=kinds):
        read(tmp_path / "job.json")
    assert list(JOBS) == ["fill", "fill-together", "impute", "evaluate", "lesion-back", "atlas-edges"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": ["t1.nrrd"]}, r"field 'images' must be an object of names and texts that are not empty; found \["),
        ({"images": {"T1": 3}}, "field 'images' must be an object of names and texts"),
        ({"images": {"T1": ""}}, "field 'images' must be an object of names and texts"),
        ({"images": None}, "field 'images' must be .* found null"),
        ({"target": ""}, "field 'target' must be a text"),
        ({"register": "yes"}, "field 'register' must be true or false"),
        ({"mask": "hole.nrrd"}, "unknown fields: mask"),
    ],
)
def test_a_bad_field_is_named(tmp_path, changes, message):
    (tmp_path / "job.json").write_text(json.dumps(fields(**changes)))
    with pytest.raises(ParameterError, match=message):
        read(tmp_path / "job.json")


def test_what_a_job_needs_is_said(tmp_path):
    (tmp_path / "job.json").write_text('{"job": "impute"}')
    with pytest.raises(ParameterError, match=r"missing: .*images, target"):
        read(tmp_path / "job.json")
    with pytest.raises(ParameterError, match="'images' is empty; give one contrast or more"):
        ImputeJob.of(fields(images={}), tmp_path).run()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"output": "t1.nrrd"}, "The output '.*' would overwrite an input, the T1 image"),
        ({"output": "./sub/../t2.nrrd"}, "The output '.*' would overwrite an input, the T2 image"),
        ({"report": "t1.nrrd"}, "The report '.*' would overwrite an input, the T1 image"),
        (
            {"like": "flair.nrrd", "output": "flair.nrrd"},
            "would overwrite an input, the image that the result is",
        ),
        ({"report": "out.nrrd"}, "The output and the report would both be written"),
        ({"report": "nowhere/report.json"}, "does not exist"),
        ({"output": "nowhere/out.nrrd"}, "does not exist"),
        ({"output": "out.doc"}, r"out\.doc"),
    ],
)
def test_outputs_that_cannot_be_are_told_before_the_work(files, monkeypatch, changes, message):
    monkeypatch.setattr("MedInpaintLib.imputation.impute.impute", lambda *_, **__: pytest.fail("it was estimated"))
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    (files / "sub").mkdir()
    with pytest.raises(OutputPathError, match=message):
        ImputeJob.of(fields(**changes), files).run()
    (files / "sub").rmdir()
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before


# the command


def command(*arguments):
    return CliRunner().invoke(app, ["impute", *(str(argument) for argument in arguments), "--model", MODEL])


def one_clear_line(result) -> str:
    """What was said on standard error, once it is one line without a traceback, and the exit code 2."""
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1
    return result.stderr


@pytest.fixture
def there(files, monkeypatch):
    """In the folder with the files."""
    monkeypatch.chdir(files)
    return files


def test_the_command_writes_the_contrast_and_says_what_it_did(there, direct):
    result = command("T1=t1.nrrd", "T2=t2.nrrd", "--target", "FLAIR", "-o", "out.nrrd", "--report", "report.json")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("out.nrrd\n")
    assert f"FLAIR estimated from T1, T2 by {MODEL}" in result.output
    assert "not for clinical use" in result.output
    np.testing.assert_array_equal(mi.Volume.read("out.nrrd").array, direct)
    assert json.loads((there / "report.json").read_text())["target"] == "FLAIR"


def test_the_command_takes_units_from_an_image_of_the_contrast(there, scans):
    result = command("T1=t1.nrrd", "T2=t2.nrrd", "--target", "FLAIR", "-o", "out.nrrd", "--like", "flair.nrrd")
    assert result.exit_code == 0, result.output
    assert "those of flair.nrrd" in result.output
    images = {"T1": scans["t1"], "T2": scans["t2"]}
    own = mi.impute(images, "FLAIR", like=scans["flair"], model=MODEL).volume.array
    np.testing.assert_array_equal(mi.Volume.read("out.nrrd").array, own)


def test_the_command_passes_the_reference_on_and_warns(there):
    result = command("T1=t1.nrrd", "--target", "FLAIR", "-o", "out.nrrd", "--progress", "json", "--reference", "t1")
    assert result.exit_code == 0, result.output
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert events[-1]["report"]["reference"] == "T1"
    (warning,) = [event["message"] for event in events if event["event"] == "warning"]
    assert warning.startswith("FLAIR was estimated from T1 alone")


def test_the_command_mends_a_damaged_contrast_and_leaves_the_rest_bit_by_bit(there, scans):
    arguments = ["T2=t2.nrrd", "T1=t1.nrrd", "--target", "FLAIR", "--repair", "flair.nrrd", "--mask", "hole.nrrd"]
    result = command(*arguments, "-o", "mended.nrrd", "--report", "report.json")
    assert result.exit_code == 0, result.output
    mended, damaged = mi.Volume.read("mended.nrrd").array, scans["flair"].array
    hole = scans["hole"].array > 0
    assert mended.dtype == damaged.dtype
    assert mended[~hole].tobytes() == damaged[~hole].tobytes()
    assert (mended[hole] != 1500).all()
    report = json.loads((there / "report.json").read_text())
    assert report["method"] == "collagan"
    assert report["notes"] == {"model": MODEL, "model_title": "An untrained model", "estimated from": "T2, T1"}
    assert "knows no other anatomy" in report["trust"]
    assert report["image"]["name"] == "flair.nrrd"


WANTED = ["--target", "FLAIR", "-o", "out.nrrd"]
REPAIR = ["--repair", "flair.nrrd", "--mask", "hole.nrrd"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["t1.nrrd", *WANTED], "Each image is given as CONTRAST=IMAGE, for example T1=t1.nii.gz; found 't1.nrrd'"),
        (["=t1.nrrd", *WANTED], "found '=t1.nrrd'"),
        (["T1=", *WANTED], "found 'T1='"),
        (["T1=t1.nrrd", "T1=t2.nrrd", *WANTED], "The contrast T1 was given twice"),
        (["T1=t1.nrrd", *WANTED, "--repair", "flair.nrrd"], "Give --repair and --mask together"),
        (["T1=t1.nrrd", *WANTED, "--mask", "hole.nrrd"], "Give --repair and --mask together"),
        (["T1=t1.nrrd", *WANTED, *REPAIR, "--like", "t2.nrrd"], "--like has no meaning with --repair"),
        (["T1=t1.nrrd", *WANTED, *REPAIR, "--reference", "T1"], "--reference has no meaning with --repair"),
        (["T1=t1.nrrd", *WANTED, *REPAIR, "--register"], "--register has no meaning with --repair"),
        (["PD=t1.nrrd", *WANTED], "knows no contrast 'PD'"),
        (["PD=t1.nrrd", *WANTED, *REPAIR], "knows no contrast 'PD'"),
        (["FLAIR=t1.nrrd", *WANTED, *REPAIR], "Every contrast can be there once"),
        (["T1=nowhere.nrrd", *WANTED], "no file or folder 'nowhere.nrrd'"),
        (["T1=t1.nrrd", "--target", "FLAIR", "-o", "t1.nrrd"], "would overwrite an input, the T1 image"),
        (["T1=t1.nrrd", "--target", "FLAIR", "-o", "t1.nrrd", *REPAIR], "would overwrite an input, the guide 1"),
    ],
)
def test_bad_input_is_one_clear_line(there, arguments, message):
    assert message in one_clear_line(command(*arguments))
    assert not (there / "out.nrrd").exists()


def test_an_equals_sign_in_a_path_is_the_paths_own(there, scans):
    (there / "sub=1").mkdir()
    scans["t1"].write(there / "sub=1" / "t1.nrrd")
    result = command("T1=sub=1/t1.nrrd", *WANTED)
    assert result.exit_code == 0, result.output
