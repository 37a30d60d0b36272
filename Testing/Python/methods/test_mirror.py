"""The mirror against heads that are symmetric by construction, and against biharmonic where it must step back."""

import functools

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib import intensity, other_side
from MedInpaintLib.errors import Cancelled
from MedInpaintLib.mask import find_hole
from MedInpaintLib.modality import MR
from MedInpaintLib.progress import Progress
from MedInpaintLib.region import crop
from MedInpaintLib.subject import Subject
from MedInpaintLib.volume import Volume

MM = 3.0
SHAPE = (44, 56, 48)


@functools.cache
def head(yaw=0.0, beside=0.0):
    """A head with texture that is symmetric about a plane turned by ``yaw`` degrees and moved by ``beside`` mm."""
    noise = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(60, 72, 40)), 1.3)
    z, y, x = (np.indices(SHAPE) * MM) - (np.array(SHAPE).reshape(3, 1, 1, 1) - 1) / 2 * MM
    a = np.radians(yaw)
    y, x = np.cos(a) * y - np.sin(a) * x, np.abs(np.sin(a) * y + np.cos(a) * x - beside)
    at = [z / MM + 30, y / MM + 36, x / MM + 4]
    texture = ndimage.map_coordinates(noise / noise.std(), at, order=3, mode="nearest")
    skin = 1 / (1 + np.exp(12 * (np.sqrt((z / 55) ** 2 + (y / 70) ** 2 + (x / 55) ** 2) - 1)))
    return (1000 * skin * (1 + 0.2 * texture)).astype(np.float32)


def ball(centre, radius=4.0):
    return ((np.indices(SHAPE) - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(axis=0) <= radius**2


LATERAL = ball((21, 27, 35))
LARGE = ball((21, 27, 34), 8)  # 58 ml
MIDLINE = ball((21, 27, 23.5))


def fill(image, hole, method="mirror", spacing=MM, **parameters):
    return mi.inpaint(image, hole, method=method, spacing=spacing, parameters=parameters, modality="MR")


def rms(filled, truth, hole):
    return float(np.sqrt(((filled - truth)[hole] ** 2).mean()))


@pytest.mark.parametrize(("yaw", "beside"), [(0, 0), (8, 4)])
def test_a_symmetric_head_is_restored(yaw, beside):
    truth = head(yaw, beside)
    result = fill(truth, LATERAL, detail="all")
    assert not result.report["warnings"]
    smooth = fill(truth, LATERAL, "biharmonic").volume.array
    filled = result.volume.array
    assert rms(filled, truth, LATERAL) < 0.3 * rms(smooth, truth, LATERAL)


def test_the_likely_share_lies_between_the_smooth_fill_and_the_mirror_image():
    truth = head()
    smooth = fill(truth, LATERAL, "biharmonic").volume.array
    likely, full = (fill(truth, LATERAL, detail=detail).volume.array for detail in ("likely", "all"))
    assert rms(full, truth, LATERAL) < rms(likely, truth, LATERAL) < rms(smooth, truth, LATERAL)


def test_a_deformed_side_is_fitted():
    truth = head()
    y, x = np.indices(SHAPE)[1:]
    bent = ndimage.map_coordinates(
        truth,
        np.indices(SHAPE) + np.array([0 * y, 1.2 / (1 + np.exp(-(x - 28.0) / 2)), 0 * y]),
        order=3,
        mode="nearest",
    )
    smooth = fill(bent, LATERAL, "biharmonic").volume.array
    assert rms(fill(bent, LATERAL, detail="all").volume.array, bent, LATERAL) < 0.6 * rms(smooth, bent, LATERAL)


def test_a_brighter_side_is_matched():
    truth = head() * (1 + 0.3 * np.indices(SHAPE)[2] / SHAPE[2]).astype(np.float32)
    matched, as_it_is = (fill(truth, LATERAL, detail="all", match=match).volume.array for match in (True, False))
    assert rms(matched, truth, LATERAL) < rms(as_it_is, truth, LATERAL)


#: What fills where there is no other side, by how the detail is taken over; and how the report calls it.
INSTEAD = pytest.mark.parametrize(
    ("detail", "method", "said"), [("patches", "patch", "patches of this side"), ("likely", "biharmonic", "biharmonic")]
)


@pytest.mark.parametrize("blend", ["poisson", "paste", "feather"])
@INSTEAD
def test_a_hole_on_the_midline_is_filled_by_the_fallback_and_the_report_says_so(blend, detail, method, said):
    truth, options = head(), {"spacing": MM, "modality": "MR", "blend": blend}
    result = mi.inpaint(truth, MIDLINE, method="mirror", parameters={"detail": detail}, **options)
    fallback = mi.inpaint(truth, MIDLINE, method=method, **options)
    np.testing.assert_allclose(result.volume.array, fallback.volume.array, atol=0.05)
    (warning,) = result.report["warnings"]
    assert warning == (
        f"1 of 1 part of the hole ({MIDLINE.sum()} voxels) was filled by {said}, not from the other side: its mirrored "
        "place lies in the hole itself or outside of the image."
    )
    assert result.report["notes"]["voxels that were not mirrored"] == MIDLINE.sum()


def test_patches_of_both_sides_restore_a_symmetric_head():
    truth = head(8, 4)
    result = fill(truth, LATERAL)
    assert not result.report["warnings"]
    for other in ("biharmonic", "patch"):
        assert rms(result.volume.array, truth, LATERAL) < 0.7 * rms(
            fill(truth, LATERAL, other).volume.array, truth, LATERAL
        )
    assert result.uncertainty.array[LATERAL].max() > 0


def test_one_part_can_fall_back_while_the_other_is_mirrored():
    truth = head()
    result = fill(truth, LATERAL | MIDLINE, detail="all")
    smooth = fill(truth, LATERAL | MIDLINE, "biharmonic").volume.array
    np.testing.assert_allclose(result.volume.array[MIDLINE], smooth[MIDLINE], atol=0.05)
    assert rms(result.volume.array, truth, LATERAL) < 0.5 * rms(smooth, truth, LATERAL)
    assert sum("filled by biharmonic" in warning for warning in result.report["warnings"]) == 1


def test_patches_beside_a_part_that_is_mirrored_are_mostly_of_this_side_and_that_is_said():
    (warning,) = fill(head(), LATERAL | MIDLINE).report["warnings"]
    assert warning.startswith(
        f"1 of 2 parts of the hole ({MIDLINE.sum()} voxels) was filled mostly by patches of this side"
    )


def test_hundreds_of_parts_take_no_more_room_than_what_is_around_them():
    hole = np.zeros(SHAPE, bool)
    hole[8:40:5, 8:48:5, 7:44:5] = True
    volume = Volume(head(), (MM,) * 3)
    found, _ = find_hole(volume.with_array(hole.astype(np.uint8)), volume)
    subject = Subject(volume, found, intensity.fit_scaling(volume.array, MR))
    compared = other_side.other_side(crop(subject, found.box))
    assert len(compared.parts) == hole.sum() > 400
    assert max(shell.size for _, shell in compared.shells) == (2 * 3 + 1) ** 3
    assert sum(not part.reason for part in compared.parts) > 300


def test_single_voxels_without_a_mirror_are_carried_on_and_counted():
    truth = head()
    other_side = ball((21, 24, 12), 1.0)  # a second hole where some of the first one's mirror lies
    result = fill(truth, LATERAL | other_side, detail="all")
    assert any(" of the hole were filled by biharmonic: its mirrored" in line for line in result.report["warnings"])
    smooth = fill(truth, LATERAL | other_side, "biharmonic").volume.array
    assert rms(result.volume.array, truth, LATERAL) < rms(smooth, truth, LATERAL)


@INSTEAD
def test_where_the_two_sides_are_not_alike_nothing_is_copied(detail, method, said):
    truth = head().copy()
    zone = ball((21, 27, 35), 9)
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), 1)
    truth[zone] = 900 + 1500 * noise[zone].astype(np.float32)
    result = fill(truth, LATERAL, detail=detail)
    np.testing.assert_allclose(result.volume.array, fill(truth, LATERAL, method).volume.array, atol=0.05)
    assert f"filled by {said}" in result.report["warnings"][0]
    assert "the two sides are not alike around it" in result.report["warnings"][0]


@INSTEAD
def test_an_image_without_symmetry_is_filled_by_the_fallback(detail, method, said):
    rng = np.random.default_rng(0)
    image = (500 + 1000 * ndimage.gaussian_filter(rng.normal(size=SHAPE), 2)).astype(np.float32)
    result = fill(image, LATERAL, detail=detail)
    np.testing.assert_allclose(result.volume.array, fill(image, LATERAL, method).volume.array, atol=0.05)
    assert f"filled by {said}" in result.report["warnings"][0]
    assert "is not symmetric enough" in result.report["warnings"][0]
    tiny = fill(image[:4, :6, :5], np.indices((4, 6, 5)).sum(axis=0) == 7, detail=detail)
    assert "is too small to tell" in tiny.report["warnings"][0]


def test_where_neither_side_has_a_patch_one_sentence_names_the_fill_and_both_reasons():
    hole = np.zeros((5, 5, 5), bool)
    hole[1:4, 1:4, 1:4] = True
    (warning,) = fill(np.random.default_rng(0).random((5, 5, 5)), hole).report["warnings"]
    assert warning == (
        "All of the hole was filled by biharmonic: the image is too small to tell; there is no other side to copy "
        "from, and no patch is whole."
    )


def test_half_a_head_has_no_other_side_beyond_its_edge():
    image = np.ascontiguousarray(head()[:, :, 15:])
    hole = np.ascontiguousarray(ball((21, 27, 40), 3)[:, :, 15:])
    result = fill(image, hole)
    np.testing.assert_allclose(result.volume.array, fill(image, hole, "patch").volume.array, atol=0.05)
    assert "outside of the image" in result.report["warnings"][0]


@pytest.mark.parametrize("header", [True, False])
def test_the_storage_order_does_not_matter(header):
    axial = fill(head(4), LATERAL, detail="all").volume.array
    order = (2, 0, 1)  # sagittal: slices from left to right
    direction = tuple(np.eye(3)[:, ::-1][:, list(order)][:, ::-1].ravel()) if header else ()
    stored = np.ascontiguousarray(head(4).transpose(order))
    hole = np.ascontiguousarray(LATERAL.transpose(order))
    volume = Volume(stored, (MM,) * 3, (), direction)
    filled = mi.inpaint(volume, volume.with_array(hole.astype(np.uint8)), method="mirror", modality="MR",
                        parameters={"detail": "all"}).volume.array  # fmt: skip
    assert rms(filled.transpose(np.argsort(order)), axial, LATERAL) < 0.02 * axial.max()


def test_a_slice_is_mirrored_too():
    truth = head()[21]
    hole = LATERAL[21]
    result = fill(truth, hole, detail="all")
    assert not result.report["warnings"]
    assert rms(result.volume.array, truth, hole) < 0.5 * rms(fill(truth, hole, "biharmonic").volume.array, truth, hole)


@pytest.mark.parametrize("hole", [LATERAL, LARGE])
def test_what_is_hidden_has_no_influence_and_every_run_gives_the_same(hole):
    image = head(4)
    spoiled = image.copy()
    spoiled[hole] = np.nan
    first, second = (fill(each, hole).volume.array for each in (image, spoiled))
    assert first[hole].tobytes() == second[hole].tobytes()


def test_a_large_hole_is_mirrored_however_unlike_its_surroundings_are():
    truth = head()
    around = ndimage.binary_dilation(LARGE, iterations=3) & ~LARGE
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), 1)
    image = np.where(around, truth * (1 + 2 * noise), truth).astype(np.float32)
    result = fill(image, LARGE)
    smooth = fill(image, LARGE, "biharmonic").volume.array
    assert not result.report["warnings"]
    assert rms(result.volume.array, truth, LARGE) < 0.8 * rms(smooth, truth, LARGE)
    assert 0.9 < result.volume.array[LARGE].mean() / truth[LARGE].mean() < 1.1


def test_a_large_hole_over_the_midline_is_mirrored_where_it_can_be():
    truth, hole = head(), ball((21, 27, 29), 9)  # a third of it has its mirror in the hole itself
    result = fill(truth, hole)
    smooth = fill(truth, hole, "biharmonic").volume.array
    (warning,) = result.report["warnings"]
    assert "voxels of the hole were filled by biharmonic" in warning
    assert rms(result.volume.array, truth, hole) < rms(smooth, truth, hole)


def test_a_large_hole_without_another_side_is_filled_by_biharmonic():
    rng = np.random.default_rng(0)
    image = (500 + 1000 * ndimage.gaussian_filter(rng.normal(size=SHAPE), 2)).astype(np.float32)
    result = fill(image, LARGE)
    np.testing.assert_allclose(result.volume.array, fill(image, LARGE, "biharmonic").volume.array, atol=0.05)
    assert "is not symmetric enough" in result.report["warnings"][0]


@pytest.mark.parametrize(("hole", "share", "mirrored"), [(LATERAL, 1.0, True), (MIDLINE, 0.0, False)])
def test_the_share_with_a_known_mirror_is_told_before_anything_is_fitted(hole, share, mirrored):
    volume = Volume(head(), (MM,) * 3)
    both, _ = find_hole(volume.with_array((LATERAL | MIDLINE).astype(np.uint8)), volume)
    subject = Subject(volume, both, intensity.fit_scaling(volume.array, MR))
    whole = tuple(slice(0, size) for size in SHAPE)
    assert other_side.known_share(subject, hole, whole) == pytest.approx(share, abs=0.1)
    assert other_side.has_other_side(subject, hole, whole) is mirrored


def test_it_can_be_cancelled():
    with pytest.raises(Cancelled):
        mi.inpaint(head(), LATERAL, method="mirror", spacing=MM, progress=Progress(cancelled=lambda: True))


def test_the_correlation_is_that_of_numpy():
    a, b = np.random.default_rng(0).normal(size=(2, 100))
    assert other_side._correlation(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert other_side._correlation(a[:5], b[:5]) == 0.0
    assert other_side._correlation(a, np.ones(100)) == 0.0
