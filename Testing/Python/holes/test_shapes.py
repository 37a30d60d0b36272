"""What each shape of hole looks like."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib.holes import Blobs, Grid, Length, Lesions, Spheres, Squares, Strips, Strokes, parse
from MedInpaintLib.volume import Volume

FLAT = Grid((256, 256), (1.0, 1.0))
VOLUME = Grid((60, 80, 100), (2.5, 1.0, 0.8))


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def extent_mm(stencil, spacing):
    return tuple(size * mm for size, mm in zip(stencil.shape, spacing, strict=True))


# spheres


@pytest.mark.parametrize("spacing", [(1, 1, 1), (0.5, 0.9, 3.3), (2.5, 0.7, 0.7)])
def test_a_sphere_is_all_voxels_within_half_a_diameter_whatever_the_spacing(rng, spacing):
    stencil = Spheres(Length(20, "mm")).draw(Grid((99, 99, 99), spacing), rng)
    centre = np.array(stencil.shape) // 2
    for index in np.ndindex(stencil.shape):
        squared = sum(((x - c) * mm) ** 2 for x, c, mm in zip(index, centre, spacing, strict=True))
        assert stencil[index] == (squared <= 100 + 1e-6)
    assert all(size % 2 for size in stencil.shape)


def test_a_sphere_has_the_volume_of_a_ball(rng):
    stencil = parse("spheres:40mm").draw(Grid((99, 99, 99), (0.5, 1.0, 1.0)), rng)
    assert stencil.sum() * 0.5 == pytest.approx(4 / 3 * math.pi * 20**3, rel=0.01)


def test_in_two_dimensions_a_sphere_is_a_disc(rng):
    stencil = parse("spheres:30px").draw(FLAT, rng)
    assert stencil.sum() == pytest.approx(math.pi * 15**2, rel=0.01)


def test_a_sphere_in_voxels_does_not_look_at_the_spacing(rng):
    assert parse("spheres:9px").draw(VOLUME, rng).shape == (9, 9, 9)


def test_a_sphere_smaller_than_a_voxel_is_one_voxel(rng):
    assert parse("spheres:1mm").draw(Grid((9, 9, 9), (5, 5, 5)), rng).sum() == 1


# squares


def test_a_square_in_pixels_has_that_many(rng):
    assert parse("squares:32px").draw(FLAT, rng).shape == (32, 32)


def test_a_square_in_mm_is_square_in_the_patient(rng):
    assert parse("squares:20mm").draw(VOLUME, rng).shape == (1, 20, 25)


@pytest.mark.parametrize(("slab", "slices"), [("", 1), (":slab=5mm", 2), (":slab=3px", 3), (":slab=all", 60)])
def test_in_a_volume_a_square_lies_on_one_slice_or_on_its_slab(rng, slab, slices):
    assert parse(f"squares:8px:1{slab}").draw(VOLUME, rng).shape == (slices, 8, 8)


# strips


def test_strips_run_across_the_slice(rng):
    assert parse("strips:16px").draw(FLAT, rng).shape == (16, 256)
    assert parse("strips:16px:2:vertical").draw(FLAT, rng).shape == (256, 16)
    assert parse("strips:4mm:2:vertical").draw(VOLUME, rng).shape == (1, 80, 5)


def test_strips_in_both_orientations_come_in_both(rng):
    shapes = {parse("strips:16px:2:both").draw(FLAT, rng).shape for _ in range(20)}
    assert shapes == {(16, 256), (256, 16)}


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_half_of_mixed_strips_are_rows_and_half_columns_and_an_odd_one_is_either(rng, count):
    strips = parse(f"strips:16px:{count}:mixed")
    rows = {sum(strips.draw(FLAT, rng, number).shape == (16, 256) for number in range(1, count + 1)) for _ in range(40)}
    assert rows == ({count // 2, count // 2 + 1} if count % 2 else {count // 2})


# strokes


def test_a_stroke_is_connected_and_no_thinner_than_its_brush(rng):
    for _ in range(20):
        stencil = parse("strokes:10-24px").draw(FLAT, rng)
        padded = np.pad(stencil, 12)
        assert ndimage.label(padded, structure=np.ones((3, 3)))[1] == 1
        # Cut at the slice's edges a stroke may be thinner, but somewhere a disc of the thin brush fits in.
        assert ndimage.distance_transform_edt(padded).max() >= 4.5


def test_a_stroke_is_every_pixel_within_half_a_brush_of_its_line():
    """Against a literal distance to densely sampled points of the same segment."""
    from MedInpaintLib.holes.strokes import _paint

    plane = np.zeros((40, 50), dtype=bool)
    start, stop, steps, radius = np.array([8.3, 5.6]), np.array([30.2, 41.1]), np.array([1.0, 0.8]), 4.0
    _paint(plane, start, stop, steps, radius)
    points = (start + (stop - start) * np.linspace(0, 1, 5000)[:, None]) * steps
    for pixel in np.ndindex(plane.shape):
        distance = np.sqrt(((np.array(pixel) * steps - points) ** 2).sum(axis=1)).min()
        if abs(distance - radius) > 1e-3:
            assert plane[pixel] == (distance < radius), pixel


def test_strokes_have_the_statistics_they_are_asked_for(rng):
    """With one vertex a stroke is a segment of uniform length, and as wide as its brush."""
    shape = Strokes(Length(2, "px"), Length(6, "px"), length=Length(50, "px"), vertices=1)
    sizes = [max(shape.draw(FLAT, rng).shape) for _ in range(300)]
    assert max(sizes) <= 50 + 6 + 2
    assert 18 < np.mean(sizes) < 30


def test_a_stroke_thinner_than_a_pixel_is_not_empty(rng):
    for _ in range(20):
        assert parse("strokes:1mm").draw(Grid((20, 20), (5.0, 5.0)), rng).any()


# blobs


@pytest.mark.parametrize("grid", [FLAT, VOLUME])
def test_a_blob_has_the_volume_of_its_ball_to_the_voxel(rng, grid):
    ball = math.pi * 7.5**2 if len(grid.shape) == 2 else 4 / 3 * math.pi * 7.5**3
    for _ in range(5):
        assert Blobs(Length(15, "mm")).draw(grid, rng).sum() == round(ball / math.prod(grid.spacing))


@pytest.mark.parametrize("grid", [FLAT, VOLUME])
def test_a_blob_is_one_piece_without_holes_in_it(rng, grid):
    for _ in range(10):
        stencil = Blobs(Length(25, "mm")).draw(grid, rng)
        assert ndimage.label(stencil)[1] == 1
        assert (ndimage.binary_fill_holes(stencil) == stencil).all()


def test_blobs_differ_from_each_other_and_from_balls(rng):
    first, second = (Blobs(Length(40, "px")).draw(FLAT, rng) for _ in range(2))
    assert first.shape != second.shape or (first != second).any()
    assert first.sum() < 0.9 * math.pi / 4 * max(first.shape) ** 2


def test_a_blob_smaller_than_a_voxel_is_one_voxel(rng):
    assert parse("blobs:1mm").draw(Grid((9, 9, 9), (5, 5, 5)), rng).sum() == 1


# lesions


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 0.8), (1.0, 1.0, 1.0), (4.0, 0.8, 1.1)])
@pytest.mark.parametrize("diameter", [3, 9, 16])
def test_a_lesion_is_one_piece_with_the_volume_of_its_ball_to_the_voxel(rng, spacing, diameter):
    flat = len(spacing) == 2
    ball = math.pi / 4 * diameter**2 if flat else math.pi / 6 * diameter**3
    for _ in range(10):
        stencil = Lesions(Length(diameter, "mm")).draw(Grid((99, 99, 99)[: len(spacing)], spacing), rng)
        assert stencil.sum() == max(1, round(ball / math.prod(spacing)))
        assert ndimage.label(stencil)[1] == 1


def test_a_lesion_smaller_than_a_voxel_is_one_voxel(rng):
    assert parse("lesions:1mm").draw(Grid((9, 9, 9), (5, 5, 5)), rng).sum() == 1


@pytest.mark.parametrize("grid", [FLAT, VOLUME])
def test_lesions_differ_from_each_other_and_come_again_with_the_same_chance(grid):
    lesions = Lesions(Length(20, "mm"))
    drawn = [lesions.draw(grid, np.random.default_rng(seed)) for seed in range(30)]
    assert len({(stencil.shape, stencil.tobytes()) for stencil in drawn}) == 30
    again = lesions.draw(grid, np.random.default_rng(7))
    assert again.shape == drawn[7].shape
    assert (again == drawn[7]).all()


def test_lesions_are_less_round_than_balls_and_lie_in_every_direction(rng):
    """Moments in mm, on voxels three times as long as wide: a shape drawn in voxels would lie along the first axis."""
    grid = Grid((60, 99, 99), (3.0, 1.0, 1.0))
    longest = []
    for _ in range(60):
        points = np.argwhere(parse("lesions:20mm").draw(grid, rng)) * grid.spacing
        values, vectors = np.linalg.eigh(np.cov(points.T))
        assert values[-1] > 1.1 * 10**2 / 5  # of a ball: radius squared over 5
        longest.append(np.abs(vectors[:, -1]))
    # Of a uniformly random direction each component is 1/2 on average.
    assert np.mean(longest, axis=0) == pytest.approx(0.5, abs=0.12)


def test_lesions_are_deformed_anew_each_time(tmp_path, rng):
    """From a mask with one lesion, a box of 8 x 8 x 8: what differs is its pose and how it is bent."""
    mask = np.zeros((20, 20, 20), dtype=np.uint8)
    mask[6:14, 6:14, 6:14] = 1
    Volume(mask, (1.0, 1.0, 1.0)).write(tmp_path / "box.nii.gz")
    lesions = Lesions(Length(20, "mm"), source=str(tmp_path / "box.nii.gz"))
    stretches = []
    for _ in range(20):
        stencil = lesions.draw(Grid((99, 99, 99), (1.0, 1.0, 1.0)), rng)
        values = np.linalg.eigvalsh(np.cov(np.argwhere(stencil).T))
        stretches.append(math.sqrt(values[-1] / values[0]))
    assert 1.05 < min(stretches) < 1.3 < max(stretches) < 2.5


def test_the_lesions_of_a_mask_of_ones_own_can_be_drawn(tmp_path, rng):
    """A rod of 4 x 4 x 40 voxels, 40 mm long: what is drawn is about as long for its volume."""
    mask = np.zeros((10, 10, 50), dtype=np.uint8)
    mask[3:7, 3:7, 5:45] = 3
    Volume(mask, (1.0, 1.0, 1.0)).write(tmp_path / "rod.nii.gz")
    for _ in range(5):
        stencil = parse(f"lesions:10mm:from={tmp_path / 'rod.nii.gz'}").draw(Grid((99, 99, 99), (1.0, 1.0, 1.0)), rng)
        values = np.linalg.eigvalsh(np.cov(np.argwhere(stencil).T))
        assert values[-1] > 15 * values[0]


# lengths in percent


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        ("squares:1/8", (32, 32)),
        ("squares:1/6", (43, 43)),
        ("strips:1/10", (26, 300)),
        ("strips:1/12:1:vertical", (256, 21)),
        ("spheres:25%", (65, 65)),
    ],
)
def test_a_length_in_percent_is_of_the_shorter_side(rng, spec, shape):
    assert parse(spec).draw(Grid((256, 300), (1.0, 1.0)), rng).shape == shape


def test_a_length_in_percent_is_of_the_slices_side_in_mm(rng):
    grid = Grid((30, 200, 200), (5.0, 0.5, 1.0))  # the shorter side of a slice is its rows' 100 mm
    assert parse("squares:1/10:slab=20%").draw(grid, rng).shape == (4, 20, 10)
    assert parse("spheres:20%").draw(grid, rng).shape == parse("spheres:20mm").draw(grid, rng).shape
    assert parse("blobs:20%").draw(grid, rng).sum() == parse("blobs:20mm").draw(grid, rng).sum()
    assert parse("lesions:20%").draw(grid, rng).sum() == parse("lesions:20mm").draw(grid, rng).sum()


def test_the_strokes_of_a_smaller_image_are_as_much_smaller(rng):
    strokes = Strokes(Length(4, "%"), Length(4, "%"), length=Length(30, "%"), vertices=1)
    sizes = [[max(strokes.draw(Grid((n, n), (1.0, 1.0)), rng).shape) for _ in range(300)] for n in (100, 400)]
    assert np.mean(sizes[1]) == pytest.approx(4 * np.mean(sizes[0]), rel=0.1)


def test_half_a_voxel_goes_up_whatever_rounding_left_of_it(rng):
    for side in (78, 102, 126, 258):
        assert parse("squares:1/12").draw(Grid((side, side), (0.7, 0.7)), rng).shape == ((side + 6) // 12,) * 2


def test_every_stencil_is_cut_to_its_voxels(rng):
    for shape in (
        Spheres(Length(9, "mm")),
        Squares(Length(9, "px")),
        Strips(Length(3, "px")),
        Blobs(Length(9, "mm")),
        Lesions(Length(9, "mm")),
    ):
        stencil = shape.draw(VOLUME, rng)
        for axis in range(3):
            faces = np.moveaxis(stencil, axis, 0)
            assert faces[0].any()
            assert faces[-1].any()
