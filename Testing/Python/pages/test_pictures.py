"""Pictures of pages: PNG files that any reader reads, windows of what is known, and outlines."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from MedInpaintLib.mask import Hole
from MedInpaintLib.pages import png
from MedInpaintLib.pages.pictures import COLOURS, Window, outline, spread_uri
from MedInpaintLib.volume import Volume


def opened(content):
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 3), (64, 65)])
def test_a_grey_picture_is_read_as_it_was_written(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    picture = opened(png.grey(pixels))
    assert picture.mode == "L"
    np.testing.assert_array_equal(np.asarray(picture), pixels)


def test_one_grey_value_can_be_see_through():
    pixels = np.array([[0, 1], [2, 0]], dtype=np.uint8)
    opacity = np.asarray(opened(png.grey(pixels, transparent=0)).convert("RGBA"))[..., 3]
    np.testing.assert_array_equal(opacity, [[0, 255], [255, 0]])


def test_other_arrays_are_no_pictures():
    for pixels in (np.zeros((2, 2)), np.zeros(4, np.uint8)):
        with pytest.raises(ValueError, match="uint8 and 2-D"):
            png.grey(pixels)


def test_uncertainty_has_the_first_colour_at_zero_the_last_at_most_and_none_outside_the_hole():
    uri = spread_uri(np.array([[0.0, 5.0, 10.0, 99.0, 5.0]]), np.array([[True, True, True, True, False]]), 10.0)
    content = base64.b64decode(uri.split(",")[1])
    colours = np.asarray(opened(content).convert("RGBA"))[0]
    assert tuple(colours[0]) == (*COLOURS[0], 255)
    assert tuple(colours[1]) == (*COLOURS[2], 255)
    assert tuple(colours[2]) == tuple(colours[3]) == (*COLOURS[-1], 255)
    assert colours[4][3] == 0


def test_what_the_hole_hides_has_no_part_in_the_window():
    values = np.random.default_rng(0).integers(100, 900, (12, 14, 16)).astype(np.float32)
    box = (slice(4, 8),) * 3
    hole = Hole(np.ones((4, 4, 4), bool), box, values.shape)
    windows = []
    for hidden in (0, 1e9, np.nan):
        values[box] = hidden
        windows.append(Window.of(Volume(values.copy(), (1.0,) * 3), hole, None, "MR"))
    assert windows[0] == windows[1] == windows[2]
    assert 850 < windows[0].white < 900


def test_of_nothing_known_there_is_a_window_too():
    hole = Hole(np.ones((3, 3), bool), (slice(0, 3),) * 2, (3, 3))
    assert Window.of(Volume(np.zeros((3, 3)), (1.0, 1.0)), hole, None, "MR") == Window(0.0, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_an_outline_goes_between_all_pixels_that_differ_and_nowhere_else(seed):
    hole = np.random.default_rng(seed).random((9, 11)) < 0.4
    padded = np.pad(hole, 1)
    expected = {("H", c, r) for r in range(10) for c in range(11) if padded[r, c + 1] != padded[r + 1, c + 1]}
    expected |= {("V", c, r) for r in range(9) for c in range(12) if padded[r + 1, c] != padded[r + 1, c + 1]}
    drawn = []
    for column, row, way, stop in re.findall(r"M(\d+) (\d+)([HV])(\d+)", outline(hole)):
        column, row, stop = int(column), int(row), int(stop)
        if way == "H":
            drawn += [("H", each, row) for each in range(column, stop)]
        else:
            drawn += [("V", column, each) for each in range(row, stop)]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == expected
