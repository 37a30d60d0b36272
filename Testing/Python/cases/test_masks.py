"""Masks that users of other tools reported, with what is right for them."""

from pathlib import Path

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.errors import MaskError
from MedInpaintLib.io import read

CASES = Path(__file__).parents[2] / "Data" / "cases"


@pytest.mark.parametrize(("mask", "kind"), [("crisp", "binary"), ("rgb", "binary"), ("", "soft-edged")])
def test_01_exactly_the_drawn_pixels_are_filled(mask, kind):
    folder = CASES / "01-antialiased-png-mask"
    marks = folder / f"mask{'-' + mask if mask else ''}.png"
    result = mi.inpaint(folder / "slice.png", marks, method="harmonic", modality="MR")
    np.testing.assert_array_equal(result.hole.full(), read(folder / "mask-crisp.png").array > 0)
    assert result.report["mask"]["kind"] == kind
    assert result.report["warnings"] == []


@pytest.mark.parametrize("name", ["mask-permuted", "mask-flipped"])
def test_12_the_order_of_the_masks_axes_does_not_matter(name):
    folder = CASES / "12-mask-other-axis-order"
    straight, other = (
        mi.inpaint(folder / "t1.nii.gz", folder / f"{each}.nii.gz", method="harmonic") for each in ("mask", name)
    )
    assert straight.hole.count() == 123
    np.testing.assert_array_equal(straight.volume.array, other.volume.array)


@pytest.mark.parametrize(("name", "scale"), [("ples-float", 1), ("ples-percent-uint8", 100)])
def test_13_a_probability_map_is_cut_at_one_half_of_its_scale(name, scale):
    folder = CASES / "13-probability-mask"
    result = mi.inpaint(folder / "t1.nii.gz", folder / f"{name}.nii.gz", method="harmonic")
    np.testing.assert_array_equal(result.hole.full(), read(folder / f"{name}.nii.gz").array >= scale / 2)
    assert result.report["mask"]["kind"] == "probability"
    assert f"from 0 to {scale}" in result.report["mask"]["rule"]


def test_13_a_map_that_stays_below_the_threshold_is_not_called_empty():
    folder = CASES / "13-probability-mask"
    with pytest.raises(MaskError, match=r"highest value is 0\.45.*threshold 0\.5") as caught:
        mi.inpaint(folder / "t1.nii.gz", folder / "ples-max045.nii.gz", method="harmonic")
    assert "empty" not in str(caught.value)
