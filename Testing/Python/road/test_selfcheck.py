"""The self-check: trial holes like the real one, an honest score, the best method."""

import dataclasses
import json

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib import prediction, selfcheck
from MedInpaintLib.data_range import DataRange
from MedInpaintLib.errors import Cancelled
from MedInpaintLib.intensity import Scaling
from MedInpaintLib.mask import Hole, bounding_box
from MedInpaintLib.methods import auto
from MedInpaintLib.modality import CT, FILM
from MedInpaintLib.parts import Group, find_parts
from MedInpaintLib.selfcheck import APART, MOST, SelfCheck, _best, _trial_holes, self_check
from MedInpaintLib.subject import Subject
from MedInpaintLib.tasks import Plan


def scan_of(image, hole, **options):
    box = bounding_box(hole)
    return Subject(mi.Volume(image, 1.0), Hole(hole[box], box, hole.shape), Scaling(0.0, 1.0), **options)


def groups_of(subject) -> list[Group]:
    return find_parts(subject.whole, subject.image.spacing)


def trial_holes(subject) -> np.ndarray:
    """Return the trial holes of all parts, by number."""
    return _trial_holes(subject, groups_of(subject), [0, 0, 0], np.random.default_rng(0))


def candidates(subject) -> list[str]:
    """Return the methods that are tried for all parts."""
    groups = groups_of(subject)
    deepest = max(mm for group in groups for mm in group.depths(subject.whole, subject.no_data, subject.image.spacing))
    return auto.candidates(subject, groups, deepest)


def checked_alone(report):
    """Return the self-check of a hole with one kind of parts."""
    (checked,) = report["self_check"]
    return checked


@pytest.fixture
def head():
    """A textured ball in the dark, and an L-shaped hole in it."""
    k, j, i = np.indices((48, 56, 60)) - np.array([24, 28, 30]).reshape(3, 1, 1, 1)
    inside = (k / 20) ** 2 + (j / 24) ** 2 + (i / 26) ** 2 < 1
    texture = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=inside.shape), 2)
    image = np.where(inside, 0.6 + 0.15 * texture / texture.std(), 0).astype(np.float32)
    hole = np.zeros(image.shape, bool)
    hole[20:26, 24:28, 36:44] = hole[20:26, 28:34, 40:44] = True
    return image, hole


def test_trial_holes_have_the_real_shape_and_touch_nothing(head):
    image, hole = head
    labels = trial_holes(scan_of(image, hole))
    assert labels.max() >= 3
    near = ndimage.binary_dilation(hole, iterations=APART)
    assert not (labels[near] > 0).any()
    shape = hole[bounding_box(hole)]
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        np.testing.assert_array_equal(labels[box] == number, shape)
        around = ndimage.binary_dilation(labels == number, iterations=APART)
        assert set(np.unique(labels[around])) <= {0, number}


def test_trial_holes_lie_where_it_looks_like_around_the_real_one(head):
    image, hole = head
    image = image.copy()
    image[:24] *= 0.5
    dark = np.zeros_like(hole)
    dark[8:12, 26:30, 28:32] = True
    labels = trial_holes(scan_of(image, dark))
    places = [box[0].start for box in ndimage.find_objects(labels)]
    assert np.mean([start < 22 for start in places]) > 0.7


def test_many_parts_are_tried_by_size(head):
    image, _ = head
    hole = np.zeros(image.shape, bool)
    hole[20:23, 20:50:5, 20:50:5] = True
    hole[30:34, 26:30, 26:30] = True
    labels = trial_holes(scan_of(image, hole))
    sizes = {int(np.count_nonzero(labels[box] == n)) for n, box in enumerate(ndimage.find_objects(labels), start=1)}
    assert sizes <= {3, 64}
    assert labels.max() == MOST


def test_the_expected_scores_are_those_of_filling_the_trial_holes_alone(head):
    image, hole = head
    subject = scan_of(image, hole)
    labels = trial_holes(subject)
    checked = self_check(subject, [Plan.of("harmonic")], groups_of(subject))
    both = hole | (labels > 0)
    filled = mi.inpaint(np.where(both, np.float32(9), image), both, method="harmonic").volume.array
    for number, psnr in enumerate(checked.scores["harmonic"]["psnr"], start=1):
        error = (filled - image)[labels == number].astype(float)
        assert psnr == pytest.approx(10 * np.log10(checked.data_range.width**2 / (error**2).mean()), abs=0.02)
        assert checked.scores["harmonic"]["mae"][number - 1] == pytest.approx(np.abs(error).mean(), rel=0.01)


def test_the_winner_is_the_best_and_what_lies_in_the_real_hole_does_not_matter(head):
    image, hole = head
    reports = []
    for hidden in (0, 1e6):
        result = mi.inpaint(np.where(hole, np.float32(hidden), image), hole, self_check=True)
        checked = checked_alone(result.report)
        for method in checked["methods"].values():
            method.pop("seconds")
        reports.append((checked, result.report["method"], result.volume.array[hole].tolist()))
    assert reports[0] == reports[1]
    checked, method, _ = reports[0]
    assert method == checked["best"]
    assert checked["expected"]["psnr"] == checked["methods"][method]["psnr"]
    json.dumps(checked, allow_nan=False)


def test_a_method_that_was_asked_for_is_checked_alone_and_kept(head):
    result = mi.inpaint(*head, method="shell-mean", self_check=True)
    assert result.report["method"] == "shell-mean"
    assert list(checked_alone(result.report)["methods"]) == ["shell-mean"]


def test_a_candidate_that_fails_is_left_out_with_its_reason(head, monkeypatch):
    def broken(region, parameters, run):
        return prediction.Prediction(np.full(region.values.shape, np.nan))

    info = prediction.MethodInfo("broken", "Broken", "trivial", "Broken.", "None.", "none", fill=broken)
    monkeypatch.setitem(prediction.METHODS, "broken", info)
    monkeypatch.setattr(auto, "candidates", lambda *_: ["biharmonic", "broken"])
    checked = checked_alone(mi.inpaint(*head, self_check=True).report)
    assert "biharmonic" in checked["methods"]
    assert "broken" not in checked["methods"]
    assert "NaN" in checked["left_out"]["broken"]


def test_grain_is_in_the_fill_of_every_winner_and_in_no_score(head, monkeypatch):
    noisy = head[0] + np.random.default_rng(1).normal(size=head[0].shape).astype(np.float32)
    monkeypatch.setattr(auto, "candidates", lambda *_: ["harmonic", "biharmonic"])
    monkeypatch.setattr(selfcheck, "_best", lambda scores: "biharmonic")  # that is not the first candidate here
    plain, grainy = (mi.inpaint(noisy, head[1], self_check=True, grain=grain) for grain in (False, True))
    assert plain.report["method"] == grainy.report["method"] == "biharmonic"
    for each in plain.report["self_check"] + grainy.report["self_check"]:
        for method in each["methods"].values():
            method.pop("seconds")
    assert plain.report["self_check"] == grainy.report["self_check"]
    assert (plain.volume.array != grainy.volume.array)[head[1]].any()


def test_where_no_trial_hole_fits_a_warning_says_so():
    image, hole = np.random.default_rng(0).random((20, 20)), np.zeros((20, 20), bool)
    hole[3:17, 3:17] = True
    result = mi.inpaint(image, hole, self_check=True)
    assert result.report["self_check"] is None
    assert any("no place for trial holes" in warning for warning in result.report["warnings"])


def test_a_perfect_fill_has_no_finite_psnr_but_a_valid_report():
    image, hole = np.full((60, 60), 7.0), np.zeros((60, 60), bool)
    image[:, :5] = 0
    hole[30:36, 30:36] = True
    report = mi.inpaint(image, hole, self_check=True).report
    json.dumps(report, allow_nan=False)


def test_a_film_and_a_slab_with_whole_slices_missing_can_be_checked():
    rng = np.random.default_rng(0)
    film, square = ndimage.gaussian_filter(rng.random((90, 100)), 2) * 255, np.zeros((90, 100), bool)
    square[40:52, 40:52] = True
    assert checked_alone(mi.inpaint(film, square, self_check=True).report)["holes"] >= 3
    slab = ndimage.gaussian_filter(rng.random((24, 20, 20)), 2) * 1000
    missing = np.zeros(slab.shape, bool)
    missing[10:12] = True
    assert checked_alone(mi.inpaint(slab, missing, spacing=(4, 1, 1), self_check=True).report)["holes"] >= 1


def test_the_first_candidate_is_kept_unless_another_is_clearly_better():
    def scores(**psnr):
        return {name: {"psnr": values} for name, values in psnr.items()}

    assert _best(scores(first=[20, 22, 21], second=[23, 25, 24.5])) == "second"
    assert _best(scores(first=[20, 22, 21], second=[24, 20, 19.5])) == "first"
    assert _best(scores(first=[20], second=[25])) == "first"


def test_trial_holes_in_the_empty_background_do_not_decide(head):
    image, hole = head
    subject = scan_of(np.where(image > 0, image, 0), hole)
    checked = self_check(subject, [Plan.of("harmonic"), Plan.of("linear-z")], groups_of(subject))
    assert max(max(found["psnr"]) for found in checked.scores.values()) <= 50


def put_in(monkeypatch, name, fill):
    info = prediction.MethodInfo(name, name, "trivial", "Tests.", "None.", "none", fill=fill)
    monkeypatch.setitem(prediction.METHODS, name, info)


def test_a_candidate_whose_fill_is_another_methods_is_left_out(head, monkeypatch):
    put_in(monkeypatch, "proxy", lambda region, *_: prediction.Prediction(region.nearest_known(), instead="nearest"))
    monkeypatch.setattr(auto, "candidates", lambda *_: ["biharmonic", "proxy"])
    checked = checked_alone(mi.inpaint(*head, self_check=True).report)
    assert "proxy" not in checked["methods"]
    assert checked["left_out"] == {"proxy": "it fell back to nearest on all trial holes."}
    alone = mi.inpaint(*head, method="proxy", self_check=True).report
    assert alone["self_check"] is None
    assert "Not self-checked: 'proxy': it fell back to nearest on all trial holes." in alone["warnings"]


def test_scores_of_a_method_that_then_falls_back_are_said_to_be_its_own(head, monkeypatch):
    def fill(region, *_):
        tried = region.subject.whole.count() > np.count_nonzero(head[1])
        return prediction.Prediction(region.nearest_known(), instead=None if tried else "nearest")

    put_in(monkeypatch, "shy", fill)
    warnings = mi.inpaint(*head, method="shy", self_check=True).report["warnings"]
    assert warnings == ["The self-check's scores are those of 'shy', but the hole was filled by nearest."]


def test_the_mirror_is_a_candidate_only_where_there_is_another_side(head):
    image, hole = head
    assert "mirror" not in candidates(scan_of(image, hole))
    both = np.maximum(image, image[:, :, ::-1])
    assert "mirror" in candidates(scan_of(both, hole))
    assert "mirror" not in candidates(scan_of(both, hole | hole[:, :, ::-1]))


def test_the_reason_does_not_call_the_first_the_best_when_another_has_a_higher_mean():
    def reason(best, **psnr):
        scores = {name: {"psnr": values} for name, values in psnr.items()}
        return SelfCheck(best, 2, DataRange(1.0, "test", 0.0), scores, {}, {}).reason()

    assert reason("a", a=[30.0, 32.0], b=[29.0, 31.0]) == (
        "of 2 methods it was the best on 2 such holes in healthy parts of this image: PSNR 31.0 ± 1.4 dB"
    )
    assert reason("a", a=[30.0, 32.0], b=[34.0, 31.0]) == (
        "no method was clearly better than it on 2 such holes in healthy parts of this image: PSNR 31.0 ± 1.4 dB"
    )


def test_cancelling_ends_the_self_check_and_is_no_reason_to_leave_a_candidate_out(head, monkeypatch):
    def stop(*_):
        raise Cancelled("Cancelled; nothing was written.")

    put_in(monkeypatch, "stop", stop)
    subject = scan_of(*head)
    with pytest.raises(Cancelled):
        self_check(subject, [Plan.of("stop"), Plan.of("harmonic")], groups_of(subject))


def test_the_network_is_a_candidate_for_flat_images_of_which_a_model_has_learned(monkeypatch):
    from MedInpaintLib.models import store

    known = next(each for each in store.models().values() if each.architecture == "unet")
    film, hole = np.random.default_rng(0).random((60, 60)), np.zeros((60, 60), bool)
    hole[20:40, 20:40] = True
    for modality, architecture, is_one in ((FILM, "unet", True), (CT, "unet", False), (FILM, "rfr", False)):
        bundle = dataclasses.replace(known, modality=modality.name, architecture=architecture)
        monkeypatch.setattr(store, "models", lambda bundle=bundle: {"one": bundle})
        subject = dataclasses.replace(scan_of(film, hole), modality=FILM)
        assert ("unet" in candidates(subject)) is is_one
    volume = np.random.default_rng(0).random((30, 30, 30))
    deep = np.zeros(volume.shape, bool)
    deep[10:20, 10:20, 10:20] = True
    assert "unet" not in candidates(scan_of(volume, deep))
