"""The other side in frames: a symmetric head is the same there, hidden voxels are not, and no side is no side."""

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib.frames import cut
from MedInpaintLib.initial_fill import initial_fill
from MedInpaintLib.intensity import Scaling
from MedInpaintLib.mask import Hole, bounding_box, grow
from MedInpaintLib.other_side import in_frames, other_side
from MedInpaintLib.region import crop
from MedInpaintLib.subject import Subject

MM = 3.0
SHAPE = (40, 52, 44)


def head():
    """Texture within an egg; the two sides, left and right of the middle column, are the same."""
    noise = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=SHAPE), 1.3)
    noise[..., SHAPE[2] // 2 :] = noise[..., SHAPE[2] // 2 - 1 :: -1]
    z, y, x = (np.indices(SHAPE) - (np.array(SHAPE).reshape(3, 1, 1, 1) - 1) / 2) * MM
    skin = 1 / (1 + np.exp(12 * (np.sqrt((z / 52) ** 2 + (y / 66) ** 2 + (x / 54) ** 2) - 1)))
    return (skin * (1 + 0.2 * noise / noise.std())).astype(np.float32)


def ball(centre, radius=4.0):
    return ((np.indices(SHAPE) - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(axis=0) <= radius**2


def region_of(image, hole, spacing=MM):
    box = bounding_box(hole)
    subject = Subject(mi.Volume(image, spacing), Hole(hole[box], box, hole.shape), Scaling(0.0, 1.0))
    return crop(subject, grow(box, [2] * hole.ndim, hole.shape))


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_of_a_symmetric_head_the_other_side_is_this_one_in_the_hole_too(plane):
    image, hole = head(), ball((20, 25, 32))
    region = region_of(image, hole)
    frames = cut(region, initial_fill(region).astype(np.float32), pixels=32, pixel_mm=MM, plane=plane)
    compared = other_side(region)
    values, there = in_frames(compared, frames)
    truth = frames.show(image, region.subject.place(tuple(slice(0, size) for size in SHAPE)))
    filled = ~frames.outside_hole
    assert there[filled].all()
    error, smooth = (np.abs(each - truth)[filled].mean() for each in (values, frames.values))
    assert error < 0.2 * smooth
    assert np.abs(values - truth)[there & frames.known].mean() < 0.1 * truth.std()
    assert (values == frames.values)[~there].all()


@pytest.mark.parametrize("kind", ["2-D", "a single slice", "thick slices", "large pixels", "two parts"])
def test_so_it_is_in_images_of_every_kind(kind):
    image, hole, spacing, pixel_mm = head(), ball((20, 25, 32)), (MM,) * 3, MM
    if kind == "two parts":
        hole |= ball((20, 12, 30), 3)
    elif kind == "large pixels":
        pixel_mm = 1.5 * MM
    elif kind == "thick slices":
        image, hole, spacing = image[::2].copy(), hole[::2].copy(), (2 * MM, MM, MM)
    else:
        image, hole = image[20], hole[20]
        spacing = (MM, MM)
        if kind == "a single slice":
            image, hole, spacing = image[np.newaxis], hole[np.newaxis], (MM,) * 3
    region = region_of(image, hole, spacing)
    frames = cut(region, initial_fill(region).astype(np.float32), pixels=32, pixel_mm=pixel_mm)
    values, there = in_frames(other_side(region), frames)
    whole = region.subject.squeeze(image)
    truth = frames.show(whole, tuple(slice(0, size) for size in whole.shape))
    filled = ~frames.outside_hole
    assert there[filled].mean() > 0.9
    error, smooth = (np.abs(each - truth)[filled & there].mean() for each in (values, frames.values))
    assert error < 0.5 * smooth


def test_what_mirrors_into_the_hole_is_not_there():
    region = region_of(head(), ball((20, 25, 21.5)))
    frames = cut(region, initial_fill(region).astype(np.float32), pixels=32, pixel_mm=MM)
    values, there = in_frames(other_side(region), frames)
    middle = np.abs(frames.slices - frames.slices[~frames.outside_hole.all(axis=(1, 2))].mean()).argmin()
    assert not there[middle][~frames.outside_hole[middle]].any()
    assert there[middle].any()
    hidden = region_of(np.where(ball((20, 25, 21.5)), np.float32(99.0), head()), ball((20, 25, 21.5)))
    again, seen = in_frames(
        other_side(hidden), cut(hidden, initial_fill(hidden).astype(np.float32), pixels=32, pixel_mm=MM)
    )
    assert (seen == there).all()
    assert (again == values).all()


def test_an_image_without_two_sides_has_no_other_side():
    noise = np.random.default_rng(0).normal(1, 0.2, SHAPE).astype(np.float32)
    region = region_of(noise, ball((20, 25, 32)))
    assert other_side(region) is None
    frames = cut(region, initial_fill(region).astype(np.float32), pixels=32, pixel_mm=MM)
    values, there = in_frames(None, frames)
    assert not there.any()
    assert (values == frames.values).all()


def test_what_several_steps_need_is_found_once(monkeypatch):
    """A network that corrects the mirror and sees the other side, on a hole of two regions."""
    from MedInpaintLib import initial_fill as smooth
    from MedInpaintLib import other_side as sides
    from MedInpaintLib.models import store

    counts = {}

    def counted(module, name):
        whole = getattr(module, name)

        def call(*arguments, **options):
            counts[name] = counts.get(name, 0) + 1
            return whole(*arguments, **options)

        monkeypatch.setattr(module, name, call)

    for module, name in ((sides, "find_symmetry"), (sides, "_compare"), (smooth, "_solve"), (store, "_look")):
        counted(module, name)
    result = mi.inpaint(head(), ball((20, 12, 31), 3) | ball((20, 38, 31), 3), method="edge-guided", spacing=MM)
    assert result.report["hole"]["regions"] == 2
    assert result.report["notes"]["corrects"] == "mirror"
    assert counts == {"find_symmetry": 1, "_compare": 2, "_solve": 2, "_look": 1}
