"""MGH and MGZ: read as nibabel reads them, written byte by byte as they were."""

import gzip
import struct

import nibabel
import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib import Volume
from MedInpaintLib.errors import ImageReadError

AFFINE = nibabel.affines.from_matvec(
    nibabel.eulerangles.euler2mat(0.1, 0.2, 0.3) @ np.diag([-1.2, 1.5, 3.0])[[0, 2, 1]], [10, 20, -30.5]
)
TAIL = struct.pack(">5f", 2300.0, 0.1, 2.98, 900.0, 256.0) + b"a colour table"


def write(path, dtype="i2"):
    voxels = np.random.default_rng(0).integers(0, 100, (5, 6, 7)).astype(dtype)
    nibabel.save(nibabel.MGHImage(voxels, AFFINE), path)
    raw = path.read_bytes()
    content = gzip.decompress(raw) if path.suffix == ".mgz" else raw
    content = content[: 284 + voxels.nbytes] + TAIL
    path.write_bytes(gzip.compress(content) if path.suffix == ".mgz" else content)
    return content


def stored(path):
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".mgz" else raw


@pytest.mark.parametrize("ending", ["mgh", "mgz"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4"])
def test_voxels_grid_and_all_bytes_come_back(tmp_path, dtype, ending):
    content = write(tmp_path / f"a.{ending}", dtype)
    volume = Volume.read(tmp_path / f"a.{ending}")
    image = nibabel.load(tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(volume.array.T, np.asarray(image.dataobj))
    steps, start = volume.ijk_to_lps()
    np.testing.assert_allclose(steps @ [4, 3, 2] + start, image.affine[:3] @ [4, 3, 2, 1] * [-1, -1, 1], atol=1e-4)
    volume.write(tmp_path / f"b.{ending}")
    assert stored(tmp_path / f"b.{ending}") == content


def test_a_fill_keeps_header_and_tail_and_its_mask_only_the_scan_parameters(tmp_path):
    content = write(tmp_path / "a.mgz")
    hole = np.zeros((7, 6, 5), bool)
    hole[3, 3, 2] = True
    result = mi.inpaint(tmp_path / "a.mgz", hole, method="shell-mean")
    result.save(tmp_path / "b.mgz", mask=tmp_path / "mask.mgz")
    written = stored(tmp_path / "b.mgz")
    assert (written[:284], written[-len(TAIL) :]) == (content[:284], TAIL)
    mask = nibabel.load(tmp_path / "mask.mgz")
    assert mask.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(mask.dataobj).T.astype(bool), hole)
    assert stored(tmp_path / "mask.mgz")[-20:] == TAIL[:20]


def test_other_formats_become_mgz_and_back(tmp_path):
    write(tmp_path / "a.mgz")
    volume = Volume.read(tmp_path / "a.mgz")
    volume.write(tmp_path / "b.nii.gz")
    Volume.read(tmp_path / "b.nii.gz").write(tmp_path / "c.mgz")
    back = Volume.read(tmp_path / "c.mgz")
    np.testing.assert_array_equal(back.array, volume.array)
    assert volume.grid_difference(back) == ""
    np.testing.assert_allclose(
        nibabel.load(tmp_path / "c.mgz").affine, nibabel.load(tmp_path / "a.mgz").affine, atol=1e-4
    )


def test_without_a_good_direction_the_default_is_nibabels(tmp_path):
    content = bytearray(write(tmp_path / "a.mgh"))
    struct.pack_into(">h", content, 28, 0)
    (tmp_path / "a.mgh").write_bytes(content)
    steps, start = Volume.read(tmp_path / "a.mgh").ijk_to_lps()
    affine = nibabel.load(tmp_path / "a.mgh").affine
    np.testing.assert_allclose(steps @ [4, 3, 2] + start, affine[:3] @ [4, 3, 2, 1] * [-1, -1, 1], atol=1e-4)


@pytest.mark.parametrize(
    ("at", "kind", "value", "words"),
    [
        (0, ">i", 7, "its version is 7"),
        (4, ">i", 0, "its sizes are"),
        (4, ">i", 2**30, "cut off"),
        (16, ">i", 2, "4-D with 2 volumes"),
        (20, ">i", 9, "unknown kind"),
        (30, ">f", float("nan"), "damaged header"),
        (30, ">f", 0.0, "damaged header"),
        (42, ">3f", None, "cannot be inverted"),
    ],
)
def test_an_absurd_field_is_refused(tmp_path, at, kind, value, words):
    content = bytearray(write(tmp_path / "a.mgh"))
    struct.pack_into(kind, content, at, *((0.0,) * 3 if value is None else (value,)))
    (tmp_path / "a.mgh").write_bytes(content)
    with pytest.raises(ImageReadError, match=words):
        Volume.read(tmp_path / "a.mgh")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_a_file_that_is_cut_off_is_refused(tmp_path, share):
    write(tmp_path / "a.mgz")
    raw = (tmp_path / "a.mgz").read_bytes()
    (tmp_path / "a.mgz").write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(ImageReadError, match="cut off"):
        Volume.read(tmp_path / "a.mgz")
