"""White matter in heads of three tissues, whose means, field and noise are known by construction."""

import functools

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib import calibration_table
from MedInpaintLib import tissues as engine
from MedInpaintLib.calibration import AS_GIVEN
from MedInpaintLib.errors import Cancelled
from MedInpaintLib.methods.white_matter import _noise
from MedInpaintLib.progress import Progress

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


@pytest.mark.parametrize("size", [1, 2, 3])
def test_noise_along_short_axes_deviates_as_elsewhere(size):
    noise = _noise((size, 200, 200), (0.6, 0.3, 0.0), np.random.default_rng(0))
    assert noise.shape == (size, 200, 200)
    assert noise.std(axis=(1, 2)) == pytest.approx(1, abs=0.03)


def differences(filled, hole, axis):
    """The standard deviation of the differences between neighbours in the hole."""
    filled, hole = np.moveaxis(filled, axis, 0), np.moveaxis(hole, axis, 0)
    return np.diff(filled, axis=0)[hole[1:] & hole[:-1]].std()


@pytest.mark.parametrize("bias", [0.0, 0.1, 0.2])
def test_a_bias_field_does_not_make_the_fill_smooth_or_rough(bias):
    hole = ball((36, 42, 54), 7)
    filled = mi.inpaint(head(bias=bias), hole, method="white-matter", spacing=1.0, modality="MR").volume.array
    for axis in range(3):
        assert differences(filled, hole, axis) == pytest.approx(np.sqrt(2) * NOISE, rel=0.1)


def test_in_thick_slices_anatomy_is_no_noise():
    image, hole = head(bias=0.1)[::4], ball((36, 42, 54), 7)[::4]
    filled = mi.inpaint(image, hole, method="white-matter", spacing=(4.0, 1.0, 1.0), modality="MR").volume.array
    for axis in (1, 2):
        assert differences(filled, hole, axis) == pytest.approx(np.sqrt(2) * NOISE, rel=0.15)


@pytest.mark.parametrize("a", [-0.4, 0.0, 0.2, 0.6])
def test_variance_and_correlation_follow_from_differences(a):
    one, two = 2 * a / (1 + 2 * a**2), a**2 / (1 + 2 * a**2)
    pairs = np.array([[1000.0, 900.0]] * 2)
    squares = 2 * pairs * 9 * np.array([1 - one, 1 - two])
    squares[1] *= 1.5  # the other axis has anatomy, too
    variance, (along, across) = engine._noise(pairs, squares, 1.0)
    assert variance == pytest.approx(9)
    assert along == pytest.approx(one)
    assert 9 * (1 - across) == pytest.approx(1.5 * 9 * (1 - one))


def test_slabs_give_what_the_whole_image_gives(monkeypatch):
    white = []
    for voxels in (engine.SLAB, 1):
        monkeypatch.setattr(engine, "SLAB", voxels)
        subject = []
        monkeypatch.setattr(
            "MedInpaintLib.methods.white_matter.white_matter",
            lambda *args, subject=subject: subject.append(engine.white_matter(*args)) or subject[-1],
        )
        fill(head(bias=0.1), BESIDE)
        white.append(subject[0])
    for name in ("mean", "deviation", "noise", "distance"):
        np.testing.assert_allclose(*(getattr(each, name) for each in white), rtol=1e-5)
    assert white[0].correlation == pytest.approx(white[1].correlation)


def test_the_search_reports_and_can_be_cancelled():
    stages = []
    report = lambda fraction, stage: stages.append(stage)  # noqa: E731
    with pytest.raises(Cancelled):
        fill(head(), DEEP, progress=Progress(report, lambda: "Finding white matter" in stages))
    assert stages[-1] == "Finding white matter"
    assert "Looking at the result" not in stages


def test_smooth_noise_of_a_scan_is_continued():
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), 0.7)
    image = np.where(tissues() > 0, np.array([0, 150, 500, 800])[tissues()] + 20 * noise / noise.std(), 0)
    hole = ball((36, 42, 54), 6)
    filled = mi.inpaint(image.astype(np.float32), hole, method="white-matter", spacing=1.0, modality="MR").volume.array
    pairs = hole[:, :, 1:] & hole[:, :, :-1]
    expected = np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1]
    measured = np.corrcoef(filled[:, :, 1:][pairs], filled[:, :, :-1][pairs])[0, 1]
    assert measured == pytest.approx(expected, abs=0.15)


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


def test_its_own_standard_deviation_is_that_of_two_noises(monkeypatch):
    monkeypatch.setitem(calibration_table.TABLE[("MR", 3)], "white-matter", AS_GIVEN)
    result = mi.inpaint(head(), DEEP, method="white-matter", spacing=1.0, modality="MR", uncertainty=True)
    assert np.median(result.uncertainty.array[DEEP]) == pytest.approx(np.sqrt(2) * NOISE, rel=0.3)


def test_a_slice_is_filled_as_well():
    filled, report = fill(head()[36], DEEP[36])
    assert filled.mean() == pytest.approx(CONTRASTS["T1"][2], rel=0.02)
    assert not report["warnings"]


@pytest.mark.parametrize("noise", [2, 8])
@pytest.mark.parametrize("share", [0.5, 0.6, 0.7])
def test_a_slice_is_filled_where_all_that_is_deep_is_white_matter(noise, share):
    r = np.hypot(*np.ogrid[-50:50, -50:50]) / 46
    image = np.select([r < share, r < 0.85, r < 0.95], [200.0, 130.0, 40.0], 0.0)
    image = np.where(image > 0, image + np.random.default_rng(1).normal(0, noise, image.shape), 0).clip(0)
    hole = np.zeros(image.shape, dtype=bool)
    hole[46:54, 30:38] = True
    filled, report = fill(image.astype(np.float32), hole)
    assert not report["warnings"]
    assert filled.mean() == pytest.approx(200, abs=noise)
    assert filled.std() == pytest.approx(noise, rel=0.3)


@pytest.mark.parametrize("contrast", CONTRASTS)
@pytest.mark.parametrize("axis", range(3))
def test_all_slices_with_enough_white_matter_are_filled(contrast, axis):
    white, head_ = (np.moveaxis(each, axis, 0) for each in (tissues() == 3, tissues() > 0))
    share = white.sum(axis=(1, 2)) / np.maximum(head_.sum(axis=(1, 2)), 1)
    for number in np.flatnonzero(share > 0.3)[::4]:
        depth = ndimage.distance_transform_edt(white[number])
        hole = ndimage.binary_dilation(depth == depth.max(), iterations=3)
        filled, report = fill(np.moveaxis(head(contrast), axis, 0)[number], hole)
        assert not any("No white matter" in each for each in report["warnings"]), number
        assert filled.mean() == pytest.approx(CONTRASTS[contrast][2], rel=0.05), number


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
