"""Finding the hole: grids, labels, growing, and splitting it up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from MedInpaintLib.errors import GeometryError, MaskError
from MedInpaintLib.mask import bounding_box, clusters, disjoint_boxes, find_hole
from MedInpaintLib.volume import Volume

IMAGE = Volume(np.zeros((10, 12, 14)), (1.0, 1.0, 1.0))


def cube(value=1, dtype=np.uint8) -> Volume:
    array = np.zeros(IMAGE.array.shape, dtype)
    array[3:6, 4:7, 5:9] = value
    return IMAGE.with_array(array)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.int64, np.float32, np.float64])
def test_the_hole_is_what_is_not_zero(dtype):
    hole, warnings = find_hole(cube(dtype=dtype), IMAGE)
    assert hole.box == (slice(3, 6), slice(4, 7), slice(5, 9))
    assert hole.count() == 3 * 3 * 4
    np.testing.assert_array_equal(hole.full(), cube().array.astype(bool))
    assert warnings == []


def test_an_empty_mask_is_refused():
    with pytest.raises(MaskError, match="mask is empty"):
        find_hole(cube(0), IMAGE)


def test_a_mask_of_everything_is_refused():
    with pytest.raises(MaskError, match="covers the whole image"):
        find_hole(IMAGE.with_array(np.ones(IMAGE.array.shape)), IMAGE)


def test_a_mask_of_nearly_everything_asks_whether_it_is_inverted():
    inverted = IMAGE.with_array(~cube().array.astype(bool))
    _, warnings = find_hole(inverted, IMAGE)
    assert "Is it inverted?" in warnings[0]


def test_only_the_chosen_labels_are_used():
    two = cube(1).array.copy()
    two[0, 0, 0] = 2
    hole, _ = find_hole(IMAGE.with_array(two), IMAGE, labels=[2])
    assert hole.count() == 1


def test_a_label_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(MaskError, match=r"no label \[7\]; its labels are: 1"):
        find_hole(cube(), IMAGE, labels=[7])


def test_a_probability_mask_is_cut_at_one_half_with_a_warning():
    soft = np.zeros(IMAGE.array.shape, np.float32)
    soft[2, 2, 2:5] = (0.2, 0.5, 0.9)
    hole, warnings = find_hole(IMAGE.with_array(soft), IMAGE)
    assert hole.count() == 2
    assert "fractional" in warnings[0]


def test_a_mask_on_a_finer_grid_is_resampled_with_a_warning():
    fine = np.zeros((20, 24, 28), np.uint8)
    fine[6:12, 8:14, 10:18] = 1
    # Voxel centres of the fine grid lie a quarter of a coarse voxel to either side of a coarse centre.
    mask = Volume(fine, (0.5, 0.5, 0.5), origin=(-0.25, -0.25, -0.25))
    hole, warnings = find_hole(mask, IMAGE)
    np.testing.assert_array_equal(hole.full(), cube().array.astype(bool))
    assert "another grid" in warnings[0]


def test_a_mask_elsewhere_in_space_is_refused():
    with pytest.raises(GeometryError, match="does not overlap"):
        find_hole(Volume(cube().array, (1, 1, 1), origin=(500.0, 0.0, 0.0)), IMAGE)


def test_a_mask_between_the_voxels_is_told_apart_from_one_elsewhere():
    tiny = np.zeros((100, 120, 140), np.uint8)
    tiny[44:47, 44:47, 44:47] = 1
    with pytest.raises(GeometryError, match="smaller than a voxel"):
        find_hole(Volume(tiny, (0.1, 0.1, 0.1)), Volume(np.zeros((4, 4, 5)), (3.0, 3.0, 3.0)))


def test_a_mask_that_is_partly_outside_loses_that_part_with_a_warning():
    mask = Volume(cube().array, (1.0, 1.0, 1.0), origin=(-7.0, 0.0, 0.0))
    hole, warnings = find_hole(mask, IMAGE)
    assert hole.count() == 3 * 3 * 2
    assert "Only 50% of the mask's volume is inside" in warnings[1]


def test_an_image_given_as_the_mask_is_warned_about():
    image = IMAGE.with_array(np.random.default_rng(0).integers(0, 500, IMAGE.array.shape))
    _, warnings = find_hole(image, IMAGE)
    assert any("Is it an image" in warning for warning in warnings)


def test_growing_by_less_than_a_slice_is_warned_about():
    image = Volume(IMAGE.array, (4.0, 1.0, 1.0))
    _, warnings = find_hole(image.with_array(cube().array), image, dilate_mm=1.0)
    assert "does not reach the next voxel along every axis: voxels are up to 4 mm long" in warnings[0]


def test_label_0_is_refused():
    with pytest.raises(MaskError, match="Label 0 cannot be filled"):
        find_hole(cube(), IMAGE, labels=[0])


def test_a_2d_mask_fits_a_volume_of_one_slice():
    film = Volume(np.zeros((1, 12, 14)), (3.0, 1.0, 1.0))
    hole, _ = find_hole(Volume(cube().array[4], (1.0, 1.0)), film)
    np.testing.assert_array_equal(hole.full()[0], cube().array[4].astype(bool))


def test_a_2d_mask_for_a_3d_image_is_refused():
    with pytest.raises(GeometryError, match="3-D and the mask is 2-D"):
        find_hole(Volume(np.ones((3, 3)), (1, 1)), IMAGE)


def test_growing_is_in_millimetres():
    point = np.zeros((9, 9, 9), np.uint8)
    point[4, 4, 4] = 1
    image = Volume(np.zeros((9, 9, 9)), (2.0, 1.0, 1.0))
    hole, _ = find_hole(image.with_array(point), image, dilate_mm=2.0)
    z, y, x = np.indices((9, 9, 9)) - 4
    np.testing.assert_array_equal(hole.full(), (2 * z) ** 2 + y**2 + x**2 <= 4)


@pytest.mark.parametrize("distance", [-1.0, float("nan"), float("inf")])
def test_growing_by_an_impossible_distance_is_refused(distance):
    with pytest.raises(MaskError, match="0 mm or more"):
        find_hole(cube(), IMAGE, dilate_mm=distance)


HOLES = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=12), elements=st.booleans())


@given(HOLES)
@settings(max_examples=60, deadline=None)
def test_the_bounding_box_is_the_smallest(marked):
    box = bounding_box(marked)
    if not marked.any():
        assert box is None
        return
    where = np.argwhere(marked)
    expected = tuple(slice(a, b + 1) for a, b in zip(where.min(axis=0), where.max(axis=0), strict=True))
    assert box == expected


@given(HOLES, st.integers(1, 4))
@settings(max_examples=100, deadline=None)
def test_clusters_partition_the_hole_and_stay_apart(hole, block):
    total = np.zeros(hole.shape, int)
    for number, (box, own) in enumerate(clusters(hole, [block] * hole.ndim), start=1):
        assert not total[box][own].any()
        total[box][own] = number
    np.testing.assert_array_equal(total > 0, hole)
    # No voxel of another cluster within `block` voxels: grow each cluster and look.
    for number in range(1, total.max() + 1):
        near = ndimage.binary_dilation(total == number, np.ones((2 * block + 1,) * hole.ndim))
        assert set(np.unique(total[near])) <= {0, number}


@given(HOLES, st.integers(2, 4))
@settings(max_examples=60, deadline=None)
def test_boxes_cover_the_hole_with_its_surroundings_and_are_disjoint(hole, margin):
    if not hole.any() or hole.all():
        return
    volume = Volume(hole.astype(np.uint8), (1.0,) * hole.ndim)
    found, _ = find_hole(volume, volume)
    covered = np.zeros(hole.shape, int)
    for box in disjoint_boxes(found, [margin] * hole.ndim):
        covered[box] += 1
    assert covered.max() == 1
    near = ndimage.binary_dilation(hole, np.ones((2 * margin + 1,) * hole.ndim))
    assert covered[near].min() == 1
