"""What needs no network: regression against numpy's least squares, and histograms against maps that are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from MedInpaintLib.imputation.regression import Regression, regress
from MedInpaintLib.imputation.rescaling import Rescaling, match_histograms

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


@given(seed=SEEDS, power=st.floats(0.3, 3), height=st.floats(0.1, 2), lowest=st.floats(0, 0.5))
def test_a_rising_map_is_recovered_from_the_histograms(seed, power, height, lowest):
    def true(values):
        return lowest + height * values**power

    rng = np.random.default_rng(seed)
    source = rng.uniform(0.05, 1, 20_000)
    # Which voxel belongs to which does not matter.
    found = match_histograms([(source.astype(np.float32), true(rng.permutation(source)))])
    at = np.linspace(0.06, 0.99, 50).astype(np.float32)
    np.testing.assert_allclose(found(at), true(at), rtol=0.02, atol=0.002)
    assert (np.diff(found(at)) >= 0).all()


@given(seed=SEEDS, slope=st.floats(0.1, 5), offset=st.floats(0, 1))
def test_a_linear_map_is_recovered_from_images_that_are_not_alike(seed, slope, offset):
    rng = np.random.default_rng(seed)
    sources = [rng.gamma(shape, 0.1, size) + 0.01 for shape, size in ((1.5, 300), (4.0, 500), (9.0, 200))]
    found = match_histograms([(source, slope * source + offset) for source in sources])
    inside = np.linspace(found.source[0], found.source[-1], 30)
    np.testing.assert_allclose(found(inside), slope * inside + offset, rtol=1e-5)


@given(seed=SEEDS)
def test_a_rescaled_image_has_the_histogram_of_the_target(seed):
    rng = np.random.default_rng(seed)
    source, target = rng.gamma(3, 0.1, 5000), rng.lognormal(-1, 0.3, 4000)
    made = match_histograms([(source, target)])(source)
    for share in (5, 25, 50, 75, 95):
        assert np.percentile(made, share) == pytest.approx(np.percentile(target, share), rel=0.01)


def test_rescaling_leaves_no_signal_alone_and_goes_no_further_than_it_has_seen():
    made = Rescaling(np.array([0.1, 0.5]), np.array([0.3, 0.7]))(np.array([[0.0, 0.05, 0.1], [0.3, 0.5, 4.0]]))
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, [[0.0, 0.3, 0.3], [0.5, 0.7, 0.7]], rtol=1e-6)
