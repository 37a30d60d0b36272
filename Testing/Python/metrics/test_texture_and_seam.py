"""Gradient energy and boundary jump against closed forms and loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from MedInpaintLib.metrics import boundary_jump, gradient_energy, slice_jump

SPACING = (3.0, 1.0, 0.5)


def test_a_perfect_fill_has_the_truths_gradient_and_no_seam(rng, ball):
    truth = rng.random(ball.shape)
    assert gradient_energy(truth, truth, ball, spacing=SPACING) == pytest.approx(1.0)
    assert boundary_jump(truth, truth, ball, spacing=SPACING) == pytest.approx(1.0)


def test_gradient_energy_agrees_with_central_differences_voxel_by_voxel(rng, ball):
    truth, filled = rng.random((2, *ball.shape))
    composite = np.where(ball, filled, truth)

    def energy(image):
        total = 0.0
        for k, j, i in np.argwhere(ball):
            total += ((image[k + 1, j, i] - image[k - 1, j, i]) / (2 * SPACING[0])) ** 2
            total += ((image[k, j + 1, i] - image[k, j - 1, i]) / (2 * SPACING[1])) ** 2
            total += ((image[k, j, i + 1] - image[k, j, i - 1]) / (2 * SPACING[2])) ** 2
        return total

    expected = math.sqrt(energy(composite) / energy(truth))
    assert gradient_energy(filled, truth, ball, spacing=SPACING) == pytest.approx(expected)


def test_boundary_jump_agrees_with_a_loop_over_pairs_of_neighbours(rng, ball):
    truth, filled = rng.random((2, *ball.shape))
    made = real = 0.0
    for x in np.argwhere(ball):
        for axis in range(3):
            for step in (-1, 1):
                y = x.copy()
                y[axis] += step
                if not ball[tuple(y)]:
                    made += ((filled[tuple(x)] - truth[tuple(y)]) / SPACING[axis]) ** 2
                    real += ((truth[tuple(x)] - truth[tuple(y)]) / SPACING[axis]) ** 2
    assert boundary_jump(filled, truth, ball, spacing=SPACING) == pytest.approx(math.sqrt(made / real))


def test_twice_the_contrast_is_twice_the_gradient(rng):
    truth = rng.random((8, 9))
    assert gradient_energy(2 * truth, truth, np.ones((8, 9), dtype=bool)) == pytest.approx(2.0)


def test_a_flat_fill_is_smoother_than_tissue_and_white_noise_rougher(rng, ball):
    from scipy import ndimage

    truth = ndimage.gaussian_filter(rng.random(ball.shape), 2) * 20
    flat = np.full(ball.shape, truth[ball].mean())
    assert gradient_energy(flat, truth, ball) < 0.8
    assert gradient_energy(truth + rng.normal(size=ball.shape), truth, ball) > 2


def test_thick_slices_count_less_than_thin_ones(rng):
    """A step of the same height is a smaller gradient over 10 mm than over 1 mm."""
    truth = rng.random((6, 6, 6))
    filled = truth + np.arange(6)[:, None, None] % 2  # rough across slices only
    everywhere = np.ones(truth.shape, dtype=bool)
    thick = gradient_energy(filled, truth, everywhere, spacing=(10, 1, 1))
    assert thick < gradient_energy(filled, truth, everywhere, spacing=(1, 1, 1))


def test_constant_images_score_one_and_texture_out_of_nothing_infinity(ball):
    flat = np.ones(ball.shape)
    assert gradient_energy(flat, flat, ball) == 1.0
    assert boundary_jump(flat, flat, ball) == 1.0
    assert gradient_energy(flat + 1, flat, ball) == math.inf
    assert boundary_jump(flat + 1, flat, ball) == math.inf


def test_nan_over_a_constant_truth_is_nan_and_not_infinity(ball):
    flat = np.ones(ball.shape)
    spoilt = np.where(ball, math.nan, flat)
    assert math.isnan(gradient_energy(spoilt, flat, ball))
    assert math.isnan(boundary_jump(spoilt, flat, ball))
    assert math.isnan(boundary_jump(flat, spoilt, ball))


def test_a_hole_without_known_neighbours_has_no_seam_to_score():
    truth = np.arange(9.0).reshape(3, 3)
    assert math.isnan(boundary_jump(truth, truth, np.ones((3, 3), dtype=bool)))


def test_an_axis_of_one_voxel_has_no_gradient(rng):
    truth, filled = rng.random((2, 9, 9))
    hole = np.zeros((9, 9), dtype=bool)
    hole[3:6, 3:6] = True
    flat = gradient_energy(filled, truth, hole)
    assert gradient_energy(filled[None], truth[None], hole[None]) == pytest.approx(flat)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slice_jump_agrees_with_a_loop_over_pairs_of_neighbours(axis, rng, ball):
    truth, filled = rng.random((2, *ball.shape))
    found = {}
    for name, image in (("filled", filled), ("truth", truth)):
        across = within = 0.0
        for x in np.argwhere(ball):
            for other in range(3):
                y = x + np.eye(3, dtype=int)[other]
                if ball[tuple(y)]:
                    step = ((image[tuple(x)] - image[tuple(y)]) / SPACING[other]) ** 2
                    across, within = (across + step, within) if other == axis else (across, within + step)
        found[name] = across / within
    expected = math.sqrt(found["filled"] / found["truth"])
    assert slice_jump(filled, truth, ball, spacing=SPACING, axis=axis) == pytest.approx(expected)


def test_slices_that_do_not_know_of_each_other_jump(rng, ball):
    truth = np.cumsum(rng.random(ball.shape), axis=0)
    shaken = truth + 5 * rng.random((len(truth), 1, 1))  # an offset a slice
    assert slice_jump(truth, truth, ball) == pytest.approx(1.0)
    assert slice_jump(3 * truth, truth, ball) == pytest.approx(1.0)
    assert slice_jump(shaken, truth, ball) > 1.5


def test_slice_jump_is_nan_where_there_is_one_slice(rng):
    truth = rng.random((5, 8, 8))
    hole = np.zeros(truth.shape, bool)
    hole[2, 2:5, 2:5] = True
    assert math.isnan(slice_jump(truth, truth, hole))
