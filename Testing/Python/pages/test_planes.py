"""Planes: letters say where things are, whichever way a volume is stored."""

import itertools

import numpy as np
import pytest

from MedInpaintLib.pages.planes import around, is_oblique, planes_of
from MedInpaintLib.volume import Volume

#: Where something is that a picture shows at a letter, in LPS.
TOWARDS = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
SIGNED = [
    np.eye(3)[:, list(order)] * signs
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


def volume(direction, shape=(7, 9, 11), spacing=(1.0, 1.0, 1.0)):
    return Volume(np.zeros(shape), spacing, (5.0, 6.0, 7.0), tuple(np.ravel(direction).tolist()))


def index_of(image, point):
    """Return the [k, j, i] of a position in LPS, by solving for it."""
    steps = np.reshape(image.direction, (3, 3)) @ np.diag(image.spacing[::-1])
    return tuple(int(each) for each in np.rint(np.linalg.solve(steps, point - np.array(image.origin)))[::-1])


def middle_of(image):
    ijk = (np.array(image.array.shape[::-1]) - 1) / 2
    return np.reshape(image.direction, (3, 3)) @ np.diag(image.spacing[::-1]) @ ijk + np.array(image.origin)


def shown(plane, image, array):
    index = tuple((size - 1) // 2 for size in array.shape)
    everything = tuple(slice(0, size) for size in array.shape)
    return plane.turned(array[plane.section(everything, index)])


@pytest.mark.parametrize("direction", SIGNED)
def test_what_lies_towards_a_letter_is_shown_at_it(direction):
    image = volume(direction)
    planes = planes_of(image)
    assert {plane.name for plane in planes} == {"axial", "coronal", "sagittal"}
    for plane in planes:
        for side, letter in enumerate(plane.letters):
            array = np.zeros(image.array.shape)
            array[index_of(image, middle_of(image) + 3.0 * np.array(TOWARDS[letter]))] = 1
            picture = shown(plane, image, array)
            row, column = np.argwhere(picture)[0] - (np.array(picture.shape) - 1) / 2
            assert [row < 0, column > 0, row > 0, column < 0] == [number == side for number in range(4)]


def test_radiology_shows_the_left_at_the_right_and_the_front_above():
    letters = {plane.name: plane.letters for plane in planes_of(volume(np.eye(3)))}
    assert letters == {"axial": tuple("ALPR"), "coronal": tuple("SLIR"), "sagittal": tuple("SPIA")}


def test_of_an_oblique_volume_the_nearest_directions_are_named():
    angle = np.radians(25)
    turned = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    assert [plane.letters for plane in planes_of(volume(turned))] == [
        plane.letters for plane in planes_of(volume(np.eye(3)))
    ]
    assert is_oblique(volume(turned))
    assert not is_oblique(volume(np.eye(3)[:, [2, 0, 1]]))


def test_where_nothing_tells_how_an_image_lies_there_are_no_letters_and_nothing_is_turned():
    image = Volume(np.arange(60.0).reshape(3, 4, 5), (1.0,) * 3)
    planes = planes_of(image)
    assert [plane.name for plane in planes] == ["across k", "across j", "across i"]
    assert {plane.letters for plane in planes} == {None}
    np.testing.assert_array_equal(shown(planes[0], image, image.array), image.array[1])


@pytest.mark.parametrize(("shape", "count"), [((1, 8, 8), 1), ((8, 1, 8), 1), ((8, 8, 2), 3), ((1, 1, 8), 0)])
def test_only_planes_with_more_than_a_line_are_shown(shape, count):
    assert len(planes_of(Volume(np.zeros(shape), (1.0,) * 3))) == count


def test_the_plane_in_which_thick_slices_were_taken_comes_first():
    image = volume(np.eye(3), spacing=(1.0, 6.0, 1.0))  # j runs from front to back
    assert planes_of(image)[0].name == "coronal"


@pytest.mark.parametrize("direction", SIGNED[::7])
def test_the_place_of_a_box_is_where_its_voxels_are_shown(direction):
    image = volume(direction, (20, 24, 30))
    whole = tuple(slice(0, size) for size in image.array.shape)
    inner = (slice(2, 12), slice(9, 14), slice(1, 25))
    marks = np.zeros(image.array.shape, bool)
    marks[inner] = True
    for plane in planes_of(image):
        picture = shown(plane, image, marks)
        left, top, wide, tall = plane.place(inner, whole)
        rows, columns = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
        assert (rows[0], columns[0]) == (round(top * picture.shape[0]), round(left * picture.shape[1]))
        assert (len(rows), len(columns)) == (round(tall * picture.shape[0]), round(wide * picture.shape[1]))


def test_as_many_mm_are_shown_around_a_part_along_each_axis_and_all_of_it_at_the_border():
    image = volume(np.eye(3), (40, 200, 200), (5.0, 1.0, 1.0))
    shown_box = around((slice(10, 12), slice(90, 120), slice(100, 110)), image)
    assert [side.stop - side.start for side in shown_box] == [12, 60, 60]
    at_border = around((slice(0, 2), slice(190, 200), slice(0, 3)), image)
    assert [side.stop - side.start for side in at_border] == [8, 40, 40]
    assert (at_border[0].start, at_border[1].stop, at_border[2].start) == (0, 200, 0)
    long = around((slice(0, 40), slice(0, 4), slice(0, 4)), image)
    assert long[0] == slice(0, 40)
