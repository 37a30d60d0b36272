"""The scale of the core: one for a head with its scalp and without it, whatever the scanner's units."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from MedInpaintLib.imputation.core import DEPTH_MM, MEDIAN, core, fit_core_scaling

MM = (3.0, 4.0, 3.5)
SHAPE = (60, 46, 52)
BRAIN_MM = 60.0


def radius(shape=SHAPE, spacing=MM):
    """mm from the middle."""
    at = [(index - (size - 1) / 2) * mm for index, size, mm in zip(np.indices(shape), shape, spacing, strict=True)]
    return np.sqrt(sum(each**2 for each in at))


def brain(seed=0, shape=SHAPE, spacing=MM):
    """A ball of smooth tissue on black."""
    tissue = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), [8 / mm for mm in spacing])
    return np.where(radius(shape, spacing) < BRAIN_MM, 400 * (1 + 0.15 * tissue / tissue.std()), 0)


def scaled(image, spacing=MM):
    return fit_core_scaling(image, spacing).forward(image)


@pytest.mark.parametrize(
    ("shape", "spacing"), [(SHAPE, MM), ((30, 70, 128), (6.0, 2.5, 1.0)), ((140, 132), (1.0, 1.0))]
)
def test_the_median_of_what_lies_deep_in_the_head_becomes_a_quarter(shape, spacing):
    image = brain(1, shape, spacing)
    deep = radius(shape, spacing) < BRAIN_MM - DEPTH_MM
    found = scaled(image, spacing)
    assert np.median(found[deep]) == pytest.approx(MEDIAN, rel=0.03)
    assert found[image == 0].max() == 0


def test_what_lies_near_the_surface_has_no_say_in_any_direction():
    spacing = (6.0, 2.0, 3.0)
    away = radius((24, 72, 48), spacing)
    image = np.where(away < BRAIN_MM - 6, 100, np.where(away < BRAIN_MM, 900, 0))
    assert set(core(image, spacing)) == {100}
    assert fit_core_scaling(image, spacing).width == pytest.approx(100 / MEDIAN)


@settings(max_examples=30)
@given(factor=st.floats(1e-3, 1e4))
def test_the_units_of_the_scanner_do_not_matter(factor):
    image = brain(2, (30, 24, 26), (6.0, 8.0, 7.0))
    spacing = (6.0, 8.0, 7.0)
    np.testing.assert_allclose(scaled(factor * image, spacing), scaled(image, spacing), rtol=1e-4)


@pytest.mark.parametrize("scalp_mm", [6.0, 12.0])
@pytest.mark.parametrize("gap", [10, 90])
@pytest.mark.parametrize("brightness", [1.0, 3.0])
def test_a_scalp_changes_hardly_anything(scalp_mm, gap, brightness):
    """With a skull that is dark, or so bright that the brain and the scalp are one piece."""
    image, away = brain(3), radius()
    whole = np.where((away >= BRAIN_MM) & (away < BRAIN_MM + 6), gap, image)
    whole = np.where((away >= BRAIN_MM + 6) & (away < BRAIN_MM + 6 + scalp_mm), 400 * brightness, whole)
    inside = away < BRAIN_MM
    np.testing.assert_allclose(scaled(whole)[inside], scaled(image)[inside], rtol=0.05)


def test_percentiles_of_the_whole_image_would_change_with_the_scalp():
    """Why the core is looked at."""
    image, away = brain(3), radius()
    whole = np.where((away >= BRAIN_MM + 6) & (away < BRAIN_MM + 14), 1200, image)
    assert np.percentile(whole, 99.5) > 1.5 * np.percentile(image, 99.5)


@settings(max_examples=30)
@given(offset=st.floats(0.1, 1e4))
def test_in_images_with_values_below_zero_the_background_is_no_signal(offset):
    image, spacing = brain(4, (30, 24, 26), (6.0, 8.0, 7.0)), (6.0, 8.0, 7.0)
    np.testing.assert_allclose(scaled(image - offset, spacing), scaled(image, spacing), atol=1e-4)


def test_z_scores_are_scaled_as_what_they_were_made_of():
    image = brain(5)
    np.testing.assert_allclose(scaled((image - image.mean()) / image.std()), scaled(image), atol=1e-5)


#: Thinned to 3 mm, one voxel is left of them.
@pytest.mark.parametrize(
    "shape",
    [(4, 5, 6), (1, 30, 30), (7, 9), (1, 7, 1), *(pytest.param(each) for each in ((3, 3, 3), (2, 2)))],
)
def test_a_small_image_without_a_core_is_scaled_by_its_body(shape):
    image = np.random.default_rng(6).integers(50, 150, shape).astype(np.int16)
    found = scaled(image, (1.0,) * len(shape))
    assert 0.2 < np.median(found) < 0.3
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@pytest.mark.parametrize("value", [0, 7, -3.0])
def test_an_image_that_is_the_same_everywhere_does_not_divide_by_zero(value):
    assert np.isfinite(scaled(np.full((20, 20, 20), value), (4.0, 4.0, 4.0))).all()
