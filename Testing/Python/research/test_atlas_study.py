"""The study `atlas`: its holes, its facts of the registration, pictures, and verdicts that follow from the scores."""

from __future__ import annotations

import dataclasses
import os
import re

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib import inpaint
from MedInpaintLib.atlas import stored
from MedInpaintLib.errors import InputError, MaskError
from MedInpaintLib.manifest import Entry
from MedInpaintLib.methods import atlas
from MedInpaintLib.volume import Volume
from Research.atlas import holes, measure, page, pictures
from Research.real_lesions.heads import Head
from Research.real_lesions.strokes import FIELD, SHAPES
from Research.shared.facts import write_facts
from Research.shared.manifests import read_rows
from Research.shared.scores import SCORES, mean_seconds, write_scores
from Research.shared.subjects import damaged_subject

BY_NAME = {task.name: task for task in holes.TASKS}


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    """An egg of brain, 120 x 150 x 130 mm, of voxels of 2 mm, with a lesion that no hole may touch."""
    shape, spacing = (70, 85, 75), (2.0, 2.0, 2.0)
    at = [(n - (size - 1) / 2) * mm for n, size, mm in zip(np.indices(shape), shape, spacing, strict=True)]
    brain = (at[0] / 60) ** 2 + (at[1] / 75) ** 2 + (at[2] / 65) ** 2 < 1
    avoid = (at[0] ** 2 + (at[1] - 40) ** 2 + at[2] ** 2) < 10**2
    noise = np.random.default_rng(0).normal(0, 3, shape)
    image = np.where(brain, 100 + noise, 0).astype(np.float32)
    entry = Entry(tmp_path_factory.mktemp("head") / "t1.nii.gz", "head/t1", "MR", "T1", "one", "test")
    return Head(entry, Volume(image, spacing), brain, brain.astype(np.uint8), avoid)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with four shapes of strokes: one fits, one is too large, one too small, one in both hemispheres."""
    folder = tmp_path_factory.mktemp("data")
    (folder / SHAPES).parent.mkdir()
    middle = FIELD[2] // 2
    boxes = {
        "fits": ((40, 60, middle + 10), (40, 50, 40)),  # 80 ml
        "large": ((30, 40, middle + 5), (60, 80, 60)),
        "small": ((60, 80, middle + 10), (20, 20, 20)),
        "both": ((50, 70, middle - 25), (40, 40, 50)),
    }
    arrays = {f"m_{name}": np.packbits(np.ones(size, bool)) for name, (_, size) in boxes.items()}
    rows = [[n, *start, *size] for n, (start, size) in enumerate(boxes.values())]
    np.savez(folder / SHAPES, ids=np.array(list(boxes)), boxes=np.array(rows), **arrays)
    return folder


@pytest.mark.parametrize(("name", "count", "mm"), [("balls-20", 5, 20), ("ball-40", 1, 40)])
def test_balls_lie_in_the_brain_away_from_lesions(head, data, name, count, mm):
    labels = holes.cut(BY_NAME[name], head, data, 0)
    assert labels.max() == count
    assert not (labels[~head.brain | head.avoid] > 0).any()
    volumes = np.bincount(labels.ravel())[1:] * 8.0
    assert np.allclose(volumes, np.pi / 6 * mm**3, rtol=0.08)


def test_all_contrasts_of_a_person_have_the_same_holes(head, data):
    other = dataclasses.replace(head, entry=dataclasses.replace(head.entry, name="head/t2", contrast="T2"))
    someone = dataclasses.replace(head, entry=dataclasses.replace(head.entry, subject="two"))
    for name in ("balls-20", "ball-40"):
        labels = holes.cut(BY_NAME[name], head, data, 0)
        assert (labels == holes.cut(BY_NAME[f"{name}-other"], other, data, 0)).all()
        assert (labels != holes.cut(BY_NAME[name], someone, data, 0)).any()
        assert (labels != holes.cut(BY_NAME[name], head, data, 1)).any()


def test_a_stroke_is_one_part_of_the_stated_size_in_one_hemisphere(head, data):
    for seed in range(4):
        labels = holes.cut(BY_NAME["stroke"], head, data, seed)
        assert ndimage.label(labels, np.ones((3, 3, 3)))[1] == 1
        # The brain is smaller than the average one, by the ratio of the boxes.
        ratio = (120 * 150 * 130) / (152 * 189 * 157)
        assert (labels > 0).sum() * 8.0 / 1000 == pytest.approx(80 * ratio, rel=0.15)
        sides = np.nonzero(labels)[2]
        assert sides.max() < 37 or sides.min() > 37


def test_holes_that_do_not_fit_are_none(head, data):
    thin = dataclasses.replace(head, brain=head.brain & (np.indices(head.brain.shape)[0] % 6 > 2))
    assert holes.cut(BY_NAME["ball-40"], thin, data, 0) is None
    everywhere = dataclasses.replace(head, avoid=np.ones_like(head.avoid))
    assert holes.cut(BY_NAME["stroke"], everywhere, data, 0) is None


def test_an_image_that_shows_no_head_says_so(monkeypatch):
    monkeypatch.setenv("MEDINPAINT_REGISTRATIONS", "off")
    small = Volume(np.random.default_rng(0).random((20, 20, 20), np.float32), (1.0, 1.0, 1.0))
    hole = np.zeros((20, 20, 20), dtype=bool)
    hole[8:12, 8:12, 8:12] = True
    facts = measure.registered(small, hole)
    assert (facts["affine"], facts["deformed"]) == (None, None)
    assert facts["reason"] == "the image cannot show a head"
    assert facts["seconds"] >= 0


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_a_registration_serves_the_methods_that_follow(dtype, monkeypatch):
    """The key of the cache is that of the subject which the engine hands to its methods."""
    image = Volume((1000 * np.random.default_rng(1).random((20, 24, 22))).astype(dtype), (1.0, 1.5, 1.0))
    hole = np.zeros(image.array.shape, dtype=bool)
    hole[8:12, 8:12, 8:12] = True
    subjects = []
    monkeypatch.setattr(atlas, "register", lambda subject, progress: subjects.append(subject))
    inpaint(image, hole, method="atlas", modality="MR", force=True, workers=1)
    # What lies under the hole does not matter.
    other = image.with_array(np.where(hole, dtype(7), image.array))
    assert stored._key(damaged_subject(other, hole)) == stored._key(subjects[0])


def test_cases_begin_without_registrations_and_leave_the_setting_as_it_was(monkeypatch):
    for before in ("off", None):
        if before is None:
            monkeypatch.delenv("MEDINPAINT_REGISTRATIONS")
        else:
            monkeypatch.setenv("MEDINPAINT_REGISTRATIONS", before)
        folders = []
        with pytest.raises(MaskError):
            _fail(folders)
        (folder,) = folders
        assert os.environ.get("MEDINPAINT_REGISTRATIONS") == before
        assert not os.path.exists(folder)


def _fail(folders):
    with measure.no_registrations():
        folders.append(os.environ["MEDINPAINT_REGISTRATIONS"])
        assert os.listdir(folders[0]) == []
        raise MaskError("The holes do not fit.")


#: dB above biharmonic.
GAINS = {"shell-mean": -3.0, "biharmonic": 0.0, "mirror": 1.0, "unet": 1.5, "atlas": 2.0, "consensus": 3.0}


def make_cases(people=6, without=()):
    """Return cases of two tasks in which each method is better than the next by a known number of dB."""
    rng = np.random.default_rng(0)
    cases = []
    for number in range(people):
        for task in ("ball-40", "balls-20"):
            scores = [
                {
                    "method": method,
                    "hole": 1,
                    "psnr": 20 + gain + rng.normal(0, 0.05),
                    "ssim": 0.6 + gain / 100,
                    "mae": 0.1,
                    "gradient_energy": 0.8,
                }
                for method, gain in GAINS.items()
                if method not in without
            ]
            registration = {"seconds": 10.0 + number, "affine": 0.5, "deformed": 0.6, "reason": ""}
            case = {"task": task, "image": f"p{number}/t1", "subject": f"p{number}", "seed": 0, "range": 100.0}
            case |= {"contrast": "T1", "registration": registration, "scores": scores}
            cases.append(case | {"seconds": {row["method"]: 1.0 for row in scores}})
    return cases


def write(cases, folder):
    write_scores(cases, measure.METRICS, folder / SCORES)
    page.write_registrations(cases, folder / page.REGISTRATIONS)
    shown = {"image": "p0/t1", "task": "ball-40"}
    write_facts(folder, split="test", seconds=mean_seconds(cases), picture=shown)
    return page.text(folder)


def test_verdicts_follow_from_the_scores(tmp_path):
    """Each method is better than the next one of its list by more than two trainings differ."""
    text = write(make_cases(), tmp_path)
    lines = [line for line in text.splitlines() if line.startswith(("| `atlas` over", "| `consensus` over"))]
    assert len(lines) == 2 * 3 * 2
    for line in lines:
        mine, other = line.split("`")[1:4:2]
        gain = GAINS[mine] - GAINS[other]
        assert float(re.search(r"yes: ([+-][0-9.]+) dB", line)[1]) == pytest.approx(gain, abs=0.1)
        assert "6 people" in line
    assert text.count("| **consensus** |") == 2


def test_differences_within_the_chance_of_a_training_are_no_verdict(tmp_path, monkeypatch):
    monkeypatch.setitem(GAINS, "unet", 2.8)
    text = write(make_cases(), tmp_path)
    over = [line for line in text.splitlines() if line.startswith("| `consensus` over `unet`")]
    assert len(over) == 2
    assert all("cannot be told apart" in line for line in over)


def test_the_page_can_be_made_without_the_network(tmp_path):
    text = write(make_cases(without=("unet",)), tmp_path)
    assert "over `unet`" not in text
    assert "| **consensus** |" in text


def test_the_registration_has_a_line_for_each_scan(tmp_path):
    cases = make_cases(people=2)
    cases[0]["registration"] = {"seconds": 4.0, "affine": 0.2, "deformed": None, "reason": "no head was found"}
    text = write(cases, tmp_path)
    assert "| p0/t1 | T1 | 2 | 7.0 | 0.35 | 0.60 | no head was found |" in text
    assert "| p1/t1 | T1 | 2 | 11.0 | 0.50 | 0.60 |  |" in text
    assert [row["deformed"] for row in read_rows(tmp_path / page.REGISTRATIONS)] == ["", "0.6", "0.6", "0.6"]


def test_edges_are_drawn_on_slices_through_the_hole(head, tmp_path, monkeypatch):
    """The map given is the hole itself: its edges are in the picture where the hole's are, in all planes."""
    hole = np.zeros(head.brain.shape, dtype=bool)
    hole[15:25, 50:62, 40:50] = True
    monkeypatch.setattr(pictures, "warped", lambda image, hole: {"brain": head.brain.astype(np.float32)})
    drawn = {}
    monkeypatch.setattr(pictures, "write_figure", lambda figure, path, **_: drawn.update({path: figure}))
    pictures.draw_edges(head.image, hole, tmp_path / "edges.webp")
    (figure,) = drawn.values()
    for axis in figure.axes:
        shown = axis.images[0].get_array()
        # The hole is black in the picture, in the middle of the brain.
        assert np.count_nonzero(ndimage.binary_fill_holes(shown > 0) & (shown == 0)) in (120, 100)
    assert [len(axis.collections) for axis in figure.axes] == [1, 1, 1, 2, 2, 2]


def test_unknown_holes_and_images_are_refused(data, tmp_path):
    (data / "MANIFEST.csv").write_text("path,modality,contrast,subject_id,split\n", encoding="utf-8")
    with pytest.raises(InputError, match="no holes 'cubes'"):
        page.main(["--data", str(data), "--task", "cubes"])
    with pytest.raises(InputError, match="no image of the split 'test'"):
        page.main(["--data", str(data), "--runs", str(tmp_path)])


def test_the_network_is_left_out_where_torch_is_missing(monkeypatch):
    monkeypatch.setattr(measure.importlib.util, "find_spec", lambda name: None)
    assert list(measure.methods()) == ["biharmonic", "mirror", "atlas", "consensus"]


def test_an_arm_that_is_measured_again_replaces_its_own_scores_alone():
    case = {
        "task": "ball-40",
        "image": "head/t1",
        "seed": 0,
        "seconds": {"mirror": 2.0, "atlas": 3.0},
        "scores": [{"method": "mirror", "hole": 1, "psnr": 20.0}, {"method": "atlas", "hole": 1, "psnr": 21.0}],
    }
    anew = {**case, "seconds": {"atlas": 4.0}, "scores": [{"method": "atlas", "hole": 1, "psnr": 22.0}]}
    joined = measure._joined(case, anew)
    assert [(row["method"], row["psnr"]) for row in joined["scores"]] == [("mirror", 20.0), ("atlas", 22.0)]
    assert joined["seconds"] == {"mirror": 2.0, "atlas": 4.0}
    assert len(case["scores"]) == 2
