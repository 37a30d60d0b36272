"""The range R: from known voxels, by custom of the modality, or as given."""

from __future__ import annotations

import numpy as np
import pytest

from MedInpaintLib.data_range import data_range_of
from MedInpaintLib.evaluation import evaluate
from MedInpaintLib.modality import CT, FILM, MR


@pytest.fixture
def mr():
    """90 % tissue between 100 and 1000, 10 % background."""
    return np.concatenate([np.zeros(1000), np.linspace(100, 1000, 9000)])


def test_mr_ends_at_the_robust_maximum_of_the_foreground(mr):
    scale = data_range_of(mr, MR, np.dtype(np.int16))
    assert scale.black == 0
    assert scale.width == pytest.approx(np.percentile(mr[mr > 100], 99.5), rel=1e-3)


def test_a_few_hot_voxels_do_not_move_it(mr):
    hot = mr.copy()
    hot[-20:] = 1e6
    plain, heated = (data_range_of(known, MR, np.dtype(np.int16)).width for known in (mr, hot))
    assert heated == pytest.approx(plain, rel=0.01)


def test_a_rim_of_negative_values_does_not_move_black_but_a_signed_image_does(mr):
    assert data_range_of(np.append(mr, [-30.0] * 60), MR, np.dtype(np.int16)).black == 0
    signed = data_range_of(mr - 500, MR, np.dtype(np.float32))
    assert signed.black == pytest.approx(-500, abs=5)
    assert signed.black + signed.width == pytest.approx(500, abs=20)


def test_what_lies_under_the_hole_does_not_set_its_own_yardstick(head):
    mask = np.zeros(head.shape, dtype=bool)
    mask[10:22, 20:36, 16:32] = True
    bright = np.where(mask, np.int16(30000), head)
    plain, lit = (evaluate(image, mask, "harmonic").constants["R"] for image in (head, bright))
    assert plain == lit


@pytest.mark.parametrize(("given", "black", "width"), [(None, -160, 400), (80, 0, 80), (4095, -1024, 4095)])
def test_ct_has_the_customary_windows(given, black, width):
    scale = data_range_of(np.array([-1000.0, 0, 50]), CT, np.dtype(np.int16), given)
    assert (scale.black, scale.width) == (black, width)


def test_films_of_eight_bits_have_255_and_others_their_robust_maximum(mr):
    assert data_range_of(mr, FILM, np.dtype(np.uint8)).width == 255
    assert data_range_of(mr, FILM, np.dtype(np.uint16)).width == pytest.approx(1000, rel=0.01)


def test_both_ends_can_be_given(mr):
    scale = data_range_of(mr, MR, np.dtype(np.int16), (-50, 150))
    assert (scale.black, scale.width) == (-50, 200)


def test_a_constant_image_has_a_range(mr):
    assert data_range_of(np.zeros(100), MR, np.dtype(np.int16)).width == 1.0
