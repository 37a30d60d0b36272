"""The guard: a fill that does not fit the tissue around it is warned of, whatever method made it."""

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib import fill_region
from MedInpaintLib.guard import doubt

SHAPE = (48, 48, 48)


def tissue(seed=0):
    """Return two kinds of tissue with noise, as intensities in a row."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(400, 30, 3000), rng.normal(600, 30, 5000)])


def distance(center):
    grid = np.ogrid[tuple(slice(0, size) for size in SHAPE)]
    return np.sqrt(sum((axis - at) ** 2 for axis, at in zip(grid, center, strict=True)))


@pytest.mark.parametrize(
    "fill", [tissue(1), tissue(1)[:500], np.full(900, 520.0), np.full(900, 400.0), tissue(1)[3500:]]
)
def test_tissue_and_smooth_fills_are_no_doubt(fill):
    assert doubt(fill, tissue(), 20.0) == ""


def test_black_and_white_fills_are_doubtful():
    assert doubt(np.zeros(900), tissue()).startswith("100 % of the fill is darker")
    assert doubt(np.full(900, 900.0), tissue()).startswith("100 % of the fill is brighter")
    assert doubt(np.where(np.arange(900) < 369, 0, tissue(1)[-900:]), tissue()).startswith("41 % of the fill is darker")


def test_a_large_dim_fill_is_doubtful_and_a_small_one_may_be_a_ventricle():
    around = np.concatenate([tissue(), np.random.default_rng(0).normal(150, 30, 300)])
    fill = np.full(900, 300.0)
    assert doubt(fill, around, 1.0) == ""
    assert doubt(fill, around, 20.0).startswith("The fill's mean is 5")


def test_dim_says_nothing_where_black_is_not_zero():
    assert doubt(np.full(900, -300.0), tissue() * 2 - 1200, 20.0) == ""


def test_a_few_voxels_are_not_judged():
    assert doubt(np.zeros(10), tissue()) == doubt(np.zeros(900), tissue()[:10]) == ""


def test_the_warning_is_in_the_report_of_any_method(monkeypatch):
    image = np.where(distance((24, 24, 24)) < 22, 500 + np.random.default_rng(0).normal(0, 20, SHAPE), 0)
    image = image.astype(np.int16)
    hole = distance((24, 24, 24)) < 9
    good = mi.inpaint(image, hole, method="biharmonic", modality="MR")
    assert not [warning for warning in good.report["warnings"] if "look at it" in warning]
    monkeypatch.setattr(fill_region, "restore", lambda region, values, dtype: np.full(region.fill.sum(), 9, dtype))
    black = mi.inpaint(image, hole, method="biharmonic", modality="MR")
    warning = "Part 1: 100 % of the fill is darker than the tissue around it; look at it before you use it."
    assert warning in black.report["warnings"]


def test_background_that_stays_zero_is_no_dark_fill(monkeypatch):
    image = np.where(distance((24, 24, 24)) < 18, 500 + np.random.default_rng(0).normal(0, 20, SHAPE), 0)
    hole = distance((24, 24, 42)) < 9
    monkeypatch.setattr(fill_region, "restore", lambda region, values, dtype: np.full(region.fill.sum(), 500, dtype))
    result = mi.inpaint(image.astype(np.int16), hole, method="harmonic", modality="MR")
    assert np.mean(result.volume.array[hole] == 0) > 0.3
    assert not [warning for warning in result.report["warnings"] if "darker" in warning]
