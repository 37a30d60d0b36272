"""Tables: numbers paired hole by hole, and all that is needed to read them."""

from __future__ import annotations

import csv
import dataclasses
import math

import numpy as np
import pytest

from MedInpaintLib import calibration_table
from MedInpaintLib.calibration import Calibration
from MedInpaintLib.evaluation import evaluate
from MedInpaintLib.evaluation.report import Row, Spread, Table
from MedInpaintLib.volume import Volume


def make_table(**scores):
    """A table from PSNR values: one list a method, one value a hole."""
    rows = tuple(
        Row(method.replace("_", "-"), hole, 100, (1.0, 2.0, 3.0), {"psnr": value, "mae": 100 / value})
        for method, found in scores.items()
        for hole, value in enumerate(found, start=1)
    )
    return Table(
        rows=rows,
        reference="shell-mean",
        about={"data": "x.nii", "n": "3 holes"},
        constants={"data": "x.nii", "seed": 0},
        seconds={method.replace("_", "-"): 0.5 for method in scores},
        image=Volume.of(np.zeros((2, 2, 2))),
        labels=np.zeros((2, 2, 2), dtype=np.int32),
    )


@pytest.fixture
def table():
    return make_table(shell_mean=[10, 20, 30], harmonic=[12, 21, 36], worse=[9, 22, 29])


@pytest.mark.parametrize(
    ("values", "mean", "sd", "n"),
    [
        ([1.0, 2.0, 3.0], 2.0, 1.0, 3),
        ([4.0], 4.0, math.nan, 1),
        ([1.0, math.nan, 3.0], 2.0, math.sqrt(2), 2),
        ([math.nan], math.nan, math.nan, 0),
        ([1.0, math.inf], math.inf, math.nan, 2),
        ([1.0, -math.inf], -math.inf, math.nan, 2),
    ],
)
def test_spread_is_the_mean_and_the_sample_deviation_of_what_is_a_number(values, mean, sd, n):
    assert dataclasses.astuple(Spread.of(values)) == pytest.approx((mean, sd, n), nan_ok=True)


def test_spread_prints_no_deviation_where_there_is_none():
    assert Spread.of([1.0, 3.0]).text(2) == "2.00 ± 1.41"
    assert Spread.of([1.0]).text(2, "+") == "+1.00"
    assert Spread.of([]).text(2) == "-"


def test_gains_are_paired_hole_by_hole(table):
    gain = table.gain("harmonic")
    assert gain.mean == pytest.approx(3.0)
    assert gain.sd == pytest.approx(np.std([2, 1, 6], ddof=1))
    assert gain.sd < table.spread("harmonic", "psnr").sd / 4
    assert table.gain("harmonic", over="worse").mean == pytest.approx(3.0)


def test_a_tie_of_perfect_fills_is_no_gain():
    perfect = make_table(shell_mean=[math.inf], copy=[math.inf])
    assert perfect.gain("copy").mean == 0.0


def test_wins_know_which_way_is_better(table):
    assert table.wins("harmonic") == 3
    assert table.wins("worse") == 1
    assert table.wins("harmonic", "mae") == 3


def test_the_reference_is_the_best_of_the_trivial_fills(head):
    assert evaluate(head, "spheres:9mm:2", "harmonic").reference == "shell-mean"


def test_the_text_names_data_split_protocol_range_seed_n_and_machine(head):
    text = evaluate(head, "spheres:9mm:2", "harmonic", name="phantom", split="test", seed=17).to_text()
    for word in ("phantom", "split: test", "spheres:9mm:2", "seed 17", "R = ", "99.5 percentile", "2 holes", "cores"):
        assert word in text
    assert "masked:" in text


def test_the_text_has_aligned_columns_with_the_paired_differences(table):
    lines = table.to_text().splitlines()
    head, rule, first, second, third = lines[-5:]
    assert head.split()[:3] == ["method", "PSNR", "dB"]
    assert "ΔPSNR dB" in head
    assert len(head) <= len(rule)
    assert "reference" in first
    assert "+3.00 ± 2.65" in second
    assert "3/3" in second
    assert "1/3" in third


def test_printing_a_table_prints_its_text(table):
    assert str(table) == table.to_text()


def test_markdown_has_one_row_a_method_and_the_protocol_beneath(table):
    lines = table.to_markdown().splitlines()
    assert len({line.count("|") for line in lines[:5]}) == 1
    assert lines[1].startswith("|---|---:")
    assert [line.split("|")[1].strip() for line in lines[2:5]] == ["shell-mean", "harmonic", "worse"]
    assert "- **data**: x.nii" in lines


def test_the_csv_file_has_every_metric_of_every_hole_at_full_precision(head, tmp_path):
    table = evaluate(head, "spheres:9mm:2", "harmonic", seed=5)
    table.to_csv(tmp_path / "scores.csv")
    with open(tmp_path / "scores.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(table.rows)
    for line, row in zip(lines, table.rows, strict=True):
        assert (line["method"], int(line["hole"]), int(line["voxels"])) == (row.method, row.hole, row.voxels)
        assert {name: float(line[name]) for name in row.scores} == pytest.approx(row.scores, rel=0, nan_ok=True)
        assert line["seed"] == "5"
        assert float(line["R"]) == table.constants["R"]


def test_the_csv_of_a_film_has_two_coordinates(tmp_path, samples):
    evaluate(samples / "chest-film.png", "squares:24px:1", "harmonic").to_csv(tmp_path / "scores.csv")
    head = (tmp_path / "scores.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert [name for name in head if name.startswith("centre")] == ["centre_j", "centre_i"]


def test_errors_in_large_units_are_printed_with_fewer_decimals():
    assert "250.0" in make_table(shell_mean=[0.4], harmonic=[0.4]).to_text()
    assert "0.0250" in make_table(shell_mean=[4000], harmonic=[4000]).to_text()


def test_coverage_is_the_share_of_errors_within_the_standard_deviations(monkeypatch, tmp_path):
    """The mean of white noise errs by the noise, whose standard deviation is that of the surroundings."""
    constants = {"shell-mean": Calibration((1.0,) * 5), "nearest": Calibration((math.sqrt(2),) * 5)}
    monkeypatch.setattr(calibration_table, "TABLE", {("MR", 3): constants})
    noise = np.random.default_rng(0).normal(100, 10, (30, 32, 34)).astype(np.float32)
    inside = np.ones(noise.shape, bool)
    table = evaluate(noise, "spheres:9mm:2", ["harmonic", "nearest"], modality="MR", foreground=inside)
    assert table.coverage("harmonic") is None
    for method in constants:
        one, two = table.coverage(method)
        assert one == pytest.approx(0.683, abs=0.05)
        assert two == pytest.approx(0.954, abs=0.03)
    methods = {each["method"]: each["coverage"] for each in table.to_dict()["methods"]}
    assert methods["harmonic"] is None
    assert methods["nearest"] == pytest.approx(table.coverage("nearest"), abs=1e-4)
    assert not [warning for report in table.reports.values() for warning in report["warnings"]]
    lines = table.to_text().splitlines()
    assert any(line.endswith("% within 1/2 SD") for line in lines)
    assert next(line for line in lines if line.startswith("harmonic")).endswith("-")
    table.to_csv(tmp_path / "t.csv")
    with open(tmp_path / "t.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["within_1_sd"] for row in rows if row["method"] == "harmonic"} == {""}
    assert all(0.5 < float(row["within_1_sd"]) < 0.9 for row in rows if row["method"] == "nearest")
