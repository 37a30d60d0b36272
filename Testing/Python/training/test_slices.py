"""Slices and crops: what networks learn from."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.errors import InputError
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.progress import Progress
from MedInpaintLib.training.data import prepare
from MedInpaintLib.training.recipe import read_recipe
from MedInpaintLib.training.slices import BACKGROUND, Crops, read_slices


@pytest.fixture(scope="module")
def slices(data):
    return read_slices(read_manifest(data, "train")[:2], plane="axial", pixel_mm=1.0)


def test_slices_have_the_pixels_asked_for(data):
    entries = read_manifest(data, "val")
    assert read_slices(entries, plane="axial", pixel_mm=1.0)[0].values.shape == (40, 36)
    assert read_slices(entries, plane="axial", pixel_mm=2.0)[0].values.shape == (20, 18)
    assert read_slices(entries, plane="coronal", pixel_mm=2.0)[0].values.shape == (12, 18)
    assert read_slices(entries, plane="sagittal", pixel_mm=1.0)[0].values.shape == (24, 40)


def test_slices_of_films_have_so_many_pixels_across_whatever_the_film_has(tmp_path):
    """A film, and the same with every pixel as a block of 2 x 2 or as its mean over them, seen at 64 pixels."""
    rng = np.random.default_rng(0)
    large = np.kron(rng.integers(60, 250, (32, 24)), np.ones((4, 4)))
    small = large.reshape(64, 2, 48, 2).mean(axis=(1, 3))
    seen = []
    for name, film in (("large", large), ("small", small)):
        mi.Volume(film.astype(np.uint8), (0.5, 0.5)).write(tmp_path / f"{name}.png")
        entry = Entry(tmp_path / f"{name}.png", name, "film", "", "s", "train")
        (one,) = read_slices([entry], plane="axial", pixel_mm=1.0, across=64)
        seen.append(one)
    assert [each.values.shape for each in seen] == [(64, 48)] * 2
    assert [Crops([each], 32)[0].shape for each in seen] == [(32, 32)] * 2
    first, second = (each.values.astype(float) for each in seen)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.99


def test_a_generative_recipe_learns_from_films_of_its_size(tmp_path):
    mi.Volume(np.random.default_rng(0).integers(60, 250, (96, 80)).astype(np.uint8), (1.0, 1.0)).write(
        tmp_path / "a.png"
    )
    recipe = read_recipe("chest-film-features")
    schedule = dataclasses.replace(recipe.schedule, crops=2, hole_mm=8.0)
    recipe = dataclasses.replace(
        recipe,
        arguments={**recipe.arguments, "pixels": 32},
        data=dataclasses.replace(recipe.data, across=48),
        schedule=schedule,
    )
    entries = [Entry(tmp_path / "a.png", "a", "film", "", "s", "train")]
    crops, trial = prepare(recipe, entries, entries, tmp_path, Progress())
    assert [each.values.shape for each in crops.slices] == [(48, 40)]
    assert trial.images.shape == (2, 1, 32, 32)


def test_slices_beyond_the_head_are_left_out(slices):
    areas = np.array([each.inside.sum() for each in slices])
    assert 0 < len(slices) < 24
    assert areas.min() >= 0.9 * BACKGROUND * areas.max()


def test_intensities_are_those_of_the_road(slices):
    tissue = np.concatenate([each.values[each.inside] for each in slices])
    assert np.percentile(tissue, 1) == pytest.approx(0, abs=0.25)
    assert np.percentile(tissue, 99) == pytest.approx(1, abs=0.25)


def test_no_images_are_refused():
    with pytest.raises(InputError, match="no images to learn from"):
        read_slices([], plane="axial", pixel_mm=1.0)


def test_a_crop_that_reaches_over_the_border_continues_it(slices):
    one = slices[0]
    crop = one.crop(0, 0, 16)
    assert crop.shape == (16, 16)
    assert (crop[:8, :8] == np.float32(one.values[0, 0])).all()
    assert (crop[8:, 8:] == one.values[:8, :8].astype(np.float32)).all()


def test_crops_are_the_same_in_every_run_and_in_any_order(slices):
    one, two = Crops(slices, 16, seed=3), Crops(slices, 16, seed=3)
    forwards = [one[number] for number in range(60)]
    backwards = [two[number] for number in reversed(range(60))][::-1]
    assert all((a == b).all() for a, b in zip(forwards, backwards, strict=True))
    assert not (forwards[0] == Crops(slices, 16, seed=4)[0]).all()


def test_each_pass_shows_every_slice_once(slices):
    crops = Crops(slices, 16)
    for turn in range(3):
        assert sorted(crops._order(turn)) == list(range(len(slices)))
    assert list(crops._order(0)) != list(crops._order(1))


def test_batches_of_two_processes_are_one_batch(slices):
    crops = Crops(slices, 16)
    halves = [crops.batch(numbers)[0] for numbers in (range(4), range(4, 8))]
    assert (np.concatenate(halves) == crops.batch(range(8))[0]).all()


def test_crops_lie_in_the_body_and_change_a_little(slices):
    plain = Crops(slices, 16, gain=0.0, offset=0.0)
    changed = Crops(slices, 16, gain=0.1, offset=0.03)
    for number in range(20):
        before, after = plain[number], changed[number]
        slope, shift = np.polyfit(before.ravel(), after.ravel(), 1)
        assert 0.9 <= slope <= 1.1
        assert abs(shift) <= 0.031
        assert np.allclose(after, slope * before + shift, atol=1e-3)


def test_half_of_the_crops_are_mirrored_where_that_is_asked_for(slices):
    plain = Crops(slices, 16, gain=0.0, offset=0.0)
    flipped = Crops(slices, 16, flip=True, gain=0.0, offset=0.0)
    mirrored = [not (plain[number] == flipped[number]).all() for number in range(60)]
    assert 15 < sum(mirrored) < 45
    number = mirrored.index(True)
    assert (flipped[number] == plain[number][:, ::-1]).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_slices_with_pixels_without_data_are_left_out(tmp_path, value):
    array = np.random.default_rng(0).random((3, 20, 20), np.float32)
    gaps = np.zeros(array.shape, bool)
    gaps[1, 2, 3] = True
    path = tmp_path / "gaps.nrrd"
    entries = [Entry(path, "gaps", "MR", "T1", "s", "train")]
    mi.Volume(np.where(gaps, np.float32(value), array), 1.0).write(path)
    slices = read_slices(entries, plane="axial", pixel_mm=1.0)
    assert len(slices) == 2
    assert all(np.isfinite(one.values).all() and np.ptp(one.values) < 2 for one in slices)
    gaps[:, 2, 3] = True
    mi.Volume(np.where(gaps, np.float32(value), array), 1.0).write(path)
    with pytest.raises(InputError, match="no slice in which all pixels hold data"):
        read_slices(entries, plane="axial", pixel_mm=1.0)
