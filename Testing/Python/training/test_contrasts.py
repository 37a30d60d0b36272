"""Slices of several contrasts: how they are found, cut and asked for; and trainings from a folder to a bundle."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib.errors import Cancelled, GeometryError, InputError, ParameterError
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.models.bundle import load_into
from MedInpaintLib.networks import build
from MedInpaintLib.progress import Progress
from MedInpaintLib.training.contrast_trial import contrast_trial
from MedInpaintLib.training.contrasts import ContrastCrops, ContrastSlice, read_contrast_slices, sessions
from MedInpaintLib.training.loop import HISTORY, LAST
from MedInpaintLib.training.recipe import Data, Recipe, Schedule, read_recipe
from MedInpaintLib.training.run import _entries, run

NAMES = ("T2", "FLAIR", "T1")
RECIPE = """
name = "tiny"
title = "Blobs"
architecture = "collagan"

[arguments]
pixels = 32
contrasts = 3
width = 4
levels = 2
linear = true

[data]
modality = "MR"
contrasts = ["T2", "FLAIR", "T1"]
wanted = ["FLAIR"]
inside = "MASK-brain"
pixel_mm = 2.0
centre = 0.0
half_width = 1.0

[schedule]
steps = 6
batch = 4
ema = 0.8
check_every = 3
hole_mm = 8
crops = 4
"""


def entry(name, contrast="", subject="s1", dataset="one"):
    return Entry(Path(f"{name}.nii.gz"), name, "MR", contrast, subject, "train", dataset)


def found_by_name(entries, contrasts, inside=""):
    """What is found, as file names."""
    return [
        ({contrast: image.name for contrast, image in images.items()}, mask and mask.name)
        for images, mask in sessions(entries, contrasts, inside)
    ]


def tissue(seed, shape=(12, 40, 36)):
    """int16 heads of one subject that look different in each contrast: contrast -> ``(k, j, i)``."""
    rng = np.random.default_rng(seed)
    k, j, i = np.ogrid[tuple(slice(-1, 1, size * 1j) for size in shape)]
    inside = k**2 + j**2 + i**2 < 0.8
    maps = {}
    for name in NAMES:
        smooth = ndimage.gaussian_filter(rng.random(shape), 3)
        maps[name] = np.where(inside, np.clip(400 + 4000 * (smooth - smooth.mean()), 150, 900), 0)
    maps["FLAIR"] = np.where(inside, 0.5 * maps["T2"] + 0.25 * maps["T1"] + 100, 0)
    return {name: each.astype(np.int16) for name, each in maps.items()}


@pytest.fixture(scope="session")
def heads(tmp_path_factory):
    """Four subjects, two to learn from; one has no T1 and one a mask of its brain."""
    folder = tmp_path_factory.mktemp("heads")
    rows = []
    for number, split in enumerate(["train", "train", "val", "test"]):
        own = tissue(number)
        if number == 1:
            del own["T1"]
        if number == 2:
            own["MASK-brain"] = (own["T1"] > 0).astype(np.uint8)
        for contrast, array in own.items():
            path = f"s{number}/{contrast.rpartition('-')[2].lower()}.nii.gz"
            (folder / path).parent.mkdir(exist_ok=True)
            mi.Volume(array, (2.0, 2.0, 2.0)).write(folder / path)
            row = {"path": path, "modality": "MR", "contrast": contrast, "subject_id": f"s{number}", "split": split}
            rows.append({**row, "dataset": "Blobs", "licence": "CC0", "citation": "Nobody, 2020"})
    with (folder / "MANIFEST.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture
def tiny(tmp_path):
    """Read a recipe with changes: ``tiny(('batch = 4', 'batch = 8'))``."""

    def write(*changes, extra=""):
        text = RECIPE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "tiny.toml"
        path.write_text(text + extra, encoding="utf-8")
        return read_recipe(path)

    return write


def written(folder, **arrays):
    """Entries of volumes of one subject; spacing 2 mm."""
    made = []
    for name, array in arrays.items():
        image = array if isinstance(array, mi.Volume) else mi.Volume(array, (2.0,) * array.ndim)
        image.write(folder / f"{name}.nii.gz")
        made.append(Entry(folder / f"{name}.nii.gz", name, "MR", name, "s1", "train"))
    return made


def read(entries, **options):
    return read_contrast_slices(entries, NAMES, **{"plane": "axial", "pixel_mm": 2.0, **options})


def random_slices(count, seed=0, shape=(9, 11), there=(True, True, True), subject="s1"):
    """Contrasts that have something to do with each other, some pixels without a signal."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        values = rng.random((3, *shape)) * (rng.random(shape) < 0.9)
        values[1] = 0.4 * values[0] - 0.3 * values[2] + 0.1 + 0.05 * rng.random(shape)
        values = (values * np.array(there)[:, None, None]).astype(np.float16)
        made.append(ContrastSlice(values, np.array(there), rng.random(shape) < 0.7, subject))
    return made


def asking(wanted=(), crops=6):
    data = Data("MR", contrasts=NAMES, centre=0.0, half_width=1.0, wanted=wanted)
    return Recipe("tiny", "Blobs", "collagan", {"pixels": 8, "contrasts": 3}, data, Schedule(1, crops=crops))


def test_a_session_is_of_one_subject_one_folder_and_one_prefix():
    entries = [
        entry("a/t1", "T1"),
        entry("a/flair", "FLAIR"),
        entry("b/t1", "T1"),
        entry("b/ses1_t2", "T2"),
        entry("b/ses2_T1", "T1"),
        entry("b/ses2_t2", "T2"),
        entry("a/t2", "T2", subject="s2"),
        entry("a/t2", "T2", dataset="two"),
        entry("a/pd", "PD"),
    ]
    expected = [
        {"T1": "a/t1", "FLAIR": "a/flair"},
        {"T1": "b/t1"},
        {"T2": "b/ses1_t2"},
        {"T1": "b/ses2_T1", "T2": "b/ses2_t2"},
        {"T2": "a/t2"},
        {"T2": "a/t2"},
    ]
    found = found_by_name(entries, NAMES)
    assert sorted(map(str, found)) == sorted(str((each, None)) for each in expected)


def test_the_order_of_the_entries_does_not_matter():
    entries = [entry(f"{folder}/{name}", name.upper()) for folder in "ba" for name in ("t1", "t2", "flair")]
    found = found_by_name(entries, NAMES)
    assert found == found_by_name(entries[::-1], NAMES)
    assert [images["T1"] for images, _ in found] == ["a/t1", "b/t1"]


def test_the_mask_of_a_session_lies_beside_it():
    entries = [
        entry("a/t1", "T1"),
        entry("a/brain", "MASK-brain"),
        entry("b/ses1_t1", "T1"),
        entry("b/ses2_t1", "T1"),
        entry("b/ses2_brain", "MASK-brain"),
        entry("b/ses2_lesion", "MASK-lesion"),
    ]
    expected = [({"T1": "a/t1"}, "a/brain"), ({"T1": "b/ses1_t1"}, None), ({"T1": "b/ses2_t1"}, "b/ses2_brain")]
    assert found_by_name(entries, NAMES, "MASK-brain") == expected


def test_without_a_manifest_the_contrast_is_the_longest_with_which_a_name_ends():
    entries = [entry(f"a/x_{name}") for name in ("t1", "T2FLAIR", "flair", "pd")]
    found = found_by_name(entries, ("T1", "FLAIR", "T2FLAIR"), "MASK-brain")
    assert found == [({"T1": "a/x_t1", "T2FLAIR": "a/x_T2FLAIR", "FLAIR": "a/x_flair"}, None)]


def test_without_a_manifest_no_image_is_a_mask():
    found = found_by_name([entry("a/t1"), entry("a/flair")], NAMES)
    assert found == [({"T1": "a/t1", "FLAIR": "a/flair"}, None)]


@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    middle=st.tuples(st.integers(-25, 25), st.integers(-25, 25)),
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
)
def test_windows_are_0_beyond_the_slice(rows, columns, middle, shape):
    (one,) = random_slices(1, shape=(rows, columns))
    values, inside = one.window(middle, shape)
    first = [40 + at - size // 2 for at, size in zip(middle, shape, strict=True)]
    here = tuple(slice(start, start + size) for start, size in zip(first, shape, strict=True))
    np.testing.assert_array_equal(values, np.pad(one.values, ((0, 0), (40, 40), (40, 40)))[(slice(None), *here)])
    np.testing.assert_array_equal(inside, np.pad(one.inside, 40)[here])
    assert values.dtype == np.float32


def constant_slices():
    """Slices of three subjects, one of whom has most; the value says whose they are."""
    made = []
    for subject, count in ((1, 9), (2, 1), (3, 2)):
        values = np.full((2, 20, 24), subject / 4, np.float16)
        values[1] = 2 * values[0]
        for _ in range(count):
            made.append(ContrastSlice(values, np.array([True, True]), np.ones((20, 24), bool), f"s{subject}"))
    return made


def test_crops_are_a_function_of_their_number_alone():
    slices = random_slices(5, shape=(20, 24))
    crops = ContrastCrops(slices, 8, seed=3)
    again = ContrastCrops(slices, 8, seed=3)
    values, there = crops.batch(range(4, 9))
    for number in (8, 4, 6, 6):
        one, own = again[number]
        np.testing.assert_array_equal(one, values[number - 4])
        np.testing.assert_array_equal(own, there[number - 4])
    assert not np.array_equal(ContrastCrops(slices, 8, seed=4)[4][0], values[0])
    assert not np.array_equal(values[0], values[1])
    assert values.dtype == np.float32
    assert values.shape == (5, 3, 8, 8)


def test_all_subjects_are_seen_equally_often_and_contrasts_of_a_crop_are_brightened_alike():
    crops = ContrastCrops(constant_slices(), 4)
    values, there = crops.batch(range(300))
    assert there.all()
    brightest = values.max(axis=(2, 3))
    np.testing.assert_allclose(brightest[:, 1], 2 * brightest[:, 0], rtol=1e-6)
    subjects = np.rint(4 * brightest[:, 0]).astype(int)
    assert np.bincount(subjects).tolist() == [0, 100, 100, 100]
    for first in range(0, 300, 3):
        assert set(subjects[first : first + 3]) == {1, 2, 3}
    gains = 4 * brightest[:, 0] / subjects
    assert 0.899 < gains.min() < 0.92
    assert 1.08 < gains.max() < 1.101


@pytest.mark.parametrize("flip", [False, True])
def test_crops_are_windows_of_the_slices_and_half_of_them_mirrored(flip):
    (one,) = random_slices(1, shape=(14, 17))
    crops, wide = ContrastCrops([one], 6, flip=flip, gain=0.0), np.pad(one.values, ((0, 0), (6, 6), (6, 6)))
    windows = np.lib.stride_tricks.sliding_window_view(wide, (6, 6), axis=(1, 2)).transpose(1, 2, 0, 3, 4)
    mirrored = 0
    for number in range(120):
        values, _ = crops[number]
        straight = (windows == values).all(axis=(2, 3, 4)).any()
        turned = (windows == values[..., ::-1]).all(axis=(2, 3, 4)).any()
        assert straight != turned
        mirrored += turned
    assert 40 < mirrored < 80 if flip else mirrored == 0


def test_crops_show_the_body():
    """Their middle lies halfway between a pixel of the body and the middle of the slice."""
    inside = np.zeros((31, 41), bool)
    inside[2, 4] = True
    place = np.arange(31 * 41).reshape(1, 31, 41).astype(np.float16)
    crop, _ = ContrastCrops([ContrastSlice(place, np.array([True]), inside, "s1")], 1, gain=0.0, flip=False)[0]
    row, column = divmod(int(crop[0, 0, 0]), 41)
    assert (row, column) == ((2 + 15) // 2, (4 + 20) // 2)


def test_slices_are_the_volumes_on_one_scale_in_the_order_of_the_recipe(heads):
    entries = [each for each in read_manifest(heads) if each.subject in ("s1", "s2")]
    reported = []
    found = read(entries, inside="MASK-brain", progress=lambda *done: reported.append(done))
    assert reported == [(0, 2), (1, 2)]
    for subject, number in (("s1", 1), ("s2", 2)):
        slices, truth = [each for each in found if each.subject == subject], tissue(number)
        assert {tuple(each.there) for each in slices} == {(True, True, subject == "s2")}
        areas = (truth["T2"] > 0).sum(axis=(1, 2))
        kept = [k for k, area in enumerate(areas) if area >= 0.15 * areas.max()]
        assert len(slices) == len(kept) < len(areas)
        for place, name in enumerate(NAMES):
            values = np.stack([each.values[place] for each in slices])
            if name == "T1" and subject == "s1":
                assert not values.any()
                continue
            # Pixels are as large as voxels: intensities but for a factor, of one volume the same everywhere.
            known = truth[name][kept] > 0
            factors = values[known] / truth[name][kept][known]
            np.testing.assert_allclose(factors, factors.mean(dtype=float), rtol=2e-3)
            assert not values[~known].any()
        if subject == "s2":
            np.testing.assert_array_equal([each.inside for each in slices], truth["T1"][kept] > 0)


def test_larger_pixels_make_smaller_slices(heads):
    entries = [each for each in read_manifest(heads) if each.subject == "s0"]
    (shape,) = {each.inside.shape for each in read(entries, pixel_mm=4.0)}
    assert shape == (20, 18)
    (shape,) = {each.inside.shape for each in read(entries, plane="coronal")}
    assert shape == (12, 36)


def test_contrasts_on_different_grids_are_refused(tmp_path):
    own = tissue(0)
    shifted = mi.Volume(own["FLAIR"], (2.0, 2.0, 2.0), origin=(3.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match=r"FLAIR.nii.gz' is on another grid than its session's other contrasts"):
        read(written(tmp_path, T1=own["T1"], FLAIR=shifted))
    with pytest.raises(GeometryError, match="on another grid"):
        read(written(tmp_path, T1=own["T1"], FLAIR=own["FLAIR"][1:]))


def test_a_mask_on_another_grid_is_refused(tmp_path):
    own = tissue(0)
    entries = written(tmp_path, T1=own["T1"], T2=own["T2"])
    mask = written(tmp_path, brain=(own["T1"][:, 1:] > 0).astype(np.uint8))[0]
    with pytest.raises(GeometryError, match=r"The mask '.*brain.nii.gz' is on another grid"):
        read([*entries, dataclasses.replace(mask, contrast="MASK-brain")], inside="MASK-brain")


def test_data_without_a_pair_are_refused(tmp_path):
    own = tissue(0)
    entries = written(tmp_path, T1=own["T1"], T2=own["T2"])
    apart = [entries[0], dataclasses.replace(entries[1], subject="s2")]
    with pytest.raises(InputError, match="no session of the data has two of the contrasts T2, FLAIR, T1"):
        read(apart)
    assert read(entries)


def test_flat_images_are_refused(tmp_path):
    own = tissue(0)
    with pytest.raises(GeometryError, match="Contrasts are learned from volumes"):
        read(written(tmp_path, T1=own["T1"][6], T2=own["T2"][6]))


def test_the_trial_starts_from_the_least_squares_of_the_training_voxels():
    some = random_slices(2, seed=1, there=(True, True, False), subject="s2")
    learning = [*random_slices(4), *some]
    held_out = [*random_slices(2, seed=2, subject="s3"), *random_slices(1, 3, there=(True, True, False), subject="s4")]
    trial = contrast_trial(learning, held_out, asking(wanted=("FLAIR", "T2"), crops=6))
    assert trial.words == "6 slices, wanted T2, FLAIR"
    asked = [(one, target) for target in (1, 0) for one in held_out]
    assert len(trial.images) == len(asked)
    for number, (one, target) in enumerate(asked):
        sources = [each for each in range(3) if one.there[each] and each != target]
        told = [each in sources for each in range(3)] + [each == target for each in range(3)]
        assert trial.known[number].tolist() == told
        rows, wanted = [], []
        for each in learning:
            if all(each.there[[target, *sources]]):
                for row, column in np.argwhere(each.inside):
                    rows.append([*(float(each.values[source, row, column]) for source in sources), 1.0])
                    wanted.append(float(each.values[target, row, column]))
        weights = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
        seen = one.values[sources].astype(float)
        expected = np.clip(np.tensordot(weights[:-1], seen, 1) + weights[-1], 0, 1) * (seen > 0).any(axis=0)
        np.testing.assert_allclose(trial.start[number, 0].numpy(), expected, atol=1e-5)
        np.testing.assert_allclose(trial.truth[number, 0].numpy(), np.clip(one.values[target], -1, 1))
        np.testing.assert_array_equal(trial.inside[number, 0].numpy(), one.inside)
    filled = trial.truth + 0.1 * torch.randn(trial.truth.shape, generator=torch.Generator().manual_seed(0))
    of_each = []
    for number, (one, _) in enumerate(asked):
        squares = (filled - trial.truth)[number, 0].numpy()[one.inside].astype(float) ** 2
        of_each.append(-10 * np.log10(squares.mean()))
    assert trial.psnr(filled) == pytest.approx(np.mean(of_each), rel=1e-5)
    assert trial.picture(filled).shape == (1, 3 * 9, 6 * 11)
    assert trial.corrected is trial.start


def test_slices_of_different_sizes_are_shown_in_their_middle():
    held_out = [*random_slices(1, shape=(5, 8)), *random_slices(1, shape=(9, 4))]
    trial = contrast_trial(random_slices(2), held_out, asking(wanted=("FLAIR",), crops=2))
    assert trial.images.shape == (2, 3, 9, 8)
    np.testing.assert_array_equal(trial.images[0, :, 2:7].numpy(), np.clip(held_out[0].values, -1, 1))
    np.testing.assert_array_equal(trial.images[1, ..., 2:6].numpy(), np.clip(held_out[1].values, -1, 1))
    assert not trial.images[0, :, :2].any()
    assert not trial.inside[1, ..., 6:].any()


def test_what_was_never_seen_together_starts_at_nothing():
    held_out = random_slices(2)
    trial = contrast_trial(random_slices(2, there=(True, True, False)), held_out, asking(wanted=("T2",)))
    assert not trial.start.any()


def test_a_trial_without_a_wanted_contrast_is_refused():
    with pytest.raises(InputError, match="No held-out subject has one of the contrasts T1 and another one"):
        contrast_trial(random_slices(2), random_slices(2, there=(True, True, False)), asking(wanted=("T1",)))
    with pytest.raises(InputError, match="T2, FLAIR, T1"):
        contrast_trial(random_slices(2), random_slices(2, there=(True, False, False)), asking())


def test_a_recipe_names_what_is_wanted_and_where_the_brain_is(tiny):
    data = tiny().data
    assert (data.contrasts, data.wanted, data.inside) == (NAMES, ("FLAIR",), "MASK-brain")
    with pytest.raises(ParameterError, match="a list of texts as 'wanted'"):
        tiny(('wanted = ["FLAIR"]', 'wanted = "FLAIR"'))
    with pytest.raises(ParameterError, match="a 'inside' that is no str"):
        tiny(('inside = "MASK-brain"', "inside = 1"))


def test_masks_of_the_brain_are_read_and_other_masks_are_not(heads, tiny):
    recipe = tiny()
    learning, validation = _entries(heads, recipe)
    assert {(each.subject, each.contrast) for each in learning} == {
        *(("s0", name) for name in NAMES),
        ("s1", "T2"),
        ("s1", "FLAIR"),
    }
    assert {each.contrast for each in validation} == {*NAMES, "MASK-brain"}
    without = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, inside=""))
    assert {each.contrast for each in _entries(heads, without)[1]} == set(NAMES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("contrasts = 3", "contrasts = 4"),
            r"contrasts = 4 in \[arguments\] and names 3 in \[data\]",
        ),
        (("contrasts = 3\n", ""), "wrong arguments|contrasts = None"),
        (('["FLAIR"]', '["PD"]'), "wants the contrast 'PD'; its contrasts are: T2, FLAIR, T1"),
        (("levels = 2", "levels = 6"), "Crops of 32 pixels cannot be halved 5 times; 'pixels' must be .* 64 or more"),
        (("centre = 0.0", "centre = 0.5"), "has centre = 0.5; .* take 0 for no signal, so it must be 0"),
    ],
)
def test_recipes_that_do_not_fit_are_refused_before_data_are_read(change, message, tiny, tmp_path):
    with pytest.raises(ParameterError, match=message) as caught:
        run(tiny(change), tmp_path / "nowhere", tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_crops_too_small_for_the_discriminator_are_refused_before_data_are_read(tiny, tmp_path):
    with pytest.raises(ParameterError):
        run(tiny(("pixels = 32", "pixels = 16")), tmp_path / "nowhere", tmp_path / "out")


def test_a_training_makes_a_bundle_with_the_contrasts_in_the_order_of_the_recipe(heads, tiny, tmp_path):
    bundle = run(tiny(), heads, tmp_path / "out", accelerator="cpu")
    assert bundle.architecture == "collagan"
    assert bundle.contrasts == NAMES
    assert bundle.training["data"] == [
        {"dataset": "Blobs", "licence": "CC0", "citation": "Nobody, 2020", "subjects": 2}
    ]
    assert "wanted FLAIR" in bundle.scores[0]["protocol"]
    network = load_into(build(bundle.architecture, bundle.arguments), bundle)
    assert network(torch.rand(2, 3, 32, 32), torch.ones(2, 3) > 0, torch.tensor([1, 1])).shape == (2, 1, 32, 32)
    lines = [json.loads(line) for line in (tmp_path / "out" / HISTORY).read_text(encoding="utf-8").splitlines()]
    assert {"loss/network", "loss/discriminator"} <= set(lines[0])
    assert [line["step"] for line in lines if "psnr" in line] == [3, 6]


def test_a_training_that_was_stopped_goes_on_and_may_be_asked_for_another_contrast(heads, tiny, tmp_path):
    extra = "[task]\ndropout = 0.5\nhalf_life = 4\ndirect = 1\ndirect_ssim = 1\n"
    recipe = tiny(extra=extra)
    updates = []
    run(recipe, heads, tmp_path / "whole", accelerator="cpu")
    # Three sessions are announced before the first step.
    stopping = Progress(cancelled=lambda: updates.append(1) or len(updates) > 3 + 4)
    with pytest.raises(Cancelled, match=r"Stopped after step [45]; the same command goes on"):
        run(recipe, heads, tmp_path / "parts", accelerator="cpu", progress=stopping)
    run(recipe, heads, tmp_path / "parts", accelerator="cpu")
    for name in ("average", "network", "helpers"):
        whole, parts = (torch.load(tmp_path / each / LAST, weights_only=True)[name] for each in ("whole", "parts"))
        assert all(torch.equal(whole[key], parts[key]) for key in whole)
    other = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, wanted=("T1",)))
    assert run(other, heads, tmp_path / "parts", accelerator="cpu").contrasts == NAMES
    other = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, inside=""))
    with pytest.raises(ParameterError, match="another recipe"):
        run(other, heads, tmp_path / "parts", accelerator="cpu")


def test_a_network_that_starts_at_the_source_learns_to_be_nearer_to_the_target(heads, tiny, tmp_path):
    changes = (("steps = 6", "steps = 40"), ("check_every = 3", "check_every = 20"))
    run(tiny(*changes, extra="[task]\nrate = 0.01\ndirect = 1\n"), heads, tmp_path / "out", accelerator="cpu")
    lines = [json.loads(line) for line in (tmp_path / "out" / HISTORY).read_text(encoding="utf-8").splitlines()]
    errors = [line["part/direct"] for line in lines if "part/direct" in line]
    assert np.mean(errors[-5:]) < 0.8 * np.mean(errors[:5])


@given(seed=st.integers(0, 9))
@settings(max_examples=3)
def test_plain_folders_have_a_session_in_each_folder(seed, tmp_path_factory):
    """The names of files say what they are; every fifth subject, or the last one, is for validation."""
    folder = tmp_path_factory.mktemp("plain")
    order = np.random.default_rng(seed).permutation(3)
    for number in order:
        (folder / f"p{number}").mkdir()
        for name in NAMES:
            (folder / f"p{number}" / f"scan_{name.lower()}.nii").write_bytes(b"")
    data = dataclasses.replace(asking().data, inside="MASK-brain")
    learning, validation = _entries(folder, dataclasses.replace(asking(), data=data))
    found = [sessions(entries, NAMES, "MASK-brain") for entries in (learning, validation)]
    assert [len(each) for each in found] == [2, 1]
    for images, mask in (*found[0], *found[1]):
        assert mask is None
        assert set(images) == set(NAMES)
        assert len({each.subject for each in images.values()}) == 1
