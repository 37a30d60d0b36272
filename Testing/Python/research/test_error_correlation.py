"""The command that measures how errors of fills correlate: on fields whose correlation is known."""

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib.draws import SHARES, WIDTHS
from MedInpaintLib.modality import MR
from Research.error_correlation import correlation, samples_correlate


@pytest.fixture(scope="module")
def ball():
    return ((np.indices((60, 60, 60)) - 29.5) ** 2).sum(axis=0) < 29**2


def smooth_noise(sigma, seed=0):
    return ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal((60, 60, 60)), sigma)


@pytest.mark.parametrize("distance", [1, 2, 4])
def test_smoothed_noise_correlates_as_its_kernel_with_itself(ball, distance):
    """White noise behind a Gaussian of width s correlates as exp(-(r / 2 s)^2)."""
    assert correlation(smooth_noise(1.5), ball, (1.0,) * 3, distance) == pytest.approx(
        np.exp(-((distance / 3.0) ** 2)), abs=0.05
    )


def test_distances_are_in_mm_and_axes_that_have_no_such_step_are_left_out(ball):
    values = smooth_noise((0.5, 2.0, 2.0))
    fine = correlation(values, ball, (5.0, 0.5, 0.5), 1.0)
    assert fine == pytest.approx(np.exp(-((2 / 4.0) ** 2)), abs=0.05)
    assert np.isnan(correlation(values, ball, (5.0, 5.0, 5.0), 1.0))


def test_samples_correlate_as_the_sum_of_their_fields(ball):
    kinds = enumerate(zip(SHARES, WIDTHS, strict=True))
    noises = [(share, smooth_noise(width, seed)) for seed, (share, width) in kinds]
    fields = [np.sqrt(share) * noise / noise.std() for share, noise in noises]
    measured = [correlation(sum(fields), ball, (1.0,) * 3, mm) for mm in (1, 3, 6)]
    assert samples_correlate((1, 3, 6), MR) == pytest.approx(measured, abs=0.06)
