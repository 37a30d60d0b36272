"""Local regression against what it must learn."""

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib.patches import regression
from MedInpaintLib.patches.regression import Settings, regress


def filled(image, hole, *guides, spacing=None, others=(), **settings):
    channels = np.stack([np.where(hole, np.nan, image), *guides]).astype(np.float32)
    return regress(
        channels,
        hole,
        spacing or (1.0,) * hole.ndim,
        Settings(**settings),
        np.random.default_rng(0),
        others=[np.stack(other).astype(np.float32) for other in others],
    )


def ball(shape, radius, center=None):
    center = [size // 2 for size in shape] if center is None else center
    grid = np.ogrid[tuple(slice(0, size) for size in shape)]
    return sum((g - c) ** 2 for g, c in zip(grid, center, strict=True)) <= radius**2


def wave(shape):
    """A plane wave that a spline cannot follow through a hole of half its length, and that repeats elsewhere."""
    direction = np.array([0.5, 0.7, 0.9])[: len(shape)]
    return 0.5 + 0.4 * np.sin(sum(d * g for d, g in zip(direction, np.indices(shape), strict=True)))


@pytest.mark.parametrize("shape", [(60, 60), (30, 32, 34)])
def test_a_pattern_that_repeats_is_continued(shape):
    image, hole = wave(shape), ball(shape, 4)
    learned = filled(image, hole)
    error = np.sqrt(((learned.values - image)[hole] ** 2).mean())
    spline = np.sqrt(((filled(image, hole, examples=1).values - image)[hole] ** 2).mean())
    assert error < 0.02
    assert error < spline / 5
    assert learned.filled[hole].all()
    assert not learned.filled[~hole].any()


def test_a_plane_is_restored_exactly():
    image = np.add.outer(np.arange(30) * 0.02, np.arange(40) * 0.01)
    hole = ball(image.shape, 5)
    np.testing.assert_allclose(filled(image, hole).values[hole], image[hole], atol=2e-4)


def test_without_examples_the_fill_is_the_thin_plate_spline():
    from scipy.interpolate import RBFInterpolator

    rng = np.random.default_rng(1)
    image, hole = rng.random((12, 12)), np.zeros((12, 12), bool)
    hole[4:8, 4:8] = True
    learned = filled(image, hole, examples=1)
    ring = [(y, x) for y, x in np.argwhere(~hole) if min(np.hypot(*(np.argwhere(hole) - (y, x)).T)) <= 2]
    spline = RBFInterpolator(np.array(ring), [image[p] for p in ring], kernel="thin_plate_spline", degree=1)
    np.testing.assert_allclose(learned.values[hole], spline(np.argwhere(hole)), atol=1e-3)


def test_a_guide_tells_what_lies_in_the_hole():
    other = ndimage.gaussian_filter(np.random.default_rng(2).normal(size=(80, 90)), 1.0)
    image, hole = 0.5 - 2 * other, ball(other.shape, 5)
    alone, guided = filled(image, hole).values, filled(image, hole, other).values
    error = [np.sqrt(((values - image)[hole] ** 2).mean()) for values in (alone, guided)]
    assert error[1] < 0.1 * error[0]


def test_examples_may_come_from_other_images():
    shape = (40, 40)
    hole = ball(shape, 5)
    image = wave(shape)
    alone = np.where(ball(shape, 9), image, np.nan)  # only a rim is known: nothing to learn from here
    mine = filled(alone, hole).values
    taught = filled(alone, hole, others=[[image]]).values
    assert np.abs(taught - image)[hole].mean() < 0.3 * np.abs(mine - image)[hole].mean()


def test_the_spread_is_about_the_error():
    image = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(48, 48, 48)), 1.5)
    image /= image.std()
    hole = np.zeros(image.shape, bool)
    for center in np.ndindex(3, 3, 3):
        hole |= ball(image.shape, 3, [10 + 14 * c for c in center])
    learned = filled(image, hole)
    ratio = np.sqrt((learned.spread[hole] ** 2).mean() / ((learned.values - image)[hole] ** 2).mean())
    assert 0.7 < ratio < 1.4


def test_a_part_beside_another_hole_uses_what_is_known_alone():
    image, hole = wave((40, 44)), ball((40, 44), 3)
    other = ball((40, 44), 3, (20, 29))
    learned = filled(np.where(other, np.nan, image), hole)
    assert np.isfinite(learned.values[hole]).all()
    assert np.abs(learned.values - image)[hole].max() < 0.2


def test_thick_slices_have_a_ring_of_one_voxel_across():
    image = wave((9, 30, 30))
    hole = np.zeros(image.shape, bool)
    hole[4, 12:17, 12:17] = True
    assert np.isfinite(filled(image, hole, spacing=(6.0, 1.0, 1.0)).values[hole]).all()


def test_the_ridge_equals_dense_algebra():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(80, 12)), rng.normal(size=(80, 3))
    weights, asked, folds = rng.uniform(0.1, 1, 80), rng.normal(size=12), np.arange(80) % 4
    learned = regression._ridge(x, y, weights, folds, asked)
    root = np.sqrt(weights)[:, None]
    xw, yw = x * root, y * root
    unit = np.trace(xw.T @ xw) / 12
    errors = {}
    for strength in regression.STRENGTHS:
        total = np.zeros(3)
        for fold in range(4):
            rest, own = folds != fold, folds == fold
            b = np.linalg.solve(xw[rest].T @ xw[rest] + strength * unit * np.eye(12), xw[rest].T @ yw[rest])
            total += ((yw[own] - xw[own] @ b) ** 2).sum(axis=0)
        errors[strength] = total
    best = min(errors, key=lambda strength: errors[strength].sum())
    b = np.linalg.solve(xw.T @ xw + best * unit * np.eye(12), xw.T @ yw)
    np.testing.assert_allclose(learned.prediction, asked @ b, rtol=1e-6)
    np.testing.assert_allclose(learned.deviation, np.sqrt(errors[best] / weights.sum()), rtol=1e-6)


def test_more_features_than_examples_give_the_same_as_the_other_gram_matrix():
    rng = np.random.default_rng(5)
    x, y, asked = rng.normal(size=(30, 50)), rng.normal(size=(30, 2)), rng.normal(size=50)
    learned = regression._ridge(x, y, np.ones(30), np.arange(30) % 4, asked)
    candidates = []
    for strength in regression.STRENGTHS:
        unit = np.trace(x.T @ x) / 50
        candidates.append(asked @ np.linalg.solve(x.T @ x + strength * unit * np.eye(50), x.T @ y))
    assert min(np.abs(learned.prediction - each).max() for each in candidates) < 1e-6


def test_parts_that_are_too_large_are_left_to_the_biharmonic_fill(monkeypatch):
    monkeypatch.setattr(regression, "MOST", 30)
    image, hole = wave((50, 50)) * 100, ball((50, 50), 8)
    result = mi.inpaint(image, hole, method="patch-regression")
    np.testing.assert_allclose(
        result.volume.array, mi.inpaint(image, hole, method="biharmonic").volume.array, atol=1e-2
    )
    assert any("too large" in warning for warning in result.report["warnings"])


def test_the_method_gives_an_uncertainty_in_the_images_units():
    image, hole = wave((50, 50)) * 100, ball((50, 50), 4)
    result = mi.inpaint(image, hole, method="patch-regression")
    assert result.uncertainty is not None
    assert 0 < result.uncertainty.array[hole].max() < 60
    assert not result.uncertainty.array[~hole].any()
