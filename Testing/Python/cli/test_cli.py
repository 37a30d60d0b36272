"""The command as a user meets it."""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib.cli.app import app
from MedInpaintLib.cli.console import describe


@pytest.fixture
def files(tmp_path):
    image = mi.Volume(
        np.add.outer(np.arange(20), np.add.outer(np.arange(20), np.arange(20))).astype(np.int16), (1.0,) * 3
    )
    labels = np.zeros(image.array.shape, np.uint8)
    labels[5:9, 5:9, 5:9] = 1
    labels[12:15, 12:15, 12:15] = 2
    image.write(tmp_path / "image.nii.gz")
    image.with_array(labels).write(tmp_path / "labels.nrrd")
    image.with_array(labels > 0).write(tmp_path / "mask.nrrd")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_fill_writes_the_volume_and_says_what_it_did(files):
    output = files / "filled.nrrd"
    result = run("fill", files / "image.nii.gz", files / "mask.nrrd", "-o", output, "--report", files / "r.json")
    assert result.exit_code == 0, result.output
    assert "patch-regression" in result.output
    assert "not for clinical use" in result.output
    np.testing.assert_array_equal(mi.Volume.read(output).array, mi.Volume.read(files / "image.nii.gz").array)
    assert json.loads((files / "r.json").read_text())["hole"]["components"] == 2


def test_fill_together_fills_each_image_and_writes_reports_beside_them(files):
    image = mi.Volume.read(files / "image.nii.gz")
    image.with_array(100 - image.array).write(files / "other.nii.gz")
    result = run(
        "fill-together", files / "image.nii.gz", files / "other.nii.gz", "--mask", files / "mask.nrrd",
        "-o", files / "a.nrrd", "-o", files / "b.nii.gz", "--report", "--method", "harmonic", "--modality", "MR",
        "--force",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert f"{files / 'a.nrrd'}\n{files / 'b.nii.gz'}\n" in result.output
    assert "Each of the 2 images was filled on its own" in result.output
    for name, expected in (("a.nrrd", image.array), ("b.nii.gz", 100 - image.array)):
        np.testing.assert_array_equal(mi.Volume.read(files / name).array, expected)
    assert [json.loads((files / name).read_text())["image"]["name"] for name in ("a.json", "b.json")] == [
        "image.nii.gz",
        "other.nii.gz",
    ]


def test_fill_passes_every_option_on(files):
    result = run(
        "fill", files / "image.nii.gz", files / "labels.nrrd", "-o", files / "out.nrrd", "--method", "shell-mean",
        "--set", "thickness=3", "--blend", "poisson", "--label", "2", "--dilate", "1", "--modality", "MR",
        "--seed", "5", "--progress", "json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout.splitlines()[-1])["report"]
    assert report["method"] == "shell-mean"
    assert report["parameters"] == {"thickness": 3.0}
    assert (report["blend"], report["modality"], report["seed"]) == ("poisson", "MR", 5)
    assert report["hole"]["components"] == 1
    assert 27 < report["hole"]["voxels"] < 5**3


def test_all_labels_are_filled_when_the_user_says_so_and_the_output_says_it_too(files):
    result = run("fill", files / "image.nii.gz", files / "labels.nrrd", "-o", files / "out.nrrd", "--label", "all")
    assert result.exit_code == 0, result.output
    assert "  Mask: label map, all 2 labels are filled\n" in result.stdout


def test_a_misplaced_mask_is_filled_with_force_alone(files):
    mask = mi.Volume.read(files / "mask.nrrd")
    dataclasses.replace(mask, origin=(-8.0, 0.0, 0.0)).write(files / "moved.nrrd")
    arguments = ["fill", files / "image.nii.gz", files / "moved.nrrd", "-o", files / "out.nrrd"]
    assert "of the mask lies inside the image" in one_clear_line(run(*arguments))
    assert run(*arguments, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.nii.gz", "mask.nrrd", "-o", "out.nrrd"], "no file or folder 'nowhere.nii.gz'"),
        (["image.nii.gz", "mask.nrrd", "-o", "nowhere/out.nrrd"], "does not exist; create it first"),
        (["image.nii.gz", "mask.nrrd", "-o", "out.nrrd", "--method", "magic"], "no method 'magic'"),
        (["image.nii.gz", "mask.nrrd", "-o", "out.nrrd", "--set", "thickness"], "--set takes NAME=VALUE"),
        (["image.nii.gz", "labels.nrrd", "-o", "out.nrrd", "--label", "9"], "no label '9'; its labels are: 1 (64"),
        (["image.nii.gz", "labels.nrrd", "-o", "out.nrrd"], "2 labels, and not all may be meant: 1 (64 voxels), 2 (27"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(files, monkeypatch, arguments, message):
    monkeypatch.chdir(files)
    result = run("fill", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.output


def one_clear_line(result) -> str:
    """What was said on standard error, once it is one line without a traceback, and the exit code 2."""
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1
    return result.stderr


def test_evaluate_refuses_a_negative_seed(files):
    assert "seed must be a whole number, 0 or more; found -1" in one_clear_line(
        run("evaluate", files / "image.nii.gz", "--holes", "spheres:5mm:2", "--seed", "-1")
    )


def test_evaluate_says_before_the_work_that_there_is_no_place_for_the_rows(files):
    assert "does not exist; create it first" in one_clear_line(
        run("evaluate", files / "nowhere.nrrd", "--csv", files / "nowhere" / "s.csv")
    )


def test_demo_says_that_its_folder_cannot_be_made(files):
    for place in (files / "image.nii.gz", files / "image.nii.gz" / "inside"):
        assert "cannot be made" in one_clear_line(run("demo", "-o", place))


def test_fill_refuses_a_format_that_cannot_hold_the_image(files):
    arguments = ["fill", files / "image.nii.gz", files / "mask.nrrd", "-o", files / "out.png"]
    assert "PNG files hold 2-D images" in one_clear_line(run(*arguments))


def test_the_module_can_be_run_without_the_script_on_the_path(files):
    command = [sys.executable, "-m", "MedInpaintLib.cli", "fill", "image.nii.gz", "mask.nrrd", "-o", "out.nrrd"]
    process = subprocess.run(command, cwd=files, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    assert (files / "out.nrrd").exists()


@pytest.mark.parametrize("arguments", [[], ["models"]])
def test_without_a_command_the_help_is_printed_once(arguments):
    command = [sys.executable, "-m", "MedInpaintLib.cli", *arguments]
    process = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert process.returncode == 2
    assert (process.stdout + process.stderr).count("Usage:") == 1


def test_run_executes_a_job_file(files):
    job = {"job": "fill", "image": "image.nii.gz", "mask": "mask.nrrd", "output": "out.nrrd", "method": "harmonic"}
    (files / "job.json").write_text(json.dumps(job))
    assert run("run", files / "job.json").exit_code == 0
    assert (files / "out.nrrd").exists()


def test_methods_lists_every_method_and_shows_one_with_its_parameters(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))  # only the released models
    everything = run("methods").output
    assert all(name in everything for name in ("auto", *mi.list_methods()))
    can_run, lacking = everything.split("Needs a trained model")
    for name, info in mi.list_methods().items():
        assert not info.needs_model or info.modalities() or f"\n{name} " not in can_run
    assert "recipes: brain-mr-boundary-aware (MR)" in lacking
    # Recipes of encoders for features make no model of a method.
    assert "\nvae-latent" not in lacking
    assert "models for: MR; recipes: none" not in everything
    # A method with a model says for which images it has one, whether or not a recipe makes more.
    lines = {line.split()[0]: line for line in can_run.splitlines() if line}
    for name, info in mi.list_methods().items():
        models = {each.modality for each in mi.list_models().values() if each.architecture == info.architecture}
        assert info.modalities() == sorted(models)
        assert name not in lines or lines[name].endswith(f" For {', '.join(sorted(models))}.") == bool(models)
    assert lines["gan-latent"].endswith(" For MR.")
    assert not lines["harmonic"].endswith(" For MR.")
    assert "Models for: MR\n" in run("methods", "vae-latent").output
    one = run("methods", "shell-mean").output
    assert "--set thickness=2.0 mm (float 0.1..6)" in one
    assert run("methods", "magic").exit_code == 2
    assert "Chooses for each part of the hole" in run("methods", "auto").output


def test_methods_without_their_packages_are_listed_apart(monkeypatch):
    missing = "MedInpaintLib.prediction.MethodInfo.missing"
    monkeypatch.setattr(missing, lambda info: ("opencv-python-headless",) if info.name == "telea" else ())
    can_run, rest = run("methods").output.split("Needs packages that are not installed:")
    assert "\ntelea" not in can_run
    assert "telea" in rest
    assert "pip install opencv-python-headless" in rest


def test_evaluate_prints_the_paired_table_and_writes_the_rows(files):
    result = run(
        "evaluate", files / "image.nii.gz", "--holes", "spheres:5mm:2", "--method", "harmonic", "--csv", files / "s.csv"
    )
    assert result.exit_code == 0, result.output
    assert "shell-mean" in result.output
    assert "R = " in result.output
    assert len((files / "s.csv").read_text().splitlines()) > 4


def test_evaluate_takes_a_mask_file_as_holes_and_prints_markdown(files):
    arguments = [
        "evaluate",
        files / "image.nii.gz",
        "--holes",
        files / "mask.nrrd",
        "--method",
        "nearest",
        "--markdown",
    ]
    assert "| nearest" in run(*arguments).output


def test_the_version_is_printed():
    assert run("--version").output.strip() == f"medinpaint {mi.__version__}"


def test_demo_leaves_a_volume_a_figure_and_the_scores(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    from MedInpaintLib import samples

    # Every second voxel: the whole brain takes 40 s of CPU time, and CI runs "make demo" with it.
    brain = samples.sample("brain-t1")
    small = dataclasses.replace(brain, image=tmp_path / "brain.nii.gz", mask=tmp_path / "hole.nii.gz")
    for full, half in ((brain.image, small.image), (brain.mask, small.mask)):
        volume = mi.Volume.read(full)
        mi.Volume(volume.array[::2, ::2, ::2], tuple(2 * mm for mm in volume.spacing)).write(half)
    monkeypatch.setattr(samples, "sample", lambda name: small)
    result = run("demo", "--output", tmp_path / "new folder")
    assert result.exit_code == 0, result.output
    names = {path.name for path in (tmp_path / "new folder").iterdir()}
    assert names == {"filled.nrrd", "figure.png", "scores.csv", "scores.txt", "report.json"}
    assert "shell-mean" in (tmp_path / "new folder" / "scores.txt").read_text(encoding="utf-8")


def test_a_bar_is_shown_on_request_and_the_result_after_it(files):
    output = files / "out.nrrd"
    result = run("fill", files / "image.nii.gz", files / "mask.nrrd", "-o", output, "--progress", "bar")
    assert result.exit_code == 0
    assert str(output) in result.output.replace("\n", "")


@pytest.mark.parametrize(("spacing", "unit"), [([1.0, 1.0], "pixels"), ([0.14, 0.14], "mm")])
def test_a_film_is_described_in_pixels(spacing, unit):
    part = {"voxels": 6, "depth_mm": 2.0, "method": "harmonic", "warnings": []}
    report = {
        "method": "harmonic",
        "reason": "",
        "image": {"spacing": spacing},
        "hole": {"voxels": 12, "volume_ml": None, "components": 2},
        "parts": [{"number": 1, **part}, {"number": 2, **part}],
        "seconds": {"total": 0.1},
        "trust": "Careful.",
    }
    lines = describe("out.png", report).splitlines()
    assert lines[2].startswith("  12 pixels in 2 parts")
    assert lines[3].split() == ["part", "pixels", unit, "deep", "method"]
    assert len({line.index("harmonic") for line in lines[4:]} | {lines[3].index("method")}) == 1


def test_the_worst_of_several_parts_are_listed():
    parts = [
        {"number": number, "voxels": 10 * number, "depth_mm": depth, "method": "unet", "warnings": warnings}
        for number, depth, warnings in [
            (3, 2.0, ["dark"]),
            (1, None, []),
            (2, 1.5, []),
            (4, 1, []),
            (5, 1, []),
            (6, 1, []),
        ]
    ]
    report = {
        "method": "unet",
        "reason": "",
        "hole": {"voxels": 210, "volume_ml": 0.001, "components": 6},
        "parts": parts,
        "seconds": {"total": 0.1},
        "trust": "Careful.",
    }
    lines = describe("out.nrrd", report).splitlines()
    assert lines[2].startswith("  210 voxels, under 0.01 ml in 6 parts")
    assert [line.split() for line in lines[4:6]] == [
        ["3", "30", "2.0", "unet", "see", "the", "warnings"],
        ["1", "10", "-", "unet"],
    ]
    assert lines[-1] == "  Worst first; all 6 parts are in the report."


def test_the_regions_of_parts_are_printed_or_why_there_are_none():
    part = {"number": 1, "voxels": 12, "depth_mm": 2.0, "method": "unet", "warnings": []}
    placed = {**part, "regions": {"left cortex": 0.7, "left white matter": 0.28, "left amygdala": 0.02}}
    report = {
        "method": "unet",
        "reason": "",
        "hole": {"voxels": 12, "volume_ml": 0.012, "components": 1},
        "parts": [placed],
        "seconds": {"total": 0.1},
        "trust": "Careful.",
    }
    assert describe("out.nrrd", report).splitlines()[2] == "  In left cortex (70 %), left white matter (28 %)"
    lines = describe("out.nrrd", {**report, "parts": [placed, {**part, "warnings": ["dark"]}]}).splitlines()
    assert [line.split() for line in lines[3:6]] == [
        ["part", "voxels", "mm", "deep", "method", "mostly", "in"],
        ["1", "12", "2.0", "unet", "left", "cortex"],
        ["1", "12", "2.0", "unet", "see", "the", "warnings"],
    ]
    without = describe("out.nrrd", {**report, "parts": [part], "notes": {"no regions are named": "no head"}})
    assert "  No regions are named: no head\n" in without


def test_regions_are_asked_for_by_an_option(files):
    arguments = [
        "fill",
        files / "image.nii.gz",
        files / "mask.nrrd",
        "-o",
        files / "out.nrrd",
        "--method",
        "shell-mean",
    ]
    assert "No regions are named: the image cannot show a head" in run(*arguments, "--regions").output
    assert "No regions" not in run(*arguments).output


def test_the_self_check_of_each_kind_of_parts_is_printed(files):
    arguments = ["fill", files / "image.nii.gz", files / "labels.nrrd", "-o", files / "out.nrrd", "--label", "all"]
    result = run(*arguments, "--method", "harmonic", "--self-check")
    assert result.exit_code == 0, result.output
    assert "Self-check of parts 1, 2 on" in result.output


def test_the_filled_mask_is_saved(files):
    arguments = ["image.nii.gz", "mask.nrrd", "-o", "out.nrrd", "--save-mask", "filled.nrrd", "--dilate", "1"]
    places = [str(files / argument) if "." in argument else argument for argument in arguments]
    assert run("fill", *places).exit_code == 0
    assert mi.Volume.read(files / "filled.nrrd").array.sum() > 4**3 + 3**3


def test_a_finished_fill_is_described_with_reason_size_and_trust():
    report = {
        "method": "linear-z",
        "reason": "slices are missing",
        "hole": {"voxels": 1000, "volume_ml": 1.0, "components": 1},
        "parts": [{"number": 1}],
        "seconds": {"total": 0.1},
        "trust": "Careful.",
    }
    text = describe("out.nrrd", report)
    assert "linear-z (slices are missing)" in text
    assert "1000 voxels, 1.00 ml in 1 part, 0.10 s. Careful." in text


def test_a_terminal_that_cannot_show_the_tables_signs_gets_question_marks(files):
    arguments = ["evaluate", "image.nii.gz", "--holes", "spheres:5mm:1", "--method", "nearest"]
    process = subprocess.run(
        [sys.executable, "-m", "MedInpaintLib.cli", *arguments],
        cwd=files,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert process.returncode == 0, process.stderr
    assert b"nearest" in process.stdout
