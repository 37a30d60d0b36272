"""Fills in one pass: what the network is shown, where what it says is put, and what is refused."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

import MedInpaintLib as mi
from MedInpaintLib.errors import ModelError
from MedInpaintLib.initial_fill import initial_fill
from MedInpaintLib.intensity import Scaling
from MedInpaintLib.mask import Hole, bounding_box
from MedInpaintLib.methods import feed_forward as module
from MedInpaintLib.methods import registry
from MedInpaintLib.methods.feed_forward import Options, fill_in_one_pass
from MedInpaintLib.networks.feed_forward import Inputs
from MedInpaintLib.prediction import Prediction, Run
from MedInpaintLib.progress import Progress
from MedInpaintLib.region import crop
from MedInpaintLib.subject import Subject

METHODS = ["unet", "pconv", "rfr", "context-encoder", "edge-guided", "boundary-aware"]
PLAIN = Options(model="a-tiny-unet", mirrored=False)


def scene(shape=(10, 24, 20), seed=0):
    image = np.random.default_rng(seed).normal(500, 100, shape).astype(np.float32)
    hole = np.zeros(shape, bool)
    hole[(slice(4, 7), slice(10, 15), slice(8, 12))[-len(shape) :]] = True
    return image, hole


def region_of(image, hole, spacing=2.0):
    """All of an image as one region, scaled as a model likes it."""
    box = bounding_box(hole)
    subject = Subject(mi.Volume(image, spacing), Hole(hole[box], box, hole.shape), Scaling(300.0, 400.0))
    return crop(subject, tuple(slice(0, size) for size in hole.shape))


class Spy(torch.nn.Module):
    """In place of a network: keeps what it is shown, and adds a constant (or says one, given nothing)."""

    def __init__(self, slices=3, given="fill", hint=False, other_side=False, value=0.25):
        super().__init__()
        self.inputs, self.value = Inputs(32, slices, given, hint, other_side), value
        self.shown = []

    def forward(self, images, known):
        self.shown.append((images, known))
        seen = self.inputs
        base = images[:, seen.slices if seen.hint else seen.slices // 2, None]
        return base + self.value if seen.given == "fill" else torch.full_like(base, self.value)


@pytest.fixture
def spy(monkeypatch):
    """Put a spy in the place of all networks; returns a function that makes it."""

    def put(**arguments):
        made = Spy(**arguments)
        monkeypatch.setattr(module, "_load", lambda bundle, device: made)
        return made

    return put


def filled(region, options=PLAIN):
    registry.methods()
    return fill_in_one_pass(region, "unet", options, Run())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(10, 24, 20), (24, 20)])
def test_every_method_fills_and_reports_in_plain_numbers(method, shape):
    image, hole = scene(shape)
    result = mi.inpaint(image, hole, method=method, modality="MR", spacing=2.0)
    assert np.isfinite(result.volume.array).all()
    assert (result.volume.array[hole] != 0).all()
    assert (result.volume.array[~hole] == image[~hole]).all()
    json.dumps(result.report, allow_nan=False)
    assert result.report["notes"]["model"] == f"a-tiny-{method}"


@pytest.mark.parametrize("method", METHODS)
def test_hidden_voxels_do_not_matter(method):
    image, hole = scene()
    other = np.where(hole, np.float32(-1e4), image)
    results = [mi.inpaint(each, hole, method=method, modality="MR", spacing=2.0) for each in (image, other)]
    assert (results[0].volume.array == results[1].volume.array).all()


def test_a_correction_is_added_to_the_smooth_fill_in_the_hole(spy):
    spy(value=0.25)
    region = region_of(*scene())
    expected = initial_fill(region).astype(np.float32) + 0.25 * 0.7  # half the width of the models' scale
    known = region.values[~region.hole]
    expected = np.clip(expected, known.min(), known.max())
    found = filled(region)
    np.testing.assert_allclose(found.mean[region.hole], expected[region.hole], atol=1e-5)
    assert found.notes == {
        "model": "a-tiny-unet",
        "model_title": "An untrained model",
        "frames": 3,
        "directions": 1,
    }


def test_given_nothing_the_network_says_what_is_in_the_hole(spy):
    spy(given="nothing", value=0.25)
    region = region_of(*scene())
    np.testing.assert_allclose(filled(region).mean[region.hole], 0.5 + 0.25 * 0.7, atol=1e-5)


def test_slices_with_a_hole_are_shown_with_their_neighbours(spy):
    seen = spy()
    region = region_of(*scene())
    filled(region)
    ((images, known),) = seen.shown
    assert images.shape == known.shape == (3, 3, 32, 32)
    assert known[0, 0].all()  # the slice before the first with a hole
    assert not known[:, 1].flatten(1).all(dim=1).any()
    assert torch.equal(images[0, 2], images[1, 1])
    assert torch.equal(images[1, 1], images[2, 0])


def test_pixels_are_voxels_where_they_are_as_large(spy):
    seen = spy()
    region = region_of(*scene())
    filled(region)
    images, known = seen.shown[0]
    scaled = (region.values - 0.5) / 0.7
    inner = images[1, 1][known[1, 1]].numpy()
    assert np.isin(np.float32(np.clip(scaled[5], -1, 1)), inner).mean() > 0.8


def test_a_hint_is_shown_after_the_slices_and_is_asked_for_by_name(spy, monkeypatch):
    seen = spy(hint=True)
    region = region_of(*scene())
    asked = []

    def fill_with(name, where, progress, *, seed):
        asked.append(name)
        return Prediction(np.where(where.hole, np.float32(0.9), where.values), warnings=("It is dark.",))

    monkeypatch.setattr(module, "fill_with", fill_with)
    found = fill_in_one_pass(region, "boundary-aware", Options(mirrored=False), Run())
    images, known = seen.shown[0]
    assert asked == ["nearest"]
    assert "Of nearest, whose fill the network corrects: It is dark." in found.warnings
    assert found.notes["corrects"] == "nearest"
    assert images.shape[1] == 4
    np.testing.assert_allclose(images[:, 3][~known[:, 1]].numpy(), (0.9 - 0.5) / 0.7, atol=1e-5)
    assert torch.equal(images[:, 3][known[:, 1]], images[:, 1][known[:, 1]])
    # The hint is what is corrected.
    expected = min(0.9 + 0.25 * 0.7, region.values[~region.hole].max())
    np.testing.assert_allclose(found.mean[region.hole], expected, atol=1e-5)


def test_the_other_side_is_shown_last_and_where_there_is_one(spy, monkeypatch):
    seen = spy(hint=True, other_side=True)
    region = region_of(*scene())
    mirror = np.linspace(0.2, 0.8, region.subject.values.size, dtype=np.float32).reshape(region.subject.values.shape)

    class Both:
        box = tuple(slice(0, size) for size in mirror.shape)

        def image(self, box, *, match):
            assert match
            usable = np.ones(mirror.shape, bool)
            usable[:, :3] = False
            return np.where(usable, mirror, 0), usable

    monkeypatch.setattr(module, "other_side", lambda region, progress: Both())
    monkeypatch.setattr(module, "fill_with", lambda name, where, _, seed: Prediction(where.values))
    fill_in_one_pass(region, "boundary-aware", Options(mirrored=False), Run())
    images, known = seen.shown[0]
    assert images.shape[1] == 5
    assert known.shape[1] == 4
    there = known[:, 3]
    assert there.any()
    assert not there.all()
    assert np.isin(images[:, 4][there].numpy(), (mirror - np.float32(0.5)) / np.float32(0.7)).all()
    assert torch.equal(images[:, 4][~there], images[:, 1][~there])


def test_the_mirrored_image_is_shown_too_and_the_mean_taken(spy):
    seen = spy()
    region = region_of(*scene())
    filled(region, dataclasses.replace(PLAIN, mirrored=True))
    (straight, _), (mirrored, _) = seen.shown
    assert torch.equal(straight.flip(-1), mirrored)
    one, other = (filled(region, dataclasses.replace(PLAIN, mirrored=each)).mean for each in (True, False))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_three_directions_are_the_mean_of_three_fills():
    image, hole = scene((24, 24, 24))
    hole[:] = False
    hole[10:13, 10:15, 8:12] = True
    region = region_of(image, hole)
    found = filled(region, dataclasses.replace(PLAIN, directions=3))
    assert found.notes["directions"] == 3
    # A cube looks the same from everywhere: turned by hand, each direction is an axial fill.
    parts = []
    for order in ((0, 1, 2), (1, 2, 0), (2, 1, 0)):
        turned = region_of(image.transpose(order).copy(), hole.transpose(order).copy())
        parts.append(filled(turned).mean.transpose(np.argsort(order)))
    assert np.std(parts, axis=0)[hole].max() > 0
    assert "axial" in " ".join(found.warnings)


def test_the_corrections_of_three_directions_are_averaged(spy):
    """In closed form: of 0.03, 0.06 and 0.12 the mean is 0.07."""
    seen, values = spy(), iter((0.03, 0.06, 0.12))
    seen.register_forward_pre_hook(lambda module, _: setattr(module, "value", next(values)))
    image, hole = scene((24, 24, 24))
    region = region_of(image, hole)
    found = filled(region, dataclasses.replace(PLAIN, directions=3)).mean
    assert len(seen.shown) == 3
    expected = initial_fill(region) + 0.07 * 0.7  # half the width of the models' scale
    np.testing.assert_allclose(found[hole], expected[hole], atol=1e-5)


def test_thick_slices_are_seen_in_one_direction_only():
    region = region_of(*scene(), spacing=(10.0, 2.0, 2.0))
    assert filled(region, dataclasses.replace(PLAIN, directions=3)).notes["directions"] == 1


def test_another_modality_is_refused_and_can_be_forced():
    image, hole = scene()
    with pytest.raises(ModelError, match=r"has learned from MR images, and this one is treated as CT; .*any_modality"):
        mi.inpaint(image - 500, hole, method="unet", modality="CT", spacing=2.0, parameters={"model": "a-tiny-unet"})
    forced = {"any_modality": True, "model": "a-tiny-unet"}
    result = mi.inpaint(image - 500, hole, method="unet", modality="CT", spacing=2.0, parameters=forced)
    assert np.isfinite(result.volume.array).all()
    assert any("treated as CT: do not trust" in each for each in result.report["warnings"])


def test_a_frame_of_which_little_is_known_is_warned_of():
    image, hole = scene((44, 44))
    hole[2:42, 2:42] = True
    result = mi.inpaint(image, hole, method="unet", spacing=2.0, modality="MR")
    assert any("little supports" in each for each in result.report["warnings"])


def test_many_slices_go_through_the_network_in_chunks(spy, monkeypatch):
    seen = spy()
    monkeypatch.setattr(module, "BATCH", 2 * 32 * 32)
    region = region_of(*scene())
    filled(region)
    assert [len(images) for images, _ in seen.shown] == [2, 1]


def test_the_fill_can_be_cancelled():
    from MedInpaintLib.errors import Cancelled

    with pytest.raises(Cancelled):
        mi.inpaint(*scene(), method="unet", modality="MR", spacing=2.0, progress=Progress(cancelled=lambda: True))
