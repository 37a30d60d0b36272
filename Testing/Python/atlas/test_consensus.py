"""The consensus of mirror and atlas: its shares, what it does where one of them is missing, and when auto takes it."""

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import MedInpaintLib as mi
from MedInpaintLib import independent_fills
from MedInpaintLib.atlas.registration import register
from MedInpaintLib.consensus import WEIGHTS, WITHOUT_PATCHES, evidence, shares
from MedInpaintLib.metrics import psnr

from .heads import head

CENTRE = (20.0, -10.0, 30.0)
MIDLINE = (20.0, -10.0, 0.0)


@given(depth=st.floats(0, 50), alike=st.floats(-1, 1), explained=st.floats(-5, 1))
def test_shares_are_shares(depth, alike, explained):
    for weights in (WEIGHTS, WITHOUT_PATCHES):
        found = [
            share[0] for share in shares(evidence(np.array([depth]), np.array([alike]), explained), weights).values()
        ]
        assert all(0 <= share <= 1 for share in found)
        assert sum(found) <= 1 + 1e-9


def test_the_atlas_counts_more_in_the_depth_and_the_mirror_more_where_the_sides_are_alike():
    found = shares(evidence(np.array([3.0, 15.0]), np.array([0.7, 0.7]), 0.6), WITHOUT_PATCHES)
    assert found["mirror"][0] > found["mirror"][1]
    assert found["atlas"][0] < found["atlas"][1]
    found = shares(evidence(np.array([5.0, 5.0]), np.array([0.4, 0.9]), 0.6))
    assert found["mirror"][0] < found["mirror"][1]


def test_patches_count_near_the_rim():
    found = shares(evidence(np.array([1.0, 15.0]), np.array([0.7, 0.7]), 0.6))
    assert found["patch"][0] > 0.3
    assert found["patch"][1] < 0.1


def test_patches_are_left_out_of_large_parts(monkeypatch):
    asked = []
    fill_by = independent_fills.fill_by
    monkeypatch.setattr(independent_fills, "fill_by", lambda name, *rest: asked.append(name) or fill_by(name, *rest))
    made = head(bend=2.0)
    filled(made, made.ball(CENTRE, 10.0), "consensus")
    monkeypatch.setattr(independent_fills, "PATCHES_ML", 1.0)
    filled(made, made.ball(CENTRE, 10.0), "consensus")
    assert asked == ["mirror", "patch", "mirror"]


def filled(made, hole, method, **options):
    damaged = dataclasses.replace(made.volume, array=np.where(hole, 0, made.volume.array))
    return mi.inpaint(damaged, hole, method=method, modality="MR", **options)


def warnings(result):
    return " ".join(result.report["warnings"])


def test_it_lies_between_the_two_fills_and_is_nearer_to_the_truth_than_the_worse_one():
    made = head(bend=2.0)
    hole = made.ball(CENTRE, 18.0)
    scores = {}
    for method in ("mirror", "atlas", "consensus"):
        result = filled(made, hole, method)
        scores[method] = psnr(result.volume.array, made.volume.array, hole, data_range=1.0)
    assert scores["consensus"] > min(scores["mirror"], scores["atlas"])
    assert not result.report["warnings"]


def test_on_the_midline_the_report_says_that_there_is_no_other_side():
    made = head(bend=0.0)
    hole = made.ball(MIDLINE, 18.0)
    assert "filled by the atlas and the tissue around them alone" in warnings(filled(made, hole, "consensus"))


def test_without_an_atlas_the_mirror_fills_and_the_report_says_so():
    image = np.random.default_rng(0).random((14, 14, 14)).astype(np.float32)
    hole = np.zeros(image.shape, dtype=bool)
    hole[5:8, 5:8, 5:8] = True
    result = mi.inpaint(image, hole, method="consensus", modality="MR")
    np.testing.assert_allclose(
        result.volume.array, mi.inpaint(image, hole, method="mirror", modality="MR").volume.array, rtol=1e-5
    )
    assert "there is no atlas: the image cannot show a head" in warnings(result)


def test_auto_takes_it_in_a_deep_part_of_a_head_and_says_why():
    made = head(bend=2.0)
    result = filled(made, made.ball(CENTRE, 14.0), "auto")
    (part,) = result.report["parts"]
    assert part["method"] == "consensus"
    assert "average head" in part["reason"]


@pytest.mark.parametrize("kind", ["small", "no head"])
def test_auto_takes_it_neither_in_small_parts_nor_where_there_is_no_head(kind):
    made = head(bend=2.0)
    hole = made.ball(CENTRE, 6.0 if kind == "small" else 14.0)
    if kind == "no head":
        rng = np.random.default_rng(0)
        made = dataclasses.replace(
            made, volume=dataclasses.replace(made.volume, array=rng.random(hole.shape, np.float32))
        )
    (part,) = filled(made, hole, "auto").report["parts"]
    assert part["method"] != "consensus"


def test_a_registration_goes_along_to_worker_processes():
    subject = head(skull=False).subject()
    registration = register(subject)
    again = pickle.loads(pickle.dumps(subject))
    assert list(again.cache) == [register]
    np.testing.assert_array_equal(again.cache[register].field.added, registration.field.added)


def test_all_parts_of_an_image_share_one_registration(monkeypatch):
    import MedInpaintLib.atlas.registration as module

    found = []
    find = module.find
    monkeypatch.setattr(module, "find", lambda *arguments: found.append(1) or find(*arguments))
    made = head()
    hole = made.ball(CENTRE, 10.0) | made.ball((20.0, -60.0, -20.0), 10.0)
    result = filled(made, hole, "atlas", workers=2)
    assert len(result.report["parts"]) == 2
    assert len(found) == 1
