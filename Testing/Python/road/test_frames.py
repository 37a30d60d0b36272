"""Frames against SimpleITK's orientations, against images that say where each pixel is from, and there and back."""

import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib.frames import PLANES, cut, pose, sample
from MedInpaintLib.intensity import Scaling
from MedInpaintLib.mask import Hole, bounding_box, grow
from MedInpaintLib.region import crop
from MedInpaintLib.subject import Subject

#: What SimpleITK calls a volume whose (i, j, k) are columns, rows and slices of a plane.
CODES = {"axial": "LPS", "coronal": "LIP", "sagittal": "PIL"}
#: The axis of LPS along which the slices of a plane follow each other.
ACROSS = {"axial": 2, "coronal": 1, "sagittal": 0}


def directions():
    """All 48 ways in which the axes of a volume can follow those of the patient."""
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            yield tuple((np.eye(3)[:, order] * signs).ravel())


DIRECTIONS = st.sampled_from(list(directions()))


def region_of(image, hole, margin=2):
    """The region around the whole hole, in the image's own intensities."""
    volume = image if isinstance(image, mi.Volume) else mi.Volume(image, 1.0)
    box = bounding_box(hole)
    subject = Subject(volume, Hole(hole[box], box, hole.shape), Scaling(0.0, 1.0))
    return crop(subject, grow(box, [margin] * hole.ndim, hole.shape))


def whereabouts(shape):
    """An image whose voxels hold their own number."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@st.composite
def damaged(draw):
    """A volume or an image, and a hole: inside, at a corner, thin, in parts, or larger than a frame of 16 pixels."""
    shape = draw(st.sampled_from([(9, 12, 14), (20, 45, 30), (1, 20, 18), (14, 20, 1), (22, 40), (16, 16)]))
    kind = draw(st.sampled_from(["inside", "corner", "thin", "parts", "large"]))
    middle = [size // 2 for size in shape]
    reach = {"inside": 2, "thin": 1, "large": 30}.get(kind, 2)
    hole = np.zeros(shape, bool)
    hole[tuple(slice(max(0, at - reach), at + reach) for at in middle)] = True
    if kind == "corner":
        hole = np.roll(hole, [reach - at for at in middle], axis=range(len(shape)))
    if kind == "parts":
        hole |= np.roll(hole, [size // 3 for size in shape], axis=range(len(shape)))
    hole.flat[-1] = False
    return shape, hole


@given(plane=st.sampled_from(list(PLANES)), direction=DIRECTIONS, tilt=st.floats(-0.3, 0.3), seed=st.integers(0, 99))
def test_a_pose_is_that_of_simpleitk(plane, direction, tilt, seed):
    array = np.random.default_rng(seed).random((4, 5, 6))
    c, s = np.cos(tilt), np.sin(tilt)
    turned = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.reshape(direction, (3, 3))
    volume = mi.Volume(array, (1.0, 2.0, 3.0), (), tuple(turned.ravel()))
    expected = sitk.GetArrayFromImage(sitk.DICOMOrient(volume.to_sitk(), CODES[plane]))
    found = pose(volume, plane)
    np.testing.assert_array_equal(found.turn(array), expected)
    np.testing.assert_array_equal(found.back(found.turn(array)), array)


@given(case=damaged(), plane=st.sampled_from(list(PLANES)), direction=DIRECTIONS, seed=st.integers(0, 99))
def test_cutting_and_laying_back_changes_nothing_when_pixels_are_voxels(case, plane, direction, seed):
    shape, hole = case
    rng = np.random.default_rng(seed)
    image = mi.Volume(rng.random(shape).astype(np.float32), 1.0, (), direction if len(shape) == 3 else ())
    region = region_of(image, hole)
    filled = rng.random(region.values.shape).astype(np.float32)
    frames = cut(region, filled, pixels=16, pixel_mm=1.0, plane=plane)
    back = frames.back(frames.values)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, np.where(region.hole, filled, region.values), atol=1e-6)
    # What is not the hole's comes from the image in any case; the hole itself must come from the frames.
    marked = frames.back(np.full_like(frames.values, 7.0))
    np.testing.assert_allclose(marked[region.hole], 7.0, rtol=1e-6)


@given(
    case=damaged(),
    plane=st.sampled_from(list(PLANES)),
    direction=DIRECTIONS,
    pixel_mm=st.sampled_from([1.0, 1.7]),
    cut_off=st.integers(0, 3),
)
def test_another_array_of_the_same_grid_is_shown_in_the_same_frames(case, plane, direction, pixel_mm, cut_off):
    shape, hole = case
    image = np.random.default_rng(0).random(shape, np.float32)
    volume = mi.Volume(image, 1.0, (), direction if len(shape) == 3 else ())
    region = region_of(volume, hole)
    whole = region.subject.squeeze(image)
    frames = cut(region, whole[region.place], pixels=16, pixel_mm=pixel_mm, plane=plane)
    everywhere = tuple(slice(0, size) for size in whole.shape)
    np.testing.assert_allclose(frames.show(whole, everywhere), frames.values, atol=1e-5)
    # Of a part of the grid: the same, but for what lies beyond it.
    part = tuple(slice(min(cut_off, size - 2), size) for size in whole.shape)
    if pixel_mm == 1.0:  # larger pixels are of smoothed voxels, and so of what lies beyond, too
        marked = np.zeros_like(whole)
        marked[part] = 1.0
        inside = frames.show(np.ones_like(whole[part]), part, outside=0.0) > 0.999
        assert (inside == (frames.show(marked, everywhere, outside=0.0) > 0.999)).all()
        np.testing.assert_allclose(frames.show(whole[part], part)[inside], frames.values[inside], atol=1e-5)


@given(case=damaged(), plane=st.sampled_from(list(PLANES)), direction=DIRECTIONS, thick=st.sampled_from([1.0, 5.0]))
def test_every_pixel_is_the_voxel_that_it_should_be_and_known_unless_in_the_hole(case, plane, direction, thick):
    shape, hole = case
    image = whereabouts(shape)
    if shape.count(1) == 1:
        # A volume of one slice is seen in the plane of that slice, whichever plane is asked for.
        lps = int(np.abs(np.reshape(direction, (3, 3))[:, 2 - shape.index(1)]).argmax())
        seen = next(name for name, axis in ACROSS.items() if axis == lps)
    else:
        seen = plane
    if len(shape) == 3:
        across = int(np.abs(np.reshape(direction, (3, 3))[ACROSS[seen]]).argmax())  # of i, j, k
        spacing = tuple(thick if 2 - axis == across else 1.0 for axis in range(3))
        volume = mi.Volume(image, spacing, (), direction)
        numbers = sitk.GetArrayFromImage(sitk.DICOMOrient(volume.to_sitk(), CODES[seen]))
    else:
        volume, numbers = mi.Volume(image, 1.0), image[np.newaxis]
    region = region_of(volume, hole)
    frames = cut(region, -np.ones(region.values.shape, np.float32), pixels=16, pixel_mm=1.0, plane=plane)
    holes = hole.ravel()[numbers.astype(int)]
    near = ndimage.binary_dilation(holes.any(axis=(1, 2)))
    first = np.flatnonzero(near)[0] - frames.slices.min()  # of the region, in the whole picture
    assert {first + at for at in frames.slices} == set(np.flatnonzero(near))
    assert not (frames.values[frames.known] < 0).any()
    for values, known, at in zip(frames.values, frames.known, frames.slices, strict=True):
        if not known.any():
            continue
        picture, pixel = numbers[first + at], np.argwhere(known)[0]
        row, column = np.argwhere(picture == values[tuple(pixel)])[0]
        rows, columns = np.arange(16) - pixel[0] + row, np.arange(16) - pixel[1] + column
        inside = np.outer((rows >= 0) & (rows < picture.shape[0]), (columns >= 0) & (columns < picture.shape[1]))
        there = np.ix_(np.clip(rows, 0, picture.shape[0] - 1), np.clip(columns, 0, picture.shape[1] - 1))
        np.testing.assert_array_equal(known, inside & ~holes[first + at][there])
        np.testing.assert_array_equal(values, np.where(holes[first + at][there], -1, picture[there]))


@pytest.mark.parametrize("code", ["LPS", "RAS", "LIP", "PIL", "SRA", "IAL"])
def test_the_storage_order_of_a_volume_does_not_change_its_frames(code):
    rng = np.random.default_rng(0)
    hole = np.zeros((10, 30, 26), np.uint8)
    hole[4:7, 12:19, 9:14] = 1
    volume = mi.Volume(rng.random(hole.shape).astype(np.float32), (3.0, 1.0, 1.0))

    def frames(code):
        image, mask = (
            mi.Volume.from_sitk(sitk.DICOMOrient(each.to_sitk(), code)) for each in (volume, volume.with_array(hole))
        )
        region = region_of(image, mask.array > 0)
        return cut(region, np.zeros(region.values.shape, np.float32), pixels=16, pixel_mm=1.5, plane="axial")

    expected, found = frames("LPS"), frames(code)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-5)
    np.testing.assert_array_equal(found.known, expected.known)
    np.testing.assert_array_equal(found.slices, expected.slices)


@pytest.mark.parametrize("outside", [None, -3.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, bool])
def test_whole_voxels_are_sampled_as_between_voxels(outside, dtype):
    stack = (np.random.default_rng(0).normal(size=(3, 9, 11)) * 100).astype(dtype)
    rows, columns = np.arange(-4.0, 13.0), np.arange(-2.0, 14.0)
    sampled = sample(stack, rows, columns, (1.0, 1.0), outside=outside)
    mode = "nearest" if outside is None else "constant"
    for plane, shown in zip(stack, sampled, strict=True):
        grid = np.meshgrid(rows, columns, indexing="ij")
        expected = ndimage.map_coordinates(plane.astype(np.float64), grid, order=1, mode=mode, cval=outside or 0.0)
        assert (shown == expected.astype(np.float32)).all()


@given(pixel_mm=st.sampled_from([0.4, 0.7, 1.0, 1.5, 2.0, 3.3]), seed=st.integers(0, 99))
def test_known_pixels_hold_nothing_of_what_is_under_the_hole(pixel_mm, seed):
    rng = np.random.default_rng(seed)
    image = rng.random((3, 40, 36)).astype(np.float32)
    hole = ndimage.binary_dilation(rng.random(image.shape) < 0.002)
    hole[1, 20, 18] = True
    region = region_of(image, hole)
    first, second = (
        cut(region, np.full(region.values.shape, value, np.float32), pixels=16, pixel_mm=pixel_mm) for value in (0, 1)
    )
    np.testing.assert_array_equal(first.outside_hole, second.outside_hole)
    assert np.abs(first.values - second.values)[first.outside_hole].max() < 2e-3
    assert first.known.any()


@pytest.mark.parametrize("pixel_mm", [1.0, 1.6])
@pytest.mark.parametrize("corner", list(itertools.product((0, 16, 32), repeat=2)))
def test_of_a_hole_at_the_border_what_goes_on_beyond_it_is_not_settled(corner, pixel_mm):
    image, hole = whereabouts((40, 40)), np.zeros((40, 40), bool)
    hole[corner[0] : corner[0] + 8, corner[1] : corner[1] + 8] = True
    region = region_of(image, hole)
    first, second = (
        cut(region, np.full(region.values.shape, value, np.float32), pixels=24, pixel_mm=pixel_mm) for value in (0, 1e4)
    )
    changed = first.values != second.values
    assert changed.any()
    assert np.abs(first.values - second.values)[first.outside_hole].max() < 20  # of 10000: rounding of what is smoothed
    assert (first.known == first.outside_hole & first.inside).all()


def test_what_was_under_the_hole_never_matters():
    image = np.random.default_rng(0).random((6, 30, 30)).astype(np.float32)
    hole = np.zeros(image.shape, bool)
    hole[2:4, 10:18, 10:18] = True
    hole[3, 24:26, 24:26] = True
    spoiled = np.where(hole, np.nan, image)
    for damage in (hole, np.where(np.indices(hole.shape)[1] < 20, hole, False)):
        # A region of one part only: what the frames see of the other part is hidden all the same.
        frames = []
        for each in (image, spoiled):
            subject = region_of(each, hole).subject
            region = crop(subject, grow(bounding_box(damage), [2] * 3, hole.shape))
            filled = np.full(region.values.shape, 0.5, np.float32)
            frames.append(cut(region, filled, pixels=16, pixel_mm=1.5))
        assert np.isfinite(frames[1].values).all()
        np.testing.assert_array_equal(frames[0].values, frames[1].values)


@pytest.mark.parametrize("shape", [(4, 60, 60), (70, 60)])
def test_smooth_images_survive_coarser_pixels(shape):
    rows, columns = np.indices(shape)[-2:]
    image = (np.sin(rows / 5) * np.cos(columns / 6)).astype(np.float32)
    hole = np.zeros(shape, bool)
    hole[..., 25:35, 25:35] = True
    region = region_of(image, hole, 6)
    truth = image[region.box]
    frames = cut(region, truth, pixels=32, pixel_mm=1.5)
    assert np.abs(frames.back(frames.values) - truth).max() < 0.03


@pytest.mark.parametrize(("size", "tiles"), [(7, 1), (8, 1), (9, 4), (40, 25)])
def test_a_hole_gets_as_many_frames_as_it_takes_to_lie_in_their_middles(size, tiles):
    image, hole = np.zeros((80, 80), np.float32), np.zeros((80, 80), bool)
    hole[20 : 20 + size, 20 : 20 + size] = True
    region = region_of(image, hole)
    frames = cut(region, region.values, pixels=16, pixel_mm=1.0)
    assert len(frames.values) == tiles
    assert frames.slices.tolist() == [0] * tiles


def test_overlapping_frames_fade_into_each_other():
    image, hole = np.zeros((40, 80), np.float32), np.zeros((40, 80), bool)
    hole[16:22, 20:60] = True
    region = region_of(image, hole)
    frames = cut(region, region.values, pixels=16, pixel_mm=1.0)
    levels = np.arange(len(frames.values), dtype=np.float32)
    line = frames.back(np.broadcast_to(levels[:, None, None], frames.values.shape))[4, 2:42]
    assert len(levels) == 5
    assert (np.diff(line) >= 0).all()
    assert np.diff(line).max() < 0.3
    assert (line[0], line[-1]) == (0, 4)


@pytest.mark.parametrize("thick", [1.0, 2.0, 2.5, 5.0, 6.0])
@pytest.mark.parametrize("where", [1, 20, 38])
def test_a_stack_has_slices_as_far_apart_as_asked_for_or_as_they_lie(thick, where):
    """Nothing is taken twice but at the ends of the image, however thick slices are."""
    shape = (40, 16, 16)
    hole = np.zeros(shape, bool)
    hole[max(0, where - 2) : where + 2, 6:9, 7:10] = True
    region = region_of(mi.Volume(whereabouts(shape), (thick, 1.0, 1.0)), hole)
    frames = cut(region, np.zeros_like(region.values), pixels=16, pixel_mm=1.0, slices=7, slice_mm=3.0)
    step = max(1, round(3.0 / thick))
    first = region.box[0].start
    for frame in np.flatnonzero(~frames.outside_hole.all(axis=(1, 2))):
        own = frames.slices[frame] + first
        expected = np.clip(own + step * np.arange(-3, 4), 0, 39)
        assert (frames.slices[frames.stacks[frame]] + first == expected).all()
        for each, at in zip(frames.stacks[frame], expected, strict=True):
            assert (frames.values[each][frames.known[each]] // (16 * 16) == at).all()


def test_each_tile_has_whole_stacks_of_all_that_it_shows_of_the_hole():
    shape = (40, 16, 60)
    hole = np.zeros(shape, bool)
    hole[4:8, 6:9, 14:18] = True
    hole[30:34, 6:9, 24:28] = True
    region = region_of(mi.Volume(whereabouts(shape), 1.0), hole)
    frames = cut(region, np.zeros_like(region.values), pixels=24, pixel_mm=1.0, slices=7, slice_mm=3.0)
    first = region.box[0].start
    assert len(np.unique(frames.tiles)) == 2
    assert set(frames.with_hole) == set(np.flatnonzero(~frames.outside_hole.all(axis=(1, 2))))
    for tile in (0, 1):
        shown = frames.with_hole[frames.tiles[frames.with_hole] == tile]
        assert {*(frames.slices[shown] + first)} == {*range(4, 8), *range(30, 34)}
    for frame in frames.with_hole:
        expected = np.clip(frames.slices[frame] + first + 3 * np.arange(-3, 4), 0, 39)
        assert (frames.slices[frames.stacks[frame]] + first == expected).all()
        assert (frames.tiles[frames.stacks[frame]] == frames.tiles[frame]).all()


def test_frames_that_show_only_holes_of_other_regions_are_not_wanted():
    hole = np.zeros((24, 30, 30), bool)
    hole[4:7, 10:14, 10:14] = True
    near = np.zeros_like(hole)
    near[8:11, 20:23, 20:23] = True
    subject = region_of(mi.Volume(whereabouts(hole.shape), 1.0), hole | near).subject
    region = crop(subject, grow(bounding_box(hole), [2] * 3, hole.shape))
    frames = cut(region, region.values, pixels=32, pixel_mm=1.0, slices=7)
    assert {*(frames.slices[frames.with_hole] + region.box[0].start)} == {4, 5, 6}
    unsettled = frames.slices[~frames.outside_hole.all(axis=(1, 2))] + region.box[0].start
    assert {8, 9} <= {*unsettled}


def test_only_axial_and_coronal_frames_may_be_mirrored():
    hole = np.zeros((20, 20, 20), bool)
    hole[8:11, 8:11, 8:11] = True
    region = region_of(mi.Volume(whereabouts(hole.shape), 1.0), hole)
    found = {plane: cut(region, region.values, pixels=16, pixel_mm=1.0, plane=plane).symmetric for plane in PLANES}
    assert found == {"axial": True, "coronal": True, "sagittal": False}
