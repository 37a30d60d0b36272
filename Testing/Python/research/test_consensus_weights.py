"""The command `consensus-weights`: balls, least squares and people who are left out, on samples of known weights."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib import inpaint
from MedInpaintLib.atlas.registration import Registration
from MedInpaintLib.errors import InputError
from MedInpaintLib.manifest import Entry
from MedInpaintLib.volume import Volume
from Research.consensus_weights import balls, command, fit, judge, measure
from Research.consensus_weights.samples import Samples, read_samples, write_none, write_samples

from ..atlas.heads import head as make_head

TRUE = {"mirror": (0.3, -0.1, 0.2, -0.2), "atlas": (0.2, 0.1, -0.1, 0.2), "patch": (0.3, -0.1, 0.0, 0.1)}
BOTH = {judge.CONSENSUS: TRUE, judge.FEWER: {name: TRUE[name] for name in ("mirror", "atlas")}}


def samples(subject, seed, *, weights=TRUE, noise=0.0, sizes=(300, 80, 200), contrast="T1", large=False):
    """Make samples whose truth is the weighted mean of random fills, by the formula of the method's page."""
    rng = np.random.default_rng(seed)
    ball = np.repeat(np.arange(len(sizes)), sizes)
    depth = rng.uniform(0.0, 15.0, ball.size)
    alike, explained = (rng.uniform(0.3, 0.9, len(sizes))[ball] for _ in range(2))
    smooth, *fills = (rng.normal(0.5, 0.1, ball.size) for _ in range(4))
    kinds = [np.ones(ball.size), depth / 10, alike, explained]
    truth = smooth + noise * rng.normal(size=ball.size)
    for own, fill in zip(weights.values(), fills, strict=True):
        truth = truth + sum(w * kind for w, kind in zip(own, kinds, strict=True)) * (fill - smooth)
    return Samples(subject, contrast, large, ball, truth, smooth, *fills, depth, alike, explained)


def weights_of(weights):
    return list(weights.values())


def repeated(one, number, times):
    """Return samples with each voxel of one ball several times."""
    index = np.repeat(np.arange(one.ball.size), np.where(one.ball == number, times, 1))
    arrays = {name: value[index] for name, value in vars(one).items() if isinstance(value, np.ndarray)}
    return dataclasses.replace(one, **arrays)


def test_least_squares_finds_the_weights_that_made_the_samples(monkeypatch):
    # Wide variety of depth and likeness, so that all weights show; the ridge pulls all towards 0.
    monkeypatch.setattr(fit, "RIDGE", 0.0)
    weights = fit.fit_weights([samples("one", seed, sizes=(200,) * 8) for seed in range(6)])
    assert np.allclose(weights_of(weights), weights_of(TRUE), atol=1e-8)
    mean, _ = fit.predict(samples("two", 99), weights)
    assert np.allclose(mean, samples("two", 99).truth, atol=1e-8)


def test_the_ridge_makes_weights_smaller():
    many = [samples("one", seed, sizes=(200,) * 8) for seed in range(6)]
    weights = np.array(weights_of(fit.fit_weights(many)))
    assert 0 < (weights**2).sum() < (np.array(weights_of(TRUE)) ** 2).sum()


def test_each_ball_counts_alike_however_many_voxels_it_has():
    one = [samples("one", seed, noise=0.05) for seed in range(3)]
    more = [repeated(one[0], 1, 9), repeated(one[1], 0, 4), one[2]]
    weights, of_more = fit.fit_weights(one), fit.fit_weights(more)
    assert np.allclose(weights_of(weights), weights_of(of_more))
    variance = dataclasses.astuple(fit.fit_variance(one, weights))
    assert np.allclose(variance, dataclasses.astuple(fit.fit_variance(more, weights)))
    # Without the weight of balls the two differ: the test can fail.
    assert not np.allclose(one[0].weight, 1.0)


def test_a_ball_counts_by_its_error_relative_to_the_smooth_fill():
    """Ten times the contrast in one ball is one hundred times the squared error, and still one ball."""
    one = samples("one", 1, noise=0.05)
    middle = 0.5
    scale = np.where(one.ball == 0, 10.0, 1.0)
    stretched = {
        name: middle + scale * (getattr(one, name) - middle) for name in ("truth", "smooth", "mirror", "atlas", "patch")
    }
    louder = dataclasses.replace(one, **stretched)
    assert np.allclose(weights_of(fit.fit_weights([one])), weights_of(fit.fit_weights([louder])))


def test_the_variance_of_samples_with_a_known_one_is_found():
    rng = np.random.default_rng(3)
    many = []
    for seed in range(20):
        one = samples("one", seed, sizes=(3000,))
        mean, apart = fit.predict(one, TRUE)
        variance = 0.004 + 0.8 * apart + 0.002 * np.minimum(one.depth, 10.0)
        many.append(dataclasses.replace(one, truth=mean + np.sqrt(variance) * rng.normal(size=mean.size)))
    variance = fit.fit_variance(many, TRUE)
    assert variance.constant == pytest.approx(0.004, rel=0.15)
    assert variance.disagreement == pytest.approx(0.8, rel=0.15)
    assert variance.depth == pytest.approx(0.002, rel=0.15)


def test_weights_are_judged_in_people_whom_they_have_not_seen():
    people = [samples(subject, seed) for seed, subject in enumerate("aabbc")]
    seen = []

    def learn(others):
        seen.append({each.subject for each in others})
        return BOTH

    judged = [each.subject for each, _ in judge.leave_one_out(people, learn)]
    assert judged == list("aabbc")
    assert seen == [{"b", "c"}, {"a", "c"}, {"a", "b"}]
    # Whatever one person's truth is, the weights for this person are the same.
    changed = [dataclasses.replace(each, truth=each.truth**2) if each.subject == "a" else each for each in people]
    before, after = (dict((each.subject, w) for each, w in judge.leave_one_out(own)) for own in (people, changed))
    assert before["a"] == after["a"]
    assert before["b"] != after["b"]


def test_the_table_is_by_person_and_names_the_best_single_fill():
    people = [samples("a", 1), samples("a", 2), samples("b", 3), samples("a", 4, large=True)]
    noisy = [dataclasses.replace(each, truth=each.mirror + 0.01) for each in people]
    lines = judge.table(noisy).splitlines()
    assert [line.split(" | ")[:2] for line in lines[2:]] == [["| T1, 40 mm", "1"], ["| T1, 12-30 mm", "2"]]
    # The mirror errs by 0.01 in each voxel: 40 dB.
    assert lines[3].split(" | ")[3] == "40.00"
    assert lines[3].endswith("(mirror) |")
    by_hand = [judge.score(each, weights)["consensus"] for each, weights in judge.leave_one_out(noisy)]
    mean = np.mean([np.mean(by_hand[0] + by_hand[1]), np.mean(by_hand[3])])
    assert f"| {mean:.2f} |" in lines[3]


def test_psnr_is_of_each_ball():
    one = samples("a", 1)
    one = dataclasses.replace(one, smooth=one.truth + np.where(one.ball == 2, 0.1, 0.01))
    assert np.allclose(judge.score(one, BOTH)["smooth"], [40, 40, 20])


def test_groups_are_by_contrast_and_size():
    assert judge.group_of(samples("a", 1, contrast="FLAIR", large=True)) == "other contrasts, 40 mm"
    assert judge.group_of(samples("a", 1)) == "T1, 12-30 mm"


@pytest.fixture(scope="module")
def head():
    """An egg of 100 x 120 x 100 mm in dark air with noise, of flat voxels."""
    shape, spacing = (45, 70, 58), (2.5, 2.0, 2.0)
    at = [(n - (size - 1) / 2) * mm for n, size, mm in zip(np.indices(shape), shape, spacing, strict=True)]
    egg = (at[0] / 50) ** 2 + (at[1] / 60) ** 2 + (at[2] / 50) ** 2 < 1
    noise = np.random.default_rng(0).normal(0, 2, shape)
    return Volume((100 * egg + 5 + noise).astype(np.float32), spacing), egg


def test_balls_have_their_size_and_lie_apart_in_the_head(head):
    image, egg = head
    labels = balls.place_balls(image, large=False)
    assert (labels == balls.place_balls(image, large=False)).all()
    assert labels.max() == len(balls.SMALL)
    for number, diameter in enumerate(balls.SMALL, start=1):
        ball = labels == number
        assert ball.sum() * 10.0 == pytest.approx(math.pi / 6 * diameter**3, rel=0.08)
        assert egg[ball].mean() > 0.9
        others = (labels > 0) & ~ball
        assert not (ndimage.binary_dilation(ball, iterations=balls.APART) & others).any()
    large = balls.place_balls(image, large=True)
    assert (large > 0).sum() * 10.0 == pytest.approx(math.pi / 6 * balls.LARGE**3, rel=0.05)


def test_an_image_without_place_has_no_balls():
    tiny = Volume(np.pad(np.full((8, 8, 8), 9.0, np.float32), 8), (1.0, 1.0, 1.0))
    assert not balls.place_balls(tiny, large=True).any()
    assert measure.sample(None, tiny, large=True) is None


@pytest.fixture
def data(tmp_path):
    """A manifest without images: 18 people of one large dataset, three of another, and what is left out."""
    rows = [["path", "modality", "contrast", "subject_id", "split", "dataset"]]
    rows += [[f"big/{n}.nii.gz", "MR", "T1", f"big{n}", "train", "OpenNeuro ds002748"] for n in range(18)]
    rows += [[f"few/{n}.nii.gz", "MR", "FLAIR", f"few{n}", "train", "few"] for n in range(3)]
    rows += [
        ["mask.nii.gz", "MR", "MASK-lesion", "few1", "train", "few"],
        ["ct.nii.gz", "CT", "CT", "ct", "train", "few"],
        ["val.nii.gz", "MR", "T1", "val", "val", "few"],
        ["stroke.nii.gz", "MR", "T1", "cstar-stroke", "train", "few"],
    ]
    with open(tmp_path / "MANIFEST.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return tmp_path


def test_some_people_of_large_datasets_and_all_others_are_learned_from(data, tmp_path):
    jobs = measure.list_jobs(data, tmp_path)
    subjects = [job.entry.subject for job in jobs if job.large]
    assert subjects == [f"big{n}" for n in range(16)] + ["few0", "few1", "few2"]
    assert len(jobs) == 2 * len(subjects)
    assert len({job.file for job in jobs}) == len(jobs)


def test_samples_are_read_as_they_were_written(tmp_path):
    one = samples("a", 1, contrast="T2", large=True)
    write_samples(one, tmp_path / "runs" / "a.npz")
    again = read_samples(tmp_path / "runs" / "a.npz")
    for name, value in vars(one).items():
        assert np.array_equal(getattr(again, name), value)
    write_none(tmp_path / "none.npz")
    assert read_samples(tmp_path / "none.npz") is None
    (tmp_path / "bad.npz").write_bytes(b"no file of numpy")
    with pytest.raises(InputError, match="holds no samples"):
        read_samples(tmp_path / "bad.npz")


def test_the_command_learns_from_what_was_measured(data, tmp_path, capsys):
    runs = tmp_path / "runs"
    choices = ["--data", str(data), "--runs", str(runs), "--as-measured"]
    with pytest.raises(InputError, match="two people or more"):
        command.main(choices)
    own = []
    for seed, job in enumerate(measure.list_jobs(data, runs)[:8]):
        own.append(samples(job.entry.subject, seed, noise=0.05, large=job.large))
        write_samples(own[-1], job.file)
    command.main(choices)
    printed = capsys.readouterr().out
    weights, fewer = fit.fit_weights(own), fit.fit_weights(own, ("mirror", "atlas"))
    assert command.constants(weights, fewer, fit.fit_variance(own, weights)) in printed
    assert printed.startswith("# 24 balls in 8 fills of 4 people\n")
    assert judge.table(own) in printed


def test_only_what_is_missing_is_measured(data, tmp_path, monkeypatch):
    jobs = measure.list_jobs(data, tmp_path / "runs")[:3]
    write_samples(samples("a", 1), jobs[1].file)
    asked = []
    monkeypatch.setattr(
        measure, "in_parallel", lambda work, todo, workers: [asked.append(job) or "" for (job,) in todo]
    )
    measure.measure(jobs, workers=1)
    assert asked == [jobs[0], jobs[2]]


def test_samples_hold_the_evidence_and_the_fills_of_a_head_whose_map_is_known(monkeypatch):
    """A head that the atlas made: it explains nearly all, the two sides are alike, and the truth is the image."""
    made = make_head(bend=0.0, skull=False)
    image = made.volume.with_array(np.rint(np.clip(made.volume.array, 0.0, None) * 1000).astype(np.int16))
    matrix, offset = affine_of(made.places)
    monkeypatch.setattr(measure, "register", lambda subject: Known(matrix, offset, None, 1.0))
    # Registration and fills are tested elsewhere, and take most of the time.
    quick = {"smooth": "biharmonic", "mirror": "shell-mean", "atlas": "harmonic", "patch": "nearest"}
    monkeypatch.setattr(measure, "FILLS", quick)
    own = measure.sample(Entry(Path("head"), "head", "MR", "T1", "one", "train"), image, large=True)
    ball = balls.place_balls(image, large=True) > 0
    assert own.ball.size == ball.sum()
    assert (own.subject, own.contrast, own.large) == ("one", "T1", True)
    assert own.explained.min() == own.explained.max() > 0.95
    assert own.alike.min() == own.alike.max() > 0.6
    depth = ndimage.distance_transform_edt(ball, image.spacing)[ball]
    assert np.allclose(np.sort(own.depth), np.sort(depth))
    # Sorted, because voxels are chosen at random: the truth and the smooth fill, linear in the image's intensities.
    filled = inpaint(np.where(ball, 0, image.array), ball, spacing=image.spacing, method="biharmonic", modality="MR")
    slope, start = np.polyfit(np.sort(image.array[ball]), np.sort(own.truth), 1)
    assert np.allclose(np.sort(own.truth), start + slope * np.sort(image.array[ball]), atol=1e-5)
    assert np.allclose(np.sort(own.smooth), start + slope * np.sort(filled.volume.array[ball]), atol=2e-3)


class Known(Registration):
    """A registration that is right although it has no field."""

    reason = ""


def affine_of(places):
    """Return matrix and offset of places that are an affine function of the index."""
    index = np.indices(places.shape[1:]).reshape(3, -1)
    solved, *_ = np.linalg.lstsq(np.vstack([index, np.ones(index.shape[1])]).T, places.reshape(3, -1).T, rcond=None)
    return solved[:3].T, solved[3]
