"""Grain: smooth fills get noise of the scan's own spectrum, where they lack it."""

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib.grain import draw, missing_noise

SHAPE = (48, 48, 48)


def noise(shape, sigma, seed=0):
    """Return Gaussian noise of standard deviation 10, white or smoothed."""
    white = np.random.default_rng(seed).normal(size=shape)
    smooth = ndimage.gaussian_filter(white, sigma) if np.any(sigma) else white
    return 10 * smooth / smooth.std()


def ramp(shape):
    return 200 + 3.0 * np.indices(shape)[-1]


def middle(shape, half):
    """Return a hole: a box in the middle."""
    hole = np.zeros(shape, bool)
    hole[tuple(slice(size // 2 - half, size // 2 + half) for size in shape)] = True
    return hole


def correlation(values, axis):
    """Return the correlation with the next voxel along an axis, of values of mean 0."""
    values = np.moveaxis(values, axis, 0)
    return np.mean(values[1:] * values[:-1]) / np.var(values)


@pytest.mark.parametrize(
    ("shape", "sigma"),
    [(SHAPE, 0), (SHAPE, 0.6), (SHAPE, (0, 0.6, 0.8)), ((160, 160), 0), ((160, 160), 0.6)],
    ids=["white", "smoothed", "smoothed in slices", "flat, white", "flat, smoothed"],
)
def test_deviation_and_correlation_are_those_of_the_surroundings(shape, sigma):
    hole, added = middle(shape, 6), noise(shape, sigma)
    kernel = missing_noise(ramp(shape) + np.where(hole, 0, added), hole, ~hole, (1.0,) * len(shape))
    drawn = draw(kernel, (64,) * 3 if len(shape) == 3 else (300, 300), np.random.default_rng(0))
    assert np.std(drawn) == pytest.approx(10, rel=0.15)
    for axis in range(len(shape)):
        assert correlation(drawn, axis) == pytest.approx(correlation(added, axis), abs=0.15)


def test_the_fill_gets_that_noise_and_keeps_its_mean():
    hole = middle(SHAPE, 8)
    image = (np.round(ramp(SHAPE) + noise(SHAPE, 0))).astype(np.int16)
    smooth, grainy = (
        mi.inpaint(image, hole, method="biharmonic", modality="MR", grain=grain).volume.array.astype(float)
        for grain in (False, True)
    )
    added = grainy - smooth
    assert not added[~hole].any()
    inner = middle(SHAPE, 6)  # next to the rim, the plate follows the noise of the known voxels
    assert np.std(added[inner]) == pytest.approx(10, rel=0.15)
    assert abs(added[hole].mean()) < 1.0


@pytest.mark.parametrize("kind", ["Rician", "Poisson"])
def test_noise_that_is_not_gaussian_does_not_shift_the_mean(kind):
    rng, hole = np.random.default_rng(1), middle(SHAPE, 8)
    if kind == "Rician":
        image = np.abs(60 + rng.normal(0, 20, SHAPE) + 1j * rng.normal(0, 20, SHAPE))
    else:
        image = rng.poisson(30, SHAPE)
    filled = mi.inpaint(image.astype(np.float32), hole, method="shell-mean", modality="MR", grain=True).volume.array
    assert filled[hole].mean() == pytest.approx(image[~hole].mean(), abs=0.1 * image.std())
    assert filled[hole].std() == pytest.approx(image[~hole].std(), rel=0.15)


def test_a_fill_that_has_the_grain_gets_none():
    hole, image = middle(SHAPE, 8), ramp(SHAPE) + noise(SHAPE, 0.6)
    kernel = missing_noise(image, hole, ~hole, (1.0,) * 3)
    assert np.sum(kernel**2) < 0.1 * 100


def test_edges_are_no_noise():
    """Plateaus of 100 and 300 that meet in sharp edges, with noise of 10 on them."""
    plateaus = np.where(np.indices(SHAPE)[0] // 12 % 2, 100.0, 300.0)
    hole = middle(SHAPE, 8)
    image = np.where(hole, 200, plateaus + noise(SHAPE, 0))
    kernel = missing_noise(image, hole, ~hole, (1.0,) * 3)
    assert np.sum(kernel**2) == pytest.approx(100, rel=0.3)


def test_without_noise_nothing_is_added():
    hole = middle(SHAPE, 8)
    smooth, grainy = (
        mi.inpaint(ramp(SHAPE), hole, method="biharmonic", modality="MR", grain=grain).volume.array
        for grain in (False, True)
    )
    np.testing.assert_allclose(grainy, smooth, atol=0.05)


def test_the_noise_depends_on_the_seed_and_the_place_alone():
    holes = [np.zeros(SHAPE, bool) for _ in range(2)]
    holes[0][4:10, 4:10, 4:10] = holes[1][38:44, 38:44, 38:44] = True
    image = (ramp(SHAPE) + noise(SHAPE, 0)).astype(np.float32)

    def fill(hole, seed=0):
        filled = mi.inpaint(image, hole, method="shell-mean", modality="MR", grain=True, seed=seed).volume.array
        return filled[holes[0]]

    alone, both = fill(holes[0]), fill(holes[0] | holes[1])
    np.testing.assert_allclose(alone, both, atol=1e-3)
    assert not np.allclose(alone, fill(holes[0], seed=1), atol=1)


def test_what_lies_under_the_hole_never_matters():
    hole = middle(SHAPE, 6)
    image = (ramp(SHAPE) + noise(SHAPE, 0)).astype(np.float32)
    fills = [
        mi.inpaint(np.where(hole, value, image), hole, method="harmonic", modality="MR", grain=True).volume.array
        for value in (0, 9e4)
    ]
    np.testing.assert_array_equal(*fills)


def test_grain_never_enters_an_exact_zero_background():
    grid = np.indices(SHAPE) - 24
    radius = np.sqrt((grid**2).sum(0))
    image = np.where(radius < 18, 500 + noise(SHAPE, 0), 0).astype(np.int16)
    hole = np.sqrt(((grid - [[[[0]]], [[[0]]], [[[17]]]]) ** 2).sum(0)) < 8
    filled = mi.inpaint(image, hole, method="biharmonic", modality="MR", grain=True).volume.array
    assert not filled[hole & (radius > 20)].any()
