"""Scaling by known voxels."""

import numpy as np
import pytest

from MedInpaintLib import intensity
from MedInpaintLib.modality import CT, MR


def test_only_known_voxels_are_sampled_wherever_the_hole_lies():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 100, (120, 110, 130)).astype(np.int16)
    box = (slice(7, 64), slice(3, 99), slice(11, 12))
    hole = rng.random([part.stop - part.start for part in box]) < 0.5
    image[box][hole] = 30_000
    sample = intensity.sample_known(image, hole, box)
    assert sample.max() < 100
    step = round((image.size / 300_000) ** (1 / 3))
    hidden = np.zeros(image.shape, bool)
    hidden[box] = hole
    np.testing.assert_array_equal(
        np.sort(sample), np.sort(image[::step, ::step, ::step][~hidden[::step, ::step, ::step]])
    )


def test_a_small_image_is_sampled_whole():
    image = np.arange(60).reshape(3, 4, 5)
    np.testing.assert_array_equal(intensity.sample_known(image, None, None), image.ravel())


def test_scaling_puts_the_foreground_percentiles_on_0_and_1():
    rng = np.random.default_rng(1)
    known = np.concatenate([np.zeros(50_000), rng.uniform(200, 1200, 50_000)])
    scaling = intensity.fit_scaling(known, MR)
    inside = known[known > 0]
    np.testing.assert_allclose(scaling.forward(np.percentile(inside, [0.5, 99.5])), [0, 1], atol=1e-6)


def test_ct_keeps_its_fixed_window():
    scaling = intensity.fit_scaling(np.array([-1000.0, 40.0]), CT)
    assert (scaling.offset, scaling.width) == (-1024, 4095)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
def test_scaling_and_its_inverse_cancel(dtype):
    values = np.linspace(0, 200, 50).astype(dtype)
    scaling = intensity.fit_scaling(values, MR)
    np.testing.assert_allclose(scaling.inverse(scaling.forward(values)), values, rtol=1e-5, atol=1e-4)


def test_a_constant_image_can_be_scaled():
    assert np.isfinite(intensity.fit_scaling(np.full(10, 7), MR).forward(np.full(3, 7))).all()
