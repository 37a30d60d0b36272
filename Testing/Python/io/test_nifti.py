"""NIfTI: read as nibabel reads it, damage refused by name, and headers that come back as they were."""

import gzip
import itertools
import struct
import tracemalloc

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

import MedInpaintLib as mi
from MedInpaintLib import Volume
from MedInpaintLib.errors import GeometryError, ImageReadError
from MedInpaintLib.io import nifti
from MedInpaintLib.jobs.fill import FillJob

RNG = np.random.default_rng(0)
STRAIGHT = np.diag([2.0, 1.5, 3.0, 1.0])
FLIPPED = np.diag([-2.0, 1.5, 3.0, 1.0])
PERMUTED = np.array([[0, 0, 3.0, 5], [-2, 0, 0, 6], [0, 1.5, 0, -7], [0, 0, 0, 1]])
TURNED = np.eye(4)
TURNED[:3, :3] = nibabel.eulerangles.euler2mat(0.1, -0.2, 0.3) * [2, 1.5, 3]
TURNED[:3, 3] = (-90, 126, -72)
MATRICES = {"straight": STRAIGHT, "flipped": FLIPPED, "permuted": PERMUTED, "turned": TURNED}


def image(dtype=np.int16, shape=(7, 6, 5), kind=nibabel.Nifti1Image, affine=TURNED):
    voxels = RNG.integers(0, 100, shape).astype(dtype)
    return kind(voxels, affine, dtype=dtype)


def stored(path):
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


def fill(path, output):
    """Fill two voxels of an image, as the command does."""
    volume = Volume.read(path)
    hole = np.zeros(volume.array.shape, bool)
    hole[2, 2:4, 3] = True
    mi.inpaint(volume, hole, method="shell-mean").save(output)
    return hole


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_every_dtype_byte_order_and_version_is_read_as_nibabel_reads_it(tmp_path, dtype, order, ending, kind):
    source = image(dtype, kind=kind)
    header = source.header.as_byteswapped({"<": "little", ">": "big"}[order])
    nibabel.save(kind(source.get_fdata().astype(dtype), source.affine, header), tmp_path / f"a.{ending}")
    volume = Volume.read(tmp_path / f"a.{ending}")
    assert volume.array.dtype == np.dtype(dtype)
    assert volume.array.flags.writeable
    np.testing.assert_array_equal(volume.array.T, np.asarray(nibabel.load(tmp_path / f"a.{ending}").dataobj))
    volume.write(tmp_path / f"b.{ending}")
    assert stored(tmp_path / f"b.{ending}") == stored(tmp_path / f"a.{ending}")


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("sform", "qform"), list(itertools.product(range(5), range(5))))
@pytest.mark.parametrize("name", MATRICES)
def test_the_header_of_a_fill_is_that_of_its_image(tmp_path, name, sform, qform, version):
    source = image(kind=(nibabel.Nifti1Image, nibabel.Nifti2Image)[version - 1])
    header = source.header
    header.set_sform(MATRICES[name], sform)
    header.set_qform(MATRICES["turned"] if name != "turned" else MATRICES["permuted"], qform)
    header["descrip"], header["intent_code"], header["cal_max"], header["slice_code"] = b"Colin27", 1001, 90, 3
    header.set_xyzt_units("mm", "sec")
    header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"kept"))
    kind = type(source)
    nibabel.save(kind(source.get_fdata().astype(np.int16), None, header), tmp_path / "a.nii.gz")
    hole = fill(tmp_path / "a.nii.gz", tmp_path / "b.nii.gz")
    before, after = nibabel.load(tmp_path / "a.nii.gz"), nibabel.load(tmp_path / "b.nii.gz")
    offset = int(before.header["vox_offset"])
    assert stored(tmp_path / "a.nii.gz")[:offset] == stored(tmp_path / "b.nii.gz")[:offset]
    np.testing.assert_array_equal(before.affine, after.affine)
    known = ~hole.T
    np.testing.assert_array_equal(np.asarray(before.dataobj)[known], np.asarray(after.dataobj)[known])


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize(("sform", "qform"), [(0, 0), (1, 0), (0, 1), (2, 1)])
def test_voxels_lie_where_nibabel_puts_them(tmp_path, name, sform, qform):
    source = image()
    source.header.set_sform(MATRICES[name], sform)
    source.header.set_qform(MATRICES[name], qform)
    nibabel.save(nibabel.Nifti1Image(source.get_fdata().astype(np.int16), None, source.header), tmp_path / "a.nii")
    steps, start = Volume.read(tmp_path / "a.nii").ijk_to_lps()
    index = np.array([4, 3, 2])
    expected = nibabel.affines.apply_affine(nibabel.load(tmp_path / "a.nii").affine, index) * [-1, -1, 1]
    np.testing.assert_allclose(steps @ index + start, expected, atol=1e-4)


@pytest.mark.parametrize(("slope", "inter"), [(2.0, 0.0), (0.003, -5.0), (1e-8, 0.0), (1.0, -1024.0), (1e-3, 1e6)])
@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.int32, np.float32])
def test_scaled_voxels_stay_scaled_and_known_ones_keep_their_bits(tmp_path, dtype, slope, inter):
    source = nibabel.Nifti1Image(RNG.integers(0, 120, (7, 6, 5)).astype(dtype), STRAIGHT)
    source.header.set_slope_inter(slope, inter)
    raw = nibabel.Nifti1Image(np.asarray(source.dataobj), STRAIGHT, source.header)
    content = bytearray(raw.to_bytes())
    struct.pack_into("<2f", content, 112, slope, inter)
    (tmp_path / "a.nii").write_bytes(content)
    before = nibabel.load(tmp_path / "a.nii")
    np.testing.assert_allclose(Volume.read(tmp_path / "a.nii").array.T, before.get_fdata(), rtol=1e-6)
    known = ~fill(tmp_path / "a.nii", tmp_path / "b.nii").T
    after = nibabel.load(tmp_path / "b.nii")
    assert (after.header.get_data_dtype(), after.dataobj.slope, after.dataobj.inter) == (
        np.dtype(dtype),
        before.dataobj.slope,
        before.dataobj.inter,
    )
    np.testing.assert_array_equal(after.dataobj.get_unscaled()[known], before.dataobj.get_unscaled()[known])


def test_mask_and_uncertainty_lie_on_the_images_grid_without_its_scaling(tmp_path):
    source = image(np.int16)
    source.header["descrip"] = b"kept"
    source.header["cal_max"] = 90
    content = bytearray(source.to_bytes())
    struct.pack_into("<2f", content, 112, 0.5, 3.0)
    (tmp_path / "a.nii").write_bytes(content)
    hole = np.zeros((5, 6, 7), bool)
    hole[2, 2, 3] = True
    result = mi.inpaint(tmp_path / "a.nii", hole, method="shell-mean", uncertainty=True)
    result.mask.write(tmp_path / "mask.nii")
    result.uncertainty.write(tmp_path / "uncertainty.nii")
    for name, dtype in (("mask", np.uint8), ("uncertainty", np.float32)):
        written = nibabel.load(tmp_path / f"{name}.nii")
        np.testing.assert_array_equal(written.affine, nibabel.load(tmp_path / "a.nii").affine)
        assert (written.get_data_dtype(), written.dataobj.slope, written.header["cal_max"]) == (dtype, 1.0, 0)
        assert written.header["descrip"] == b"kept"


def test_a_new_header_has_both_forms_and_other_programs_read_it(tmp_path):
    volume = Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), (3.0, 1.5, 2.0), (10.0, -20.0, 30.0))
    volume.write(tmp_path / "a.nii.gz")
    written = nibabel.load(tmp_path / "a.nii.gz")
    assert (int(written.header["sform_code"]), int(written.header["qform_code"])) == (1, 1)
    np.testing.assert_array_equal(written.get_sform(), written.get_qform())
    by_itk = Volume.from_sitk(sitk.ReadImage(str(tmp_path / "a.nii.gz")))
    assert volume.grid_difference(by_itk) == ""
    np.testing.assert_array_equal(by_itk.array, volume.array)


def test_nan_and_infinity_are_read_and_written(tmp_path):
    voxels = np.ones((5, 6, 7), np.float32)
    voxels[0, 0, :3] = (np.nan, np.inf, -np.inf)
    Volume.of(voxels).write(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(Volume.read(tmp_path / "a.nii.gz").array, voxels)


def test_two_files_of_one_image_are_read_through_either(tmp_path):
    source = nibabel.Nifti1Pair(RNG.integers(0, 9, (7, 6, 5)).astype(np.int16), TURNED)
    nibabel.save(source, tmp_path / "a.hdr")
    for ending in ("hdr", "img"):
        volume = Volume.read(tmp_path / f"a.{ending}")
        np.testing.assert_array_equal(volume.array.T, np.asarray(source.dataobj))
    volume.write(tmp_path / "b.nii")
    np.testing.assert_array_equal(nibabel.load(tmp_path / "b.nii").affine, nibabel.load(tmp_path / "a.hdr").affine)
    (tmp_path / "a.img").unlink()
    with pytest.raises(ImageReadError, match=r"one half of an image.*a\.img' is missing"):
        Volume.read(tmp_path / "a.hdr")


# damage


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.95, 0.999])
@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
def test_a_file_that_is_cut_off_is_refused(tmp_path, ending, share):
    path = tmp_path / f"a.{ending}"
    nibabel.save(image(shape=(20, 20, 20)), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ImageReadError, match=r"cut off|cannot be read"):
        Volume.read(path)


def test_no_flipped_bit_of_a_compressed_file_goes_unnoticed(tmp_path):
    nibabel.save(image(shape=(9, 9, 9)), tmp_path / "a.nii.gz")
    whole = (tmp_path / "a.nii.gz").read_bytes()
    truth = Volume.read(tmp_path / "a.nii.gz")
    noticed = 0
    for at in range(10, len(whole), 7):  # before: time and name
        damaged = bytearray(whole)
        damaged[at] ^= 1 << (at % 8)
        (tmp_path / "b.nii.gz").write_bytes(damaged)
        try:
            volume = Volume.read(tmp_path / "b.nii.gz")
        except ImageReadError:
            noticed += 1
        else:
            np.testing.assert_array_equal(volume.array, truth.array)
    assert noticed > 50


FIELDS = {
    "dim[0]": (40, "<h", [0, 8, -3, 2000]),
    "dim[1]": (42, "<h", [0, -5]),
    "bitpix": (72, "<h", [8, 0]),
    "pixdim[1]": (80, "<f", [0.0, float("nan"), float("inf")]),
    "pixdim[3]": (88, "<f", [0.0, float("nan")]),
    "vox_offset": (108, "<f", [0.0, 100.0, 352.5, 1e20, float("nan"), float("-inf")]),
    "magic": (344, "4s", [b"abc\0", b"\0\0\0\0"]),
}


@pytest.mark.parametrize(("field", "value"), [(name, value) for name, (_, _, all) in FIELDS.items() for value in all])
def test_an_absurd_field_is_named(tmp_path, field, value):
    content = bytearray(image().to_bytes())
    at, kind, _ = FIELDS[field]
    struct.pack_into(kind, content, at, value)
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(ImageReadError) as refusal:
        Volume.read(tmp_path / "a.nii")
    assert f"{field} is" in str(refusal.value)


@pytest.mark.parametrize("form", ["sform", "qform"])
def test_a_form_that_is_no_matrix_is_refused_by_name(tmp_path, form):
    source = image()
    source.header.set_sform(TURNED, 2 if form == "sform" else 0)
    source.header.set_qform(TURNED, 1)
    content = bytearray(nibabel.Nifti1Image(source.get_fdata().astype("i2"), None, source.header).to_bytes())
    struct.pack_into("<f", content, 280 if form == "sform" else 256, float("nan"))
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(ImageReadError, match=f"its {form} holds NaN"):
        Volume.read(tmp_path / "a.nii")


def test_a_header_that_promises_more_than_there_is_memory_takes_none(tmp_path):
    content = bytearray(image().to_bytes())
    struct.pack_into("<4h", content, 40, 3, 32000, 32000, 32000)
    for name, packed in (("a.nii", bytes(content)), ("a.nii.gz", gzip.compress(bytes(content)))):
        (tmp_path / name).write_bytes(packed)
        with pytest.raises(ImageReadError, match="cut off"):
            Volume.read(tmp_path / name)


def test_what_goes_on_behind_the_last_voxel_is_reported(tmp_path):
    (tmp_path / "a.nii").write_bytes(image().to_bytes() + b"more")
    assert "goes on behind its last voxel" in Volume.read(tmp_path / "a.nii").warnings[0]


@pytest.mark.parametrize("datatype", [1, 32, 1536, 1792, 2048, 77])
def test_voxels_that_are_no_real_numbers_are_refused(tmp_path, datatype):
    content = bytearray(image().to_bytes())
    struct.pack_into("<h", content, 70, datatype)
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(ImageReadError, match="must be real numbers"):
        Volume.read(tmp_path / "a.nii")


# axes that are not straight


def sheared(angle, shape=(7, 6, 5)):
    lean = np.array(STRAIGHT)
    lean[0, 1] = 1.5 * np.tan(np.radians(angle))
    return nibabel.Nifti1Image(RNG.integers(0, 9, shape).astype(np.int16), lean)


def test_rounded_axes_are_straightened_with_a_warning_and_the_header_stays(tmp_path):
    nibabel.save(sheared(0.2), tmp_path / "a.nii")
    volume = Volume.read(tmp_path / "a.nii")
    assert "off right angles by 0.2 degrees" in volume.warnings[0]
    direction = np.reshape(volume.direction, (3, 3))
    np.testing.assert_allclose(direction.T @ direction, np.eye(3), atol=1e-12)
    fill(tmp_path / "a.nii", tmp_path / "b.nii")
    assert stored(tmp_path / "b.nii")[:352] == stored(tmp_path / "a.nii")[:352]


def test_sheared_axes_are_refused_with_the_angle(tmp_path):
    nibabel.save(sheared(5.0), tmp_path / "a.nii")
    with pytest.raises(ImageReadError, match="off by 5 degrees"):
        Volume.read(tmp_path / "a.nii")


def test_analyze_images_are_refused_by_name(tmp_path):
    nibabel.save(nibabel.AnalyzeImage(np.zeros((4, 3, 2), np.int16), STRAIGHT), tmp_path / "a.img")
    with pytest.raises(ImageReadError, match="Analyze image: its header does not say which side is left"):
        Volume.read(tmp_path / "a.hdr")


def test_a_header_with_another_size_is_not_read_by_another_library(tmp_path):
    nibabel.save(image(), tmp_path / "a.nii")
    content = (tmp_path / "a.nii").read_bytes()
    (tmp_path / "a.nii").write_bytes(struct.pack("<i", 347) + content[4:])
    with pytest.raises(ImageReadError, match="cannot be read as an image"):
        Volume.read(tmp_path / "a.nii")


# memory


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_reading_takes_no_second_copy_of_the_voxels(tmp_path, ending):
    voxels = np.zeros((200, 200, 200), np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, STRAIGHT), tmp_path / f"a{ending}")
    Volume.read(tmp_path / f"a{ending}")  # imports
    tracemalloc.start()
    try:
        Volume.read(tmp_path / f"a{ending}")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert voxels.nbytes <= peak < 1.3 * voxels.nbytes


# without nibabel


def test_without_nibabel_voxels_and_grid_are_the_same_and_damage_is_still_noticed(tmp_path, monkeypatch):
    nibabel.save(image(np.float32), tmp_path / "a.nii.gz")
    usual = Volume.read(tmp_path / "a.nii.gz")
    monkeypatch.setattr(nifti, "available", lambda: False)
    volume = Volume.read(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(volume.array, usual.array)
    assert usual.grid_difference(volume) == ""
    volume.write(tmp_path / "b.nii.gz")
    np.testing.assert_array_equal(Volume.read(tmp_path / "b.nii.gz").array, usual.array)
    whole = (tmp_path / "a.nii.gz").read_bytes()
    (tmp_path / "a.nii.gz").write_bytes(whole[:-8] + bytes([whole[-8] ^ 4]) + whole[-7:])  # the checksum
    with pytest.raises(ImageReadError):
        Volume.read(tmp_path / "a.nii.gz")


@pytest.mark.parametrize(("unit", "size", "mm"), [("micron", 3.0, 0.003), ("meter", 0.002, 2.0), ("meter", 2.0, 2.0)])
def test_the_unit_of_the_header_counts_and_is_kept(unit, size, mm, tmp_path):
    array = np.arange(4 * 5 * 6, dtype=np.int16).reshape(6, 5, 4)
    image = nibabel.Nifti1Image(array, np.diag([-size, size, size, 1]))
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii")
    volume = mi.Volume.read(tmp_path / "a.nii")
    np.testing.assert_allclose(volume.spacing, mm, rtol=1e-6)
    volume.write(tmp_path / "b.nii")
    assert (tmp_path / "b.nii").read_bytes() == (tmp_path / "a.nii").read_bytes()


# headers without a position


@pytest.mark.parametrize("silent", ["image", "mask"])
def test_a_mask_lies_voxel_by_voxel_where_one_header_tells_no_position(tmp_path, silent):
    voxels = RNG.integers(0, 100, (11, 9, 8)).astype(np.int16)
    marks = np.zeros(voxels.shape, np.uint8)
    marks[8, 4:6, 3] = 1  # off the middle, so that a mirrored one would miss it
    for name, array in (("image", voxels), ("mask", marks)):
        header = nibabel.Nifti1Image(array, TURNED)
        if name == silent:
            header.header.set_sform(None, 0)
            header.header.set_qform(None, 0)
            header = nibabel.Nifti1Image(array, None, header.header)
        nibabel.save(header, tmp_path / f"{name}.nii")
    result = mi.inpaint(tmp_path / "image.nii", tmp_path / "mask.nii", method="shell-mean")
    np.testing.assert_array_equal(result.mask.array.T, marks)
    names = {name: str(tmp_path / f"{name}.nii") for name in ("image", "mask")}
    job = FillJob(job="fill", **names, output=str(tmp_path / "filled.nii"), method="shell-mean")
    for report in (result.report, job.run()):
        assert ["tells no position" in warning for warning in report["warnings"]].count(True) == 1


def test_a_mask_of_another_size_without_a_position_is_refused(tmp_path):
    nibabel.save(image(), tmp_path / "image.nii")
    marks = nibabel.Nifti1Image(np.ones((3, 3, 3), np.uint8), None)
    nibabel.save(marks, tmp_path / "mask.nii")
    with pytest.raises(GeometryError, match=r"tells no position.*nothing says where"):
        mi.inpaint(tmp_path / "image.nii", tmp_path / "mask.nii", method="shell-mean")
