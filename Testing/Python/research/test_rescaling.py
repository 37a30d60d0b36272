"""Intensities rescaled by histogram, against known maps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from Research.comparators.rescaling import Rescaling, match_histograms

SEEDS = st.integers(0, 2**16)


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
