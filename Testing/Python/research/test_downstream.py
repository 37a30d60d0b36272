"""The study of what is measured after a fill: its arithmetic on small heads whose truth is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from MedInpaintLib.manifest import Entry
from MedInpaintLib.volume import Volume
from Research.__main__ import main
from Research.downstream import measure, page, registration, segmenters
from Research.downstream.arms import HEALTHY, KINDS, LEFT_IN, MASKED_OUT, METHODS, methods_for
from Research.downstream.extraction import compare
from Research.downstream.lesions import MS_IN_WHITE, Patient, darkened, levels, make_patient
from Research.downstream.table import by_person, less_error, mean_and_error, read_table, size_of, write_tables
from Research.downstream.volumes import errors
from Research.real_lesions.heads import Head
from Research.tissue_volumes.segmentation import CSF, GREY, WHITE, Tissues

SHAPE, MM = (40, 48, 44), (2.0, 2.0, 2.0)
MEANS = np.array([20.0, 60.0, 90.0])


def tissue():
    """-1: background, CSF, grey and white matter in shells, with folds so that a registration has something to see."""
    at = np.indices(SHAPE) - np.reshape([20, 24, 22], (3, 1, 1, 1))
    r = np.sqrt(((at / np.reshape([17, 21, 19], (3, 1, 1, 1))) ** 2).sum(axis=0))
    r = r + 0.06 * np.sin(at[0] / 2.0) * np.sin(at[1] / 2.5) * np.sin(at[2] / 2.0)
    return np.select([r < 0.25, r < 0.7, r < 0.9, r < 1], [CSF, WHITE, GREY, CSF], -1)


def head():
    noise = np.random.default_rng(0).normal(scale=2, size=SHAPE)
    labels = tissue()
    return np.where(labels >= 0, np.rint(MEANS[labels] + noise), 0).astype(np.uint8)


def patient():
    """A head with one large dark lesion in the white matter of one side."""
    hole = np.zeros(SHAPE, dtype=bool)
    hole[12:26, 26:38, 26:38] = True
    image, labels = head(), tissue()
    hole &= labels >= 0
    tissues = Tissues(labels, MEANS, np.ones(SHAPE))
    damaged = darkened(image, hole.astype(np.int32), tissues, np.array([22.0]))
    return Patient(image, damaged, labels >= 0, hole, MM)


def test_errors_are_those_that_one_counts_by_hand():
    truth = np.array([GREY] * 10 + [WHITE] * 20 + [CSF] * 5)
    hole = (np.arange(35) >= 26) & (np.arange(35) < 34)  # four of white matter, and all CSF but one
    found = truth.copy()
    found[8:10] = WHITE  # two grey voxels outside the lesion
    found[26] = GREY  # one white voxel inside
    row = errors(found, truth, hole)
    assert row["grey"] == pytest.approx(-10)
    assert row["white"] == pytest.approx(5)
    assert row["csf"] == 0
    assert row["grey_outside"] == pytest.approx(-20)
    assert row["white_outside"] == pytest.approx(100 * 2 / 16)


def test_masked_lesions_count_as_white_matter_or_as_nothing():
    truth = np.array([GREY] * 10 + [WHITE] * 20 + [CSF] * 5)
    hole = (np.arange(35) >= 25) & (np.arange(35) < 34)
    found = np.where(hole, -1, truth)
    assert errors(found, truth, hole)["white"] == pytest.approx(-25)
    row = errors(found, truth, hole, masked_as=WHITE)
    assert row["white"] == pytest.approx(100 * 4 / 20)  # the CSF of the lesion counts as white matter, too
    assert row["white_outside"] == 0


def test_lesions_lie_at_their_levels_and_the_rest_stays():
    image, labels = head(), np.zeros(SHAPE, dtype=np.int32)
    labels[18:22, 34:38, 20:24], labels[18:22, 8:14, 20:24] = 1, 2
    damaged = darkened(image, labels, Tissues(tissue(), MEANS, np.ones(SHAPE)), np.array([55.0, 40.0]))
    kept = (labels == 0) | (tissue() <= CSF)
    assert np.array_equal(damaged[kept], image[kept])
    for number, level in ((1, 55.0), (2, 40.0)):
        assert damaged[(labels == number) & ~kept].mean() == pytest.approx(level, abs=0.6)


def test_ms_is_darker_than_white_matter_and_strokes_are_darker_than_grey_matter():
    rng = np.random.default_rng(0)
    ms, strokes = (levels(kind, MEANS, 500, rng) for kind in ("ms", "stroke-50-120"))
    assert 90 - 1.4 * 30 <= ms.min() < 50
    assert 60 < ms.max() <= 90 - 0.8 * 30
    assert 20 <= strokes.min() < 25
    assert 35 < strokes.max() <= 40


def test_ms_in_white_matter_is_made_dark_there_and_nowhere_else():
    image, labels = head(), tissue()
    entry = Entry(Path("t1.nii.gz"), "mr_t1/ds002748-99/t1", "MR", "T1", "p9", "test")
    one = make_patient(
        Head(entry, Volume(image, MM), labels >= 0, np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, bool)),
        MS_IN_WHITE,
        Path("no strokes are needed"),
    )
    assert 10 < np.count_nonzero(one.hole) * 8 / 1000 < 17  # as many as fit into this small brain
    assert (labels[one.hole] == WHITE).mean() > 0.85
    assert np.array_equal(one.damaged[~one.hole], image[~one.hole])
    assert 90 - 1.5 * 30 < one.damaged[one.hole].mean() < 90 - 0.7 * 30


def test_means_of_blocks_leave_out_what_is_masked():
    image, where = np.arange(27.0).reshape(3, 3, 3), np.ones((3, 3, 3), dtype=bool)
    where[0, 0, 0] = where[2, 2, 2] = False
    means, known = segmenters.means_of_blocks(image, where)
    assert means.shape == (2, 2, 2)
    assert means[0, 0, 0] == pytest.approx(np.mean([1, 3, 4, 9, 10, 12, 13]))
    assert means[0, 0, 1] == pytest.approx(np.mean([2, 5, 11, 14]))
    assert not known[1, 1, 1]
    assert known.sum() == 7


@pytest.mark.parametrize(("name", "package"), [("k-means", "numpy"), ("HMRF", "dipy"), ("Atropos", "ants")])
def test_segmenters_find_tissues_of_known_volumes(name, package):
    pytest.importorskip(package)
    image, truth = (each.repeat(2, 0).repeat(2, 1).repeat(2, 2) for each in (head(), tissue()))
    labels = segmenters.SEGMENTERS[name](image, truth >= 0, (1.0, 1.0, 1.0))
    assert (labels[truth < 0] == -1).all()
    for each in (CSF, GREY, WHITE):
        assert np.count_nonzero(labels == each) == pytest.approx(np.count_nonzero(truth == each), rel=0.03)


def still(matrix=None, offset=(0.0, 0.0, 0.0)):
    matrix = np.eye(3) if matrix is None else matrix
    return registration.Deformation(matrix, np.array(offset), np.zeros((3, *SHAPE), np.float32), np.array(MM))


def test_a_deformation_maps_points_as_its_parts_say():
    quarter = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    middle = (np.array(SHAPE) - 1) * 2.0 / 2
    moved = still(quarter, (5.0, 0.0, 0.0))(middle + np.array([[1.0, 2.0, 3.0]]))
    np.testing.assert_allclose(moved, middle + np.array([[6.0, -3.0, 2.0]]))


def test_the_other_scan_shows_at_each_point_what_lies_where_the_point_is_mapped(monkeypatch):
    monkeypatch.setattr(registration, "NOISE", 0.0)
    monkeypatch.setattr(registration, "GAMMA", 1.0)
    image = head()
    moving = registration.deformed(image, still(offset=(4.0, 0.0, -2.0)), np.random.default_rng(0))
    np.testing.assert_allclose(moving[5:30, :, 5:40], image[7:32, :, 4:39], atol=1e-3)


def test_the_true_map_has_no_error_and_a_shifted_one_has_its_shift(monkeypatch):
    monkeypatch.setattr(registration, "BEND", 0.0)
    exam = registration.Exam(patient(), "seed")
    true = np.linalg.lstsq(np.c_[exam.partners, np.ones(len(exam.partners))], exam.points, rcond=None)[0]
    inverse = sitk.AffineTransform(3)  # of points in the other order of axes
    inverse.SetMatrix(true[:3].T[::-1, ::-1].ravel().tolist())
    for shift, error in ((0.0, 0.0), (3.0, 3.0)):
        inverse.SetTranslation((true[3][::-1] + np.array([shift, 0, 0])).tolist())
        monkeypatch.setattr(registration, "register", lambda *_: inverse)
        measured = exam.errors(patient().image, patient().brain)
        assert measured["near"] == pytest.approx(error, abs=1e-3)
        assert measured["far"] == pytest.approx(error, abs=1e-3)


def test_points_are_healthy_and_near_the_lesion_or_far_from_it():
    exam, one = registration.Exam(patient(), "seed"), patient()
    at = tuple(np.rint(exam.partners / MM).astype(int).T)
    assert (one.brain & ~one.hole)[at].all()
    distance = ndimage.distance_transform_edt(~one.hole, MM)[at]
    assert np.array_equal(exam.near, distance <= registration.NEAR)


def test_a_registration_finds_a_known_deformation_and_a_mask_keeps_the_lesion_out():
    one = patient()
    exam = registration.Exam(one, "seed")
    seen = ndimage.binary_dilation(one.brain, iterations=2)
    before = np.linalg.norm(exam.points - exam.partners, axis=1).mean()
    healthy, left_in, masked = (
        exam.errors(image, where)
        for image, where in ((one.image, seen), (one.damaged, seen), (one.damaged, seen & ~one.hole))
    )
    assert healthy["near"] < 0.3 * before
    assert healthy["near"] <= masked["near"] < left_in["near"]


def test_dice_is_counted_by_voxels():
    true, found = np.arange(10) < 6, (np.arange(10) >= 2) & (np.arange(10) < 10)
    assert compare(found, true) == {"dice": pytest.approx(200 * 4 / 14), "volume": pytest.approx(100 * 2 / 6)}


def test_strokes_are_not_filled_by_what_learns_from_the_rim():
    assert "patch-regression" in methods_for("ms")
    assert "patch-regression" not in methods_for("stroke-50-120")


def case(subject, arm, grey, **more):
    volumes = {name: {column: grey for column in page.MEASURED["volumes"]} for name in ("k-means", "HMRF", "Atropos")}
    about = {"image": subject, "subject": subject, "kind": "ms", "ml": 15.0, "arm": arm, "used": [], "seconds": 0.0}
    return about | {"volumes": volumes} | more


def test_errors_are_averaged_by_person_and_compared_without_their_sign(tmp_path):
    cases = [case(f"p{n}", LEFT_IN, -(2.0 + n)) for n in range(5)]
    cases += [case(f"p{n}", "biharmonic", 1.0) for n in range(5)]
    write_tables(cases, tmp_path)
    rows = read_table(tmp_path, "volumes")
    assert len(rows) == 30
    own, base = ([row for row in rows if row["arm"] == arm] for arm in (LEFT_IN, "biharmonic"))
    assert by_person(own, size_of("grey")) == {f"p{n}": 2.0 + n for n in range(5)}
    assert mean_and_error(own, size_of("grey")) == "4.00 ± 0.71"  # sqrt(2.5 / 5)
    difference = less_error(own, base, size_of("grey"))
    assert (difference.mean, difference.people) == (-3.0, 5)
    assert difference.verdict.value == "is worse"


def job(tmp_path, **about):
    entry = Entry(tmp_path / "t1.nii.gz", "mr_t1/ds002748-99/t1", "MR", "T1", "p9", "test", "", "", "")
    return measure.Job(tmp_path, tmp_path, entry, about, "ms", ("shell-mean", "biharmonic"))


@pytest.fixture
def quick(monkeypatch):
    """One segmenter, and a patient who is not read from files; returns the patients that were made."""
    made = []
    monkeypatch.setattr(measure, "SEGMENTERS", {"k-means": segmenters.three_means})
    monkeypatch.setattr(measure, "read_head", lambda *_: None)
    monkeypatch.setattr(measure, "make_patient", lambda *_: made.append(patient()) or made[-1])
    return made


def test_a_head_is_measured_arm_by_arm_and_no_arm_twice(quick, tmp_path):
    one = job(tmp_path)
    measure.measure(one)
    rows = {row["arm"]: row for row in measure.rows_of([one])}
    assert list(rows) == [HEALTHY, LEFT_IN, MASKED_OUT, "shell-mean", "biharmonic"]
    left_in, filled = (rows[arm]["volumes"]["k-means"] for arm in (LEFT_IN, "biharmonic"))
    assert left_in["white"] < -5
    assert abs(filled["white"]) < abs(left_in["white"])
    one.file(LEFT_IN).write_text(json.dumps(rows[LEFT_IN] | {"ml": -1}), encoding="utf-8")
    one.file("biharmonic").unlink()
    measure.measure(one)
    again = {row["arm"]: row for row in measure.rows_of([one])}
    assert again[LEFT_IN]["ml"] == -1
    assert again["biharmonic"]["volumes"] == rows["biharmonic"]["volumes"]


def test_a_missing_package_is_named_before_anything_is_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(page.importlib.util, "find_spec", lambda name: None if name == "ants" else True)
    monkeypatch.setattr(measure, "list_jobs", lambda *_: [job(tmp_path)])
    assert main(["downstream", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "lacks ants; in the repository's folder, run: pip install" in capsys.readouterr().err


def test_heads_with_skull_are_for_brain_extraction_alone(tmp_path):
    assert MASKED_OUT not in job(tmp_path, skull="true").arms
    assert MASKED_OUT in job(tmp_path).arms


def test_the_page_has_a_line_for_what_was_measured(tmp_path):
    cases = [case(f"p{n}", arm, 2.0 + n) for n in range(5) for arm in (LEFT_IN, MASKED_OUT, *METHODS)]
    for each in cases:
        each["registration"] = {"near": 1.5, "far": 0.25}
        each["extraction"] = {"dice": 97.5, "volume": -1.0}
        each["kind"] = "stroke-50-120"
    page.write_page(cases, tmp_path, "test")
    text = (tmp_path / page.PAGE).read_text(encoding="utf-8")
    assert (tmp_path / page.FIGURE).stat().st_size > 1000
    same = "cannot be told apart: +0.000 (+0.000 to +0.000), 5 people"
    assert (
        f"| A stroke of 50-120 ml: grey matter, % | 4.00 | 4.00 | 4.00 (`auto`) | 4.00 (`white-matter`) | {same} |"
        in text
    )
    assert "| left in | 5 | 1.50 ± 0.00 | 1.50 to 1.50 | 0.25 ± 0.00 | cannot be told apart: +0.000" in text
    assert "| left in | 5 | 97.50 ± 0.00 | 1.00 ± 0.00 |" in text
    assert text == page.text(tmp_path)


def test_the_first_table_has_the_best_and_the_worst_method_of_those_measured_in_all_people(tmp_path):
    grey = {LEFT_IN: 4.0, MASKED_OUT: 3.0, "biharmonic": 2.0, "unet": 1.0, "white-matter": 5.0}
    cases = [case(f"p{n}", arm, value + n / 10) for arm, value in grey.items() for n in range(5)]
    cases += [case(f"p{n}", "auto", 0.1) for n in range(4)]  # the best, but the fifth person was not measured
    page.write_page(cases, tmp_path, "test")
    line = next(line for line in page.text(tmp_path).splitlines() if "cortex too: grey matter, %" in line)
    ends = "| 4.20 | 3.20 | 1.20 (`unet`) | 5.20 (`white-matter`) |"
    assert line.endswith(f"{ends} is better: +1.000 (+1.000 to +1.000), 5 people |")


def test_brain_extraction_has_a_line_whose_error_is_the_lost_overlap(tmp_path):
    dice = {HEALTHY: 100.0, LEFT_IN: 97.0, "biharmonic": 99.25, "unet": 99.5}
    about = {"kind": "stroke-50-120", "volumes": {}}
    cases = [
        case(f"p{n}", arm, 0.0) | about | {"extraction": {"dice": value, "volume": 0.0}}
        for arm, value in dice.items()
        for n in range(3)
    ]
    page.write_page(cases, tmp_path, "test")
    text = page.text(tmp_path)
    ends = (
        "| 3.00 |  | 0.50 (`unet`) | 0.75 (`biharmonic`) | too few people to tell: +0.250 (+0.250 to +0.250), 3 people"
    )
    assert f"| A stroke of 50-120 ml: brain extraction, 100 - Dice, % {ends}" in text
    assert page.FIGURE not in text  # it shows volumes, and none were measured


def complete(kinds):
    """Cases of every method in one person without skull and, of strokes, in one with skull."""
    for kind in kinds:
        for arm in (LEFT_IN, *methods_for(kind)):
            yield case("p0", arm, 1.0) | {"kind": kind}
            if kind.startswith("stroke"):
                yield case("p1", arm, 1.0) | {"kind": kind, "volumes": {}, "extraction": {"dice": 99.0, "volume": 1.0}}


def test_the_page_names_what_was_not_measured_and_is_silent_when_all_was(tmp_path):
    cases = list(complete(KINDS))
    page.write_page(cases, tmp_path, "test")
    assert "Not measured" not in page.text(tmp_path)
    lacks = [
        each
        for each in cases
        if (each["kind"], each["arm"]) != ("ms", "unet")
        and (each["kind"], each["arm"], each["subject"]) != ("stroke-20-50", "mirror", "p1")
    ]
    page.write_page(lacks, tmp_path, "test")
    gaps = "15 ml of MS, at the cortex too: `unet`; A stroke of 20-50 ml: `mirror`."
    assert f"Not measured in all people yet (the command below adds it): {gaps}" in page.text(tmp_path)
