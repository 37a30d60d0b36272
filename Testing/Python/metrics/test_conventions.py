"""The named conventions, and the oddities in published numbers that they explain."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage
from skimage.metrics import structural_similarity

from MedInpaintLib import metrics
from MedInpaintLib.errors import ParameterError
from MedInpaintLib.metrics import CONVENTIONS, psnr, score


@pytest.fixture
def case(rng, ball):
    """A textured volume in 0..1 with a dark background, a poor fill, and the hole."""
    truth = ndimage.gaussian_filter(rng.random(ball.shape), 1.5)
    truth = (truth - truth.min()) / np.ptp(truth)
    truth[:3] = 0
    filled = np.where(ball, 0.7 * truth + 0.1 + 0.05 * rng.normal(size=truth.shape), truth)
    return filled, truth, ball


# the frame


def test_numbers_over_the_whole_image_have_to_be_asked_for_by_name(case):
    filled, truth, _ = case
    with pytest.raises(ParameterError, match="region='image'"):
        score(filled, truth, None, data_range=1)
    assert score(filled, truth, None, region="image", data_range=1)["psnr"] > 0


def test_an_unknown_convention_is_refused_with_the_known_ones(case):
    with pytest.raises(ParameterError, match="masked, brats, rfr-report"):
        score(*case, convention="best", data_range=1)


def test_an_unknown_region_is_refused(case):
    with pytest.raises(ParameterError, match="hole, image"):
        score(*case, region="head", data_range=1)


@pytest.mark.parametrize("convention", ["masked", "rfr-report"])
def test_a_range_has_to_be_given(case, convention):
    with pytest.raises(ParameterError, match="data_range"):
        score(*case, convention=convention)


@pytest.mark.parametrize("convention", sorted(CONVENTIONS))
def test_a_perfect_fill_is_perfect_by_every_convention(case, convention):
    _, truth, hole = case
    scores = score(truth, truth, hole, convention=convention, data_range=1)
    assert scores["psnr"] == math.inf
    assert scores["ssim"] == pytest.approx(1.0)
    assert scores["rmse"] == 0


@pytest.mark.parametrize("convention", sorted(CONVENTIONS))
@pytest.mark.parametrize("flat", [False, True])
def test_one_nan_in_a_fill_makes_every_score_nan(case, convention, flat):
    filled, truth, hole = case
    truth = np.zeros_like(truth) if flat else truth
    filled = np.where(hole, filled, truth)
    filled[12, 12, 11] = math.nan  # deep inside: neither the rim nor most windows see it
    scores = score(filled, truth, hole, convention=convention, data_range=1)
    assert {name for name, value in scores.items() if not math.isnan(value)} == set()


@pytest.mark.parametrize("convention", sorted(CONVENTIONS))
def test_what_was_done_outside_the_hole_counts_by_no_convention(case, convention):
    filled, truth, hole = case
    scores = score(filled, truth, hole, convention=convention, data_range=1)
    elsewhere = score(np.where(hole, filled, 3.0), truth, hole, convention=convention, data_range=1)
    assert elsewhere == pytest.approx(scores, rel=0, abs=0, nan_ok=True)


@pytest.mark.parametrize("convention", [name for name, entry in CONVENTIONS.items() if entry.context is not None])
def test_what_lies_beyond_a_conventions_context_does_not_change_its_scores(case, convention):
    filled, truth, hole = (np.pad(array, 20) for array in case)
    box = metrics._hole.bounding_box(hole, CONVENTIONS[convention].context)
    near = np.zeros(hole.shape, dtype=bool)
    near[box] = True
    scores = score(filled, truth, hole, convention=convention, data_range=1)
    changed = np.where(near, truth, 0.5)
    assert score(filled, changed, hole, convention=convention, data_range=1) == pytest.approx(scores, nan_ok=True)


# masked


def test_masked_scores_are_those_of_the_single_functions(case):
    filled, truth, hole = case
    scores = score(filled, truth, hole, data_range=1.0, spacing=(2, 1, 1))
    assert scores["mse"] == metrics.mse(filled, truth, hole)
    assert scores["rmse"] == metrics.rmse(filled, truth, hole)
    assert scores["mae"] == metrics.mae(filled, truth, hole)
    assert scores["nmse"] == metrics.nmse(filled, truth, hole)
    assert scores["psnr"] == psnr(filled, truth, hole, data_range=1.0)
    assert scores["gradient_energy"] == pytest.approx(metrics.gradient_energy(filled, truth, hole, spacing=(2, 1, 1)))
    assert scores["boundary_jump"] == pytest.approx(metrics.boundary_jump(filled, truth, hole, spacing=(2, 1, 1)))


def test_masked_ssim_sees_the_window_of_a_display(case):
    """HU: the soft-tissue window begins at -160, and what is outside it looks black or white."""
    filled, truth, hole = case
    hu = [image * 1000 - 500 for image in (filled, truth)]
    shown = [np.clip(image + 160, 0, 400) for image in hu]
    expected = metrics.ssim(*shown, hole, data_range=400)
    assert score(*hu, hole, data_range=400, black=-160)["ssim"] == pytest.approx(expected)


def test_masked_energy_begins_at_the_black_level():
    """In closed form: 2 HU off, 10 HU above the black level, is a fifth of it."""
    truth, hole = np.full((8, 8), -150.0), np.eye(8, dtype=bool)
    assert score(truth + 2, truth, hole, data_range=400, black=-160)["nmse"] == pytest.approx(0.04)


def test_masked_inner_ssim_is_over_voxels_whose_window_lies_in_the_hole(rng):
    truth, filled = rng.random((2, 30, 30))
    hole = np.zeros((30, 30), dtype=bool)
    hole[8:21, 8:21] = True  # 13 voxels a side, of which a window of 11 leaves 3
    scores = score(filled, truth, hole, data_range=1.0)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    _, literal = structural_similarity(truth, np.where(hole, filled, truth), data_range=1.0, full=True, **options)
    assert scores["ssim_inner"] == pytest.approx(literal[13:16, 13:16].mean())
    assert scores["ssim"] == pytest.approx(literal[hole].mean())


def test_over_the_image_there_is_no_seam_to_score(case):
    assert "boundary_jump" not in score(*case, region="image", data_range=1)


# brats


def literal_brats(filled, truth, hole):
    """From the description: percentiles of the voided image, mirrored 11 x 11 windows in planes across x."""
    voided = np.where(hole, 0, truth)
    low, high = np.percentile(voided, 0.5), np.percentile(voided, 99.5)
    low = max(low, 0)
    a = (np.clip(filled, low, high) - low) / (high - low) * hole
    b = (np.clip(truth, low, high) - low) / (high - low) * hole
    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(taps, taps) / taps.sum() ** 2
    span = max(a.max() - a.min(), b.max() - b.min())
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    pad = ((5, 5), (5, 5), (0, 0))
    wide_a, wide_b = np.pad(a, pad, mode="reflect"), np.pad(b, pad, mode="reflect")
    similar = []
    for k, j, i in np.argwhere(hole):
        p, q = wide_a[k : k + 11, j : j + 11, i], wide_b[k : k + 11, j : j + 11, i]
        mp, mq = (window * p).sum(), (window * q).sum()
        vp, vq = (window * p * p).sum() - mp**2, (window * q * q).sum() - mq**2
        cov = (window * p * q).sum() - mp * mq
        similar.append((2 * mp * mq + c1) * (2 * cov + c2) / ((mp**2 + mq**2 + c1) * (vp + vq + c2)))
    p, q = a[hole], b[hole]
    clamped = np.clip(p, q.min(), q.max())
    return {
        "ssim": np.mean(similar),
        "mse": np.mean((p - q) ** 2),
        "psnr": 10 * math.log10((q.max() - q.min()) ** 2 / np.mean((clamped - q) ** 2)),
        "psnr_01": 10 * math.log10(1 / np.mean((p - q) ** 2)),
    }


def test_brats_scores_agree_with_a_literal_reference(case):
    filled, truth, hole = case
    filled, truth = filled * 900 - 20, truth * 900 - 20  # negative rims: the lower end is not below 0
    scores = score(filled, truth, hole, convention="brats")
    for name, expected in literal_brats(filled, truth, hole).items():
        assert scores[name] == pytest.approx(expected, rel=1e-9), name


def test_brats_of_an_all_black_hole_is_perfect(ball):
    nothing = np.zeros(ball.shape)
    scores = score(nothing, nothing, ball, convention="brats")
    assert scores["ssim"] == 1.0
    assert scores["psnr"] == math.inf


# rfr-report


def test_rfr_report_ssim_has_29_taps_and_is_taken_slice_by_slice(case):
    filled, truth, hole = (np.pad(array, ((0, 0), (12, 12), (12, 12))) for array in case)
    composite = np.where(hole, filled, truth)
    full = np.stack(
        [
            structural_similarity(
                truth[k] * 1.0,
                composite[k] * 1.0,
                data_range=1.0,
                gaussian_weights=True,
                sigma=4,
                use_sample_covariance=False,
                full=True,
            )[1]
            for k in range(len(truth))
        ]
    )
    scores = score(filled * 255, truth * 255, hole, convention="rfr-report", data_range=255)
    assert scores["ssim"] == pytest.approx(full[hole].mean(), abs=1e-9)


def test_rfr_report_psnr_takes_its_maximum_from_the_prediction():
    """RMSE .055 gives 25.2 dB at a maximum of 1, and the printed 22.34 dB at a maximum of .72."""
    truth = np.full((16, 16), 0.665)
    truth[::2] -= 0.1
    hole = np.zeros((16, 16), dtype=bool)
    hole[4:12, 4:12] = True
    filled = truth + 0.055
    scores = score(filled, truth, hole, convention="rfr-report", data_range=1)
    assert filled[hole].max() == pytest.approx(0.72)
    assert scores["rmse"] == pytest.approx(0.055)
    assert scores["psnr"] == pytest.approx(22.34, abs=0.005)
    assert psnr(filled, truth, hole, data_range=1) == pytest.approx(25.19, abs=0.005)


def test_a_darker_fill_of_the_same_error_scores_worse_by_the_rfr_report(rng):
    truth, hole = np.full((8, 8), 0.5), np.eye(8, dtype=bool)
    bright = score(truth + 0.1, truth, hole, convention="rfr-report", data_range=1)["psnr"]
    dark = score(truth - 0.1, truth, hole, convention="rfr-report", data_range=1)["psnr"]
    assert bright - dark == pytest.approx(20 * math.log10(0.6 / 0.4))


# oddities in published numbers


@pytest.mark.parametrize(("printed", "error", "meant"), [(78.56, 0.0301, 30.43), (75.26, 0.0440, 27.13)])
def test_psnr_78_is_30_with_a_maximum_of_255_on_images_in_0_to_1(printed, error, meant):
    truth = np.zeros((32, 32))
    everywhere = np.ones(truth.shape, dtype=bool)
    assert psnr(truth + error, truth, everywhere, data_range=255) == pytest.approx(printed, abs=0.01)
    assert psnr(truth + error, truth, everywhere, data_range=1) == pytest.approx(meant, abs=0.01)


@pytest.fixture
def eighth(rng):
    """A film of which 1/64, a square of an eighth of the side, was filled badly."""
    truth = ndimage.gaussian_filter(rng.random((256, 256)), 2)
    truth = (truth - truth.min()) / np.ptp(truth)
    hole = np.zeros(truth.shape, dtype=bool)
    hole[112:144, 112:144] = True
    return np.where(hole, truth[hole].mean(), truth), truth, hole


def test_a_hole_of_one_eighth_side_gains_18_db_over_the_full_image(eighth):
    inside = score(*eighth, data_range=1)["psnr"]
    outside = score(*eighth, data_range=1, region="image")["psnr"]
    assert outside - inside == pytest.approx(10 * math.log10(64))  # 18.06 dB


def test_ssim_over_the_full_image_hides_a_bad_fill(eighth):
    """1 - (1 - .684) / 64 = .995, less what windows around the hole spill: the printed pair was .684 and .992."""
    inside = score(*eighth, data_range=1)["ssim"]
    outside = score(*eighth, data_range=1, region="image")["ssim"]
    assert inside < 0.7
    assert 1 - 2.5 * (1 - inside) / 64 < outside <= 1 - (1 - inside) / 64


def test_zeroing_both_images_outside_the_mask_flatters_a_constant_fill(rng, ball):
    truth = 0.5 + 0.05 * ndimage.gaussian_filter(rng.normal(size=ball.shape), 1) / 0.1
    filled = np.where(ball, truth[ball].mean(), truth)
    composite = score(filled, truth, ball, data_range=1)["ssim"]
    zeroed = score(filled, truth, ball, convention="brats")["ssim"]
    assert zeroed > composite + 0.2
