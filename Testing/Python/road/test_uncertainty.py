"""The uncertainty: against errors that are known, and what holds for every fill."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib import calibration_table, prediction
from MedInpaintLib.calibration import AS_GIVEN, DEPTHS, Calibration
from MedInpaintLib.errors import ParameterError
from MedInpaintLib.intensity import fit_scaling
from MedInpaintLib.modality import MR
from MedInpaintLib.parts import find_parts
from Research.shared.subjects import damaged_subject

SHAPE = (28, 30, 32)
FLAT = Calibration((1.0,) * len(DEPTHS))


def field(seed=0, smooth=0.0, shape=SHAPE):
    """Return a stationary Gaussian field with mean 100 and standard deviation 10."""
    noise = np.random.default_rng(seed).normal(size=shape)
    if smooth:
        noise = ndimage.gaussian_filter(noise, smooth, mode="wrap")
    return (100 + 10 * (noise - noise.mean()) / noise.std()).astype(np.float32)


def ball(centre, radius, shape=SHAPE):
    return sum((axis - at) ** 2 for axis, at in zip(np.indices(shape), centre, strict=True)) <= radius**2


HOLE = ball((14, 15, 16), 5)


def fill(image, hole=HOLE, method="harmonic", **options):
    return mi.inpaint(image, hole, **{"method": method, "modality": "MR", "uncertainty": True, **options})


def shares(result, image, hole=HOLE):
    error, deviation = (each[hole] for each in (np.abs(result.volume.array - image), result.uncertainty.array))
    return (error <= deviation).mean(), (error <= 2 * deviation).mean()


@pytest.fixture
def table(monkeypatch):
    """A table without constants, to be filled."""
    own: dict = {}
    monkeypatch.setattr(calibration_table, "TABLE", own)
    return own


def test_where_the_fill_is_the_mean_the_errors_are_as_large_as_the_contrast(table):
    table[("MR", 3)] = {"shell-mean": FLAT}
    image = field()
    one, two = shares(fill(image, method="shell-mean"), image)
    assert one == pytest.approx(0.683, abs=0.04)
    assert two == pytest.approx(0.954, abs=0.03)


def test_trial_holes_alone_calibrate_a_method_whose_errors_were_never_measured(table):
    found = []
    shape = (34, 36, 40)
    hole = ball((17, 18, 20), 4, shape)
    for seed in range(4):
        image = field(seed, smooth=1.0, shape=shape)
        result = fill(image, hole, method="biharmonic", self_check=True, seed=seed)
        assert re.fullmatch(r"calibrated by \d+ trial holes of this image", result.report["uncertainty"]["basis"])
        found.append(shares(result, image, hole))
    one, two = np.mean(found, axis=0)
    assert one == pytest.approx(0.683, abs=0.1)
    assert two == pytest.approx(0.954, abs=0.05)


@pytest.mark.parametrize("wrong", [0.4, 2.5])
def test_trial_holes_rescale_constants_that_do_not_hold_in_this_image(wrong, table):
    table[("MR", 3)] = {"shell-mean": FLAT.scaled(wrong)}
    image, hole = field(1), ball((14, 15, 16), 3)
    results = [fill(image, hole, method="shell-mean", self_check=each) for each in (False, True)]
    before, after = (shares(result, image, hole) for result in results)
    assert abs(after[0] - 0.683) < abs(before[0] - 0.683) / 1.3
    report = results[1].report
    facts, count = report["uncertainty"], report["self_check"][0]["holes"]
    # Few trial holes are trusted in part only.
    assert facts["factors"]["shell-mean"] == pytest.approx(
        wrong ** -(count / (count + calibration_table.HOLES)), rel=0.1
    )
    assert facts["basis"] == f"calibrated by other people and {count} trial holes of this image"


def test_without_constants_and_trial_holes_there_is_none_and_the_report_says_why(table, tmp_path):
    result = fill(field())
    assert result.uncertainty is None
    assert result.report["uncertainty"]["reason"].startswith(
        "the errors of 'harmonic' in MR volumes were never measured"
    )
    assert [each for each in result.report["warnings"] if each.startswith("No uncertainty is given: the errors of")]
    mi.Volume(field(), 1.0).write(tmp_path / "sd.mhd")  # of an earlier fill: header and voxels
    assert len(list(tmp_path.iterdir())) == 2
    result.save(tmp_path / "out.nii.gz", tmp_path / "r.json", uncertainty=tmp_path / "sd.mhd", page=tmp_path / "p.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.nii.gz", "p.html", "r.json"]
    assert sorted(json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["files"]) == ["out.nii.gz", "p.html"]
    assert "never measured" in (tmp_path / "p.html").read_text(encoding="utf-8")


def test_an_uncertainty_that_was_not_asked_for_cannot_be_saved(table, tmp_path):
    result = fill(field(), uncertainty=False)
    assert result.report["uncertainty"] is None
    assert not result.report["warnings"]
    with pytest.raises(ParameterError, match="uncertainty=True"):
        result.save(tmp_path / "out.nii.gz", uncertainty=tmp_path / "sd.nii.gz")


def test_a_spread_without_constants_is_no_standard_deviation(table):
    result = fill(field(), method="patch", uncertainty=False)
    assert result.uncertainty is None
    assert not result.report["warnings"]  # nobody asked


def unsure(calibration):
    def predict(region, parameters, run):
        return prediction.Prediction(region.values, np.full(region.values.shape, 0.1), calibration=calibration)

    return prediction.MethodInfo("unsure", "S", "trivial", "S.", "None.", "none", fill=predict)


def test_a_method_may_say_that_its_spread_is_calibrated_or_how_it_becomes_so(table, monkeypatch):
    image = field()
    width = fit_scaling(image[~HOLE], MR).width
    for calibration, factor in ((AS_GIVEN, 1.0), (AS_GIVEN.scaled(2.0), 2.0)):
        monkeypatch.setitem(prediction.METHODS, "unsure", unsure(calibration))
        result = fill(image, method="unsure", uncertainty=False)
        np.testing.assert_allclose(result.uncertainty.array[HOLE], factor * 0.1 * width, rtol=1e-5)
        assert not result.uncertainty.array[~HOLE].any()
        assert result.report["uncertainty"]["basis"] == "calibrated by the method"


def test_parts_are_calibrated_by_what_filled_each(table):
    table[("MR", 3)] = {"harmonic": FLAT, "patch": FLAT.scaled(3.0)}
    hole = HOLE | ball((4, 4, 4), 2)
    one, other = (fill(field(), hole, method).uncertainty.array for method in ("harmonic", "patch"))
    np.testing.assert_allclose(other[hole], 3 * one[hole], rtol=1e-5)
    assert len(np.unique(one[hole])) == 2  # each part has its own surroundings


def test_the_report_tells_the_deviation_of_each_part(table):
    table[("MR", 3)] = {"harmonic": Calibration(DEPTHS)}
    second = ball((4, 4, 4), 2)
    result = fill(field(), HOLE | second)
    told = {part["voxels"]: part["deviation"] for part in result.report["parts"]}
    for part in (HOLE, second):
        squares = result.uncertainty.array[part].astype(float) ** 2
        assert told[int(part.sum())] == pytest.approx(np.sqrt(squares.mean()), rel=1e-3)
    assert "deviation" not in fill(field(), uncertainty=False).report["parts"][0]


def test_the_depth_is_that_in_the_whole_hole(table):
    table[("MR", 3)] = {"harmonic": Calibration(DEPTHS)}
    hole = np.zeros(SHAPE, bool)
    hole[3:13, 10:20, 10:20] = hole[14:24, 10:20, 10:20] = True  # one known voxel apart: filled together
    deviation = fill(field(), hole).uncertainty.array
    subject = damaged_subject(mi.Volume(field(), 1.0), hole)
    assert len(find_parts(subject.whole, (1, 1, 1))) == 1
    first = deviation[3:13, 10:20, 10:20] / deviation[3, 10, 10]
    depth = np.clip(ndimage.distance_transform_edt(hole), DEPTHS[0], DEPTHS[-1])[3:13, 10:20, 10:20]
    np.testing.assert_allclose(first, depth, rtol=1e-4)


def test_hidden_voxels_do_not_matter(table):
    table[("MR", 3)] = {"harmonic": FLAT}
    image = field()
    other = np.where(HOLE, -1e6, image).astype(np.float32)
    one, two = (fill(each, self_check=True).uncertainty.array for each in (image, other))
    np.testing.assert_array_equal(one, two)


def test_grain_adds_its_variance(table):
    table[("MR", 3)] = {"harmonic": FLAT}
    image = field(smooth=0.7)
    plain, grainy = (fill(image, grain=grain) for grain in (False, True))
    added = (grainy.volume.array - plain.volume.array)[HOLE].std()
    assert added > 1
    expected = np.hypot(plain.uncertainty.array[HOLE], added)
    np.testing.assert_allclose(grainy.uncertainty.array[HOLE], expected, rtol=0.02)


def test_a_companion_gets_the_contrast_of_its_own_surroundings(table):
    table[("MR", 3)] = {"patch": FLAT}
    images = [field(0), 5 * field(1)]
    results = mi.inpaint_together(images, HOLE, method="patch", modality="MR", uncertainty=True, force=True)
    for result, expected in zip(results, (10.0, 50.0), strict=True):
        assert np.median(result.uncertainty.array[HOLE]) == pytest.approx(expected, rel=0.1)


def test_a_part_with_hardly_a_known_voxel_around_it_has_the_contrast_of_the_image(table):
    table[("MR", 3)] = {"nearest": FLAT}
    image = field()
    hole = np.ones(SHAPE, bool)
    hole[14, 15, 16:20] = False
    result = fill(image, hole, method="nearest")
    assert np.median(result.uncertainty.array[hole]) == pytest.approx(10.0, rel=0.9)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    radius=st.integers(1, 5),
    scale=st.sampled_from([0.01, 1.0, 37.0]),
    factors=st.lists(st.floats(0.05, 3.0), min_size=len(DEPTHS), max_size=len(DEPTHS)).map(sorted),
)
def test_it_is_positive_in_the_hole_zero_elsewhere_and_grows_with_depth(seed, radius, scale, factors):
    calibration = Calibration(tuple(factors))
    info = dataclasses.replace(unsure(calibration), name="rising")

    def predict(region, parameters, run):
        return prediction.Prediction(region.values, calibration=calibration)

    prediction.METHODS["rising"] = dataclasses.replace(info, fill=predict)
    try:
        image = scale * field(seed, shape=(16, 18, 20))
        hole = ball((8, 9, 10), radius, image.shape)
        deviation = fill(image, hole, method="rising").uncertainty.array
        again = fill(2 * image, hole, method="rising").uncertainty.array
    finally:
        del prediction.METHODS["rising"]
    assert (deviation[hole] > 0).all()
    assert not deviation[~hole].any()
    order = np.argsort(ndimage.distance_transform_edt(hole)[hole], kind="stable")
    assert (np.diff(deviation[hole][order]) >= -1e-6 * deviation.max()).all()
    np.testing.assert_allclose(again, 2 * deviation, rtol=1e-4)
