"""The fill by patches where the right one is known."""

import numpy as np
import pytest

from MedInpaintLib.patches import synthesis
from MedInpaintLib.patches.synthesis import Settings, Source, patch_shape, synthesize

ONES = (1.0, 1.0)


def hole_in(shape, start, stop):
    hole = np.zeros(shape, dtype=bool)
    hole[tuple(slice(start, stop) for _ in shape)] = True
    return hole


def start_of(image, hole, guides=()):
    """The channels with the hole filled by the mean of what is known: no help."""
    guess = np.where(hole, image[~hole].mean(), image)
    return np.stack([guess, *guides]).astype(np.float32)


def filled(image, hole, sources=None, spacing=None, guides=(), **options):
    start = start_of(image, hole, guides)
    sources = [Source(start, ~hole)] if sources is None else sources
    found = synthesize(start, hole, sources, spacing or (1.0,) * hole.ndim, **options)
    return np.where(hole, found.values, image)


@pytest.mark.parametrize(
    ("size", "spacing", "shape"),
    [
        (5.0, (1.0, 1.0, 1.0), (5, 5, 5)),
        (5.0, (5.0, 1.0, 1.0), (1, 5, 5)),
        (5.0, (2.0, 1.0, 1.0), (3, 5, 5)),
        (3.0, (1.0, 1.0, 1.0), (3, 3, 3)),
        (3.0, (0.1, 0.1, 0.1), (5, 5, 5)),
        (9.0, (1.0, 1.0), (9, 9)),
        (3.0, (1.0, 1.0), (5, 5)),
        (3.0, (20.0, 0.5), (1, 7)),
    ],
)
def test_a_patch_is_as_long_in_millimetres_along_each_axis_within_limits(size, spacing, shape):
    assert patch_shape(size, spacing) == shape


def test_levels_make_voxels_as_wide_as_they_are_long_before_they_make_them_longer():
    hole = hole_in((12, 64, 64), 2, 10)
    hole[2:10, 12:52, 12:52] = True
    values = np.zeros((1, *hole.shape), dtype=np.float32)
    level = synthesis._Level(values, hole, ~hole, (Source(values, ~hole),), (4.0, 1.0, 1.0))
    spacings = [each.spacing for each in synthesis._pyramid(level)[::-1]]
    assert spacings[:3] == [(4.0, 1.0, 1.0), (4.0, 2.0, 2.0), (4.0, 4.0, 4.0)]


def test_coarse_levels_are_block_means_and_know_only_what_is_known_throughout():
    rng = np.random.default_rng(0)
    values, hole = rng.random((1, 9, 8)).astype(np.float32), hole_in((9, 8), 3, 5)
    coarse = synthesis._Level(values, hole, ~hole, (Source(values, ~hole),), ONES).coarser()
    assert coarse.values.shape == (1, 5, 4)
    np.testing.assert_allclose(coarse.values[0, 1, 2], values[0, 2:4, 4:6].mean(), rtol=1e-5)
    np.testing.assert_allclose(coarse.values[0, 4, 0], values[0, 8:, 0:2].mean(), rtol=1e-5)
    expected = np.zeros((5, 4), dtype=bool)
    expected[1:3, 1:3] = True
    np.testing.assert_array_equal(coarse.hole, expected)
    np.testing.assert_array_equal(coarse.known, ~expected)
    np.testing.assert_array_equal(coarse.sources[0].usable, ~expected)


@pytest.mark.parametrize("shape", [(40, 40), (20, 20, 20)])
def test_a_constant_stays_constant(shape):
    image, hole = np.full(shape, 0.7), hole_in(shape, 8, 13)
    np.testing.assert_allclose(filled(image, hole), image, atol=1e-5)


def test_a_periodic_texture_is_restored_exactly():
    tile = np.random.default_rng(3).random((4, 4))
    image, hole = np.tile(tile, (14, 14)), hole_in((56, 56), 24, 31)
    restored = filled(image, hole, settings=Settings(search=20.0, matches=1, freedom=0.0))
    np.testing.assert_allclose(restored, image, atol=1e-3)


def test_stripes_run_through_the_hole():
    image = np.broadcast_to(np.sin(np.arange(60) * 2 * np.pi / 6), (60, 60)).copy()
    hole = hole_in(image.shape, 24, 36)
    restored = filled(image, hole)
    assert np.abs(restored - image)[hole].mean() < 0.05


def test_stripes_along_thick_slices_run_through_the_hole_too():
    image = np.broadcast_to(np.sin(np.arange(40) * 2 * np.pi / 5), (9, 40, 40)).copy()
    hole = np.zeros(image.shape, dtype=bool)
    hole[3:6, 15:23, 15:23] = True
    restored = filled(image, hole, spacing=(5.0, 1.0, 1.0))
    assert np.abs(restored - image)[hole].mean() < 0.1


def test_the_second_source_is_copied_from_when_it_fits_and_only_where_it_is_usable():
    rng = np.random.default_rng(0)
    image = rng.random((30, 30)).astype(np.float32)
    hole = hole_in(image.shape, 13, 17)
    own = Source(start_of(image, hole), ~hole)
    twin = Source(image[np.newaxis], np.ones_like(hole))
    settings = Settings(freedom=0.0, matches=1, rounds=30)
    alone = filled(image, hole, [own], settings=settings)
    both = filled(image, hole, [own, twin], settings=settings)
    closed = filled(image, hole, [own, Source(image[np.newaxis], np.zeros_like(hole))], settings=settings)
    np.testing.assert_allclose(both, image, atol=1e-4)
    assert np.abs(alone - image)[hole].mean() > 0.1
    assert np.abs(closed - image)[hole].mean() > 0.1


def test_guides_decide_between_two_candidates_that_look_alike():
    """Squares on grey: bright where the guide is bright, dark where it is dark, the same surroundings."""
    image, guide = np.full((60, 60), 0.5), np.zeros((60, 60))
    for number, (row, column) in enumerate(np.ndindex(4, 4)):
        square = np.s_[6 + 14 * row : 10 + 14 * row, 6 + 14 * column : 10 + 14 * column]
        image[square], guide[square] = (1.0, 1.0) if number % 2 else (0.0, -1.0)
    for number in (5, 6):
        row, column = divmod(number, 4)
        hole = np.zeros(image.shape, dtype=bool)
        hole[5 + 14 * row : 11 + 14 * row, 5 + 14 * column : 11 + 14 * column] = True
        settings = Settings(search=40.0, rounds=20, freedom=0.0)
        restored = filled(image, hole, guides=(guide,), settings=settings)
        np.testing.assert_allclose(restored, image, atol=0.02)


def test_what_is_neither_known_nor_to_be_filled_has_no_influence():
    rng = np.random.default_rng(0)
    image, hole = rng.random((30, 30)), hole_in((30, 30), 12, 16)
    hidden = np.zeros_like(hole)
    hidden[12:16, 18:21] = True
    results = []
    for value in (0.0, 1e3):
        start = start_of(np.where(hidden, value, image), hole)
        start[0][hole] = 0.5
        found = synthesize(start, hole, [Source(start, ~hole & ~hidden)], ONES, known=~hidden)
        results.append(found.values[hole])
    np.testing.assert_array_equal(*results)


def test_the_spread_is_none_where_all_votes_agree_and_some_where_they_do_not():
    hole = hole_in((30, 30), 12, 18)
    for image, low, high in ((np.full((30, 30), 0.3), 0.0, 1e-6), (np.random.default_rng(0).random((30, 30)), 0.05, 1)):
        start = start_of(image, hole)
        found = synthesize(start, hole, [Source(start, ~hole)], ONES)
        assert low <= found.spread[hole].mean() <= high


def test_without_a_whole_patch_there_is_no_fill():
    hole = np.indices((20, 20)).sum(axis=0) % 2 == 0
    start = np.zeros((1, 20, 20), dtype=np.float32)
    assert synthesize(start, hole, [Source(start, ~hole)], ONES) is None
