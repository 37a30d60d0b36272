"""CollaGAN in the hole: a contrast that is what the network estimates, in other units, is mended nearly exactly."""

import functools

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib.errors import GeometryError, ModelError, ParameterError
from MedInpaintLib.imputation.estimate import estimate, load_network
from MedInpaintLib.methods import collagan
from MedInpaintLib.models.once import LoadedModel
from MedInpaintLib.models.store import find

pytest.importorskip("torch")

SHAPE, MM = (10, 36, 32), (12.0, 4.0, 4.0)
MODEL = "a-tiny-collagan"
NAMES = {"target": "FLAIR", "guides": "T1, T2"}


@functools.cache
def texture(subject):
    """Smooth, about -3..3."""
    found = ndimage.gaussian_filter(np.random.default_rng(subject).normal(size=SHAPE), (0.6, 1.6, 1.6))
    return found / found.std()


def loaded(bundle):
    return LoadedModel(bundle, load_network, "cpu").on_device


def guides(subject=0):
    """T1 and T2 of one head."""
    k, j, i = np.ogrid[-1:1:10j, -1:1:36j, -1:1:32j]
    inside = k**2 + j**2 + i**2 < 0.85
    both = 600 + 150 * texture(subject), 250 + 150 * np.exp(-texture(subject) / 1.5)
    return [mi.Volume(np.where(inside, np.clip(each, 60, 1400), 0).astype(np.float32), MM) for each in both]


@functools.cache
def estimated(mirrored=False):
    """What the network makes of both, on its own scale."""
    bundle = find(MODEL)
    return estimate(
        dict(zip(("T1", "T2"), guides(), strict=True)),
        "FLAIR",
        bundle,
        loaded(bundle),
        mirrored=mirrored,
    )


def ball(centre, radius):
    return ((np.indices(SHAPE) - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(axis=0) <= radius**2


HOLE = ball((5, 16, 20), 3.5)


def fill(image, hole=HOLE, own=None, **parameters):
    """FLAIR, of what lies under the hole nothing."""
    spoiled = np.where(hole, image.max(), image)
    return mi.inpaint(
        spoiled,
        hole,
        spacing=MM,
        method="collagan",
        guides=guides() if own is None else own,
        parameters={**NAMES, "model": MODEL, **parameters},
    )


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (3500.0, 0.0), (0.02, -7.0), (900.0, 120.0)])
@pytest.mark.parametrize("blend", ["poisson", "paste"])
def test_what_the_network_estimates_is_restored_in_the_images_own_units(slope, offset, blend):
    truth = (slope * estimated() + offset).astype(np.float32)
    spoiled = np.where(HOLE, 0, truth)
    result = mi.inpaint(spoiled, HOLE, spacing=MM, method="collagan", guides=guides(), blend=blend,
                        parameters={**NAMES, "model": MODEL})  # fmt: skip
    filled = result.volume.array
    assert np.abs(filled - truth)[HOLE].max() < 1e-3 * np.ptp(truth)
    assert filled[~HOLE].tobytes() == truth[~HOLE].tobytes()
    assert np.ptp(truth[HOLE]) > 0.1 * np.ptp(truth)  # there was something to restore


def test_integers_are_restored_to_a_unit():
    truth = np.rint(2000 * estimated() + 100).astype(np.int16)
    assert np.abs(fill(truth).volume.array.astype(int) - truth).max() <= 2


def test_the_report_names_the_model_and_the_contrasts():
    report = fill(1000 * estimated()).report
    assert report["notes"] == {"model": MODEL, "model_title": "An untrained model", "estimated from": "T1, T2"}
    assert report["warnings"] == []
    assert report["parameters"]["target"] == "FLAIR"


def test_a_bias_field_is_followed_by_what_is_known_around_each_hole():
    """Twice as bright at one end as at the other: each part is fitted by itself."""
    far = ball((5, 8, 8), 2), ball((5, 27, 24), 2)
    bright = np.linspace(1, 2, SHAPE[1])[:, None]
    truth = (1000 * estimated() * bright).astype(np.float32)
    result = fill(truth, far[0] | far[1])
    assert result.report["hole"]["regions"] == 2
    for part in far:
        assert np.corrcoef(result.volume.array[part], truth[part])[0, 1] > 0.9
        assert result.volume.array[part].mean() == pytest.approx(truth[part].mean(), rel=0.1)


def test_the_network_runs_once_for_all_regions(monkeypatch):
    calls = []
    monkeypatch.setattr(collagan, "estimate", lambda *a, **k: calls.append(1) or estimate(*a, **k))
    result = fill(1000 * estimated(), ball((5, 8, 8), 1) | ball((5, 28, 24), 1))
    assert result.report["hole"]["regions"] == 2
    assert len(calls) == 1


def test_which_guide_is_which_contrast_is_told_by_their_names():
    truth = (1000 * estimated()).astype(np.float32)
    turned = fill(truth, own=guides()[::-1], guides=" t2,T1 ")
    np.testing.assert_array_equal(turned.volume.array, fill(truth).volume.array)
    assert turned.report["notes"]["estimated from"] == "T2, T1"
    wrong = fill(truth, own=guides()[::-1])
    assert np.abs(wrong.volume.array - truth)[HOLE].max() > 10


def test_it_need_not_look_into_the_mirror():
    truth = (1000 * estimated()).astype(np.float32)
    straight, mirrored = (fill(truth, mirrored=each).volume.array for each in (False, True))
    np.testing.assert_array_equal(straight, fill(truth).volume.array)
    assert np.abs(straight - truth)[HOLE].max() < 1
    assert np.abs(mirrored - truth)[HOLE].max() > 1


def test_a_contrast_that_runs_against_the_estimate_is_not_turned_upside_down():
    """Where what is known falls as the estimate rises, the level around the hole is all that is taken."""
    hole, made = ball((5, 17, 16), 1.5), estimated()
    near = np.zeros(SHAPE, bool)
    near[1:9, 8:27, 7:26] = True
    truth = np.where(near, 1000 * (0.7 - made), 1000 * made).astype(np.float32)
    result = mi.inpaint(truth, hole, spacing=MM, method="collagan", guides=guides(), blend="paste",
                        parameters={**NAMES, "model": MODEL})  # fmt: skip
    assert np.ptp(result.volume.array[hole]) < 0.01 * np.ptp(truth)
    assert np.ptp(truth[hole]) > 0.02 * np.ptp(truth)


def test_a_slice_is_mended_too():
    flat = [mi.Volume(each.array[5], MM[1:]) for each in guides()]
    bundle = find(MODEL)
    made = estimate(dict(zip(("T1", "T2"), flat, strict=True)), "FLAIR", bundle, loaded(bundle))
    truth = (700 * made + 20).astype(np.float32)
    result = mi.inpaint(np.where(HOLE[5], 0, truth), HOLE[5], spacing=MM[1:], modality="MR", method="collagan",
                        guides=flat, parameters={**NAMES, "model": MODEL})  # fmt: skip
    np.testing.assert_allclose(result.volume.array, truth, atol=1e-3 * np.ptp(truth))


@pytest.mark.parametrize(
    ("own", "parameters", "error", "message"),
    [
        ([], {}, ParameterError, "give one guide or more"),
        (slice(2), {"target": ""}, ParameterError, r"must know which contrasts these are; set 'target' .*guides=T1,T2"),
        (slice(2), {"guides": " "}, ParameterError, "must know which contrasts these are"),
        (slice(2), {"guides": "", "target": ""}, ParameterError, "must know which contrasts these are"),
        (slice(1), {}, ParameterError, r"There are 1 guides, and 'guides' names 2 contrasts \(T1, T2\)"),
        (slice(2), {"guides": "T1"}, ParameterError, "There are 2 guides, and 'guides' names 1"),
        (slice(2), {"guides": "T1, T2, T1C"}, ParameterError, "There are 2 guides, and 'guides' names 3"),
        (slice(2), {"guides": "T2, t2"}, ParameterError, "can be there once; found FLAIR to fill, guided by T2, T2"),
        (slice(2), {"guides": "T1, FLAIR"}, ParameterError, "can be there once; found FLAIR to fill"),
        (slice(2), {"guides": "T1, PD"}, ModelError, "knows no contrast '.*PD'; its contrasts are: T1, T2, FLAIR, T1C"),
        (slice(2), {"target": "CT"}, ModelError, "knows no contrast 'CT'"),
        (slice(2), {"model": "a-tiny-unet"}, ModelError, "'collagan' is needed"),
    ],
)
def test_guides_that_are_not_told_apart_are_refused(own, parameters, error, message):
    with pytest.raises(error, match=message) as refused:
        fill(1000 * estimated(), own=guides()[own] if own else [], **parameters)
    assert "\n" not in str(refused.value)


def test_guides_of_two_people_are_refused():
    with pytest.raises(GeometryError, match="do not show the same anatomy: guide 2"):
        fill(1000 * estimated(), own=[guides()[0], guides(2)[1]])


@pytest.mark.parametrize(("lost", "subject"), [(HOLE, 2), (ball((5, 16, 12), 9), 6)], ids=["small", "large"])
def test_guides_of_somebody_else_than_the_image_are_refused(lost, subject):
    """They fit each other; what is known of the image tells."""
    message = r"do not show the same anatomy: guide [12] fits the image no better .* registered to the image\?"
    with pytest.raises(GeometryError, match=message):
        fill(1000 * estimated(), lost, own=guides(subject))


@pytest.mark.parametrize("subject", range(1, 9))
def test_guides_of_somebody_else_are_warned_of_at_least(subject):
    """Few voxels may fit by chance."""
    try:
        warnings = fill(1000 * estimated(), own=guides(subject)).report["warnings"]
    except GeometryError as error:
        warnings = [str(error)] * 2
    assert len(warnings) == 2
    assert all("is it of this subject" in each for each in warnings)


def test_guides_that_lie_aside_of_the_image_are_refused():
    aside = [each.with_array(np.roll(each.array, 5, axis=1)) for each in guides()]
    with pytest.raises(GeometryError, match="do not show the same anatomy"):
        fill(1000 * estimated(), own=aside)


@pytest.mark.parametrize("hidden", [0.0, np.nan, np.inf, -1e6, "noise", "mirrored"])
def test_what_is_hidden_does_not_matter_to_whether_the_guides_fit(hidden):
    truth, lost = (1000 * estimated()).astype(np.float32), ball((5, 16, 12), 9)
    values = {"noise": np.random.default_rng(0).uniform(0, 9e3, SHAPE), "mirrored": truth[:, ::-1]}.get(hidden, hidden)
    expected, found = (
        mi.inpaint(np.where(lost, each, truth).astype(np.float32), lost, spacing=MM, modality="MR", method="collagan",
                   guides=guides(), parameters={**NAMES, "model": MODEL})
        for each in (truth.max(), values)
    )  # fmt: skip
    assert found.report["warnings"] == expected.report["warnings"] == []
    np.testing.assert_array_equal(found.volume.array, expected.volume.array)


@pytest.mark.parametrize(("centre", "radius", "slices"), [((5, 16, 20), 1, (3, 8)), ((1, 16, 18), 1, (0, 4))])
def test_only_slices_near_the_hole_are_estimated(monkeypatch, centre, radius, slices):
    """12 mm apart: of those beyond the hole, one on each side."""
    asked = []
    monkeypatch.setattr(collagan, "estimate", lambda *a, **k: asked.append(k["slices"]) or estimate(*a, **k))
    truth, hole = (1000 * estimated()).astype(np.float32), ball(centre, radius)
    found = fill(truth, hole).volume.array
    assert asked == [slices]
    assert np.abs(found - truth)[hole].max() < 1e-3 * np.ptp(truth)


def test_the_self_check_finds_what_is_to_be_expected():
    truth = (1000 * estimated()).astype(np.float32)
    report = mi.inpaint(truth, HOLE, spacing=MM, method="collagan", guides=guides(), self_check=True,
                        parameters={**NAMES, "model": MODEL}).report  # fmt: skip
    assert report["self_check"][0]["methods"]["collagan"]["psnr"]["mean"] > 45
