"""White matter in heads of three tissues, whose means, field and noise are known by construction."""

import functools

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib.methods.white_matter import _noise

SHAPE = (72, 84, 76)
#: Means of CSF, grey and white matter, and of scalp fat, for each contrast.
CONTRASTS = {"T1": (150, 500, 800, 790), "FLAIR": (100, 650, 450, 600), "T2": (900, 450, 250, 600)}
NOISE = 20.0


def radius(centre=(36, 42, 38), axes=(30, 36, 32)):
    """The distance from the middle, 1 at the surface of the brain."""
    at = np.indices(SHAPE, dtype=float) - np.reshape(centre, (3, 1, 1, 1))
    return np.sqrt(((at / np.reshape(axes, (3, 1, 1, 1))) ** 2).sum(axis=0))


def ball(centre, size):
    return ((np.indices(SHAPE) - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(axis=0) <= size**2


VENTRICLE = radius(axes=(8, 12, 6)) <= 1
#: A lesion in white matter, and one that touches the ventricle.
DEEP, BESIDE = ball((36, 42, 54), 4), ball((36, 42, 48), 5) & ~VENTRICLE


@functools.cache
def tissues():
    """0: background, 1: CSF, 2: grey, 3: white matter."""
    r = radius()
    folds = 0.08 * np.sin(np.indices(SHAPE) / 2.5).sum(axis=0)
    labels = np.select([VENTRICLE, r + folds < 0.75, r < 0.95, r < 1], [1, 3, 2, 1], 0)
    return labels.astype(np.int8)


@functools.cache
def head(contrast="T1", bias=0.0, skull=False, seed=0):
    csf, grey, white, fat = CONTRASTS[contrast]
    image = np.array([0, csf, grey, white], dtype=float)[tissues()]
    if skull:
        r = radius()
        image[(r >= 1.08) & (r < 1.18)] = fat
    image *= field(bias)
    noise = np.random.default_rng(seed).normal(scale=NOISE, size=SHAPE)
    return np.where(image > 0, np.maximum(image + noise, 1), 0).astype(np.float32)


def field(bias):
    """Rising by so much from the middle to one side."""
    return 1 + bias * (np.indices(SHAPE)[2] - 38) / 32


def fill(image, hole, **options):
    result = mi.inpaint(image, hole, method="white-matter", spacing=1.0, modality="MR", **options)
    return result.volume.array[hole], result.report


@pytest.mark.parametrize("contrast", CONTRASTS)
@pytest.mark.parametrize("skull", [False, True])
def test_a_lesion_becomes_the_white_matter_around_it(contrast, skull):
    filled, report = fill(head(contrast, skull=skull), DEEP)
    white = CONTRASTS[contrast][2]
    assert filled.mean() == pytest.approx(white, rel=0.01)
    assert filled.std() == pytest.approx(NOISE, rel=0.15)
    assert not report["warnings"]


@pytest.mark.parametrize("bias", [-0.1, 0.2])
def test_the_mean_follows_the_bias_field(bias):
    filled, _ = fill(head(bias=bias), DEEP, parameters={"noise": False})
    truth = (CONTRASTS["T1"][2] * field(bias))[DEEP]
    assert filled.mean() == pytest.approx(truth.mean(), rel=0.01)
    assert np.corrcoef(filled, truth)[0, 1] > 0.7


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_nothing_beside_the_ventricle_becomes_csf(contrast):
    csf, grey, white, _ = CONTRASTS[contrast]
    filled, _ = fill(head(contrast), BESIDE)
    assert (np.abs(filled - white) < np.abs(filled - csf)).all()
    assert (np.abs(filled - white) < np.abs(filled - grey)).all()
    smooth = mi.inpaint(head(contrast), BESIDE, method="biharmonic", spacing=1.0, modality="MR").volume.array[BESIDE]
    assert (np.abs(smooth - csf) < np.abs(smooth - white)).any()


@pytest.mark.parametrize("blend", ["paste", "feather", "poisson"])
def test_no_blend_brings_the_ventricle_in(blend):
    pasted, _ = fill(head(), BESIDE)
    np.testing.assert_allclose(fill(head(), BESIDE, blend=blend)[0], pasted, rtol=1e-4)


def test_noise_has_the_seed_and_can_be_left_out():
    one, again, other = (fill(head(), DEEP, seed=seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert fill(head(), DEEP, parameters={"noise": False})[0].std() < NOISE / 4


@pytest.mark.parametrize("correlation", [(0.0, 0.3, 0.6), (-0.4, 0.0, 0.65)])
def test_neighbours_correlate_as_they_should(correlation):
    noise = _noise((60, 70, 80), correlation, np.random.default_rng(0))
    assert noise.std() == pytest.approx(1, abs=0.01)
    for axis, expected in enumerate(correlation):
        moved = np.moveaxis(noise, axis, 0)
        assert np.corrcoef(moved[1:].ravel(), moved[:-1].ravel())[0, 1] == pytest.approx(expected, abs=0.02)


def test_smooth_noise_of_a_scan_is_continued():
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), 0.7)
    image = np.where(tissues() > 0, np.array([0, 150, 500, 800])[tissues()] + 20 * noise / noise.std(), 0)
    hole = ball((36, 42, 54), 6)
    filled = mi.inpaint(image.astype(np.float32), hole, method="white-matter", spacing=1.0, modality="MR").volume.array
    pairs = hole[:, :, 1:] & hole[:, :, :-1]
    expected = np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1]
    found = np.corrcoef(filled[:, :, 1:][pairs], filled[:, :, :-1][pairs])[0, 1]
    assert found == pytest.approx(expected, abs=0.15)


def test_what_lies_under_the_hole_does_not_matter():
    image = head().copy()
    before, _ = fill(image, BESIDE)
    image[BESIDE] = 1e6
    assert np.array_equal(fill(image, BESIDE)[0], before)


def test_voxels_without_data_are_no_white_matter():
    image = head().copy()
    image[:, :, 60:] = np.nan
    filled, _ = fill(image, DEEP)
    assert filled.mean() == pytest.approx(CONTRASTS["T1"][2], rel=0.01)


def test_the_standard_deviation_is_that_of_two_noises():
    result = mi.inpaint(head(), DEEP, method="white-matter", spacing=1.0, modality="MR", uncertainty=True)
    assert np.median(result.uncertainty.array[DEEP]) == pytest.approx(np.sqrt(2) * NOISE, rel=0.3)


def test_a_slice_is_filled_as_well():
    filled, report = fill(head()[36], DEEP[36])
    assert filled.mean() == pytest.approx(CONTRASTS["T1"][2], rel=0.02)
    assert not report["warnings"]


def test_other_modalities_are_filled_by_biharmonic():
    result = mi.inpaint(head() - 500, DEEP, method="white-matter", spacing=1.0, modality="CT")
    smooth = mi.inpaint(head() - 500, DEEP, method="biharmonic", spacing=1.0, modality="CT")
    np.testing.assert_allclose(result.volume.array, smooth.volume.array, rtol=1e-4, atol=1e-2)
    assert "White matter is found in MR alone, and this image is CT" in result.report["warnings"][0]


def test_a_part_far_from_white_matter_is_filled_by_biharmonic():
    far = ball((36, 42, 72), 1)
    filled, report = fill(head(), far, parameters={"distance": 3.0})
    assert "no white matter within 3 mm" in report["warnings"][0]
    smooth = mi.inpaint(head(), far, method="biharmonic", spacing=1.0, modality="MR").volume.array[far]
    np.testing.assert_allclose(filled, smooth, rtol=1e-3, atol=1)
    both, report = fill(head(), far | DEEP, parameters={"distance": 3.0})
    assert both[DEEP[far | DEEP]].mean() == pytest.approx(CONTRASTS["T1"][2], rel=0.01)
    assert report["warnings"]


def test_an_image_without_tissue_is_filled_by_biharmonic():
    flat, hole = np.full((6, 6, 6), 7, dtype=np.float32), np.zeros((6, 6, 6), dtype=bool)
    hole[2:4, 2:4, 2:4] = True
    filled, _ = fill(flat, hole)
    np.testing.assert_allclose(filled, 7, rtol=1e-5)
