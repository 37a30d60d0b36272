"""MSE, RMSE, MAE, NMSE and PSNR against hand-made values, loops and scikit-image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from skimage import metrics as skimage_metrics

from MedInpaintLib.errors import GeometryError, MaskError, ParameterError
from MedInpaintLib.metrics import mae, mse, nmse, psnr, rmse

SIMPLE = (mse, rmse, mae, nmse)
values = st.floats(-1000, 1000, width=32)


@st.composite
def cases(draw):
    """Filled, truth and a hole that is not empty; 2-D or 3-D."""
    shape = draw(array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=6))
    filled, truth = (draw(arrays(np.float32, shape, elements=values)) for _ in range(2))
    hole = draw(arrays(bool, shape))
    hole.ravel()[draw(st.integers(0, hole.size - 1))] = True
    return filled, truth, hole


def test_rmse_takes_the_root_of_the_mean_and_not_the_mean_of_roots():
    truth, hole = np.zeros((1, 3)), np.array([[True, True, False]])
    assert rmse(np.array([[1.0, 7.0, 100.0]]), truth, hole) == pytest.approx(5.0)


def test_unsigned_differences_do_not_wrap_round():
    filled, truth = np.array([[1]], dtype=np.uint8), np.array([[255]], dtype=np.uint8)
    hole = np.ones((1, 1), dtype=bool)
    assert mae(filled, truth, hole) == 254
    assert mse(filled, truth, hole) == 254**2


def test_psnr_of_a_constant_error_is_twenty_log_of_range_over_error():
    truth, hole = np.zeros((4, 4)), np.eye(4, dtype=bool)
    assert psnr(truth + 2, truth, hole, data_range=200) == pytest.approx(40.0)


def test_psnr_of_a_perfect_fill_is_infinite():
    truth, hole = np.ones((4, 4)), np.eye(4, dtype=bool)
    assert psnr(truth, truth, hole, data_range=1) == math.inf


@pytest.mark.parametrize("metric", [*SIMPLE, lambda *images: psnr(*images, data_range=1)])
@pytest.mark.parametrize("truth", [np.zeros((4, 4)), np.ones((4, 4))])
def test_a_fill_with_nan_in_it_scores_nan_and_not_infinity(metric, truth):
    filled = truth.copy()
    filled[1, 1] = math.nan
    assert math.isnan(metric(filled, truth, np.eye(4, dtype=bool)))


def test_psnr_of_an_infinite_error_is_minus_infinity():
    truth, hole = np.zeros((4, 4)), np.eye(4, dtype=bool)
    assert psnr(truth + math.inf, truth, hole, data_range=1) == -math.inf


@pytest.mark.parametrize("data_range", [None, 0, -1, math.nan, math.inf])
def test_psnr_has_no_default_range_and_refuses_senseless_ones(data_range):
    truth, hole = np.zeros((4, 4)), np.eye(4, dtype=bool)
    with pytest.raises(ParameterError, match="data_range must be a positive number"):
        psnr(truth, truth, hole, data_range=data_range)


def test_nmse_of_filling_with_zero_is_one():
    truth, hole = np.arange(1.0, 17).reshape(4, 4), np.eye(4, dtype=bool)
    assert nmse(np.zeros((4, 4)), truth, hole) == 1.0


def test_nmse_of_an_empty_truth_is_zero_or_infinite():
    truth, hole = np.zeros((2, 2)), np.ones((2, 2), dtype=bool)
    assert nmse(truth, truth, hole) == 0.0
    assert nmse(truth + 1, truth, hole) == math.inf


@pytest.mark.parametrize("metric", SIMPLE)
def test_arrays_of_different_shapes_are_refused(metric):
    with pytest.raises(GeometryError, match="one shape"):
        metric(np.zeros((2, 2)), np.zeros((2, 3)), np.ones((2, 2), dtype=bool))


@pytest.mark.parametrize("metric", SIMPLE)
def test_an_empty_hole_is_refused(metric):
    with pytest.raises(MaskError, match="nothing to score"):
        metric(np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((2, 2), dtype=bool))


@given(cases())
@settings(max_examples=50, deadline=None)
def test_metrics_agree_with_a_loop_over_the_voxels(case):
    filled, truth, hole = case
    errors = [float(filled[x]) - float(truth[x]) for x in np.ndindex(hole.shape) if hole[x]]
    energy = sum(float(truth[x]) ** 2 for x in np.ndindex(hole.shape) if hole[x])
    square = math.fsum(error**2 for error in errors)
    assert mse(filled, truth, hole) == pytest.approx(square / len(errors), rel=1e-9)
    assert rmse(filled, truth, hole) == pytest.approx(math.sqrt(square / len(errors)), rel=1e-9)
    assert mae(filled, truth, hole) == pytest.approx(math.fsum(map(abs, errors)) / len(errors), rel=1e-9)
    if energy > 1e-6:
        assert nmse(filled, truth, hole) == pytest.approx(square / energy, rel=1e-9)


@given(cases())
@settings(max_examples=25, deadline=None)
def test_voxels_outside_the_hole_do_not_count(case):
    filled, truth, hole = case
    for metric in SIMPLE:
        assert metric(np.where(hole, filled, 9e9), np.where(hole, truth, np.nan), hole) == metric(filled, truth, hole)


@given(cases())
@settings(max_examples=25, deadline=None)
def test_metrics_of_differences_are_symmetric_and_zero_only_for_a_perfect_fill(case):
    filled, truth, hole = case
    for metric in (mse, rmse, mae):
        assert metric(filled, truth, hole) == metric(truth, filled, hole)
        assert metric(truth, truth, hole) == 0
    if (filled != truth)[hole].any():
        assert mae(filled, truth, hole) > 0


@given(cases(), st.floats(0.5, 8))
@settings(max_examples=25, deadline=None)
def test_psnr_does_not_depend_on_the_unit_of_intensity(case, factor):
    filled, truth, hole = (array.astype(np.float64) if array.dtype != bool else array for array in case)
    before = psnr(filled, truth, hole, data_range=7.0)
    assert psnr(filled * factor, truth * factor, hole, data_range=7.0 * factor) == pytest.approx(before, abs=1e-6)


def test_over_the_whole_image_the_metrics_are_those_of_scikit_image(rng):
    truth, filled = rng.random((2, 9, 8, 7)) + 0.1
    everywhere = np.ones(truth.shape, dtype=bool)
    assert mse(filled, truth, everywhere) == pytest.approx(skimage_metrics.mean_squared_error(truth, filled))
    theirs = skimage_metrics.peak_signal_noise_ratio(truth, filled, data_range=3.0)
    assert psnr(filled, truth, everywhere, data_range=3.0) == pytest.approx(theirs)
    theirs = skimage_metrics.normalized_root_mse(truth, filled, normalization="euclidean")
    assert nmse(filled, truth, everywhere) == pytest.approx(theirs**2)
