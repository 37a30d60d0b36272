"""The hole's parts: every voxel in one of them, those that nearly touch together, and no region across the image."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from scipy.spatial.distance import cdist

import MedInpaintLib as mi
from MedInpaintLib.mask import Hole, bounding_box, find_hole, grow
from MedInpaintLib.parts import APART, LARGEST, WASTE, Group, find_parts, put_together

SHAPES = hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=24)
HOLES = hnp.arrays(bool, SHAPES, elements=st.booleans(), fill=st.just(False)).filter(np.any)
SPACINGS = st.sampled_from([0.5, 1.0, 3.0])


def hole_of(voxels: np.ndarray) -> Hole:
    box = bounding_box(voxels)
    assert box is not None
    return Hole(voxels[box], box, voxels.shape)


def parts_of(groups: list[Group]) -> list[np.ndarray]:
    """Return the voxels of each part in the whole image, in the order of their numbers."""
    found = {}
    for group in groups:
        for part in group.parts:
            found[part.number] = Hole(part.voxels, part.box, group.hole.shape).full()
    assert sorted(found) == list(range(1, len(found) + 1))
    return [found[number] for number in sorted(found)]


def distances(ones: np.ndarray, others: np.ndarray, spacing=1.0, metric="euclidean") -> np.ndarray:
    """Return the distance of each of some voxels to each of others, in mm."""
    return cdist(np.argwhere(ones) * spacing, np.argwhere(others) * spacing, metric)


@given(HOLES)
def test_every_voxel_of_the_hole_is_in_one_part_and_one_group(voxels):
    groups = find_parts(hole_of(voxels), (1.0,) * voxels.ndim)
    np.testing.assert_array_equal(np.sum(parts_of(groups), axis=0), voxels)
    np.testing.assert_array_equal(np.sum([group.hole.full().astype(int) for group in groups], axis=0), voxels)
    for group in groups:
        own = [Hole(part.voxels, part.box, voxels.shape).full() for part in group.parts]
        np.testing.assert_array_equal(np.sum(own, axis=0), group.hole.full())
        assert all(part.box == bounding_box(each) for part, each in zip(group.parts, own, strict=True))


@given(HOLES)
def test_without_growing_the_parts_are_the_components(voxels):
    labels, count = ndimage.label(voxels, np.ones((3,) * voxels.ndim))
    parts = parts_of(find_parts(hole_of(voxels), (1.0,) * voxels.ndim))
    expected = {np.packbits(labels == number).tobytes() for number in range(1, count + 1)}
    assert {np.packbits(part).tobytes() for part in parts} == expected
    assert len(parts) == count


@given(HOLES)
def test_groups_are_at_least_two_known_voxels_apart_and_their_parts_nearly_touch(voxels):
    groups = find_parts(hole_of(voxels), (1.0,) * voxels.ndim)
    for one, other in itertools.combinations(groups, 2):
        assert distances(one.hole.full(), other.hole.full(), metric="chebyshev").min() > APART
    for group in groups:
        near = ndimage.maximum_filter(group.hole.full(), size=2 * APART)  # of parts within 3 voxels, these touch
        _, count = ndimage.label(near, np.ones((3,) * voxels.ndim))
        assert count == 1


@given(HOLES, st.tuples(SPACINGS, SPACINGS, SPACINGS), st.sampled_from([1.0, 3.0]))
def test_lesions_that_growing_joined_are_parts_again_and_each_voxel_belongs_to_the_nearest(voxels, mm, dilate):
    spacing = mm[: voxels.ndim]
    mask = mi.Volume(voxels.astype(np.uint8), spacing)
    drawn = hole_of(voxels)
    assume(distances(np.ones_like(voxels), voxels, spacing).min(axis=1).max() > dilate)  # not all of the image is grown
    grown, _ = find_hole(mask, mask, dilate_mm=dilate, force=True)
    parts = parts_of(find_parts(grown, spacing, drawn))
    np.testing.assert_array_equal(np.sum(parts, axis=0), grown.full())
    lesions, count = ndimage.label(voxels, np.ones((3,) * voxels.ndim))
    assert len(parts) == count
    for part in parts:
        (own,) = set(lesions[part & voxels])
        to_own = distances(part, lesions == own, spacing).min(axis=1)
        np.testing.assert_allclose(to_own, distances(part, voxels, spacing).min(axis=1))


@given(HOLES, st.tuples(SPACINGS, SPACINGS, SPACINGS), st.booleans(), st.randoms(use_true_random=False))
def test_depths_are_the_distances_to_the_nearest_known_voxel(voxels, mm, gaps, chance):
    spacing = mm[: voxels.ndim]
    hole = hole_of(voxels)
    no_data = None
    if gaps:
        no_data = np.random.default_rng(chance.randrange(99)).random(voxels.shape) < chance.choice([0.3, 0.95])
        no_data &= ~voxels
    group = chance.choice(find_parts(hole, spacing))
    known = ~voxels if no_data is None else ~(voxels | no_data)
    for part, depth in zip(group.parts, group.depths(hole, no_data, spacing), strict=True):
        own = Hole(part.voxels, part.box, voxels.shape).full()
        if known.any():
            assert depth == pytest.approx(distances(own, known, spacing).min(axis=1).max())
        else:
            assert depth == math.inf


def test_the_middle_of_a_part_lies_in_it():
    ring = np.zeros((5, 20, 20), bool)
    rows, columns = np.indices((20, 20)) - 10
    ring[2] = np.abs(np.hypot(rows, columns) - 7) < 1
    (group,) = find_parts(hole_of(ring), (1.0,) * 3)
    assert ring[group.parts[0].middle()]


def size(group: Group, margin: list[int]) -> int:
    box = grow(group.hole.box, margin, group.hole.shape)
    return math.prod(side.stop - side.start for side in box)


@given(HOLES, st.integers(2, 6))
def test_parts_share_a_region_where_it_costs_hardly_more_than_several(voxels, margin):
    margins = [margin] * voxels.ndim
    groups = find_parts(hole_of(voxels), (1.0,) * voxels.ndim)
    regions = put_together(groups, margins)
    np.testing.assert_array_equal(np.sum(parts_of(regions), axis=0), voxels)
    alone = {part.number: group for group in groups for part in group.parts}
    for region in regions:
        members = {id(alone[part.number]): alone[part.number] for part in region.parts}.values()
        np.testing.assert_array_equal(region.hole.full(), np.any([each.hole.full() for each in members], axis=0))
        if len(members) > 1:
            assert size(region, margins) <= min(LARGEST, WASTE * sum(size(each, margins) for each in members))
    first = [min(part.number for part in region.parts) for region in regions]
    assert first == sorted(first)


def test_far_parts_are_not_joined_and_cost_no_more_than_each_alone():
    voxels = np.zeros((100, 100, 100), bool)
    voxels[3:6, 3:6, 3:6] = voxels[-6:-3, -6:-3, -6:-3] = True
    margin = [5] * 3
    groups = find_parts(hole_of(voxels), (1.0,) * 3)
    regions = put_together(groups, margin)
    assert len(regions) == 2
    assert sum(size(region, margin) for region in regions) == 2 * 11**3


def test_many_specks_are_cheap():
    voxels = np.zeros((200, 200, 200), bool)
    voxels[5::13, 5::13, 5::13] = True
    image = mi.Volume(np.zeros(voxels.shape, np.uint8), (1.0,) * 3)
    hole, _ = find_hole(image.with_array(voxels), image)
    margin = [5] * 3
    tracemalloc.start()
    groups = find_parts(hole, image.spacing)
    regions = put_together(groups, margin)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(groups) == 15**3
    assert len(regions) < len(groups) / 10
    assert sum(size(region, margin) for region in regions) <= WASTE * sum(size(group, margin) for group in groups)
    assert peak < 100e6
