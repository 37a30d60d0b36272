"""Guides that lie: flipped, of another anatomy, or with the lesion itself in them."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import MedInpaintLib as mi
from MedInpaintLib.errors import GeometryError, InputError
from MedInpaintLib.guides import check_guides, share_brighter
from MedInpaintLib.imputation.agreement import Anatomy, flips_that_fit
from MedInpaintLib.imputation.grids import check_one_anatomy
from MedInpaintLib.mask import find_hole
from MedInpaintLib.volume import Volume

CASE = Path(__file__).parents[3] / "Testing" / "Data" / "cases" / "17-guide-left-right-flipped"
SHAPE, MM = (26, 46, 38), (5.0, 3.5, 3.5)
FLIPS = [(2,), (1,), (0,), (1, 2), (0, 1, 2)]


@pytest.fixture(scope="module")
def there(grid):
    return grid(SHAPE, MM)


@pytest.fixture(scope="module")
def image(head, there):
    return head("T1", there)


@pytest.fixture(scope="module")
def guide(head, there):
    return head("T2", there)


@pytest.fixture(scope="module")
def hole(image):
    marked = np.zeros(SHAPE, np.uint8)
    marked[10:14, 18:25, 22:28] = 1
    return find_hole(image.with_array(marked), image)[0]


def flipped(volume, axes):
    return volume.with_array(np.flip(volume.array, axes).copy())


@pytest.mark.parametrize("axes", FLIPS)
def test_a_flipped_image_is_noticed_and_the_flip_is_named(image, guide, axes):
    view = Anatomy.of(image)
    assert flips_that_fit(view, Anatomy.of(guide)) == ()
    assert flips_that_fit(view, Anatomy.of(flipped(guide, axes))) == axes


def test_a_flip_in_the_header_is_noticed_where_the_head_is_off_centre(image, guide):
    """The sign of x is lost, so the head comes to lie on the other side of the scanner's middle."""
    steps, start = guide.ijk_to_lps()
    middle = steps @ ((np.array(SHAPE[::-1]) - 1) / 2) + start
    centred = dataclasses.replace(image, origin=tuple(start - middle + [9.0, 0.0, 0.0]))
    lost = Volume(guide.array[:, :, ::-1].copy(), MM, tuple(start - middle - [9.0, 0.0, 0.0]))
    moved = lost.resampled_onto(centred, linear=True)
    assert flips_that_fit(Anatomy.of(centred), Anatomy.of(moved)) == (2,)


@pytest.mark.parametrize(("axes", "words"), [((2,), "left-right"), ((1, 2), "front-back and left-right")])
def test_a_flipped_guide_is_refused_or_warned_of(image, guide, hole, axes, words):
    wrong = flipped(guide, axes)
    with pytest.raises(
        GeometryError, match=f"^Guide 2 fits the image clearly better when it is flipped {words}: .*wrong"
    ):
        check_guides([guide, wrong], ["1", "2"], image, hole)
    (warning,) = check_guides([wrong], ["'t2.nii'"], image, hole, force=True)
    assert warning.startswith("Guide 't2.nii' fits the image clearly better when it is flipped")
    assert check_guides([guide], ["1"], image, hole) == []


def test_an_estimate_of_mr_is_not_made_from_ct(image):
    hu = np.where(image.array > 100, image.array / 10 - 40, -1000).astype(np.int16)
    with pytest.raises(InputError, match=r"The T1 image is treated as CT because .* --force"):
        mi.impute({"T1": image.with_array(hu)}, "FLAIR")


def test_directions_are_named_by_the_header(image, guide):
    """The array's axes are stored in another order, so its first one runs from left to right."""
    turned = [
        Volume(
            np.transpose(each.array, (2, 0, 1)).copy(), (MM[2], MM[0], MM[1]), (0.0,) * 3, (0, 0, 1, 1, 0, 0, 0, 1, 0)
        )
        for each in (image, guide)
    ]
    with pytest.raises(GeometryError, match="flipped left-right"):
        check_one_anatomy({"T1": turned[0], "T2": flipped(turned[1], (0,))}, "T1", hint="ask")


def test_another_anatomy_is_refused_as_a_guide_and_no_flip_is_blamed(head, there, image, hole):
    other = head("T2", there, subject=1)
    with pytest.raises(GeometryError, match="do not show the same anatomy: guide 1 fits the image no better"):
        check_guides([other], ["1"], image, hole)
    assert len(check_guides([other], ["1"], image, hole, force=True)) == 1


def test_what_is_hidden_in_the_image_does_not_matter(image, guide, hole):
    wrong, expected = flipped(guide, (2,)), None
    for hidden in (0.0, 1e6, -1e6, np.nan):
        array = image.array.astype(np.float32)
        array[hole.box] = np.where(hole.voxels, hidden, array[hole.box])
        warnings = check_guides([wrong], ["1"], image.with_array(array), hole, force=True)
        assert expected in (None, warnings)
        expected = warnings
        assert check_guides([guide], ["1"], image.with_array(array), hole) == []


def test_voxels_without_data_are_not_compared(image, guide, hole):
    lost = np.zeros(SHAPE, bool)
    lost[:, :12] = lost[:7] = True
    holed = [each.with_array(np.where(lost, np.nan, each.array).astype(np.float32)) for each in (image, guide)]
    for some_image, some_guide in ((holed[0], guide), (image, holed[1]), holed):
        assert check_guides([some_guide], ["1"], some_image, hole) == []
        with pytest.raises(GeometryError, match="flipped"):
            check_guides([flipped(some_guide, (2,))], ["1"], some_image, hole)


@pytest.mark.parametrize("shape", [(5, 6, 7), (7, 9), (1, 30, 40)])
def test_where_there_is_too_little_to_tell_nothing_is_refused(shape):
    rng = np.random.default_rng(0)
    image, guide = (Volume(rng.uniform(1, 9, shape), (1.0,) * len(shape)) for _ in range(2))
    marked = np.zeros(shape, np.uint8)
    marked[(slice(0, 1),) * len(shape)] = 1
    assert check_guides([guide], ["1"], image, find_hole(image.with_array(marked), image)[0]) == []


@pytest.mark.parametrize(("added", "sense"), [(2000, "brighter"), (-2000, "darker")])
def test_a_guide_that_shows_the_lesion_is_warned_of(image, guide, hole, added, sense):
    array = guide.array.astype(np.float32)
    array[hole.box] += np.where(hole.voxels, added, 0)
    (warning,) = check_guides([guide, guide.with_array(array)], ["1", "2"], image, hole)
    assert warning.startswith(f"Guide 2 seems to show the lesion itself (it is {sense} in the hole")
    elsewhere = guide.array.astype(np.float32)
    elsewhere[4:7, 20:26, 10:16] += added
    assert check_guides([guide.with_array(elsewhere)], ["1"], image, hole) == []


def test_growing_the_hole_does_not_hide_the_lesion_in_a_guide(image, guide, hole):
    array = guide.array.astype(np.float32)
    array[hole.box] += np.where(hole.voxels, 2000, 0)
    lesion = image.with_array(hole.full().astype(np.uint8))
    grown = find_hole(lesion, image, dilate_mm=4)[0]
    shows = [guide.with_array(array)]
    assert check_guides(shows, ["1"], image, grown) == []
    (warning,) = check_guides(shows, ["1"], image, grown, marked=hole)
    assert "seems to show the lesion" in warning
    options = {"method": "patch", "guides": shows, "modality": "MR", "force": True}
    warnings = mi.inpaint(image, lesion, dilate_mm=4, **options).report["warnings"]
    assert any("seems to show the lesion" in each for each in warnings)


def test_the_share_is_that_of_the_rank_sum_test():
    rng = np.random.default_rng(0)
    guide = Volume(rng.integers(0, 20, (12, 30, 30)).astype(np.int16), (1.0,) * 3)
    marked = np.zeros(guide.array.shape, np.uint8)
    marked[4:8, 10:16, 10:16] = 1
    k, j, i = (np.maximum(np.maximum(low - x, x - high), 0) for x, low, high in zip(
        np.indices(marked.shape), (4, 10, 10), (7, 15, 15), strict=True))  # fmt: skip
    distance = np.sqrt(k**2 + j**2 + i**2)
    inside, shell = guide.array[marked > 0], guide.array[(distance > 1.5) & (distance <= 6)]
    expected = stats.mannwhitneyu(inside, shell).statistic / inside.size / shell.size
    assert share_brighter(guide, find_hole(guide.with_array(marked), guide)[0]) == pytest.approx(expected)


def test_the_flipped_contrast_of_a_real_head_is_refused_in_a_fill_and_in_an_estimate(tmp_path):
    t1, t2 = (Volume.read(CASE / f"{name}.nii.gz") for name in ("t1", "t2"))
    wrong = tmp_path / "flipped.nii.gz"
    flipped(t2, (2,)).write(wrong)
    options = {"mask": CASE / "mask.nii.gz", "method": "patch"}
    with pytest.raises(GeometryError, match=r"Guide 'flipped\.nii.gz' fits the image clearly better .* left-right"):
        mi.inpaint(t1, guides=[wrong], **options)
    forced = mi.inpaint(t1, guides=[wrong], force=True, **options).report["warnings"]
    assert any("flipped left-right" in each for each in forced)
    assert mi.inpaint(t1, guides=[CASE / "t2.nii.gz"], **options).report["warnings"] == []
    with pytest.raises(GeometryError, match=r"The T2 image fits the T1 image clearly better .* left-right"):
        mi.impute({"T1": t1, "T2": wrong}, "FLAIR")
