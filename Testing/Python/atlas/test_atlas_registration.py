"""The registration of the atlas: heads made by a known map are found, in any contrast, place and orientation."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib.atlas.deformable import jacobian
from MedInpaintLib.atlas.registration import register, why_none
from MedInpaintLib.errors import Cancelled
from MedInpaintLib.intensity import Scaling
from MedInpaintLib.mask import Hole
from MedInpaintLib.modality import CT, FILM, MR
from MedInpaintLib.progress import Progress
from MedInpaintLib.subject import Subject
from MedInpaintLib.volume import Volume

from .heads import MM, SHAPE, T1, T2, head

WHOLE = tuple(slice(0, size) for size in SHAPE)


def errors(registration, of, voxels):
    """Distances in mm between the places that were found and those by construction."""
    return np.sqrt(((registration.places(WHOLE) - of.places) ** 2).sum(axis=0))[voxels]


@pytest.mark.parametrize("contrast", [T1, T2], ids=["T1", "T2"])
@pytest.mark.parametrize("skull", [True, False], ids=["skull", "brain"])
def test_a_head_of_any_contrast_is_found_with_and_without_skull(contrast, skull):
    made = head(contrast=contrast, skull=skull)
    registration = register(made.subject())
    assert why_none(registration) == ""
    found = errors(registration, made, made.brain)
    assert np.median(found) < 2.5 < MM
    if contrast is T1:  # in T2 the cerebellum beside bright fluid is up to 13 mm off
        assert np.percentile(found, 95) < 8.0


def test_the_deformation_finds_what_the_affine_map_cannot():
    made = head(bend=6.0)
    registration = register(made.subject())
    straight = dataclasses.replace(registration, field=None)
    assert np.median(errors(registration, made, made.brain)) < 0.5 * np.median(errors(straight, made, made.brain))


def test_places_under_a_large_hole_are_found_from_around_it():
    made = head()
    hole = made.ball((20.0, -10.0, 30.0), 22.0)
    registration = register(made.subject(hole))
    assert why_none(registration) == ""
    assert np.median(errors(registration, made, hole)) < 3.0


def test_hidden_voxels_never_matter():
    made = head()
    hole = made.ball((20.0, -10.0, 30.0), 15.0)
    one = register(made.subject(hole))
    other = register(dataclasses.replace(made, volume=_with(made.volume, hole, 1e4)).subject(hole))
    np.testing.assert_array_equal(one.places(WHOLE), other.places(WHOLE))


def _with(volume, hole, value):
    return dataclasses.replace(volume, array=np.where(hole, value, volume.array).astype(np.float32))


@pytest.mark.parametrize("axes", [(2, 0, 1), (1, 2, 0), (0, 2, 1)])
def test_a_head_is_found_when_the_header_says_the_wrong_axes(axes):
    made = head(shift=(0.0, 0.0, 0.0))
    array = np.transpose(made.volume.array, axes)
    if np.linalg.det(np.eye(3)[list(axes)]) < 0:
        array = array[::-1]  # a mirrored head has left and right swapped, which no registration may guess
        places = np.transpose(made.places, (0, *(1 + np.array(axes))))[:, ::-1]
    else:
        places = np.transpose(made.places, (0, *(1 + np.array(axes))))
    turned = dataclasses.replace(made, volume=Volume(np.ascontiguousarray(array), (MM,) * 3), places=places)
    registration = register(turned.subject())
    assert why_none(registration) == ""
    whole = tuple(slice(0, size) for size in array.shape)
    brain = np.transpose(made.brain, axes)
    brain = brain[::-1] if np.linalg.det(np.eye(3)[list(axes)]) < 0 else brain
    found = np.sqrt(((registration.places(whole) - places) ** 2).sum(axis=0))[brain]
    assert np.median(found) < 2.5


def test_the_orientation_of_the_header_is_used():
    """The same head, stored with other axes and a header that says so, has the same places."""
    made = head()
    flipped = np.ascontiguousarray(made.volume.array[:, ::-1, ::-1])
    corner = np.array([(SHAPE[2] - 1) * MM, (SHAPE[1] - 1) * MM, 0.0])
    volume = Volume(flipped, (MM,) * 3, tuple(corner), (-1, 0, 0, 0, -1, 0, 0, 0, 1))
    turned = dataclasses.replace(made, volume=volume, places=made.places[:, :, ::-1, ::-1])
    one, other = register(made.subject()), register(turned.subject())
    close = np.abs(one.places(WHOLE)[:, :, ::-1, ::-1] - other.places(WHOLE))[:, turned.brain[:, ::-1, ::-1]]
    assert np.median(close) < 0.5


def test_a_cut_off_head_is_found():
    made = head(shift=(0.0, 0.0, 0.0))
    cut = 14  # of 44 slices: the lower third, with the cerebellum
    part = dataclasses.replace(
        made,
        volume=Volume(made.volume.array[cut:], (MM,) * 3, (0.0, 0.0, cut * MM)),
        places=made.places[:, cut:],
        brain=made.brain[cut:],
    )
    registration = register(part.subject())
    assert why_none(registration) == ""
    whole = tuple(slice(0, size) for size in part.brain.shape)
    found = np.sqrt(((registration.places(whole) - part.places) ** 2).sum(axis=0))[part.brain]
    assert np.median(found) < 2.5


def test_the_field_does_not_fold_and_its_inverse_undoes_it():
    made = head(bend=6.0)
    registration = register(made.subject())
    volume = jacobian(registration.places(WHOLE)) / np.linalg.det(registration.matrix)
    assert volume[made.brain].min() > 0.05
    index = registration.index(registration.places(WHOLE))
    apart = np.abs(index - np.indices(SHAPE)).max(axis=0)[made.brain]
    assert np.percentile(apart, 99) < 0.1


def test_a_guide_shows_the_places_under_the_hole():
    made, guide = head(bend=8.0), head(bend=8.0, contrast=T2)
    hole = made.ball((15.0, -10.0, 25.0), 30.0)
    alone = made.subject(hole)
    guided = dataclasses.replace(alone, guides=(guide.volume,), cache={})
    without, with_guide = (np.median(errors(register(each), made, hole)) for each in (alone, guided))
    assert with_guide < without


@pytest.mark.parametrize("kind", ["ball", "shells", "noise", "blobs"])
def test_what_is_no_head_is_refused(kind):
    rng = np.random.default_rng(0)
    distance = np.sqrt(((np.indices(SHAPE) - np.array(SHAPE).reshape(3, 1, 1, 1) / 2) ** 2).sum(axis=0))
    image = {
        "ball": (distance < 18) * 1.0 + rng.normal(0, 0.02, SHAPE),
        "shells": (distance < 20) * 0.5 + (distance < 16) * 0.4 - (distance < 7) * 0.6,
        "noise": rng.random(SHAPE),
        "blobs": 0.5 + 2 * ndimage.gaussian_filter(rng.normal(size=SHAPE), 2),
    }[kind]
    subject = _subject(np.clip(image, 0, 1).astype(np.float32), MM, MR)
    assert why_none(register(subject)) != ""


@pytest.mark.parametrize("modality", [CT, FILM])
def test_only_kinds_of_images_that_have_an_atlas_are_registered(modality):
    assert register(_subject(np.zeros(SHAPE, np.float32), MM, modality)) is None


@pytest.mark.parametrize("shape", [(40, 40), (1, 40, 40), (5, 60, 60)])
def test_slices_and_slabs_are_not_registered(shape):
    registration = register(_subject(np.ones(shape, np.float32), MM, MR))
    assert registration is None
    assert why_none(registration) == "the image cannot show a head"


def _subject(image, mm, modality):
    hole = np.zeros(image.shape, dtype=bool)
    hole[(0,) * image.ndim] = True
    box = tuple(slice(0, 1) for _ in image.shape)
    return Subject(Volume(image, mm), Hole(hole[box], box, image.shape), Scaling(0.0, 1.0), modality)


def test_a_registration_can_be_cancelled():
    with pytest.raises(Cancelled):
        register(head().subject(), Progress(cancelled=lambda: True))


def test_a_registration_is_found_once_an_image():
    subject = head(skull=False).subject()
    assert register(subject) is register(subject)


def test_it_is_kept_in_the_cache_and_read_from_there(tmp_path, monkeypatch):
    import MedInpaintLib.atlas.registration as module

    monkeypatch.setenv("MEDINPAINT_REGISTRATIONS", str(tmp_path / "kept"))
    made = head(skull=False)
    first = register(made.subject())
    assert len(list((tmp_path / "kept").glob("*.npz"))) == 1
    monkeypatch.setattr(module, "find", lambda *_: pytest.fail("registered again"))
    again = register(made.subject())
    np.testing.assert_array_equal(first.places(WHOLE), again.places(WHOLE))
    assert again.agreement == first.agreement


def test_another_hole_is_another_registration_and_a_damaged_file_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDINPAINT_REGISTRATIONS", str(tmp_path))
    made = head(skull=False)
    first = register(made.subject())
    register(made.subject(made.ball((20.0, -10.0, 30.0), 15.0)))
    files = sorted(tmp_path.glob("*.npz"), key=lambda file: file.stat().st_mtime)
    assert len(files) == 2
    for file in files:
        file.write_bytes(b"PK\x03\x04 damaged")
    np.testing.assert_array_equal(register(made.subject()).places(WHOLE), first.places(WHOLE))


def test_the_cache_is_bounded(tmp_path, monkeypatch):
    from MedInpaintLib.atlas import stored

    monkeypatch.setenv("MEDINPAINT_REGISTRATIONS", str(tmp_path))
    monkeypatch.setattr(stored, "MOST", 2)
    subjects = [head(skull=False, size=size).subject() for size in (0.9, 0.95, 1.0)]
    monkeypatch.setattr("MedInpaintLib.atlas.registration.deform", lambda *_: pytest.fail("not needed here"))
    monkeypatch.setattr("MedInpaintLib.atlas.registration.LEAST_AFFINE", 2.0)
    for subject in subjects:
        register(subject)
    assert len(list(tmp_path.glob("*.npz"))) == 2


@pytest.mark.parametrize("folder", ["off", "a file"])
def test_without_a_cache_it_is_found_all_the_same(folder, tmp_path, monkeypatch):
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    monkeypatch.setenv("MEDINPAINT_REGISTRATIONS", "off" if folder == "off" else str(blocked))
    assert why_none(register(head(skull=False).subject())) == ""
    assert blocked.read_text() == "in the way"
