"""Studies of other jobs than fills: methods are scored, and contrasts estimated, for each row of a table."""

import csv
import json
import statistics

import numpy as np
import pytest
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib.cli.app import app
from MedInpaintLib.cohort.evaluate import Evaluate
from MedInpaintLib.cohort.fingerprint import fingerprint
from MedInpaintLib.cohort.impute import Impute
from MedInpaintLib.cohort.plan import PlanError
from MedInpaintLib.cohort.table import plan_of_table
from MedInpaintLib.jobs.evaluate import EvaluateJob

HOLES = "spheres:3px:2"
METHODS = ["--with", "methods=nearest;harmonic", "--jobs", "1"]


def command(*arguments):
    return CliRunner().invoke(app, ["cohort", *map(str, arguments)])


def scores(folder):
    with (folder / "scores.tsv").open(encoding="utf-8", newline="") as file:
        return {(row["holes"], row["method"], row["metric"]): row for row in csv.DictReader(file, delimiter="\t")}


@pytest.fixture
def study(study):
    """A study whose images show a body with dark air around it, so that holes find a place."""
    for number, name in enumerate(study.subjects):
        image = mi.Volume.read(study.image(name))
        array = np.zeros_like(image.array)
        array[1:-1, 1:-1, 1:-1] = 600 + np.random.default_rng(number).integers(0, 300, (10, 12, 14))
        image.with_array(array).write(study.image(name))
    return study


@pytest.fixture
def evaluations(study):
    """A table of evaluations of three images."""
    rows = [[f"{subject}/t1.nii.gz", HOLES, f"scores/{subject}.json"] for subject in study.subjects]
    study.write([["image", "holes", "output"], *rows])
    return study


def test_each_image_is_evaluated_and_the_study_has_the_means_over_its_cases(evaluations):
    done = command(evaluations.table, "--job", "evaluate", *METHODS, "--seed", "3")
    assert done.exit_code == 0, done.output
    assert "scores/sub-0.json: 3 methods scored in 2 hole(s), " in done.output
    assert "3 cases: 3 evaluated, 0 failed; 0 of them were done before." in done.output
    means = {"shell-mean": [], "harmonic": []}
    for subject in evaluations.subjects:
        table = mi.evaluate(evaluations.image(subject), HOLES, ["harmonic"], seed=3)
        report = json.loads((evaluations.folder / "scores" / f"{subject}.json").read_text())
        assert report["seed"] == 3
        for method, values in means.items():
            values.append(statistics.fmean(table.scores(method, "psnr")))
    told = scores(evaluations.folder / "study-cohort")
    for method, values in means.items():
        row = told[HOLES, method, "psnr"]
        assert (row["convention"], row["n"]) == ("masked", "3")
        assert float(row["mean"]) == pytest.approx(statistics.fmean(values), rel=1e-5)
        assert float(row["sd"]) == pytest.approx(statistics.stdev(values), rel=1e-4)
    gains = [mine - theirs for mine, theirs in zip(means["harmonic"], means["shell-mean"], strict=True)]
    row = told[HOLES, "harmonic", "psnr"]
    assert float(row["gain"]) == pytest.approx(statistics.fmean(gains), rel=1e-4)
    assert row["better"] == str(sum(gain > 0 for gain in gains))
    assert told[HOLES, "shell-mean", "psnr"]["gain"] == ""
    summary = evaluations.summary()
    assert [(row["status"], row["holes"], row["methods"]) for row in summary] == [("done", "2", "3")] * 3


def test_a_failed_evaluation_stops_no_other_and_is_tried_again_alone(evaluations):
    arguments = [evaluations.table, "--job", "evaluate", *METHODS]
    whole = evaluations.image("sub-1").read_bytes()
    evaluations.image("sub-1").write_bytes(b"no image")
    failed = command(*arguments)
    assert failed.exit_code == 1
    assert [row["status"] for row in evaluations.summary()] == ["done", "failed", "done"]
    assert {row["n"] for row in scores(evaluations.folder / "study-cohort").values()} == {"2"}
    evaluations.image("sub-1").write_bytes(whole)
    again = command(*arguments)
    assert "3 evaluated, 0 failed; 2 of them were done before" in again.output
    assert {row["n"] for row in scores(evaluations.folder / "study-cohort").values()} == {"3"}
    assert "0 of them were done before" in command(*arguments, "--seed", "1").output


def test_patterns_give_each_image_a_report_named_after_it(study):
    arguments = ["--job", "evaluate", "--images", f"{study.folder}/*/t1.nii.gz", "--out", study.folder / "out"]
    lacking = command(*arguments, "--with", "methods=nearest")
    assert lacking.exit_code == 2
    assert "--with holes=..." in lacking.stderr
    assert command(*arguments, "--with", f"holes={HOLES}", *METHODS).exit_code == 0
    assert [row["output"] for row in study.summary(out="out")] == [f"{name}/t1.json" for name in study.subjects]


def test_masks_of_holes_are_inputs_by_content_and_one_row_of_the_scores(study, monkeypatch):
    rows = [[f"{name}/t1.nii.gz", f"{name}/lesion.nii.gz", f"{name}.csv"] for name in study.subjects[:2]]
    study.write([["image", "holes", "output"], *rows])
    monkeypatch.chdir(study.folder)
    assert command("study.csv", "--job", "evaluate", *METHODS).exit_code == 0
    assert scores(study.folder / "study-cohort")["mask", "harmonic", "psnr"]["n"] == "2"
    case = plan_of_table(study.table, Evaluate(), options={"methods": ["nearest"]}).cases[0]
    before = fingerprint(Evaluate(), case.job)[0]
    other = mi.Volume.read(study.folder / "sub-0" / "lesion.nii.gz")
    other.array[5, 5, 6] = 0
    other.write(study.folder / "sub-0" / "lesion.nii.gz")
    assert fingerprint(Evaluate(), case.job)[0] != before


def test_each_of_two_models_of_ones_own_is_an_input(evaluations):
    parameters = {}
    for method in ("pconv", "unet"):
        folder = evaluations.folder / f"my-{method}"
        folder.mkdir()
        (folder / "weights.safetensors").write_bytes(method.encode())
        parameters[method] = {"model": str(folder)}
    image, output = str(evaluations.image("sub-0")), str(evaluations.folder / "scores.json")
    job = EvaluateJob("evaluate", output, image, [HOLES], list(parameters), parameters=parameters)
    keys = {fingerprint(Evaluate(), job)[0]}
    for method in parameters:
        (evaluations.folder / f"my-{method}" / "weights.safetensors").write_bytes(b"trained again")
        keys.add(fingerprint(Evaluate(), job)[0])
    assert len(keys) == 3


def test_parameters_of_methods_are_written_in_a_cell(study):
    study.write(
        [
            ["image", "holes", "methods", "output", "parameters"],
            ["sub-0/t1.nii.gz", HOLES, "patch", "a.json", "patch.size=3"],
            ["sub-0/t1.nii.gz", HOLES, "patch", "b.json", "size=3"],
            ["sub-0/t1.nii.gz", HOLES, "patch", "c.json", "patch.sizes=3"],
            ["sub-0/t1.nii.gz", "spheres:3", "magic", "d.json", ""],
            ["sub-0/t1.nii.gz", "nowhere.nii.gz", "patch", "e.json", ""],
            ["sub-0/t1.nii.gz", HOLES, "patch", "f.nii", ""],
        ]
    )
    with pytest.raises(PlanError) as error:
        plan_of_table(study.table, Evaluate())
    told = "\n".join(error.value.problems)
    assert len(error.value.problems) == 5
    for expected in (
        "Row 3, column 'parameters': it must hold METHOD.NAME=VALUE",
        "Row 4: Method 'patch' has no parameter 'sizes'",
        "Row 5: ",
        "Row 6: the mask of holes 1 '",
        "Row 7: 'f.nii' must end in .csv",
    ):
        assert expected in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--job", "evaluate", "--dilate", "1"], "--job evaluate has no --dilate; give what holds"),
        (["--job", "evaluate", "--set", "size=3"], "--job evaluate has no --set"),
        (["--job", "evaluate", "--report"], "--job evaluate has no --report"),
        (["--job", "impute", "--save-mask"], "--job impute has no --save-mask"),
        (["--job", "impute", "--method", "auto"], "--job impute has no --method"),
        (["--job", "evaluate", "--with", "holes"], "--with takes FIELD=VALUE; found 'holes'"),
        (["--job", "evaluate", "--with", "hole=3"], "The fields of evaluate are: output, image, holes, methods"),
        (["--with", "seed=x"], "--with seed: it must be a whole number; found 'x'"),
    ],
)
def test_options_that_a_job_does_not_have_are_one_line(evaluations, arguments, message):
    result = command(evaluations.table, *arguments)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert message in result.stderr
    assert not (evaluations.folder / "study-cohort").exists()


def test_values_for_all_rows_are_read_like_cells_and_paths_from_this_folder(study, monkeypatch):
    study.write([["image", "output"], ["sub-0/t1.nii.gz", "filled/sub-0.nii.gz"]])
    (study.folder / "here").mkdir()
    monkeypatch.chdir(study.folder / "here")
    arguments = ["--with", "mask=../sub-1/lesion.nii.gz", "--with", "dilate=2.5", "--method", "nearest", "--jobs", "1"]
    assert command("../study.csv", *arguments).exit_code == 0
    direct = mi.inpaint(study.image("sub-0"), study.folder / "sub-1" / "lesion.nii.gz", method="nearest", dilate_mm=2.5)
    np.testing.assert_array_equal(mi.Volume.read(study.output("sub-0")).array, direct.volume.array)


def test_an_evaluation_takes_no_more_workers_than_its_share(study, monkeypatch):
    asked = []
    import MedInpaintLib.evaluation.protocol as protocol

    inpaint = protocol.inpaint
    monkeypatch.setattr(
        protocol, "inpaint", lambda *args, **options: asked.append(options.get("workers")) or inpaint(*args, **options)
    )
    fields = {"job": "evaluate", "image": str(study.image("sub-0")), "holes": [HOLES], "methods": ["harmonic"]}
    EvaluateJob(**fields, output=str(study.folder / "a.json"), workers=1).run()
    assert asked[-1] == 1


# Estimates of a contrast

SHAPE, MM = (6, 36, 32), (20.0, 4.0, 4.0)


@pytest.fixture
def contrasts(study, tiny_models):
    """A table with a column for each contrast; the second person's images are damaged."""
    pytest.importorskip("torch")
    k, j, i = np.ogrid[-1:1:6j, -1:1:36j, -1:1:32j]
    inside = k**2 + j**2 + i**2 < 0.9
    noise = np.random.default_rng(0).integers(0, 300, SHAPE)
    for number, name in enumerate(("t1", "t2")):
        volume = mi.Volume(np.where(inside, 500 + 100 * number + noise, 0).astype(np.int16), MM)
        volume.write(study.folder / f"a-{name}.nrrd")
    (study.folder / "b-t1.nrrd").write_bytes(b"no image")
    rows = [["a", "a-t1.nrrd", "a-t2.nrrd", "out/a.nrrd"], ["b", "b-t1.nrrd", "", "out/b.nrrd"]]
    study.write([["id", "T1", "t2", "output"], *rows])
    return study


def test_a_contrast_is_estimated_for_each_row(contrasts):
    arguments = ["--job", "impute", "--with", "target=FLAIR", "--with", "model=a-tiny-collagan", "--report"]
    failed = command(contrasts.table, *arguments, "--jobs", "1")
    assert failed.exit_code == 1
    assert "a: FLAIR estimated from T1, T2 by a-tiny-collagan, " in failed.output
    assert "2 cases: 1 estimated, 1 failed" in failed.output
    images = {"T1": contrasts.folder / "a-t1.nrrd", "T2": contrasts.folder / "a-t2.nrrd"}
    direct = mi.impute(images, "FLAIR", model="a-tiny-collagan")
    np.testing.assert_array_equal(mi.Volume.read(contrasts.folder / "out/a.nrrd").array, direct.volume.array)
    assert json.loads((contrasts.folder / "out" / "a.json").read_text())["target"] == "FLAIR"
    first, second = contrasts.summary()
    assert (first["target"], first["images"], second["status"]) == ("FLAIR", "T1, T2", "failed")
    assert "1 of them were done before" in command(contrasts.table, *arguments, "--jobs", "1").output


def test_a_table_of_contrasts_without_a_target_or_another_image_is_refused(contrasts):
    with pytest.raises(PlanError) as error:
        plan_of_table(contrasts.table, Impute())
    assert error.value.problems == ["Row 1: the column 'target' is missing."]
    contrasts.write([["T1", "target", "output"], ["a-t1.nrrd", "T1", "a.nrrd"], ["", "T2", "b.nrrd"]])
    with pytest.raises(PlanError) as error:
        plan_of_table(contrasts.table, Impute())
    assert "Row 2: To estimate T1, name images of other contrasts: in columns T1" in error.value.problems[1]
    assert len(error.value.problems) == 2


def test_images_may_also_be_pairs_in_one_cell(contrasts):
    rows = ["FA=a-t1.nrrd; MD=a-t2.nrrd", "T2", "out.nrrd"]
    contrasts.write([["images", "target", "output"], rows])
    (case,) = plan_of_table(contrasts.table, Impute()).cases
    folder = contrasts.folder
    assert case.job.images == {"FA": str(folder / "a-t1.nrrd"), "MD": str(folder / "a-t2.nrrd")}
