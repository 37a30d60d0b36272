"""The command `uncertainty-constants` and the study `uncertainty`, on errors whose standard deviation is known."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from MedInpaintLib import calibration_table
from MedInpaintLib.calibration import Calibration, Evidence, matching_factor
from MedInpaintLib.errors import InputError, MaskError
from MedInpaintLib.manifest import Entry
from MedInpaintLib.modality import MR
from MedInpaintLib.volume import Volume
from Research.uncertainty import page, table
from Research.uncertainty_constants import command, fit, holes, judge, measure
from Research.uncertainty_constants.samples import OfMethod, Samples, read_samples, write_samples

TRUE = Calibration((0.2, 0.4, 0.6, 0.8, 1.0))


def errors(subject, seed=0, *, true=TRUE, heavy=False, spread=False, holes=6, factor=1.0):
    """Return made-up errors of a method: normal, or double-exponential, with a known standard deviation."""
    rng = np.random.default_rng(seed)
    hole = np.repeat(np.arange(holes), 400)
    depth = rng.uniform(0.5, 12.0, hole.size)
    contrast = rng.uniform(5.0, 50.0, holes)[hole]
    own = rng.uniform(1.0, 30.0, hole.size) if spread else None
    evidence = Evidence(depth, contrast, own, 0.01)
    unit = rng.laplace(size=hole.size) if heavy else rng.normal(size=hole.size)
    error = factor * unit * true.deviation(evidence)
    return OfMethod(subject, f"{subject}/t1", hole, np.full(hole.size, 12.0), error, evidence)


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        ("normal", 1.0),
        # Both shares are equally far off: 1 - x - .6827 = .9545 - (1 - x^2), where x = exp(-factor).
        ("laplace", -math.log((math.sqrt(1 + 4 * (2 - 0.6827 - 0.9545)) - 1) / 2)),
    ],
)
def test_the_matching_factor_is_where_both_shares_are_least_far_off(draw, expected):
    values = np.abs(getattr(np.random.default_rng(0), draw)(size=400_000))
    assert matching_factor(values) == pytest.approx(expected, rel=0.01)
    assert matching_factor(5 * values) == pytest.approx(5 * matching_factor(values))


def test_weights_count_as_so_many_voxels():
    values = np.random.default_rng(1).exponential(size=50)
    weights = np.random.default_rng(2).integers(1, 5, 50)
    assert matching_factor(values, weights) == pytest.approx(matching_factor(np.repeat(values, weights)))


def test_where_nothing_is_wrong_the_factor_is_tiny():
    assert 0 < matching_factor(np.zeros(5)) < 1e-5


@given(st.lists(st.tuples(st.floats(0.1, 10.0), st.floats(0.0, 5.0)), min_size=1, max_size=6))
def test_rising_factors_never_fall_and_keep_their_mean(pairs):
    values, weights = (np.array(each) for each in zip(*pairs, strict=True))
    found = fit.rising(values, weights)
    assert len(found) == len(values)
    assert (np.diff(found) >= -1e-12).all()
    if (weights > 0).all():
        assert np.average(found, weights=weights) == pytest.approx(np.average(values, weights=weights))


def test_the_factors_that_made_the_errors_are_found():
    found = fit.fit([errors(name, seed) for seed, name in enumerate("abcdef")])
    assert found.own == 0
    assert found.factors == pytest.approx(TRUE.factors, rel=0.12)


def test_the_methods_own_spread_counts_where_it_tells_the_errors():
    one = fit.fit(
        [errors(name, seed, spread=True, true=Calibration(TRUE.factors, own=1.0)) for seed, name in enumerate("abc")]
    )
    other = fit.fit([errors(name, seed, spread=True) for seed, name in enumerate("abc")])
    assert (one.own, other.own) == (1.0, 0.0)


@pytest.mark.parametrize("heavy", [False, True])
def test_people_who_were_left_out_are_covered(heavy):
    samples = [errors(name, seed, heavy=heavy) for seed, name in enumerate("abcdefgh")]
    found = fit.fit(samples[:4])
    own = judge.coverage(samples[4:], lambda _: found)
    assert own.one == pytest.approx(0.683, abs=0.05)
    assert own.two == pytest.approx(0.954, abs=0.05)
    assert (own.people, own.holes) == (4, 24)


def test_units_of_images_do_not_matter():
    one = errors("a")
    evidence = dataclasses.replace(one.evidence, contrast=7 * one.evidence.contrast, least=7 * one.evidence.least)
    other = dataclasses.replace(one, error=7 * one.error, evidence=evidence)
    assert fit.fit([one, other]).factors == pytest.approx(fit.fit([one, one]).factors, abs=2e-3)


def test_holes_of_one_image_say_more_of_it_where_images_differ_more():
    alike = [errors(name, seed, holes=8) for seed, name in enumerate("abcdefgh")]
    factors = np.random.default_rng(0).lognormal(0.0, 0.5, 8)
    unlike = [errors(name, seed, holes=8, factor=factors[seed]) for seed, name in enumerate("abcdefgh")]
    half = [fit.holes_for_half([fit.variances(samples, TRUE)]) for samples in (unlike, alike, alike[:1])]
    assert half[0] < half[1]
    assert half[0] < 1
    assert math.isnan(half[2])
    within, between = fit.variances(unlike, TRUE)
    assert between == pytest.approx(np.var(np.log(factors), ddof=1), rel=0.1)
    assert within < 0.01  # 400 voxels of each hole


def head(seed=0):
    image = np.random.default_rng(seed).normal(100, 10, (36, 38, 40)).astype(np.float32)
    return Volume(image, 1.0)


@pytest.fixture
def small():
    kind = next(kind for kind in holes.KINDS if kind.name == "heads")
    return dataclasses.replace(kind, holes=("spheres:8mm:1", "spheres:5mm:2"), methods=("harmonic", "patch"))


def test_samples_are_the_errors_of_the_fill_and_survive_their_file(small, tmp_path):
    image = head()
    everywhere = np.ones(image.array.shape, bool)
    labels = holes.cut(small, image, everywhere, ~everywhere, "a/t1")
    assert labels.max() == 3
    np.testing.assert_array_equal(labels, holes.cut(small, image, everywhere, ~everywhere, "a/t1"))
    entry = Entry(tmp_path, "a/t1", "MR", "T1", "a", "val")
    samples = measure.sample(entry, image, labels, MR, small.methods)
    assert samples.sizes == pytest.approx([8, 5, 5], rel=0.08)
    own = samples.of("harmonic")
    assert own.evidence.spread is None
    assert samples.of("patch").evidence.spread is not None
    # The mean of white noise is all that a fill can know: errors are as large as the noise.
    assert own.error.std() == pytest.approx(10, rel=0.25)
    assert own.evidence.contrast == pytest.approx(10, rel=0.1)
    write_samples(samples, tmp_path / "s.npz")
    again = read_samples(tmp_path / "s.npz").of("patch")
    np.testing.assert_allclose(again.error, samples.of("patch").error, rtol=1e-5, atol=1e-4)
    (tmp_path / "s.npz").write_bytes(b"x")
    with pytest.raises(InputError, match="delete it to measure again"):
        read_samples(tmp_path / "s.npz")


def test_a_method_that_is_added_is_measured_in_the_same_voxels(small, tmp_path, monkeypatch):
    image = head()
    everywhere = np.ones(image.array.shape, bool)
    monkeypatch.setattr(measure, "read_image", lambda *_: (image, everywhere, ~everywhere))
    job = measure.Job(small, Entry(tmp_path, "a/t1", "MR", "T1", "a", "val"), tmp_path, tmp_path / "runs")
    at_once = measure._keep(job), read_samples(job.file)
    job.file.unlink()
    measure._keep(dataclasses.replace(job, kind=dataclasses.replace(small, methods=("patch",))))
    assert measure._missing(job) == ["harmonic"]
    assert (measure._keep(job), measure._missing(job)) == (at_once[0], [])
    one, other = at_once[1], read_samples(job.file)
    for method in small.methods:
        np.testing.assert_array_equal(one.errors[method], other.errors[method])
    assert list(one.spreads) == list(other.spreads) == ["patch"]
    # A method that fails is not tried again, and has no errors to learn from.
    no_guides = dataclasses.replace(job, kind=dataclasses.replace(small, methods=("collagan",)))
    measure._keep(no_guides)
    assert measure._missing(no_guides) == []
    assert read_samples(job.file).of("collagan") is None


def test_an_image_without_room_for_a_hole_is_refused(small):
    nowhere = np.zeros(head().array.shape, bool)
    with pytest.raises(MaskError, match="No hole fits into 'a/t1'"):
        holes.cut(small, head(), nowhere, nowhere, "a/t1")


def as_samples(one, method="harmonic"):
    return Samples(
        one.subject,
        one.image,
        one.evidence.least,
        one.hole,
        one.evidence.depth,
        one.evidence.contrast,
        np.full(6, 12.0),
        {method: one.error},
        {},
    )


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Heads of which errors were measured; nothing is to be read of them."""
    entries = [
        Entry(tmp_path / name, f"{name}/t1", "MR", "T1", name, split)
        for name, split in (("a", "val"), ("b", "val"), ("c", "val"), ("d", "test"), ("e", "test"))
    ]
    monkeypatch.setattr(holes, "heads", lambda data, split: [(each, {}) for each in entries if each.split == split])
    monkeypatch.setattr(holes, "read_manifest", lambda data, split: [])
    jobs = measure.list_jobs(holes.KINDS[:1], tmp_path, tmp_path / "runs", ("val", "test"))
    for seed, job in enumerate(jobs):
        write_samples(as_samples(errors(job.entry.subject, seed)), job.file)
    return tmp_path


def options(data):
    return ["--data", str(data), "--runs", str(data / "runs"), "--as-measured"]


def test_the_command_prints_constants_and_what_they_are_worth(data, capsys):
    command.main(options(data))
    said = capsys.readouterr().out
    assert '(MR.name, 3): {\n        "harmonic": Calibration((0.' in said
    assert "| MR, 3-D | harmonic | 3 | 18 |" in said
    with pytest.raises(InputError, match="no kind of images 'x'"):
        command.main([*options(data), "--kind", "x"])
    with pytest.raises(InputError, match="3 people or more"):
        command.main([*options(data), "--match", "a/"])


def test_the_page_is_about_test_people_and_is_made_of_its_table(data, monkeypatch):
    monkeypatch.setattr(calibration_table, "TABLE", {("MR", 3): {"harmonic": TRUE}})
    page.main([*options(data), "--out", str(data / "docs")])
    text = (data / "docs/README.md").read_text(encoding="utf-8")
    assert "in 2 people of the split **test**" in text
    assert "| harmonic | 9 to 16 mm | 2 | 12 | **6" in text
    assert text == page.text(data / "docs")
    lines = table.read_lines(data / "docs")
    assert {line.subject for line in lines} == {"d", "e"}
    assert (data / "docs" / page.RELIABILITY).stat().st_size > 1000
    # Twice as large standard deviations cover too much, and are not in bold.
    monkeypatch.setattr(calibration_table, "TABLE", {("MR", 3): {"harmonic": TRUE.scaled(2.0)}})
    page.main([*options(data), "--out", str(data / "docs")])
    assert "| harmonic | 9 to 16 mm | 2 | 12 | 9" in (data / "docs/README.md").read_text(encoding="utf-8")
