"""SSIM against scikit-image, loops and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from MedInpaintLib.metrics import ssim, ssim_map
from MedInpaintLib.metrics.structural_similarity import window_radius


def skimage_map(truth, filled, data_range, sigma=1.5):
    _, full = structural_similarity(
        truth,
        filled,
        data_range=data_range,
        gaussian_weights=True,
        sigma=sigma,
        use_sample_covariance=False,
        full=True,
    )
    return full


@pytest.mark.parametrize("shape", [(40, 50), (20, 22, 24)])
@pytest.mark.parametrize("sigma", [1.5, 2.0])
def test_the_map_is_that_of_scikit_image(rng, shape, sigma):
    truth, filled = rng.random((2, *shape)) * 200
    ours = ssim_map(filled, truth, data_range=200, sigma=sigma)
    np.testing.assert_allclose(ours, skimage_map(truth, filled, 200.0, sigma), atol=1e-9)


def test_over_a_hole_it_is_the_mean_of_the_map_of_the_composite(rng, ball):
    truth, filled = rng.random((2, *ball.shape))
    expected = skimage_map(truth, np.where(ball, filled, truth), 1.0)[ball].mean()
    assert ssim(filled, truth, ball, data_range=1.0) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("corner", [(0, 0), (0, 17), (17, 17)])
def test_cropping_to_the_hole_changes_nothing_even_at_the_border(rng, corner):
    truth, filled = rng.random((2, 24, 24))
    hole = np.zeros((24, 24), dtype=bool)
    hole[corner[0] : corner[0] + 7, corner[1] : corner[1] + 7] = True
    expected = skimage_map(truth, np.where(hole, filled, truth), 1.0)[hole].mean()
    assert ssim(filled, truth, hole, data_range=1.0) == pytest.approx(expected, abs=1e-9)


def test_the_window_has_eleven_taps_and_reaches_five_voxels(rng):
    truth = rng.random((30, 30))
    filled = truth.copy()
    filled[15, 15] += 1
    changed = np.argwhere(np.abs(ssim_map(filled, truth, data_range=1.0) - 1) > 1e-12)
    assert window_radius() == 5
    assert changed.min() == 10
    assert changed.max() == 20


def test_the_map_agrees_with_a_literal_window(rng):
    first, second = rng.random((2, 23, 23))
    taps = np.arange(-5, 6)
    window = np.exp(-(taps[:, None] ** 2 + taps[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    patch1, patch2 = first[6:17, 7:18], second[6:17, 7:18]
    mean1, mean2 = (window * patch1).sum(), (window * patch2).sum()
    variance1, variance2 = (window * (patch1 - mean1) ** 2).sum(), (window * (patch2 - mean2) ** 2).sum()
    covariance = (window * (patch1 - mean1) * (patch2 - mean2)).sum()
    c1, c2 = 0.01**2, 0.03**2
    expected = (2 * mean1 * mean2 + c1) * (2 * covariance + c2)
    expected /= (mean1**2 + mean2**2 + c1) * (variance1 + variance2 + c2)
    assert ssim_map(first, second, data_range=1.0)[11, 12] == pytest.approx(expected, abs=1e-12)


def test_two_constants_differ_by_the_luminance_term_alone():
    everywhere = np.ones((9, 9, 9), dtype=bool)
    c1 = (0.01 * 255) ** 2
    expected = (2 * 100 * 120 + c1) / (100**2 + 120**2 + c1)
    found = ssim(np.full(everywhere.shape, 100), np.full(everywhere.shape, 120), everywhere, data_range=255)
    assert found == pytest.approx(expected)


def test_a_perfect_fill_scores_one_and_the_order_of_images_does_not_matter(rng, ball):
    truth, filled = rng.random((2, *ball.shape))
    assert ssim(truth, truth, ball, data_range=1) == pytest.approx(1.0)
    assert np.allclose(ssim_map(filled, truth, data_range=1), ssim_map(truth, filled, data_range=1))


def test_it_does_not_depend_on_the_unit_of_intensity(rng, ball):
    truth, filled = rng.random((2, *ball.shape))
    once, tenfold = ssim(filled, truth, ball, data_range=1), ssim(10 * filled, 10 * truth, ball, data_range=10)
    assert tenfold == pytest.approx(once)


def test_what_a_method_did_outside_the_hole_does_not_count(rng, ball):
    truth, filled = rng.random((2, *ball.shape))
    scored = ssim(filled, truth, ball, data_range=1)
    assert ssim(np.where(ball, filled, -5.0), truth, ball, data_range=1) == scored


def test_the_cost_follows_the_hole_for_far_voxels_are_never_read(rng, ball):
    """NaN anywhere in reach would make the score NaN."""
    truth, filled = rng.random((2, 64, 64, 64))
    hole = np.pad(ball, 20)
    far = np.ones(hole.shape, dtype=bool)
    far[20:45, 20:45, 19:44] = False  # the ball and five voxels around it
    truth[far] = filled[far] = np.nan
    assert math.isfinite(ssim(filled, truth, hole, data_range=1))


def test_eroded_it_averages_only_windows_that_lie_in_the_hole(rng):
    truth, filled = rng.random((2, 40, 40))
    hole = np.zeros((40, 40), dtype=bool)
    hole[8:28, 9:30] = True
    inner = np.zeros_like(hole)
    inner[13:23, 14:25] = True
    expected = skimage_map(truth, np.where(hole, filled, truth), 1.0)[inner].mean()
    assert ssim(filled, truth, hole, data_range=1.0, erode=True) == pytest.approx(expected, abs=1e-9)


def test_eroded_a_hole_smaller_than_the_window_has_no_score(rng):
    truth, filled = rng.random((2, 20, 20))
    hole = np.zeros((20, 20), dtype=bool)
    hole[5:15, 5:15] = True
    assert math.isnan(ssim(filled, truth, hole, data_range=1.0, erode=True))


def test_along_chosen_axes_a_volume_is_scored_slice_by_slice(rng):
    truth, filled = rng.random((2, 5, 30, 30))
    hole = np.zeros(truth.shape, dtype=bool)
    hole[1:4, 10:20, 10:20] = True
    composite = np.where(hole, filled, truth)
    slices = np.stack([skimage_map(truth[k], composite[k], 1.0) for k in range(5)])
    found = ssim(filled, truth, hole, data_range=1.0, axes=(-2, -1))
    assert found == pytest.approx(slices[hole].mean(), abs=1e-9)


def test_a_slice_as_a_volume_of_one_scores_as_the_slice(rng):
    truth, filled = rng.random((2, 30, 30))
    hole = np.zeros((30, 30), dtype=bool)
    hole[3:20, 10:20] = True
    flat = ssim(filled, truth, hole, data_range=1.0)
    assert ssim(filled[None], truth[None], hole[None], data_range=1.0) == pytest.approx(flat)
