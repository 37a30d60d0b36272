"""The smooth fill that other methods start from, also where its equations cannot be solved."""

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib import initial_fill as module
from MedInpaintLib.errors import ConvergenceError
from MedInpaintLib.initial_fill import initial_fill
from MedInpaintLib.intensity import Scaling
from MedInpaintLib.mask import Hole, bounding_box
from MedInpaintLib.region import crop
from MedInpaintLib.solvers import solve_biharmonic, solve_laplace
from MedInpaintLib.subject import Subject


def region_of(image, hole):
    box = bounding_box(hole)
    subject = Subject(mi.Volume(image, 1.0), Hole(hole[box], box, hole.shape), Scaling(0.0, 1.0))
    return crop(subject, tuple(slice(0, size) for size in hole.shape))


@pytest.fixture
def scene():
    image, hole = np.random.default_rng(0).random((10, 12, 14)).astype(np.float32), np.zeros((10, 12, 14), bool)
    hole[3:6, 4:8, 5:9] = True
    return image, hole


def test_it_is_a_thin_plate_within_the_known_intensities_solved_once_a_region(scene, monkeypatch):
    image, hole = scene
    region, known = region_of(image, hole), image[~hole]
    expected = np.clip(solve_biharmonic(region.values, hole, region.spacing).values, known.min(), known.max())
    np.testing.assert_allclose(initial_fill(region), expected, atol=1e-6)
    monkeypatch.setattr(module, "solve_biharmonic", None)
    assert initial_fill(region) is initial_fill(region)


@pytest.fixture
def stiff(monkeypatch):
    """No plate can be solved."""

    def fail(*arguments, **options):
        raise ConvergenceError("It does not converge.")

    monkeypatch.setattr(module, "solve_biharmonic", fail)


def test_it_is_a_membrane_where_a_plate_cannot_be_solved(scene, stiff):
    region = region_of(*scene)
    membrane = solve_laplace(region.values, region.hole, region.spacing).values
    np.testing.assert_allclose(initial_fill(region), membrane, atol=1e-6)


@pytest.mark.parametrize("method", ["mirror", "patch", "hybrid", "patch-regression", "unet", "vae-latent"])
def test_methods_that_start_from_it_fill_without_a_plate(method, scene, stiff):
    image, hole = scene
    result = mi.inpaint(image, hole, method=method, modality="MR")
    assert np.isfinite(result.volume.array).all()
    assert (result.volume.array[~hole] == image[~hole]).all()


def stiffest():
    """95 % of the voxels are lost at random, and voxels are 40 times as long as wide: no plate can be solved there."""
    rng = np.random.default_rng(0)
    image = rng.normal(500, 100, (8, 30, 30)).astype(np.float32)
    return image, rng.random(image.shape) < 0.95, {"spacing": (40.0, 1.0, 1.0), "modality": "MR"}


def test_the_stiffest_hole_is_filled_from_a_membrane():
    image, hole, options = stiffest()
    assert np.isfinite(mi.inpaint(image, hole, method="patch", **options).volume.array).all()


def test_where_no_plate_can_be_solved_the_automatic_choice_takes_harmonic_and_says_so_and_the_users_is_an_error():
    image, hole, options = stiffest()
    with pytest.raises(ConvergenceError):
        mi.inpaint(image, hole, method="biharmonic", **options)
    result = mi.inpaint(image, hole, **options)
    assert [part["method"] for part in result.report["parts"]] == ["harmonic"] * len(result.report["parts"])
    assert any("biharmonic could not be solved" in warning for warning in result.report["warnings"])
    membrane = mi.inpaint(image, hole, method="harmonic", **options).volume.array
    np.testing.assert_array_equal(result.volume.array, membrane)
