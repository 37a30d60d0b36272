"""Exact-zero backgrounds: what lies outside a stripped head stays 0 inside the hole, too."""

import dataclasses

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib import background
from MedInpaintLib.background import continue_background, zero_voxels
from MedInpaintLib.intensity import Scaling
from MedInpaintLib.mask import Hole, bounding_box
from MedInpaintLib.modality import CT, FILM, MR
from MedInpaintLib.subject import Subject
from MedInpaintLib.zeros import find_outer_zeros

SHAPE, CENTER, RADIUS = (52, 52, 52), (26, 26, 26), 20.0


def distance(shape=SHAPE, center=CENTER):
    """Voxels from a point."""
    grid = np.ogrid[tuple(slice(0, size) for size in shape)]
    return np.sqrt(sum((axis - at) ** 2 for axis, at in zip(grid, center, strict=True)))


def stripped(rim=RADIUS):
    """A head without skull: a ball of tissue in exact zeros."""
    tissue = np.random.default_rng(0).normal(500, 30, SHAPE)
    return np.where(distance() < rim, tissue, 0).astype(np.int16)


def across():
    """A hole across the edge of the head."""
    return distance(center=(26, 26, 45)) < 9


def subject_of(image, hole, modality=MR):
    box = bounding_box(hole)
    return Subject(
        mi.Volume(image, spacing=(1.0,) * image.ndim), Hole(hole[box], box, hole.shape), Scaling(0.0, 1.0), modality
    )


def marked(image, hole, modality=MR):
    return zero_voxels(subject_of(image, hole, modality), tuple(slice(0, size) for size in image.shape), hole)


@pytest.mark.parametrize("method", ["harmonic", "biharmonic", "shell-mean"])
def test_the_background_inside_the_hole_is_zero_and_the_tissue_is_not(method):
    hole = across()
    filled = mi.inpaint(np.where(hole, 77, stripped()), hole, method=method, modality="MR").volume.array
    outside, inside = hole & (distance() > RADIUS + 1.5), hole & (distance() < RADIUS - 1.5)
    assert outside.sum() > 500
    assert not filled[outside].any()
    assert (filled[inside] > 0).all()
    np.testing.assert_array_equal(filled[~hole], stripped()[~hole])


def test_a_background_of_zeros_has_no_uncertainty():
    hole = across()
    result = mi.inpaint(stripped(), hole, method="patch", modality="MR", uncertainty=True)
    spread = result.uncertainty.array
    assert not spread[hole & (distance() > RADIUS + 1.5)].any()
    assert spread[hole & (distance() < RADIUS - 1.5)].all()


def test_what_lies_under_the_hole_never_matters():
    hole = across()
    fills = [
        mi.inpaint(np.where(hole, value, stripped()), hole, method="biharmonic", modality="MR").volume.array
        for value in (0, 500)
    ]
    np.testing.assert_array_equal(*fills)


def test_a_hole_that_was_drawn_up_to_the_edge_keeps_its_tissue():
    hole = across() & (distance() < RADIUS)
    zero = marked(stripped(), hole)
    assert np.count_nonzero(zero & (distance() < RADIUS - 1.5)) == 0
    assert np.count_nonzero(zero) < 0.15 * np.count_nonzero(hole)  # of the layer next to the edge


def test_a_hole_that_lies_in_the_background_is_zero():
    hole = distance(center=(6, 6, 6)) < 4
    assert np.array_equal(marked(stripped(), hole), hole)


def test_coarser_steps_find_the_same_edge(monkeypatch):
    hole = across()
    fine = marked(stripped(), hole)
    monkeypatch.setattr(background, "MOST_VOXELS", 4000)
    coarse = marked(stripped(), hole)
    off = np.abs(distance() - RADIUS)[coarse != fine]
    assert (off < 1.5).all()


def test_a_flat_image_and_thick_slices_have_an_edge_too():
    flat = distance((60, 60), (30, 30))
    hole = distance((60, 60), (30, 52)) < 7
    zero = marked(np.where(flat < 22, 400, 0).astype(np.int16), hole)
    assert not (zero ^ (hole & (flat > 22)))[np.abs(flat - 22) > 1].any()
    grid = np.ogrid[:11, :52, :52]
    thick = np.sqrt(sum((mm * (axis - at)) ** 2 for axis, at, mm in zip(grid, (5, 26, 26), (5, 1, 1), strict=True)))
    hole = np.broadcast_to(distance((52, 52), (26, 46)) < 8, thick.shape) & (np.arange(11) == 5)[:, None, None]
    unknown = continue_background((thick > 21) & ~hole, hole, (5.0, 1.0, 1.0), 3.0)
    assert not (unknown ^ (thick > 21))[hole & (np.abs(thick - 21) > 1.5)].any()


@pytest.mark.parametrize(
    "case", ["inside", "noisy air", "CT", "film", "zeros within the head", "background of another value"]
)
def test_other_holes_and_images_are_left_alone(case):
    image, hole, modality = stripped(), across(), {"CT": CT, "film": FILM}.get(case, MR)
    if case == "inside":
        hole = distance() < 9
    if case == "noisy air":
        image = np.where(distance() < RADIUS, image, np.random.default_rng(1).integers(0, 3, SHAPE)).astype(np.int16)
    if case == "zeros within the head":
        hole = distance() < 9
        image[distance(center=(26, 26, 36)) < 4] = 0
    if case == "background of another value":
        image += 1
    assert marked(image, hole, modality) is None or not marked(image, hole, modality).any()


def in_dark_bone():
    """A large hole in a symmetric head whose signal is exactly 0 in a layer of bone, that reaches the air by a canal.

    Returns:
        image and hole.
    """
    image = np.round(300 * (1 + 0.3 * _symmetric_texture())).astype(np.int16)
    r = distance((70, 70, 70), (35, 35, 34.5))
    image[(r >= 33) | ((r > 26) & (r < 28))] = 0
    image[34:36, 34:36, :10] = image[34:36, 34:36, -10:] = 0
    hole = (r <= 26) & (np.arange(70) > 37)
    hole &= distance((70, 70, 70), (35, 35, 62)) < 24
    return image, hole


def _symmetric_texture():
    from scipy import ndimage

    noise = ndimage.gaussian_filter(np.random.default_rng(4).normal(size=(70, 70, 70)), 2)
    noise = noise + noise[:, :, ::-1]
    return noise / noise.std()


def test_what_is_tissue_on_the_other_side_is_none_of_the_background(monkeypatch):
    image, hole = in_dark_bone()
    assert hole.sum() > 10_000  # at 1 mm, a large part
    subject = dataclasses.replace(subject_of(np.where(hole, 0, image), hole), scaling=Scaling(0.0, 400.0))
    whole = tuple(slice(0, size) for size in image.shape)
    zero = zero_voxels(subject, whole, hole)
    deep = hole & (distance(image.shape, (35, 35, 34.5)) < 26 - background.INSIDE - 1)
    assert not (zero & deep).any()
    monkeypatch.setattr(background, "INSIDE", 1000.0)
    assert (zero_voxels(subject, whole, hole) & deep).sum() > 0.3 * deep.sum()


def test_without_data_there_is_no_background():
    """Padding beside the hole says nothing of the tissue's edge."""
    image, hole = stripped().astype(np.float32), across()
    image[distance() >= RADIUS] = np.nan
    hole &= distance() < RADIUS
    filled = mi.inpaint(image, hole, method="harmonic", modality="MR").volume.array
    assert (filled[hole] > 0).all()


@pytest.mark.parametrize("shape", [(14, 15, 16), (1, 40, 41), (40, 1, 41), (40, 41)])
@pytest.mark.parametrize("no_data", [False, True])
def test_the_background_is_what_a_flood_from_the_border_reaches(shape, no_data):
    """A flood that goes from voxel to voxel is the independent truth: paths here are narrow and wind through planes."""
    rng = np.random.default_rng(3)
    inner = tuple(slice(min(2, size // 3), max(size - 2, 1)) for size in shape)
    image = np.zeros(shape, np.int16)
    image[inner] = rng.random(image[inner].shape) < 0.6
    hole = np.zeros(shape, bool)
    hole[inner] = rng.random(image[inner].shape) < 0.05
    subject = subject_of(image, hole)
    lost = rng.random(shape) < 0.05
    if no_data:
        subject = dataclasses.replace(subject, no_data=lost)
    zero = (image == 0) & ~hole & ~(lost & no_data)
    everything = tuple(slice(0, size) for size in shape)
    np.testing.assert_array_equal(find_outer_zeros(subject).crop(everything), flooded(zero))
    box = tuple(slice(size // 3, size - size // 4) for size in shape)
    np.testing.assert_array_equal(find_outer_zeros(subject).crop(box), flooded(zero)[box])


def flooded(zero):
    """Walk from the zeros at the border to their neighbours, until there are no more."""
    waiting = [
        voxel
        for voxel in np.ndindex(zero.shape)
        if zero[voxel] and any(size > 1 and at in (0, size - 1) for at, size in zip(voxel, zero.shape, strict=True))
    ]
    reached = np.zeros(zero.shape, bool)
    while waiting:
        voxel = waiting.pop()
        if reached[voxel]:
            continue
        reached[voxel] = True
        for axis, size in enumerate(zero.shape):
            for step in (-1, 1):
                near = tuple(at + step * (other == axis) for other, at in enumerate(voxel))
                if 0 <= near[axis] < size and zero[near]:
                    waiting.append(near)
    return reached
