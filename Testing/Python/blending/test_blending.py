"""Blending against closed forms and dense algebra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import MedInpaintLib as mi
from MedInpaintLib.blending import feather, paste, poisson
from MedInpaintLib.blending.by_name import BLENDS as BY_NAME
from MedInpaintLib.intensity import Scaling
from MedInpaintLib.mask import Hole, bounding_box
from MedInpaintLib.progress import Progress
from MedInpaintLib.region import crop
from MedInpaintLib.subject import Subject

BLENDS = {"paste": paste, "feather": feather, "poisson": poisson}


@st.composite
def scenes(draw):
    shape = draw(st.sampled_from([(12, 15), (6, 8, 9)]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    hole = rng.random(shape) < draw(st.sampled_from([0.1, 0.6]))
    hole.flat[0] = False
    return rng.standard_normal(shape), rng.standard_normal(shape), hole


@pytest.mark.parametrize("name", BLENDS)
@given(scene=scenes())
@settings(max_examples=30, deadline=None)
def test_known_voxels_are_bit_identical_and_hidden_ones_do_not_matter(name, scene):
    prediction, image, hole = scene
    blended = BLENDS[name](prediction, image, hole)
    assert blended[~hole].tobytes() == image[~hole].tobytes()
    other = np.where(hole, np.nan, image)
    np.testing.assert_array_equal(BLENDS[name](prediction, other, hole), blended)


@pytest.mark.parametrize("name", BLENDS)
@given(scene=scenes())
@settings(max_examples=20, deadline=None)
def test_a_prediction_that_agrees_at_the_seam_is_left_alone(name, scene):
    prediction, _, hole = scene
    np.testing.assert_allclose(BLENDS[name](prediction, prediction, hole), prediction, atol=1e-12)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.8, 1.2)])
def test_poisson_removes_any_harmonic_difference(spacing):
    z, y, x = (axis * mm for axis, mm in zip(np.indices((14, 18, 16)), spacing, strict=True))
    image = np.sin(x / 5) + np.cos(y / 7) * z
    hole = np.zeros(image.shape, bool)
    hole[4:10, 5:12, 4:11] = True
    hole[4, 5, 4] = False
    difference = 2.0 + 0.3 * x - 0.1 * y + 0.2 * z + 0.01 * (x**2 - z**2)
    blended = poisson(image + difference, image, hole, spacing=spacing, accuracy=1e-9)
    np.testing.assert_allclose(blended, image, atol=1e-8)


def test_poisson_keeps_the_laplacian_of_the_prediction():
    rng = np.random.default_rng(0)
    prediction, image = rng.standard_normal((2, 12, 13))
    hole = np.zeros((12, 13), bool)
    hole[3:9, 4:10] = True
    blended = poisson(prediction, image, hole, accuracy=1e-9)

    def five_point(u):
        return u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * u[1:-1, 1:-1]

    # Around the hole the image stands in for the prediction, so compare with the prediction continued by itself:
    # at the rim the mismatch enters as Dirichlet data, inside the two Laplacians are the same.
    membrane = np.where(hole, blended - prediction, image - prediction)
    np.testing.assert_allclose(five_point(membrane)[hole[1:-1, 1:-1]], 0, atol=1e-7)


def test_feathering_fades_the_seam_over_the_width():
    image = np.zeros((1, 40))
    hole = np.zeros(image.shape, bool)
    hole[:, 10:30] = True
    prediction = np.ones(image.shape)
    blended = feather(prediction, image, hole, spacing=(1.0, 0.5), width_mm=3.0)
    mm = 0.5 * np.arange(1, 11)
    s = np.minimum(mm / 3.0, 1)
    np.testing.assert_allclose(blended[0, 10:20], 3 * s**2 - 2 * s**3)
    np.testing.assert_allclose(blended[0, 10:30], blended[0, 10:30][::-1])


def test_a_width_of_zero_pastes():
    rng = np.random.default_rng(1)
    prediction, image = rng.standard_normal((2, 8, 8))
    hole = rng.random((8, 8)) < 0.4
    np.testing.assert_array_equal(feather(prediction, image, hole, width_mm=0), paste(prediction, image, hole))


def region_of(image, hole, spacing):
    """All of an image as one region."""
    box = bounding_box(hole)
    subject = Subject(mi.Volume(image.astype(np.float32), spacing), Hole(hole[box], box, hole.shape), Scaling(0.0, 1.0))
    return crop(subject, tuple(slice(0, size) for size in hole.shape))


def test_by_name_a_fade_is_as_wide_in_every_direction_in_mm():
    """In closed form: half of it is over after 1.5 mm, which is one voxel of an axis and three of the other."""
    hole = np.zeros((21, 41), bool)
    hole[5:16, 10:31] = True
    region = region_of(np.zeros(hole.shape), hole, (1.5, 0.5))
    blended = BY_NAME["feather"](np.ones(hole.shape, np.float32), region, Progress())
    assert blended[5, 20] == pytest.approx(0.5)
    assert blended[10, 12] == pytest.approx(0.5)
    assert blended[10, 20] == 1


def test_by_name_poisson_removes_what_is_harmonic_in_mm():
    z, y, x = (axis * mm for axis, mm in zip(np.indices((10, 14, 12)), (3.0, 0.8, 1.2), strict=True))
    image = np.sin(x / 5) + np.cos(y / 7)
    hole = np.zeros(image.shape, bool)
    hole[3:7, 4:10, 3:9] = True
    region = region_of(image, hole, (3.0, 0.8, 1.2))
    blended = BY_NAME["poisson"]((image + 0.1 * (z**2 - x**2)).astype(np.float32), region, Progress())
    np.testing.assert_allclose(blended, image, atol=1e-3)


@pytest.mark.parametrize("no_data", [False, True])
def test_voxels_without_data_are_no_boundary(no_data):
    """In closed form, along a line: a mismatch of 1 at the one end stays 1 if nothing is known at the other one."""
    image, prediction = np.ones((1, 12)), np.zeros((1, 12))
    image[0, 9:] = 0.0
    hole, gap = np.zeros((1, 12), bool), np.zeros((1, 12), bool)
    hole[0, 4:9] = True
    gap[0, 9:] = no_data
    blended = poisson(prediction, image, hole, no_data=gap if no_data else None, accuracy=1e-9)
    expected = np.ones(5) if no_data else np.linspace(1, 0, 7)[1:-1]
    np.testing.assert_allclose(blended[0, 4:9], expected, atol=1e-7)
