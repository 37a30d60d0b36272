"""The atlas in a scan's intensities: a mixture of the maps is met exactly, and the methods fill by it."""

import dataclasses

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib import calibration_table
from MedInpaintLib.atlas.fitted import continue_inwards, fit
from MedInpaintLib.atlas.maps import head_maps
from MedInpaintLib.atlas.registration import register
from MedInpaintLib.calibration import AS_GIVEN
from MedInpaintLib.mask import grow
from MedInpaintLib.metrics import psnr
from MedInpaintLib.region import crop

from .heads import T1, T2, head

CENTRE = (20.0, -10.0, 30.0)


def region_of(made, radius_mm=16.0, reach=6):
    hole = made.ball(CENTRE, radius_mm)
    subject = made.subject(hole)
    return hole, crop(subject, grow(subject.whole.box, [reach] * 3, hole.shape))


@pytest.mark.parametrize("contrast", [T1, T2], ids=["T1", "T2"])
def test_a_mixture_of_the_maps_is_met_exactly_where_the_places_are_known(contrast, monkeypatch):
    made = head(contrast=contrast)
    _, region = region_of(made)
    registration = register(region.subject)
    monkeypatch.setattr(
        type(registration), "places", lambda self, box: made.places[(slice(None), *box)].astype(np.float32)
    )
    fitted = fit(region, registration)
    truth = made.volume.array[region.place]
    assert np.abs(fitted.values - truth)[region.fill].mean() < 0.02  # the noise is 0.01
    assert fitted.explained > 0.98
    assert 0.008 < fitted.deviation < 0.02


def test_the_misfit_at_the_rim_is_continued_inwards_and_fades():
    made = head()
    _, region = region_of(made)
    estimate = made.volume.array[region.place] + 0.2
    filled = continue_inwards(region, estimate.astype(np.float32))
    np.testing.assert_array_equal(filled[~region.hole], region.values[~region.hole])
    added = (filled - estimate)[region.hole]
    assert -0.21 < added.min() < added.max() < 0.02


def test_fills_are_nearer_to_the_truth_than_a_smooth_one():
    made = head()
    hole = made.ball(CENTRE, 20.0)
    damaged = np.where(hole, 0, made.volume.array)
    scores = {}
    for method in ("biharmonic", "atlas"):
        result = mi.inpaint(dataclasses.replace(made.volume, array=damaged), hole, method=method, modality="MR")
        scores[method] = psnr(result.volume.array, made.volume.array, hole, data_range=1.0)
    assert scores["atlas"] > scores["biharmonic"] + 3.0


def test_its_spread_says_how_far_off_it_may_be(monkeypatch):
    monkeypatch.setitem(calibration_table.TABLE[("MR", 3)], "atlas", AS_GIVEN)
    made = head()
    hole = made.ball(CENTRE, 16.0)
    result = mi.inpaint(made.volume, hole, method="atlas", modality="MR", uncertainty=True)
    error = np.abs(result.volume.array - made.volume.array)[hole]
    within = (error <= result.uncertainty.array[hole]).mean()
    assert 0.4 < within < 0.95


def test_where_there_is_no_atlas_the_report_says_what_filled_instead():
    image = np.random.default_rng(0).random((12, 12, 12)).astype(np.float32)
    hole = np.zeros(image.shape, dtype=bool)
    hole[5:7, 5:7, 5:7] = True
    result = mi.inpaint(image, hole, method="atlas", modality="MR")
    smooth = mi.inpaint(image, hole, method="biharmonic", modality="MR")
    np.testing.assert_allclose(result.volume.array, smooth.volume.array, rtol=1e-6)
    assert any("the image cannot show a head" in warning for warning in result.report["warnings"])


def test_the_maps_are_symmetric_and_shares_add_up():
    maps = head_maps()
    np.testing.assert_array_equal(maps.channels, maps.channels[..., ::-1])
    grey, white, csf, t1 = maps.channels
    assert maps.channels.min() >= 0
    assert (grey + white + csf).max() <= 1.02
    inside = maps.brain > 0.99
    assert t1[inside & (white > 0.95)].mean() > t1[inside & (grey > 0.95)].mean() > t1[inside & (csf > 0.95)].mean()
    left_of_middle = maps.index(np.array([0.0, 0.0, 0.0]))
    assert left_of_middle[2] == (maps.channels.shape[3] - 1) / 2


def test_coarse_maps_are_means_of_fine_ones():
    fine, coarse = head_maps(), head_maps(4)
    np.testing.assert_allclose(coarse.channels[0, 3, 4, 5], fine.channels[0, 12:16, 16:20, 20:24].mean(), rtol=1e-5)
    np.testing.assert_allclose(coarse.index(fine.origin + 1.5), 0.0, atol=1e-12)
