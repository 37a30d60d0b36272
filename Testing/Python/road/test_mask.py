"""Finding the hole: grids, labels, growing, and splitting it up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib.errors import DoubtError, GeometryError, MaskError, ParameterError
from MedInpaintLib.io.segments import Segment, Segments
from MedInpaintLib.mask import bounding_box, clusters, find_hole
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


def test_an_inverted_mask_is_refused_unless_forced():
    inverted = IMAGE.with_array(~cube().array.astype(bool))
    with pytest.raises(DoubtError, match=r"marks 98% of the image .* looks inverted"):
        find_hole(inverted, IMAGE)
    hole, warnings = find_hole(inverted, IMAGE, force=True)
    assert hole.count() == inverted.array.sum()
    assert "Is it inverted?" in warnings[0]


@pytest.mark.parametrize("kept", [0.4, 0.1, 0.03])
def test_random_loss_of_most_voxels_is_a_mask_like_any_other(kept):
    lost = np.random.default_rng(0).random((20, 22, 24)) > kept
    image = Volume(np.zeros(lost.shape), (1.0, 1.0, 1.0))
    assert find_hole(image.with_array(lost), image)[0].count() == lost.sum()


def test_several_inverted_lesions_are_noticed_and_a_known_border_is_not():
    known = np.zeros((30, 30), bool)
    known[4:9, 4:9] = known[20:24, 10:15] = known[14:17, 20:26] = True
    film = Volume(np.zeros(known.shape), (1.0, 1.0))
    with pytest.raises(DoubtError, match="inverted"):
        find_hole(film.with_array(~known), film)
    known[:, 0] = known[:, -1] = True  # what lies between two known edges
    assert find_hole(film.with_array(~known), film)[0].count() == (~known).sum()


def test_only_the_chosen_labels_are_used():
    two = cube(1).array.copy()
    two[0, 0, 0] = 2
    hole, _ = find_hole(IMAGE.with_array(two), IMAGE, labels=[2])
    assert hole.count() == 1


def test_a_label_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(MaskError, match=r"no label '7'; its labels are: 1 \(36 voxels\)"):
        find_hole(cube(), IMAGE, labels=[7])


def test_a_probability_mask_is_cut_at_one_half():
    soft = np.zeros(IMAGE.array.shape, np.float32)
    soft[2, 2, 2:5] = (0.2, 0.5, 0.9)
    hole, warnings = find_hole(IMAGE.with_array(soft), IMAGE)
    assert hole.count() == 2
    assert hole.meaning.kind == "probability"
    assert warnings == []


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


def test_a_mask_that_is_partly_outside_is_refused_unless_forced():
    mask = Volume(cube().array, (1.0, 1.0, 1.0), origin=(-7.0, 0.0, 0.0))
    with pytest.raises(DoubtError, match="Only 50% of the mask lies inside the image"):
        find_hole(mask, IMAGE)
    hole, warnings = find_hole(mask, IMAGE, force=True)
    assert hole.count() == 3 * 3 * 2
    assert "Only 50% of the mask lies inside the image; the rest was left out." in warnings[1]


@pytest.mark.parametrize(("outside", "refused"), [(10, False), (14, True)])
def test_a_mask_may_have_a_tenth_of_its_voxels_outside_whatever_its_voxels_size(outside, refused):
    line = np.ones((1, 1, 50), np.uint8)  # 10 mm, of which the image begins at -0.5
    mask = Volume(line, (0.2, 0.2, 0.2), origin=(-0.4 - 0.1 * outside, 5.0, 5.0))
    if refused:
        with pytest.raises(DoubtError, match="lies inside the image"):
            find_hole(mask, IMAGE)
    else:
        find_hole(mask, IMAGE)


def test_an_image_given_as_the_mask_is_refused_unless_forced():
    image = IMAGE.with_array(np.random.default_rng(0).integers(0, 500, IMAGE.array.shape))
    with pytest.raises(DoubtError, match="looks like an image"):
        find_hole(image, IMAGE)
    assert find_hole(image, IMAGE, force=True)[0].count() == np.count_nonzero(image.array)


def test_swapped_image_and_mask_are_named():
    image = IMAGE.with_array(np.random.default_rng(0).integers(0, 500, IMAGE.array.shape))
    with pytest.raises(DoubtError, match="look swapped"):
        find_hole(image, cube())


def test_a_copy_of_the_image_in_a_wide_field_of_view_is_no_mask():
    head = np.zeros((24, 60, 60))
    inside = ndimage.gaussian_filter(np.random.default_rng(0).random((16, 24, 24)), 1.5)
    head[4:20, 18:42, 18:42] = np.clip((inside - 0.4) * 3, 0.01, None)
    head /= head.max()
    image = Volume(head, (1.0, 1.0, 1.0))
    with pytest.raises(DoubtError, match=r"copy of the image|looks like an image"):
        find_hole(image, image)


def test_what_lies_under_the_mask_decides_nothing():
    values = np.random.default_rng(0).random(IMAGE.array.shape)
    soft = ndimage.gaussian_filter(cube().array.astype(float), 0.6)
    hole, _ = find_hole(IMAGE.with_array(soft), IMAGE.with_array(values))
    other = np.where(hole.full(), soft, values)  # a copy of the mask, but only where it is hidden
    again, warnings = find_hole(IMAGE.with_array(soft), IMAGE.with_array(other))
    np.testing.assert_array_equal(again.full(), hole.full())
    assert warnings == []


def test_nan_in_a_mask_is_not_marked():
    values = cube(dtype=np.float32).array.copy()
    values[0] = np.nan
    hole, warnings = find_hole(IMAGE.with_array(values), IMAGE)
    np.testing.assert_array_equal(hole.full(), cube().array.astype(bool))
    assert warnings == ["The mask holds NaN in 168 voxels; they count as not marked."]
    with pytest.raises(MaskError, match="is empty"):
        find_hole(IMAGE.with_array(np.full(IMAGE.array.shape, np.nan)), IMAGE)


def test_segments_that_overlap_are_chosen_by_name_and_united_by_all():
    def segment(number, name, start):
        return Segment(number, name, np.ones((2, 2, 4), bool), (slice(2, 4), slice(2, 4), slice(start, start + 4)))

    mask = Segments(IMAGE, (segment(1, "Edema", 2), segment(2, "Core", 4)))
    with pytest.raises(MaskError, match=r"1 'Edema' \(16 voxels\), 2 'Core' \(16 voxels\).*--label"):
        find_hole(mask, IMAGE)
    assert find_hole(mask, IMAGE, labels=["core"])[0].box[2] == slice(4, 8)
    assert find_hole(mask, IMAGE, labels=[1])[0].box[2] == slice(2, 6)
    assert find_hole(mask, IMAGE, labels=["all"])[0].count() == 24
    with pytest.raises(MaskError, match="no segment 'co'; its segments are: 1 'Edema'"):
        find_hole(mask, IMAGE, labels=["co"])


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


@pytest.mark.parametrize("label", [1.5, None, float("nan"), [1]])
def test_a_label_that_is_no_number_and_no_name_is_refused(label):
    with pytest.raises(ParameterError, match="whole number or a name"):
        mi.inpaint(np.zeros((8, 8)), np.eye(8), labels=[label])


def test_without_a_mask_and_without_missing_slices_there_is_nothing_to_fill():
    with pytest.raises(MaskError, match="lacks no slices"):
        mi.inpaint(np.random.default_rng(0).normal(size=(8, 8, 8)), None, fill_missing_slices=True)
