"""Jobs of the kind evaluate: what they report and write is what ``evaluate`` says, as JSON that every reader takes."""

from __future__ import annotations

import csv
import json
import math
import statistics
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib import prediction
from MedInpaintLib.cli.app import app
from MedInpaintLib.errors import Cancelled, InputError, OutputPathError, ParameterError
from MedInpaintLib.job import read
from MedInpaintLib.jobs.evaluate import EvaluateJob
from MedInpaintLib.methods import registry

SET = "spheres:9mm:3"


@pytest.fixture(scope="module")
def head():
    """A textured ellipsoid, int16, on a dark background."""
    k, j, i = np.ogrid[:32, :56, :48]
    inside = ((k - 16) / 14) ** 2 + ((j - 28) / 25) ** 2 + ((i - 24) / 21) ** 2 <= 1
    texture = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=inside.shape), 3)
    return np.where(inside, 600 + 150 * texture / texture.std(), 0).astype(np.int16)


@pytest.fixture
def files(tmp_path, head):
    image = mi.Volume.of(head)
    image.write(tmp_path / "head.nrrd")
    mask = np.zeros(head.shape, np.uint8)
    mask[14:17, 20:23, 20:23] = mask[14:17, 30:34, 20:23] = 1
    image.with_array(mask).write(tmp_path / "holes.nrrd")
    return tmp_path


def job(folder, **changes):
    fields = {"job": "evaluate", "image": "head.nrrd", "holes": [SET], "methods": ["harmonic"], "output": "scores.json"}
    (folder / "job.json").write_text(json.dumps({**fields, **changes}))
    made = read(folder / "job.json")
    assert isinstance(made, EvaluateJob)
    return made


@pytest.fixture
def failing(monkeypatch):
    """``failing(error)``: a method 'fragile' that raises it."""

    def make(error):
        def fill(region, parameters, run):
            raise error

        info = prediction.MethodInfo("fragile", "F", "f", "S.", "T.", "R", fill=fill)
        known = registry.methods()
        monkeypatch.setattr(registry, "methods", lambda: {**known, "fragile": info})

    return make


def test_the_report_holds_every_score_of_every_hole_and_method(files, head):
    report = job(files, methods=["harmonic", "biharmonic"], seed=3).run()
    table = mi.evaluate(head, SET, ("harmonic", "biharmonic"), seed=3)
    assert [(row["method"], row["hole"]) for row in report["rows"]] == [
        (method, hole) for method in ("shell-mean", "harmonic", "biharmonic") for hole in (1, 2, 3)
    ]
    for row, expected in zip(report["rows"], table.rows, strict=True):
        finite = {name: value if math.isfinite(value) else None for name, value in expected.scores.items()}
        assert row["scores"] == pytest.approx(finite)
        assert (row["voxels"], row["holes"]) == (expected.voxels, SET)
        assert row["centre"] == pytest.approx(expected.centre, abs=0.06)
    for summary in report["methods"]:
        values = [row["scores"]["psnr"] for row in report["rows"] if row["method"] == summary["method"]]
        psnr = summary["scores"]["psnr"]
        assert psnr["mean"] == pytest.approx(statistics.mean(values))
        assert psnr["sd"] == pytest.approx(statistics.stdev(values))
        assert (psnr["n"], summary["count"], summary["holes"], summary["device"]) == (3, 3, SET, "cpu")
    (holes,) = report["holes"]
    assert (holes["holes"], holes["count"], holes["reference"]) == (SET, 3, "shell-mean")
    assert holes["about"]["holes"].startswith(SET)
    reference = report["methods"][0]
    assert (reference["method"], reference["better"], reference["gain"]["psnr"]["mean"]) == ("shell-mean", 0, 0)
    assert report["trivial"] == "shell-mean"
    assert report["convention"].startswith("masked")
    assert report["range"] == table.about["range"]
    assert (report["modality"], report["seed"], report["left_out"], report["warnings"]) == ("MR", 3, {}, [])
    assert set(report["metrics"]) == set(report["rows"][0]["scores"])
    assert report["metrics"]["psnr"] == {"heading": "PSNR dB", "digits": 2, "better": "higher"}
    assert "harmonic" in report["text"]


def test_it_runs_as_a_program_and_writes_the_report(files):
    job(files)
    command = [sys.executable, "-m", "MedInpaintLib.job", str(files / "job.json")]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stderr) == (0, "")

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    last = json.loads(process.stdout.splitlines()[-1], parse_constant=refuse)
    assert last["event"] == "result"
    assert last["output"] == str(files / "scores.json")
    assert last["report"] == json.loads((files / "scores.json").read_text(), parse_constant=refuse)


def test_the_csv_file_has_a_line_for_each_set_method_and_hole(files):
    report = job(files, holes=[SET, "holes.nrrd"], output="scores.csv").run()
    with (files / "scores.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(report["rows"]) == 2 * (3 + 2)
    for line, row in zip(lines, report["rows"], strict=True):
        assert (line["method"], int(line["hole"])) == (row["method"], row["hole"])
        assert float(line["psnr"]) == pytest.approx(row["scores"]["psnr"])
    assert lines[0]["protocol"].startswith(SET)
    assert lines[-1]["protocol"] == "holes given as holes.nrrd"


def test_each_set_of_holes_is_scored_by_itself(files, head):
    both = job(files, holes=[SET, "holes.nrrd"]).run()
    assert [each["count"] for each in both["holes"]] == [3, 2]
    for holes in (SET, "holes.nrrd"):
        alone = job(files, holes=[holes]).run()
        for what in ("rows", "methods"):
            found = [{**each, "seconds": 0} for each in both[what] if each["holes"] == holes]
            assert found == [{**each, "seconds": 0} for each in alone[what]]


def test_a_perfect_fill_has_no_finite_psnr_and_the_report_says_none(files, head):
    mi.Volume.of(np.full_like(head, 300)).write(files / "head.nrrd")
    report = job(files, holes=["holes.nrrd"], modality="MR", data_range=100).run()
    assert [row["scores"]["psnr"] for row in report["rows"]] == [None] * 4
    assert report["methods"][0]["scores"]["psnr"]["mean"] is None
    assert report["methods"][0]["scores"]["mae"]["mean"] == 0
    json.dumps(report, allow_nan=False)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (InputError("There is no model."), "There is no model."),
        (ModuleNotFoundError("no", name="torch"), "The package 'torch' is needed and not installed"),
        (MemoryError(), "There is not enough memory"),
        (KeyError("x"), "An unexpected error, please report it with the traceback: KeyError: 'x'"),
    ],
)
def test_a_method_that_fails_is_left_out_and_the_others_are_not_lost(files, failing, error, why, capsys):
    failing(error)
    report = job(files, methods=["fragile", "harmonic"]).run()
    assert {row["method"] for row in report["rows"]} == {"shell-mean", "harmonic"}
    assert report["left_out"]["fragile"].startswith(why)
    assert any(warning.startswith(f"fragile was left out: {why}") for warning in report["warnings"])
    assert "fragile: " in report["text"]
    assert ("Traceback" in capsys.readouterr().err) == isinstance(error, KeyError)
    assert (files / "scores.json").exists()


def test_what_a_method_cannot_do_is_left_out_with_what_to_do(files):
    report = job(files, methods=["exemplar", "nearest"], holes=[SET, "holes.nrrd"]).run()
    assert set(report["left_out"]) == {"exemplar"}
    assert "give" in report["left_out"]["exemplar"]
    assert report["left_out"]["exemplar"].startswith("holes.nrrd: ")
    assert {row["holes"] for row in report["rows"]} == {SET, "holes.nrrd"}


def test_evaluate_itself_stops_at_an_error_unless_told_to_go_on(head, failing):
    failing(InputError("It broke."))
    with pytest.raises(InputError, match="It broke"):
        mi.evaluate(head, SET, ["fragile", "harmonic"])
    table = mi.evaluate(head, SET, ["fragile", "harmonic"], keep_going=True)
    assert table.methods == ("shell-mean", "harmonic")
    assert table.left_out == {"fragile": "It broke."}


def test_methods_get_their_parameters_and_those_that_want_one_the_device(files):
    pytest.importorskip("torch")
    given = {"shell-mean": {"thickness": 5.0}, "vae-latent": {"steps": 2, "model": "a-tiny-vae"}}
    methods = ["shell-mean", "harmonic", "vae-latent"]
    report = job(files, methods=methods, parameters=given, device="mps", modality="MR").run()
    plain = job(files).run()

    def first(found):
        return [row["scores"]["mae"] for row in found["rows"] if row["method"] == "shell-mean"]

    assert first(report) != first(plain)
    assert report["left_out"] == {}
    assert report["device"] == "mps"
    warned = [warning for warning in report["warnings"] if "'mps'" in warning]
    assert all(warning.startswith("vae-latent: ") for warning in warned)


def test_what_methods_warn_of_is_told_once(files):
    pytest.importorskip("torch")
    given = {"unet": {"model": "a-tiny-unet", "any_modality": True}}
    report = job(files, methods=["unet"], holes=[SET, "holes.nrrd"], parameters=given, modality="CT").run()
    (warning,) = [each for each in report["warnings"] if "has learned from MR images" in each]
    assert warning.startswith("unet: ")


# progress


def test_the_progress_rises_and_names_set_method_and_stage(files, monkeypatch):
    monkeypatch.setattr("MedInpaintLib.progress.INTERVAL", 0.0)
    seen = []
    job(files, holes=[SET, "holes.nrrd"]).run(mi.Progress(lambda *report: seen.append(report)))
    fractions, stages = zip(*seen, strict=True)
    assert list(fractions) == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {"Reading", f"{SET}: Placing holes", f"{SET}: harmonic", "holes.nrrd: harmonic", "Done"} <= set(stages)
    assert f"{SET}: harmonic: Reading" in stages
    seen.clear()
    job(files).run(mi.Progress(lambda *report: seen.append(report)))
    assert {"Placing holes", "harmonic", "harmonic: Checking"} <= {stage for _, stage in seen}


def test_it_can_be_cancelled_in_the_middle_and_writes_nothing(files, monkeypatch):
    monkeypatch.setattr("MedInpaintLib.progress.INTERVAL", 0.0)
    seen = []
    progress = mi.Progress(lambda *report: seen.append(report[1]), lambda: any("harmonic" in stage for stage in seen))
    with pytest.raises(Cancelled):
        job(files, methods=["harmonic", "patch", "biharmonic"]).run(progress)
    assert not (files / "scores.json").exists()


# what is refused, before the work


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"methods": []}, ParameterError, "field 'methods' is empty"),
        ({"holes": []}, ParameterError, "field 'holes' is empty"),
        ({"methods": ["magic"]}, ParameterError, "no method 'magic'"),
        ({"holes": [SET, "spheres:wide"]}, ParameterError, "does not describe holes"),
        ({"holes": [SET, "nowhere.nrrd"]}, ParameterError, "neither a file nor a description"),
        ({"output": "scores.xlsx"}, OutputPathError, r"must end in \.csv .* or \.json"),
        ({"output": "nowhere/scores.csv"}, OutputPathError, "does not exist"),
        ({"image": "scores.json"}, OutputPathError, "would overwrite an input, the image"),
        ({"holes": ["scores.json"]}, OutputPathError, "would overwrite an input, the mask of holes 1"),
        ({"avoid": "scores.json"}, OutputPathError, "would overwrite an input, the mask of what to avoid"),
        ({"device": "abacus"}, ParameterError, "no device 'abacus'"),
        ({"parameters": {"harmonics": {}}}, ParameterError, "parameters for 'harmonics', which is not among"),
        ({"parameters": {"harmonic": 3}}, ParameterError, "The parameters of 'harmonic' must be an object"),
        ({"methods": ["shell-mean"], "parameters": {"shell-mean": {"thickness": -1}}}, ParameterError, "between 0.1"),
    ],
)
def test_bad_jobs_are_refused_before_anything_is_read(files, changes, error, message, monkeypatch):
    monkeypatch.setattr(mi.Volume, "read", lambda path: pytest.fail("it was read"))
    with pytest.raises(error, match=message):
        job(files, **changes).run()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modality": "PET"}, "no modality 'PET'"),
        ({"convention": "best"}, "no convention 'best'"),
        ({"seed": -1}, "seed must be a whole number, 0 or more"),
        ({"holes": ["spheres:60mm:2"]}, "fewer or smaller"),
        ({"data_range": -5}, "data range"),
        ({"image": "nowhere.nrrd"}, "no file or folder"),
    ],
)
def test_what_evaluate_refuses_the_job_refuses(files, changes, message):
    with pytest.raises(InputError, match=message):
        job(files, **changes).run()
    assert not (files / "scores.json").exists()


def test_holes_keep_off_what_is_to_be_avoided(files, head):
    lesion = np.zeros(head.shape, np.uint8)
    lesion[:, :30] = 1
    mi.Volume.of(lesion).write(files / "lesion.nrrd")
    rows = job(files, avoid="lesion.nrrd").run()["rows"]
    assert all(row["centre"][1] > 30 for row in rows)


def test_lesions_are_taken_from_a_mask_beside_the_job_file(files, head):
    lesion = np.zeros(head.shape, np.uint8)
    lesion[14:18, 20:24, 20:24] = 1
    mi.Volume.of(lesion).write(files / "lesion.nrrd")
    made = job(files, holes=["lesions:5px:1:from=lesion.nrrd"])
    assert made.holes == [f"lesions:5px:1:from={files / 'lesion.nrrd'}"]
    assert made.run()["holes"][0]["count"] == 1


def test_the_command_runs_the_job_and_prints_the_table(files):
    job(files, output="scores.csv")
    result = CliRunner().invoke(app, ["run", str(files / "job.json")])
    assert result.exit_code == 0, result.output
    assert "shell-mean" in result.output
    assert str(files / "scores.csv") in result.output
    assert math.isfinite(float(next(line for line in result.output.splitlines() if "harmonic" in line).split()[1]))
