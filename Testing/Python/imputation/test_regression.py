"""The regression from contrasts to a contrast, against numpy's least squares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from MedInpaintLib.imputation.regression import Regression, regress

SEEDS = st.integers(0, 2**16)


def many(seed, count, images=3, size=200):
    """For each image, sources and a target that hardly depends on them."""
    rng = np.random.default_rng(seed)
    return [
        (rng.gamma(2, 0.1, (count, size + 10 * number)).astype(np.float32), rng.gamma(2, 0.1, size + 10 * number))
        for number in range(images)
    ]


@given(seed=SEEDS, count=st.integers(1, 4), images=st.integers(1, 4))
def test_the_regression_is_the_least_squares_over_all_voxels_of_all_images(seed, count, images):
    samples = many(seed, count, images)
    every = np.concatenate([sources for sources, _ in samples], axis=1).astype(np.float64)
    matrix = np.column_stack([every.T, np.ones(every.shape[1])])
    truth = np.linalg.lstsq(matrix, np.concatenate([target for _, target in samples]), rcond=None)[0]
    found = regress(samples)
    np.testing.assert_allclose([*found.weights, found.offset], truth, atol=1e-7)


@given(
    seed=SEEDS,
    weights=st.lists(st.floats(-2, 3), min_size=1, max_size=3),
    offset=st.floats(-0.3, 0.5),
)
def test_a_linear_relation_is_recovered(seed, weights, offset):
    samples = [(sources, np.array(weights) @ sources + offset) for sources, _ in many(seed, len(weights), 2)]
    found = regress(samples)
    np.testing.assert_allclose(found.weights, weights, atol=1e-6)
    assert found.offset == pytest.approx(offset, abs=1e-6)


def test_sources_that_say_the_same_or_nothing_do_no_harm():
    (sources, _), *_ = many(0, 1)
    target = 0.5 * sources[0] + 0.1
    both = regress([(np.stack([sources[0], sources[0], np.zeros_like(sources[0])]), target)])
    assert both.weights[:2].sum() == pytest.approx(0.5, abs=1e-6)
    assert both.weights[2] == 0
    assert both.offset == pytest.approx(0.1, abs=1e-6)


def test_the_regression_makes_no_signal_of_nothing_and_none_below_zero():
    sources = np.zeros((2, 3, 4), np.float32)
    sources[0, 0] = 0.5
    sources[1, 1] = 0.5
    made = Regression(np.array([2.0, -3.0]), 0.25)(sources)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, np.array([[1.25] * 4, [0] * 4, [0] * 4], np.float32))
