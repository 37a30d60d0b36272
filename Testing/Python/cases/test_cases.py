"""Inputs on which users of other tools got wrong results without a word: the folders of ``Testing/Data/cases``."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib import Volume

CASES = Path(__file__).parents[2] / "Data" / "cases"


def read(case, name):
    return Volume.read(CASES / case / name)


def arrays(case, *names):
    return [read(case, name).array.astype(float) for name in names]


def filled(case, image, mask, method):
    return mi.inpaint(CASES / case / image, CASES / case / mask, method=method).volume.array.astype(float)


def test_02_the_codes_of_an_mni_header_come_back(tmp_path):
    source = CASES / "02-mni-header-codes" / "t1_mni.nii.gz"
    mi.inpaint(source, source.with_name("mask.nii.gz"), method="biharmonic").save(tmp_path / "filled.nii.gz")
    before, after = (gzip.decompress(path.read_bytes())[:352] for path in (source, tmp_path / "filled.nii.gz"))
    assert struct.unpack_from("<hh", after, 252) == (4, 4)
    assert before == after


@pytest.mark.parametrize("digits", [3, 4])
def test_03_a_rounded_header_is_straightened(digits):
    case = CASES / "03-rounded-sform"
    result = mi.inpaint(case / f"t1-{digits}.nii.gz", case / f"mask-{digits}.nii.gz", method="biharmonic")
    assert result.report["hole"]["voxels"] == 123
    straightened = [warning for warning in result.report["warnings"] if "straightened" in warning]
    assert len(straightened) == (2 if digits == 3 else 0)  # four digits are as good as float32


@pytest.mark.xfail(strict=True, reason="belongs to the work on real lesions")
@pytest.mark.parametrize("method", ["biharmonic", "patch"])
def test_08_an_exact_zero_background_stays_zero_inside_the_hole(method):
    case = "08-stripped-edge"
    image, mask = arrays(case, "t1.nii.gz", "mask.nii.gz")
    background = (mask > 0) & (image == 0)
    assert not filled(case, "t1.nii.gz", "mask.nii.gz", method)[background].any()


def test_09_the_other_side_fills_a_large_lesion_better_than_a_flip_of_the_array():
    case = "09-large-unilateral-lesion"
    image, mask = arrays(case, "t1.nii.gz", "mask.nii.gz")
    errors = [
        np.square(each - image)[mask > 0].mean()
        for each in (filled(case, "t1.nii.gz", "mask.nii.gz", "auto"), image[:, :, ::-1])
    ]
    assert errors[0] < errors[1]


@pytest.mark.parametrize("method", ["biharmonic", pytest.param("patch", marks=pytest.mark.slow)])
def test_10_each_of_more_than_255_lesions_is_filled(method):
    case = "10-more-than-255-lesions"
    truth, mask = read(case, "truth.nii.gz"), read(case, "mask.nii.gz")
    hole = mask.array > 0
    result = mi.inpaint(truth.with_array(np.where(hole, 0, truth.array)), mask, method=method)
    assert result.report["hole"]["components"] > 255
    assert (result.volume.array[hole] > 0).all()
    error = np.square(result.volume.array[hole].astype(float) - truth.array[hole]).mean()
    assert 10 * np.log10(212**2 / error) > 32


@pytest.mark.slow
@pytest.mark.xfail(strict=True, reason="belongs to the work on real lesions")
def test_10_auto_fills_small_lesions_as_well_as_the_quickest_method_that_suits_them():
    case = "10-more-than-255-lesions"
    truth, mask = read(case, "truth.nii.gz"), read(case, "mask.nii.gz")
    hole = mask.array > 0
    errors = [
        np.square(mi.inpaint(truth, mask, method=method).volume.array[hole].astype(float) - truth.array[hole]).mean()
        for method in ("auto", "biharmonic")
    ]
    assert errors[0] <= errors[1] * 1.05


@pytest.mark.parametrize("content", [pytest.param(32767, marks=pytest.mark.slow), -32768])
def test_14_what_lies_under_the_hole_never_matters(content):
    case = "14-content-under-hole"
    image, mask = read(case, "t1-zero.nii.gz"), read(case, "mask.nii.gz")
    other = image.with_array(np.where(mask.array > 0, np.int16(content), image.array))
    first, second = (mi.inpaint(each, mask).volume.array for each in (image, other))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("factor", "offset"), [(1e-8, 0), (1 / 212, 0), (1e5, 0), (1, -300)])
def test_15_a_fill_does_not_depend_on_the_unit(factor, offset):
    case = "15-tiny-suv-and-scale"
    image, mask = read(case, "mr.nii.gz"), read(case, "mask.nii.gz")
    array = image.array.astype(np.float64)
    plain = mi.inpaint(image.with_array(array), mask, method="patch", modality="MR").volume.array
    scaled = mi.inpaint(image.with_array(array * factor + offset), mask, method="patch", modality="MR").volume.array
    np.testing.assert_allclose((scaled - offset) / factor, plain, atol=1e-9)


@pytest.mark.parametrize("method", ["auto", "telea", "navier-stokes", "biharmonic", "patch"])
def test_16_a_hole_at_the_border_of_a_grey_image_is_grey(method):
    assert (filled("16-hole-at-border", "grey.png", "mask.png", method) == 128).all()
