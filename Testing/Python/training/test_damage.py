"""Damaged frames to learn from: they are those of a real fill, and the same in every run."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib import prediction
from MedInpaintLib.errors import InputError
from MedInpaintLib.frames import cut
from MedInpaintLib.initial_fill import initial_fill
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.mask import Hole, bounding_box, grow
from MedInpaintLib.methods import registry
from MedInpaintLib.progress import Progress
from MedInpaintLib.region import context, crop
from MedInpaintLib.subject import Subject
from MedInpaintLib.training import cases as module
from MedInpaintLib.training.cases import Cases
from MedInpaintLib.training.damage import Damages
from MedInpaintLib.training.recipe import Data
from MedInpaintLib.training.undamaged import read_undamaged

DATA = Data("MR", pixel_mm=1.0, slice_mm=2.0, holes=("spheres:6mm",), also=("sagittal",))
PIXELS, SLICES = 16, 3


@pytest.fixture(scope="module")
def images(data):
    return read_undamaged([each for each in read_manifest(data, "train") if each.contrast == "T1"])


def damages(images, *, seed=0, folder=None, cases=4, plain=False, **data):
    changes = {"flip": False, "gain": 0.0, "offset": 0.0} if plain else {}
    made = Cases(images, dataclasses.replace(DATA, **data), PIXELS, SLICES, cases, seed, folder)
    return Damages(made, bool(made.data.hint), made.data.other_side, **changes)


def test_samples_are_the_same_in_every_run_and_in_any_order(images):
    one, two = damages(images), damages(images)
    forwards = [one[number] for number in range(12)]
    backwards = [two[number] for number in reversed(range(12))][::-1]
    for first, second in zip(forwards, backwards, strict=True):
        assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert not (forwards[0][2] == damages(images, seed=1)[0][2]).all()


def test_pixels_without_data_are_not_known_and_no_hole_is_made_there(images):
    def with_gaps(value):
        made = []
        for one in images:
            gaps = np.zeros(one.image.array.shape, bool)
            gaps[:, ::6, ::6] = True
            image = one.image.with_array(np.where(gaps, np.float32(value), one.image.array.astype(np.float32)))
            made.append(dataclasses.replace(one, image=image, inside=one.inside & ~gaps, no_data=gaps))
        return made

    holes = {"plain": True, "also": (), "holes": ("squares:3px",)}
    batches = [damages(with_gaps(value), **holes).batch(range(6)) for value in (np.nan, 1e6)]
    for one, other in zip(*batches, strict=True):
        np.testing.assert_array_equal(one, other)
    _, known, _ = damages(images, **holes).batch(range(6))
    assert (~batches[0][1]).sum() > (~known).sum()


def test_images_without_data_somewhere_are_read(images, tmp_path):
    image = images[0].image
    gaps = np.indices(image.array.shape)[-1] < 5
    path = tmp_path / "gaps.nrrd"
    image.with_array(np.where(gaps, np.float32(np.nan), image.array.astype(np.float32))).write(path)
    (one,) = read_undamaged([Entry(path, "gaps", "MR", "T1", "s", "train")])
    np.testing.assert_array_equal(one.no_data, gaps)
    assert not one.inside[gaps].any()
    assert np.isfinite([one.scaling.offset, one.scaling.width]).all()
    slices = read_undamaged([Entry(path, "gaps", "MR", "T1", "s", "train")], plane="sagittal")
    assert all(one.no_data is None for one in slices)


def test_a_batch_has_slices_known_pixels_and_the_truth_of_the_middle_one(images):
    slices, known, truth = damages(images).batch(range(5))
    assert slices.shape == known.shape == (5, SLICES, PIXELS, PIXELS)
    assert truth.shape == (5, 1, PIXELS, PIXELS)
    assert (slices.dtype, known.dtype, truth.dtype) == (np.float32, bool, np.float32)
    assert (~known[:, 1]).any(axis=(1, 2)).all()  # there is something to fill
    assert (slices[:, 1] == truth[:, 0])[known[:, 1]].all()
    assert not (slices[:, 1] == truth[:, 0])[~known[:, 1]].all()


def test_batches_of_two_processes_are_one_batch(images):
    made = damages(images)
    whole, halves = made.batch(range(8)), [made.batch(numbers) for numbers in (range(4), range(4, 8))]
    for each, parts in zip(whole, zip(*halves, strict=True), strict=True):
        assert (np.concatenate(parts) == each).all()


def test_a_hint_is_the_blended_fill_of_a_method_and_comes_last(images):
    plain, hinted = damages(images, plain=True), damages(images, plain=True, hint="nearest")
    for number in range(5):
        slices, known, _ = hinted[number]
        assert slices.shape[0] == SLICES + 1
        assert (slices[:SLICES] == plain[number][0]).all()
        assert (slices[SLICES] == slices[1])[known[1]].all()
        assert not (slices[SLICES] == slices[1])[~known[1]].all()


def test_the_other_side_comes_after_the_hint_and_its_mask_after_those_of_the_slices(images):
    plain, whole = (damages(images, hint="nearest", plain=True, other_side=each) for each in (False, True))
    for number in range(5):
        (before, masks, truth), (shown, known, same) = plain[number], whole[number]
        assert shown.shape[0] == SLICES + 2
        assert known.shape[0] == SLICES + 1
        assert (shown[:-1] == before).all()
        assert (known[:-1] == masks).all()
        assert (truth == same).all()
        # Where there is no other side, it is this one.
        assert (shown[-1] == shown[SLICES // 2])[~known[-1]].all()


def test_frames_are_those_of_a_fill(images):
    """The same region, smooth fill and frames as on the road, made by hand."""
    image = images[0]
    hole = np.zeros(image.image.array.shape, bool)
    hole[5:8, 17:23, 15:21] = True
    made = damages([image], hint="nearest").cases.frames(image, hole, "axial")
    box = bounding_box(hole)
    subject = Subject(image.image, Hole(hole[box], box, hole.shape), image.scaling)
    margin = [context(registry.get("unet").context_mm, mm) for mm in image.image.spacing]
    region = crop(subject, grow(box, margin, hole.shape))
    fills = {"images": initial_fill(region).astype(np.float32), "hints": prediction.fill_with("nearest", region).mean}
    for name, fill in fills.items():
        frames = cut(region, fill, pixels=PIXELS, pixel_mm=1.0, slices=SLICES, slice_mm=2.0)
        assert (getattr(made, name) == frames.values.astype(np.float16)).all()
    assert (made.truth == made.images)[made.known].all()
    assert sorted(made.stacks[:, 1]) == list(np.flatnonzero(~made.known.all(axis=(1, 2))))
    assert (np.diff(made.stacks, axis=1) == 1).all()  # slices are 2 mm apart, as the recipe wants them


def test_the_truth_is_the_image(data):
    volume = mi.Volume.of(data / "s0.nii.gz")
    image = read_undamaged([each for each in read_manifest(data) if each.path == data / "s0.nii.gz"])[0]
    made = damages([image], plain=True, also=())
    truth = made[0][2][0]
    scaled = image.scaling.forward(volume.array)
    assert all(np.abs(scaled - value).min() < 1e-3 for value in truth[::5, ::5].ravel())


def test_half_of_the_frames_are_mirrored_where_left_and_right_are_seen_and_intensities_change_a_little(images):
    plain, changed = damages(images, plain=True, cases=8), damages(images, cases=8)
    assert {bool(plain.cases[number].symmetric) for number in range(8)} == {True, False}
    mirrored = {True: 0, False: 0}
    shown = dict(mirrored)
    for number in range(60):
        (before, _, truth), (after, _, other) = plain[number], changed[number]
        case = plain.cases[int(np.random.default_rng([0, 2, number]).integers(8))]
        shown[bool(case.symmetric)] += 1
        if np.corrcoef(truth.ravel(), other.ravel())[0, 1] < 0.999:
            mirrored[bool(case.symmetric)] += 1
            before, truth = before[..., ::-1], truth[..., ::-1]
        gain, offset = np.polyfit(truth.ravel(), other.ravel(), 1)
        assert abs(gain - 1) <= 0.1001
        assert abs(offset) <= 0.0301
        np.testing.assert_allclose(after, gain * before + offset, atol=1e-4)
    assert mirrored[False] == 0
    assert 0.25 < mirrored[True] / shown[True] < 0.75


@pytest.mark.parametrize("hint", ["nearest", "mirror"])
def test_a_case_is_a_function_of_its_number_alone(hint, data):
    forwards, backwards = (
        damages(read_undamaged([each for each in read_manifest(data, "train") if each.contrast == "T1"]), hint=hint)
        for _ in range(2)
    )
    one = [forwards.cases[number] for number in range(3)]
    other = [backwards.cases[number] for number in (2, 1, 0)][::-1]
    for first, second in zip(one, other, strict=True):
        assert (first.hints == second.hints).all()


def test_cases_are_made_once_and_kept(images, tmp_path, monkeypatch):
    first = damages(images, folder=tmp_path, hint="nearest")
    first.cases.make()
    before = [first[number] for number in range(6)]
    monkeypatch.setattr(module, "place", None)  # nothing can be made any more
    again = damages(images, folder=tmp_path, hint="nearest")
    again.cases.make()
    for one, other in zip(before, (again[number] for number in range(6)), strict=True):
        assert all((a == b).all() for a, b in zip(one, other, strict=True))
    with pytest.raises(TypeError):
        damages(images, folder=tmp_path, hint="nearest", slice_mm=4.0)[0]
    other = dataclasses.replace(images[0], image=dataclasses.replace(images[0].image, array=images[0].image.array + 1))
    with pytest.raises(TypeError):  # of the same name and shape, but another image
        damages([other, *images[1:]], folder=tmp_path, hint="nearest")[0]


def test_other_lesions_in_the_same_file_make_other_cases(images, tmp_path):
    mask = tmp_path / "lesions.nii.gz"
    places = []
    for content in (b"one", b"another", b"one"):
        mask.write_bytes(content)
        places.append(damages(images, folder=tmp_path, holes=(f"lesions:8mm:from={mask}",)).cases._place)
    assert places[0] == places[2] != places[1]


def test_many_cases_are_made_by_several_processes_and_are_the_same(images, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_FEW", 1)
    made, alone = damages(images, folder=tmp_path), damages(images)
    said = []
    made.cases.make(Progress(lambda fraction, stage: said.append(stage)))
    assert said[-1] == "Making hole 4 of 4"
    for number in range(4):
        one, other = made.cases[number], alone.cases[number]
        assert all((getattr(one, f.name) == getattr(other, f.name)).all() for f in dataclasses.fields(one))


def test_only_some_cases_are_held_in_memory(images, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_HELD", 2)
    made = damages(images, folder=tmp_path)
    before = made.cases[0]
    for number in range(4):
        made.cases[number]
    assert len(made.cases._held) == 2
    assert (made.cases[0].images == before.images).all()


def test_holes_that_do_not_fit_are_refused(images):
    with pytest.raises(InputError, match="holes spheres:90mm do not fit into the images"):
        damages(images, holes=("spheres:90mm",))[0]


def test_no_images_are_refused():
    with pytest.raises(InputError, match="no images to learn from"):
        read_undamaged([])


def test_slices_of_a_plane_are_images_of_their_own(tmp_path):
    from MedInpaintLib.manifest import Entry
    from MedInpaintLib.volume import Volume

    rng = np.random.default_rng(0)
    array = np.zeros((5, 30, 28), np.int16)
    array[1:, 4:26, 4:24] = rng.integers(200, 900, (4, 22, 20))  # nobody is in the first slice
    Volume(array, (7.0, 1.0, 1.0)).write(tmp_path / "thick.nii.gz")
    entry = Entry(tmp_path / "thick.nii.gz", "thick", "MR", "T1", "a", "train")
    (whole,) = read_undamaged([entry])
    apart = read_undamaged([entry], plane="axial")
    assert [each.image.array.shape for each in apart] == [(1, 30, 28)] * 4
    for number, each in enumerate(apart, start=1):
        assert (each.image.array == array[number : number + 1]).all()
        assert (each.inside == whole.inside[number : number + 1]).all()
        assert each.scaling == whole.scaling
        assert each.image.ijk_to_lps()[1] == pytest.approx(whole.image.ijk_to_lps()[1] + [0, 0, 7 * number])
    assert {each.image.array.shape for each in read_undamaged([entry], plane="sagittal")} == {(5, 30, 1)}


def test_all_holes_of_an_image_are_hidden_and_the_frames_are_of_one_region(images):
    image = images[0]
    hole = np.zeros(image.image.array.shape, bool)
    hole[5:7, 8:12, 12:16] = True
    hole[5:7, 26:32, 26:30] = True  # far enough apart not to be filled in one region
    cases = damages([image]).cases
    first, second, again = (cases.frames(image, hole, "axial", number) for number in range(3))
    assert (first.truth == again.truth).all()
    assert first.truth.shape != second.truth.shape or not (first.truth == second.truth).all()
    for made in (first, second):
        assert (~made.known).any()
        assert (made.truth == made.images)[made.known].all()


def test_frames_of_films_have_so_many_pixels_across_whatever_the_film_has(tmp_path):
    from MedInpaintLib.manifest import Entry
    from MedInpaintLib.volume import Volume

    rng = np.random.default_rng(0)
    small = np.kron(rng.integers(60, 250, (16, 12)), np.ones((4, 4))).astype(np.uint8)
    found = []
    for times in (1, 2):
        path = tmp_path / f"{times}.nii.gz"
        Volume(np.kron(small, np.ones((times, times), np.uint8)), (1.0, 1.0)).write(path)
        (image,) = read_undamaged([Entry(path, str(times), "film", "", "a", "train")])
        hole = np.zeros(image.image.array.shape, bool)
        hole[30 * times : 36 * times, 20 * times : 28 * times] = True
        data = Data("film", across=64, holes=("squares:1/8",))
        assert data.pixel_size(image.image) == times
        found.append(Cases([image], data, 32, 1, 1).frames(image, hole, "axial"))
    one, two = found
    assert one.truth.shape == two.truth.shape == (1, 32, 32)
    # Pixels of voxels twice as small are means of some of them: the same but beside the blocks' edges.
    assert np.mean(np.abs(one.truth.astype(float) - two.truth) < 0.02) > 0.5
    assert abs(int((~one.known).sum()) - 48) <= 4
    assert abs(int((~two.known).sum()) - 48) <= 40
