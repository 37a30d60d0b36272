"""Contrasts on one grid: against heads that are known everywhere, and so on any grid."""

import re

import numpy as np
import pytest

from MedInpaintLib.alignment import align_rigidly
from MedInpaintLib.errors import Cancelled, GeometryError, IntensityError
from MedInpaintLib.imputation.grids import check_one_anatomy, on_one_grid, read
from MedInpaintLib.inputs import name_of
from MedInpaintLib.progress import Progress
from MedInpaintLib.volume import Volume

SHAPE, MM = (26, 46, 38), (5.0, 3.5, 3.5)
HINT = "ask somebody."


@pytest.fixture(scope="module")
def there(grid):
    return grid(SHAPE, MM)


@pytest.fixture(scope="module")
def pair(head, there):
    return {name: head(name, there) for name in ("T1", "T2")}


def error(volume, truth):
    return float(np.abs(volume.array - truth.array).mean())


def correlation(volume, truth):
    return float(np.corrcoef(volume.array.ravel(), truth.array.ravel())[0, 1])


def test_contrasts_on_one_grid_stay_as_they_are(pair):
    moved, warnings = on_one_grid(pair, "T2")
    assert warnings == []
    assert all(moved[name] is pair[name] for name in pair)


@pytest.mark.parametrize(
    ("shape", "spacing", "direction"),
    [((40, 60, 54), (3.2, 2.6, 2.7), ()), ((40, 28, 56), (3.5, 5.0, 3.0), (1, 0, 0, 0, 0, -1, 0, 1, 0))],
    ids=["finer", "coronal"],
)
def test_a_contrast_on_another_grid_is_resampled_and_that_is_said(head, grid, pair, shape, spacing, direction):
    other = head("T2", grid(shape, spacing, direction))
    moved, (warning,) = on_one_grid({"T2": other, "T1": pair["T1"]}, "T1")
    assert warning.startswith("The T2 image is on another grid than the T1 image (shape (40,")
    assert warning.endswith("it was resampled (linear).")
    assert list(moved) == ["T2", "T1"]
    assert not moved["T2"].grid_difference(pair["T1"])
    assert correlation(moved["T2"], pair["T2"]) > 0.98


@pytest.mark.parametrize(("turn", "move"), [(8, (4, -6, 5)), (0, (0, 12, -9))])
def test_registration_undoes_a_known_turn_and_shift(head, there, pair, turn, move):
    other = head("T2", there, turn=turn, move=move)
    reports = []
    moved, warnings = on_one_grid(
        {"T1": pair["T1"], "T2": other}, "T1", register=True, progress=Progress(lambda at, _: reports.append(at))
    )
    assert warnings == []
    assert not moved["T2"].grid_difference(pair["T1"])
    assert error(moved["T2"], pair["T2"]) < 0.25 * error(other, pair["T2"])
    assert correlation(moved["T2"], pair["T2"]) > 0.98
    assert reports == sorted(reports)


def test_registration_starts_from_where_the_headers_put_the_two(head, grid, there, pair):
    """A field of view with far less of the head has its middle elsewhere."""
    steps, start = there.ijk_to_lps()
    part = Volume(np.zeros((20, 30, 38)), MM, tuple(start + steps @ (0, 14, 6)), there.direction)
    moved, _ = on_one_grid({"T1": pair["T1"], "T2": head("T2", part)}, "T1", register=True)
    seen = (slice(8, 24), slice(16, 42), slice(2, 36))
    assert np.corrcoef(moved["T2"].array[seen].ravel(), pair["T2"].array[seen].ravel())[0, 1] > 0.95


def test_registration_starts_from_where_the_centres_meet(pair):
    """A header of another day puts the head elsewhere."""
    other = pair["T2"]
    away = Volume(other.array, MM, tuple(np.add(other.origin, (70, -60, 80))))
    laid = align_rigidly(pair["T1"], away)
    assert laid is not None
    assert correlation(laid, other) > 0.98


def test_slices_are_registered_too(head, grid):
    there = grid((60, 50), (3.0, 3.0))
    image, truth = head("T1", there), head("T2", there)
    other = head("T2", there, turn=6, move=(5, -7, 0))
    laid = align_rigidly(image, other)
    assert laid is not None
    assert error(laid, truth) < 0.5 * error(other, truth)
    assert correlation(laid, truth) > 0.95


def test_what_cannot_be_registered_is_said_to_be_registered_by_hand(pair, grid):
    tiny = Volume(np.arange(8.0).reshape(2, 2, 2), (1.0,) * 3, (5000.0,) * 3)
    with pytest.raises(GeometryError, match=r"The T2 image cannot be registered to the T1 image.*by hand\.$"):
        on_one_grid({"T1": tiny, "T2": tiny.with_array(tiny.array**2)}, "T1", register=True)
    with pytest.raises(GeometryError, match=r"by hand|do not show the same anatomy"):
        on_one_grid({"T1": pair["T1"], "T2": tiny}, "T1", register=True)


@pytest.mark.parametrize(("subject", "turn", "move"), [(1, 0, (0, 0, 0)), (0, 0, (0, 20, 0)), (0, 30, (0, 0, 0))])
def test_another_anatomy_is_refused_and_the_message_says_what_to_do(head, there, pair, subject, turn, move):
    other = head("T2", there, subject, turn, move)
    with pytest.raises(
        GeometryError,
        match=r"do not show the same anatomy: the T2 image .*register them, or ask for it \(--register, register=",
    ):
        on_one_grid({"T1": pair["T1"], "T2": other}, "T1")


def test_after_a_registration_nobody_is_told_to_register(head, there, pair):
    with pytest.raises(GeometryError) as refused:
        on_one_grid({"T1": pair["T1"], "T2": head("T2", there, subject=1)}, "T1", register=True)
    assert str(refused.value).endswith("are they of one subject? To use it as it is, add --force (force=True).")


def test_bodies_that_hardly_overlap_are_refused_with_how_much_they_do(head, there, pair):
    aside = head("T2", there, move=(90, 0, 0))
    with pytest.raises(
        GeometryError, match=r"the bodies in the T2 image and the T1 image overlap by [1-5]?\d%; are they"
    ):
        on_one_grid({"T1": pair["T1"], "T2": aside}, "T1")


def test_images_that_do_not_overlap_in_space_are_refused(head, grid, there, pair):
    far = pair["T2"]
    far = Volume(far.array, far.spacing, (900.0, 0.0, 0.0), far.direction)
    with pytest.raises(GeometryError, match="do not show the same anatomy"):
        on_one_grid({"T1": pair["T1"], "T2": far}, "T1")


def test_a_contrast_to_which_a_chain_leads_is_accepted(head, there):
    """As with a large tumour: of what T1 shows, T2 shows nothing here, and FLAIR shows both."""
    rng = np.random.default_rng(0)
    one, other = head("T1", there), head("T1", there, subject=1)
    body = one.array > 0
    both = one.with_array(np.where(body, one.array + 2 * other.array, 0))
    for names in (("T1", "FLAIR", "T2"), ("T2", "T1", "FLAIR")):
        images = {"T1": one, "FLAIR": both, "T2": other}
        assert check_one_anatomy({name: images[name] for name in names}, "T1", hint=HINT) == []
    message = "do not show the same anatomy: the T2 image fits the T1 image no better in its place than 6 mm beside it"
    with pytest.raises(GeometryError, match=rf"{message}; ask somebody\. To use it as it is, add --force"):
        check_one_anatomy({"T1": one, "T2": other}, "T1", hint=HINT)
    noise = one.with_array(np.where(body, rng.uniform(200, 900, SHAPE), 0))
    with pytest.raises(GeometryError, match=message):
        check_one_anatomy({"T1": one, "FLAIR": both, "T2": noise}, "T1", hint=HINT)


@pytest.mark.parametrize("reference", ["T1", "T2", "FLAIR"])
def test_two_images_of_somebody_else_do_not_vouch_for_each_other(head, there, reference):
    images = {"T1": head("T1", there), "T2": head("T2", there, subject=1), "FLAIR": head("FLAIR", there, subject=1)}
    with pytest.raises(GeometryError, match=f"the T[12] image fits the {reference} image no better"):
        check_one_anatomy(images, reference, hint=HINT)
    own = {"T2": images["T2"], "FLAIR": images["FLAIR"]}
    assert check_one_anatomy(own, "T2", hint=HINT) == []  # they do fit each other


def test_what_lies_in_the_hole_of_the_reference_is_not_looked_at(head, there, pair):
    """There is somebody else's anatomy, or none, in nearly half of the head."""
    hole = np.zeros(SHAPE, bool)
    hole[:, :, :18] = True
    other = np.where(hole, head("T1", there, subject=1).array, pair["T1"].array)
    noise = np.where(hole, np.random.default_rng(0).uniform(0, 5000, SHAPE), pair["T1"].array).astype(np.float32)
    for spoiled in (other, noise):
        images = {"T1": pair["T1"].with_array(spoiled), "T2": pair["T2"]}
        assert check_one_anatomy(images, "T1", hint=HINT, hole=hole) == []


def test_with_too_little_to_tell_nothing_is_refused():
    rng = np.random.default_rng(0)
    noise = [Volume(rng.uniform(1, 9, (5, 6, 7)), MM) for _ in range(2)]
    assert check_one_anatomy(dict(zip(("T1", "T2"), noise, strict=True)), "T1", hint=HINT) == []


# images that cover less


def part_of(there, slices):
    """The grid's middle slices."""
    lost = (SHAPE[0] - slices) // 2
    steps, start = there.ijk_to_lps()
    return Volume(np.zeros((slices, *SHAPE[1:]), np.float32), MM, tuple(start + steps @ (0, 0, lost)), there.direction)


def test_z_scores_of_a_smaller_field_of_view_are_0_beyond_it(head, there, pair):
    """Their mean is at 0: beyond the image would be the level of tissue."""
    other = head("T2", part_of(there, 16))
    scores = other.with_array((other.array - other.array.mean()) / other.array.std())
    volumes = read({"T1": pair["T1"], "T2": scores})
    assert volumes["T1"].array is pair["T1"].array
    assert volumes["T2"].array.min() == 0
    moved, _ = on_one_grid(volumes, "T1")
    found = moved["T2"].array
    assert (found[:5] == 0).all()
    assert (found[21:] == 0).all()
    np.testing.assert_allclose(found[6:20], other.array[1:15] / other.array.std(), atol=1e-3)


def test_integers_below_zero_are_moved_up_and_others_stay(pair):
    image = np.rint(pair["T2"].array).astype(np.int16)
    volumes = read({"T1": image, "T2": image - 1024})
    assert volumes["T1"].array.dtype == np.int16
    np.testing.assert_array_equal(volumes["T1"].array, image)
    np.testing.assert_array_equal(volumes["T2"].array, image)


@pytest.mark.parametrize("slices", [14, 16, 24])
def test_that_an_image_covers_less_than_the_reference_is_said(head, there, pair, slices):
    shown = pair["T1"].array > 40
    lost = (SHAPE[0] - slices) // 2
    share = shown[lost : SHAPE[0] - lost].sum() / shown.sum()
    _, warnings = on_one_grid({"T1": pair["T1"], "T2": head("T2", part_of(there, slices))}, "T1")
    assert warnings.pop(0).startswith("The T2 image is on another grid than the T1 image")
    if share > 0.99:
        assert warnings == []
        return
    (warning,) = warnings
    found = re.fullmatch(
        r"The T2 image covers (\d+)% of what the T1 image shows; the rest is estimated without it\.", warning
    )
    assert int(found[1]) == pytest.approx(100 * share, abs=2)


@pytest.mark.parametrize("shift", [0.0, -3.0])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1e30])
def test_voxels_without_data_have_no_signal(wrong, shift):
    image = np.random.default_rng(0).random((5, 6, 7)) + shift
    plain = image.copy()
    image[2, 3, 4], plain[2, 3, 4] = wrong, 0.0
    volume = read({"T2": image})["T2"]
    assert volume.array[2, 3, 4] == 0
    low = np.percentile(np.delete(image.ravel(), 2 * 42 + 3 * 7 + 4), 0.5) if shift else 0.0
    expected = np.maximum(plain - low, 0)
    expected[2, 3, 4] = 0
    np.testing.assert_allclose(volume.array, expected, atol=1e-6)
    assert "The T2 image: No data in 1 voxel" in volume.warnings[0]
    with pytest.raises(IntensityError, match="The T2 image holds no data"):
        read({"T2": np.full((4, 4), np.nan)})


@pytest.mark.parametrize("image", [np.zeros((5, 6, 7)), np.full((4, 4), 7, np.uint8), np.ones((3, 3), bool)])
def test_an_image_that_is_the_same_everywhere_is_refused(image):
    with pytest.raises(IntensityError, match="The FLAIR image is the same everywhere"):
        read({"FLAIR": image})


def test_slices_and_volumes_do_not_go_together():
    ramp = np.arange(24.0)
    with pytest.raises(GeometryError, match=r"as many axes: T1 is 3-D, T2 is 2-D\."):
        read({"T1": ramp.reshape(2, 3, 4), "T2": ramp.reshape(4, 6)})


def test_registering_can_be_cancelled(pair):
    with pytest.raises(Cancelled):
        on_one_grid(pair, "T1", register=True, progress=Progress(cancelled=lambda: True))


def test_images_are_called_by_their_file_or_kind(tmp_path):
    assert name_of(tmp_path / "sub" / "t1.nii.gz") == "t1.nii.gz"
    assert name_of("a/b.nrrd") == "b.nrrd"
    assert name_of(np.zeros(3)) == "ndarray"
