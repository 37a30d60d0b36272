"""The live fill follows a hole while it is painted, and keeps the promises of every fill after each stroke."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import MedInpaintLib as mi
from MedInpaintLib import live_fill
from MedInpaintLib.live_fill import LiveFill
from MedInpaintLib.volume import Volume

SHAPE = (14, 20, 24)
SPACING = (2.0, 1.0, 1.0)


def image(dtype=np.int16, seed=0):
    """Return a smooth image with noise; the floats have voxels without data."""
    waves = 500 + 100 * np.sin(np.indices(SHAPE).sum(axis=0) / 4)
    array = (waves + 9 * np.random.default_rng(seed).standard_normal(SHAPE)).astype(dtype)
    if array.dtype.kind == "f":
        array[:3, :4, :5] = np.nan
    return Volume(array, SPACING)


def ball(center, radius):
    """Return a mask."""
    grid = np.indices(SHAPE).T - np.array(center)
    return np.asarray(radius >= np.linalg.norm(grid * SPACING, axis=-1).T)


strokes = st.lists(
    st.tuples(st.booleans(), st.tuples(*(st.integers(0, size - 1) for size in SHAPE)), st.sampled_from([1.5, 3.0])),
    min_size=1,
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(strokes, st.sampled_from([np.int16, np.float32]), st.sampled_from([0.0, 2.0]))
def test_after_each_stroke_all_is_as_if_the_hole_had_been_painted_at_once(painted, dtype, grown):
    volume = image(dtype)
    live, hole = LiveFill(volume), np.zeros(SHAPE, dtype=bool)
    for adds, center, radius in painted:
        hole = hole | ball(center, radius) if adds else hole & ~ball(center, radius)
        live.follow(hole, dilate_mm=grown)
        at_once = LiveFill(volume)
        at_once.follow(hole, dilate_mm=grown)
        assert live.filled.tobytes() == at_once.filled.tobytes()
        if not grown:
            assert live.filled[~hole].tobytes() == volume.array[~hole].tobytes()


@pytest.mark.parametrize("first", [0, 1])
def test_a_stroke_far_away_that_divides_or_joins_specks_leaves_no_trace(first):
    # Specks three voxels apart are one part or two, by the column in which the hole begins.
    volume, specks, stroke = image(np.float64), np.zeros(SHAPE, dtype=bool), np.zeros(SHAPE, dtype=bool)
    specks[10, 16, [11, 14]] = True
    stroke[10, 1, first] = True
    live, at_once = LiveFill(volume), LiveFill(volume)
    for hole in (specks, specks | stroke):
        live.follow(hole)
    at_once.follow(specks | stroke)
    assert live.filled.tobytes() == at_once.filled.tobytes()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_hidden_voxels_never_matter(dtype):
    volume, hole = image(dtype), ball((7, 10, 12), 4.0)
    other = np.where(hole, dtype(250), volume.array)
    live, changed = LiveFill(volume), LiveFill(volume.with_array(other))
    live.follow(hole)
    changed.follow(hole)
    assert live.filled.tobytes() == changed.filled.tobytes()
    assert live.filled.dtype == dtype


def test_hidden_voxels_that_were_known_a_stroke_before_do_not_matter():
    # A thin plate swings above the known voxels around a hill's top, and is clipped there.
    top = np.array((7, 10, 7))
    hill = 1000 - 4 * (((np.indices(SHAPE).T - top) * SPACING) ** 2).sum(axis=-1).T
    hole, second = ball(top, 3.0), ball((7, 10, 15), 1.5)
    bright = hill.copy()
    bright[second] = 3000  # within the context of the first part, whose range it widens while it is known
    lives = [LiveFill(Volume(array, SPACING)) for array in (hill, bright)]
    for live in lives:
        live.follow(hole)
    assert not np.array_equal(*(live.filled[hole] for live in lives))
    for live in lives:
        live.follow(hole | second)
    assert np.array_equal(*(live.filled[hole | second] for live in lives))


@pytest.mark.parametrize(("most", "method"), [(20_000, "biharmonic"), (0, "harmonic")])
def test_the_fill_is_that_of_a_smooth_method(most, method, monkeypatch):
    monkeypatch.setattr(live_fill, "MOST_OF_A_PLATE", most)
    volume, hole = image(np.float64), ball((7, 10, 12), 4.0)
    live = LiveFill(volume)
    live.follow(hole)
    filled = mi.inpaint(volume, hole, method=method, blend="paste", modality="MR").volume.array
    # The solvers may be off by a hundred-thousandth of the range of intensities.
    assert np.abs(live.filled - filled)[hole].max() <= 2e-5 * np.nanmax(volume.array)


def test_only_the_parts_that_a_stroke_touches_are_filled_again():
    far, near = ball((2, 4, 20), 2.0), ball((11, 15, 4), 2.0)
    live = LiveFill(image())
    live.follow(far)
    live.filled[far] = -1
    change = live.follow(far | near)
    assert (live.filled[far] == -1).all()
    assert [(side.start, side.stop) for side in change.box] == [
        (where.min(), where.max() + 1) for where in np.nonzero(near)
    ]
    assert live.follow(far | near).box is None


def test_what_is_erased_shows_the_image_again():
    volume = image()
    live = LiveFill(volume)
    live.follow(ball((7, 10, 12), 4.0))
    assert (live.filled != volume.array).any()
    live.follow(np.zeros(SHAPE, dtype=bool))
    assert np.array_equal(live.filled, volume.array)
    live.follow(ball((7, 10, 12), 4.0))
    live.follow(None)
    assert np.array_equal(live.filled, volume.array)


def test_a_growing_hole_is_filled_as_far_as_it_grows():
    volume, hole = image(), ball((7, 10, 12), 2.0)
    live, grown = LiveFill(volume), LiveFill(volume)
    live.follow(hole, dilate_mm=2.0)
    result = mi.inpaint(volume, hole, method="harmonic", dilate_mm=2.0, modality="MR")
    grown.follow(result.hole)
    assert np.array_equal(live.filled, grown.filled)
    assert np.count_nonzero(live.filled != volume.array) > np.count_nonzero(hole)


def test_parts_that_are_too_large_or_leave_nothing_known_show_the_image(monkeypatch):
    volume, small, large = image(), ball((2, 4, 20), 1.5), ball((9, 12, 7), 4.0)
    monkeypatch.setattr(live_fill, "MOST", int(large.sum()) - 1)
    live = LiveFill(volume)
    change = live.follow(small | large)
    assert change.left_out == 1
    assert np.array_equal(live.filled[large], volume.array[large])
    assert (live.filled[small] != volume.array[small]).any()
    monkeypatch.undo()
    live.follow(np.ones(SHAPE, dtype=bool))
    assert np.array_equal(live.filled, volume.array)


def test_a_part_that_grows_too_large_shows_the_image_again(monkeypatch):
    volume, hole = image(), ball((7, 10, 12), 3.0)
    live = LiveFill(volume)
    live.follow(hole)
    larger = hole | ball((7, 10, 15), 3.0)
    monkeypatch.setattr(live_fill, "MOST", int(hole.sum()))
    assert live.follow(larger).left_out == 1
    assert np.array_equal(live.filled, volume.array)


def test_too_many_parts_show_the_image_until_they_are_fewer(monkeypatch):
    monkeypatch.setattr(live_fill, "MOST_PARTS", 2)
    volume, parts = image(), [ball(center, 1.5) for center in ((2, 4, 20), (7, 10, 12), (11, 15, 4))]
    two, three = parts[0] | parts[1], parts[0] | parts[1] | parts[2]
    live, at_once = LiveFill(volume), LiveFill(volume)
    assert live.follow(two).left_out == 0
    assert live.follow(three).left_out == 3
    assert np.array_equal(live.filled, volume.array)
    assert live.follow(two).left_out == 0
    at_once.follow(two)
    assert np.array_equal(live.filled, at_once.filled)


def test_a_flat_image_is_filled_in_the_memory_that_is_given():
    array = image().array[0]
    hole, view = ball((7, 10, 12), 4.0)[7], array.copy()
    live = LiveFill(Volume(array, (1.0, 1.0)), view)
    live.follow(hole)
    assert live.filled is view
    assert (view[hole] != array[hole]).any()
