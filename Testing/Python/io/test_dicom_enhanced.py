"""Enhanced multi-frame images: each frame has its own position and scale; highdicom is the second opinion."""

from __future__ import annotations

import numpy as np
import pytest

from MedInpaintLib import io
from MedInpaintLib.errors import ImageReadError
from Testing.Python.dicom_files import ENHANCED_CT, ENHANCED_MR, ORIGIN, SPACING, voxels, write_enhanced


@pytest.mark.parametrize("sop_class", [ENHANCED_MR, ENHANCED_CT])
@pytest.mark.parametrize("order", [range(8), (3, 0, 7, 1, 2, 6, 5, 4), range(7, -1, -1)])
def test_frames_go_where_their_positions_say(order, sop_class, tmp_path):
    stored = write_enhanced(tmp_path / "x.dcm", order=order, sop_class=sop_class)
    volume = io.read(tmp_path / "x.dcm")
    assert np.array_equal(volume.array, stored)
    assert volume.array.dtype == np.uint16
    np.testing.assert_allclose(volume.spacing, SPACING)
    np.testing.assert_allclose(volume.origin, ORIGIN)
    assert np.array_equal(io.read(tmp_path).array, stored)


def test_positions_agree_with_highdicom(tmp_path):
    highdicom = pytest.importorskip("highdicom")
    write_enhanced(tmp_path / "x.dcm", order=(3, 0, 7, 1, 2, 6, 5, 4))
    volume = io.read(tmp_path / "x.dcm")
    peer = highdicom.imread(tmp_path / "x.dcm").get_volume(apply_real_world_transform=False)
    steps, start = volume.ijk_to_lps()
    for k, j, i in ((0, 0, 0), (7, 15, 13), (2, 3, 4)):
        mine = start + steps @ (i, j, k)
        index = tuple(np.rint(peer.map_reference_to_indices(mine[np.newaxis])[0]).astype(int))
        assert peer.array[index] == volume.array[k, j, i]


def test_each_frame_keeps_its_own_scale(tmp_path):
    slopes = [1.5 + k for k in range(8)]
    stored = write_enhanced(tmp_path / "x.dcm", slopes=slopes)
    assert np.array_equal(io.read(tmp_path / "x.dcm").array, stored * np.array(slopes)[:, None, None])


def test_whole_scales_give_whole_numbers(tmp_path):
    stored = write_enhanced(tmp_path / "x.dcm", slopes=[3] * 8)
    volume = io.read(tmp_path / "x.dcm")
    assert volume.array.dtype.kind in "iu"
    assert np.array_equal(volume.array, stored.astype(int) * 3)


def test_a_missing_frame_is_a_missing_slice(tmp_path):
    write_enhanced(tmp_path / "x.dcm", order=(0, 1, 3, 4, 5, 6, 7))
    assert io.read(tmp_path / "x.dcm", missing_slices=True).missing == (2,)


def test_several_stacks_and_time_points_are_refused(tmp_path):
    write_enhanced(tmp_path / "stacks.dcm", stacks=lambda k: "left" if k < 4 else "right")
    with pytest.raises(ImageReadError, match=r"holds 2 stacks of slices \(left, right\)"):
        io.read(tmp_path / "stacks.dcm")
    write_enhanced(tmp_path / "times.dcm", voxels()[:3], times=2)
    with pytest.raises(ImageReadError, match=r"2 images at each of its 3 positions.*differ in their time point: 1, 2"):
        io.read(tmp_path / "times.dcm")
