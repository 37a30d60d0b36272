"""Where holes go."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from MedInpaintLib.errors import GeometryError, MaskError, ParameterError
from MedInpaintLib.holes import place

SPECS = (
    "spheres:9mm:3",
    "squares:7px:3",
    "strips:4px:2",
    "strokes:2-4px:2:length=15px",
    "blobs:9mm:3",
    "lesions:9mm:3",
)


@pytest.fixture
def head():
    """An ellipsoid in 40 x 60 x 60 voxels of 2 x 1 x 1 mm."""
    k, j, i = np.ogrid[:40, :60, :60]
    return ((k - 20) / 17) ** 2 + ((j - 30) / 26) ** 2 + ((i - 30) / 22) ** 2 <= 1


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("shape", [(64, 48), (20, 64, 48), (1, 64, 48)])
def test_the_same_seed_gives_the_same_holes_and_another_seed_others(spec, shape):
    first = place(spec, shape, seed=1)
    assert first.dtype == np.int32
    assert first.shape == shape
    assert (first == place(spec, shape, seed=1)).all()
    assert (first != place(spec, shape, seed=2)).any()


def test_every_sample_of_a_training_has_holes_of_its_own_that_can_be_drawn_again():
    drawn = [place("lesions:9mm:2", (64, 64), seed=(training, sample)) for training in (0, 1) for sample in range(8)]
    assert len({labels.tobytes() for labels in drawn}) == len(drawn)
    assert (drawn[3] == place("lesions:9mm:2", (64, 64), seed=(0, 3))).all()


@pytest.mark.parametrize("count", [1, 2, 4, 8])
@pytest.mark.parametrize(("ratio", "side"), [("1/6", 21), ("1/8", 16), ("1/10", 13), ("1/12", 11)])
def test_squares_of_a_hole_ratio_are_as_many_and_as_large_as_asked_for(ratio, side, count):
    labels = place(f"squares:{ratio}:{count}", (128, 128), margin_mm=0, seed=2)
    assert np.bincount(labels.ravel())[1:].tolist() == [side**2] * count


@pytest.mark.parametrize("spec", ["spheres:9mm:4", "squares:7px:4", "blobs:9mm:4", "lesions:9mm:4"])
@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_holes_lie_in_the_foreground_each_with_its_label_and_apart_from_each_other(spec, seed):
    k, j, i = np.ogrid[:40, :60, :60]
    head = ((k - 20) / 17) ** 2 + ((j - 30) / 26) ** 2 + ((i - 30) / 22) ** 2 <= 1
    spacing = (2.0, 1.0, 1.0)
    labels = place(spec, head.shape, spacing=spacing, foreground=head, margin_mm=5, seed=seed)
    assert not (labels[~head] > 0).any()
    assert set(np.unique(labels)) == {0, 1, 2, 3, 4}
    for label in range(1, 5):
        own = labels == label
        assert ndimage.label(own)[1] == 1
        others = (labels > 0) & ~own
        assert ndimage.distance_transform_edt(~own, sampling=spacing)[others].min() >= 5


def test_without_a_foreground_holes_lie_anywhere_in_the_image():
    rows = np.zeros(64, dtype=bool)
    for seed in range(200):
        rows |= (place("squares:8px", (64, 64), seed=seed) > 0).any(axis=1)
    assert rows.all()


def test_no_voxel_of_a_hole_lies_where_it_must_not(head):
    lesion = np.zeros(head.shape, dtype=bool)
    lesion[15:25, 20:40, 20:40] = True
    for spec in ("spheres:8mm:3", "strips:4px:2", "strokes:2px:2:length=15px"):
        for seed in range(5):
            assert not place(spec, head.shape, foreground=head, avoid=lesion, seed=seed)[lesion].any()


def test_strips_lie_in_the_foreground_by_a_quarter_and_strokes_by_half(head):
    for seed in range(10):
        labels = place("strips:3px:2", head.shape, foreground=head, seed=seed)
        assert min(head[labels == label].mean() for label in (1, 2)) >= 0.25
        labels = place("strokes:3px:1:length=20px:vertices=4", head.shape, foreground=head, seed=seed)
        assert head[labels > 0].mean() >= 0.5


def test_holes_that_touch_where_crossing_is_allowed_have_one_label():
    seen = set()
    for seed in range(20):
        labels = place("strips:4px:2:both", (64, 64), seed=seed)
        parts, count = ndimage.label(labels > 0, structure=np.ones((3, 3)))
        assert labels.max() == count
        assert (labels == parts).all()
        seen.add(count)
    assert seen == {1, 2}


def full_lines(hole):
    """Return the number of rows and of columns that lie in a hole from edge to edge."""
    return int(hole.all(axis=1).sum()), int(hole.all(axis=0).sum())


@pytest.mark.parametrize(
    ("count", "seen"), [(1, {(1, 0), (0, 1)}), (2, {(1, 1)}), (3, {(2, 1), (1, 2)}), (4, {(2, 2)})]
)
def test_mixed_strips_are_as_many_rows_as_columns(count, seen):
    """Strips of one pixel in an image so large that no two of these seeds lie on the same pixels."""
    made = [place(f"strips:1px:{count}:mixed", (600, 600), seed=seed) for seed in range(30)]
    assert {full_lines(labels > 0) for labels in made} == seen
    # A row and a column cross, so that they are one hole.
    assert {labels.max() for labels in made} == {1}


def test_mixed_strips_keep_their_directions_where_they_are_drawn_again():
    """With 3 of 61 places for a row, and as many for a column, some need more than the 50 tries of one drawing."""
    avoid = np.zeros((64, 64), dtype=bool)
    avoid[:58, :58] = True
    for seed in range(20):
        labels = place("strips:4px:2:mixed", (64, 64), avoid=avoid, seed=seed)
        assert full_lines(labels > 0) == (4, 4)


def test_a_slice_in_a_volume_of_one_gets_the_holes_of_the_slice():
    flat = place("spheres:9mm:3", (64, 48), spacing=(1.0, 2.0), seed=4)
    assert (place("spheres:9mm:3", (1, 64, 48), spacing=(5.0, 1.0, 2.0), seed=4)[0] == flat).all()


def test_holes_that_touch_are_allowed_with_no_margin_but_never_overlap():
    labels = place("squares:8px:4", (8, 40), margin_mm=0, seed=0)
    assert np.bincount(labels.ravel()).tolist() == [64, 64, 64, 64, 64]


def test_holes_that_do_not_fit_are_refused_with_what_to_do():
    with pytest.raises(MaskError, match=r"Only 1 of the 9 holes 'spheres:20mm:9' fit.*fewer or smaller"):
        place("spheres:20mm:9", (24, 24, 24))


def test_a_hole_larger_than_the_image_is_refused():
    with pytest.raises(MaskError, match="Only 0 of the 1"):
        place("squares:40px", (30, 30))


def test_an_empty_foreground_is_refused():
    with pytest.raises(MaskError, match="foreground is empty"):
        place("squares:4px", (30, 30), foreground=np.zeros((30, 30), dtype=bool))


@pytest.mark.parametrize("wrong", [{"foreground": np.ones((3, 3), dtype=bool)}, {"avoid": np.ones((3, 3), dtype=bool)}])
def test_masks_of_another_shape_are_refused(wrong):
    with pytest.raises(GeometryError, match="must have the image's shape"):
        place("squares:4px", (30, 30), **wrong)


def test_a_spacing_of_another_length_is_refused():
    with pytest.raises(GeometryError, match="one number for each"):
        place("squares:4px", (30, 30), spacing=(1, 1, 1))


def test_a_line_has_no_room_for_holes():
    with pytest.raises(GeometryError, match="2 or 3 dimensions"):
        place("squares:4px", (1, 30))


@pytest.mark.parametrize("margin", [-1, float("nan")])
def test_a_senseless_margin_is_refused(margin):
    with pytest.raises(ParameterError, match="0 mm or more"):
        place("squares:4px", (30, 30), margin_mm=margin)


def test_masks_that_are_passed_in_are_not_changed(head):
    lesion = np.zeros(head.shape, dtype=bool)
    before = head.copy()
    place("spheres:8mm:3", head.shape, foreground=head, avoid=lesion)
    assert (head == before).all()
    assert not lesion.any()
