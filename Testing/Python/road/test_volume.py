"""Reading, writing and refusing files."""

import os
import subprocess
import sys
import textwrap
from fractions import Fraction

import numpy as np
import pytest
import SimpleITK as sitk

from MedInpaintLib.errors import GeometryError, ImageReadError, OutputError, OutputPathError
from MedInpaintLib.files import write_text
from MedInpaintLib.io.formats import FORMATS, check_writable
from MedInpaintLib.volume import Volume

OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def oblique(dtype=np.int16) -> Volume:
    values = np.arange(4 * 5 * 6).reshape(4, 5, 6).astype(dtype)
    return Volume(values, (3.0, 0.9, 0.7), origin=(-10.0, 20.0, 5.5), direction=OBLIQUE)


def extremes(dtype, shape) -> np.ndarray:
    """Voxels from one end of the dtype to the other."""
    ends = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else np.finfo(dtype)
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    array.flat[:3] = ends.min, ends.max, ends.max // 3
    return array


FORMATS_AND_DTYPES = [(ending, dtype) for ending, kind in FORMATS.items() for dtype in sorted(kind.dtypes)]


@pytest.mark.parametrize(("ending", "dtype"), [(ending, dtype) for ending, dtype in FORMATS_AND_DTYPES])
def test_what_a_format_is_said_to_hold_survives_a_round_trip(tmp_path, ending, dtype):
    for number, dimensions in enumerate(FORMATS[ending].dimensions):
        place = tmp_path / f"{number}{ending}"
        if dimensions == 3:
            volume = Volume(extremes(dtype, (4, 5, 6)), (3.0, 0.9, 0.7), (-10.0, 20.0, 5.5), OBLIQUE)
        else:
            volume = Volume(extremes(dtype, (5, 6)), (0.9, 0.7))
        volume.write(place)
        back = Volume.read(place)
        assert back.array.dtype == volume.array.dtype
        np.testing.assert_array_equal(back.array, volume.array)
        assert volume.grid_difference(back) == ""


@pytest.mark.parametrize(
    ("name", "image", "message"),
    [
        (
            "a.png",
            np.zeros((4, 5), np.int16),
            r"PNG files hold 2-D images of uint16 or uint8 voxels.*2-D int16.*\.nrrd",
        ),
        ("a.png", np.zeros((4, 5, 6), np.uint8), r"this one is 3-D uint8"),
        ("a.png", np.zeros((1, 5, 6), np.uint8), r"this one is 3-D uint8"),
        ("a.tif", np.zeros((4, 5), np.float64), r"TIFF files hold 2-D.*2-D float64.*end 'a\.tif' in \.nrrd instead"),
        ("a.tiff", np.zeros((4, 5, 6), np.float32), r"3-D float32"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_with_one_that_can(tmp_path, name, image, message):
    with pytest.raises(OutputPathError, match=message):
        check_writable(tmp_path / name, Volume.of(image))
    with pytest.raises(OutputPathError, match=message):
        Volume.of(image).write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["film.jpg", "film.jpeg", "film.bmp"])
def test_formats_that_change_known_pixels_are_not_written(tmp_path, name):
    with pytest.raises(OutputPathError, match="does not say in which format"):
        check_writable(tmp_path / name)


@pytest.mark.parametrize("name", ["a.NII.GZ", "a.MHA", "a.Nii.gz"])
def test_an_ending_in_capitals_is_refused_before_the_work(tmp_path, name):
    with pytest.raises(OutputPathError, match=r"must end in \.(nii\.gz|mha) in lower case"):
        check_writable(tmp_path / name)


def test_nifti_would_bend_sheared_axes_so_they_are_refused(tmp_path):
    lean = (1, 0, 0, 0, np.cos(0.3), 0, 0, np.sin(0.3), 1)  # a gantry tilted by 17 degrees
    tilted = Volume(np.zeros((9, 9, 9), np.int16), (2, 1, 1), direction=lean)
    with pytest.raises(OutputPathError, match=r"right angles only.*\.mha"):
        check_writable(tmp_path / "a.nii.gz", tilted)
    tilted.write(tmp_path / "a.mha")
    assert tilted.grid_difference(Volume.read(tmp_path / "a.mha")) == ""


@pytest.mark.parametrize("dtype", [">i2", ">u4", ">f4", ">f8"])
def test_big_endian_voxels_are_written_like_any_others(tmp_path, dtype):
    image = Volume.of(np.arange(60).reshape(3, 4, 5).astype(dtype))
    image.write(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(Volume.read(tmp_path / "a.nrrd").array, image.array)


@pytest.mark.parametrize(("dtype", "written"), [(bool, np.uint8), (np.float16, np.float32)])
def test_dtypes_that_no_file_knows_keep_their_values(tmp_path, dtype, written):
    image = Volume.of(np.arange(60).reshape(3, 4, 5).astype(dtype))
    image.write(tmp_path / "a.nii.gz")
    back = Volume.read(tmp_path / "a.nii.gz").array
    assert back.dtype == written
    np.testing.assert_array_equal(back, image.array)


def test_a_compressed_nifti_beside_an_uncompressed_one_of_its_name_is_read_itself(tmp_path):
    Volume.of(np.full((3, 4, 5), 1, np.int16)).write(tmp_path / "a.nii")
    Volume.of(np.full((3, 4, 5), 2, np.int16)).write(tmp_path / "a.nii.gz")
    assert Volume.read(tmp_path / "a.nii").array.max() == 1
    assert Volume.read(tmp_path / "a.nii.gz").array.max() == 2


@pytest.mark.parametrize("ending", ["mha", "mhd", "nrrd"])
def test_a_nifti_header_does_not_travel_into_other_formats(tmp_path, ending):
    oblique().write(tmp_path / "a.nii.gz")
    # In a process of its own: ITK's warnings do not pass through Python.
    script = f"""
        from MedInpaintLib.volume import Volume
        Volume.read({str(tmp_path / "a.nii.gz")!r}).write({str(tmp_path / "b")!r} + ".{ending}", compress=False)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")
    written = (tmp_path / f"b.{ending}").read_bytes()
    assert [word for word in (b"ITK_", b"sform_", b"pixdim", b"UNKNOWN_PRINT") if word in written] == []


def test_what_is_said_of_the_image_travels_and_what_is_said_of_the_file_does_not(tmp_path):
    image = oblique().to_sitk()
    image.SetMetaData("Scanner", "A")
    image.SetMetaData("Empty", "")
    sitk.WriteImage(image, str(tmp_path / "a.nrrd"))
    source = Volume.read(tmp_path / "a.nrrd")
    for name in ("b.nrrd", "b.mha"):
        source.write(tmp_path / name, compress=False)
        written = (tmp_path / name).read_bytes()
        assert b"Scanner" in written
        assert not any(word in written for word in (b"ITK_", b"UNKNOWN", b"Empty", b"NRRD_"))


def test_a_folder_with_one_dicom_series_is_read(tmp_path):
    voxels = write_dicom_series(tmp_path, "1.2.826.0.1.3680043.2.1125.1")
    volume = Volume.read(tmp_path)
    np.testing.assert_array_equal(volume.array, voxels)
    assert volume.spacing == pytest.approx((2.5, 0.7, 0.7))


def test_the_patients_name_does_not_travel_into_the_result(tmp_path):
    image = sitk.Image(4, 4, sitk.sitkInt16)
    image.SetMetaData("0010|0010", "Doe^Jane")
    sitk.WriteImage(image, str(tmp_path / "slice.dcm"))
    volume = Volume.read(tmp_path / "slice.dcm")
    volume.write(tmp_path / "slice.nrrd")
    assert b"Doe" in (tmp_path / "slice.dcm").read_bytes()
    assert b"Doe" not in (tmp_path / "slice.nrrd").read_bytes()


def test_a_folder_with_two_series_is_refused(tmp_path):
    write_dicom_series(tmp_path, "1.2.826.0.1.3680043.2.1125.1")
    write_dicom_series(tmp_path, "1.2.826.0.1.3680043.2.1125.2")
    with pytest.raises(ImageReadError, match="holds 2 DICOM series"):
        Volume.read(tmp_path)


def test_a_folder_without_dicom_is_refused(tmp_path):
    with pytest.raises(ImageReadError, match="no DICOM series"):
        Volume.read(tmp_path)


def test_a_file_that_is_not_an_image_is_refused_by_name(tmp_path):
    (tmp_path / "notes.nrrd").write_text("buy milk")
    with pytest.raises(ImageReadError, match=r"notes\.nrrd' cannot be read as an image"):
        Volume.read(tmp_path / "notes.nrrd")


def test_a_missing_file_is_named():
    with pytest.raises(ImageReadError, match=r"no file or folder 'nowhere\.nrrd'"):
        Volume.read("nowhere.nrrd")


def test_a_4d_image_is_refused_with_the_way_out(tmp_path):
    series = sitk.JoinSeries([sitk.Image(4, 4, 4, sitk.sitkInt16)] * 3)
    sitk.WriteImage(series, str(tmp_path / "fmri.nii.gz"))
    with pytest.raises(ImageReadError, match=r"4-D with 3 volumes.*--volume.*split it"):
        Volume.read(tmp_path / "fmri.nii.gz")


def test_a_4d_image_with_one_volume_is_that_volume():
    single = sitk.JoinSeries([sitk.Image(4, 5, 6, sitk.sitkInt16)])
    assert Volume.of(single).array.shape == (6, 5, 4)


def test_a_vector_image_is_refused_with_the_way_out():
    with pytest.raises(ImageReadError, match=r"3 values per voxel.*one channel at a time"):
        Volume.of(sitk.GetImageFromArray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3), isVector=True))


def test_a_grey_image_stored_in_color_is_read_as_one_channel():
    grey = np.arange(16, dtype=np.uint8).reshape(4, 4)
    opaque = np.full_like(grey, 255)
    for channels in ([grey] * 3, [grey, grey, grey, opaque], [grey, opaque]):
        image = sitk.GetImageFromArray(np.stack(channels, axis=-1), isVector=True)
        np.testing.assert_array_equal(Volume.of(image).array, grey)
    with pytest.raises(ImageReadError, match="4 values per voxel"):
        Volume.of(sitk.GetImageFromArray(np.stack([grey, grey, grey, grey], axis=-1), isVector=True))


def test_complex_and_4d_arrays_are_refused():
    with pytest.raises(ImageReadError, match="complex"):
        Volume.of(np.zeros((3, 3), complex))
    with pytest.raises(ImageReadError, match=r"2 or 3 axes; found 4"):
        Volume.of(np.zeros((2, 3, 3, 3)))


@pytest.mark.parametrize("dtype", [np.longdouble, np.clongdouble])
def test_voxels_that_no_file_can_keep_are_refused(dtype):
    with pytest.raises(ImageReadError, match=r"more than 8 bytes|real numbers"):
        Volume.of(np.zeros((3, 3), dtype))


@pytest.mark.parametrize("shape", [(0, 4), (4, 0, 4)])
def test_an_image_without_voxels_is_refused(shape):
    with pytest.raises(ImageReadError, match="at least one voxel"):
        Volume.of(np.zeros(shape))


def test_lists_become_a_volume_through_of_alone():
    assert Volume.of([[1, 2], [3, 4]]).array.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(ImageReadError, match=r"found list\. Use Volume\.of"):
        Volume([[1, 2], [3, 4]], (1, 1))
    with pytest.raises(ImageReadError, match="No array can be made of this list"):
        Volume.of([[1, 2], [3]])


@pytest.mark.parametrize("spacing", [2, 2.0, np.float32(2), np.int64(2), np.array(2.0), Fraction(2), [2, 2], (2.0, 2)])
def test_spacing_may_be_any_number_or_a_sequence_of_them(spacing):
    assert Volume.of(np.zeros((3, 3)), spacing).spacing == (2.0, 2.0)
    assert Volume(np.zeros((3, 3)), np.array([2, 2])).spacing == (2.0, 2.0)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"origin": (1, 2)}, "origin must be 3 numbers"),
        ({"origin": (1, 2, float("inf"))}, "origin must be 3 numbers"),
        ({"origin": ("a", "b", "c")}, "origin must be 3 numbers"),
        ({"direction": (1, 0, 0, 1)}, "direction must be 3 x 3"),
        ({"direction": (1, 0, 0, 0, 1, 0, 0, 0, float("nan"))}, "direction must be 3 x 3"),
        ({"direction": (1, 0, 0, 0, 1, 0, 0, 0, 0)}, "direction must be 3 x 3.*can be inverted"),
        ({"direction": (0,) * 9}, "direction must be 3 x 3.*can be inverted"),
    ],
)
def test_impossible_places_are_refused(place, message):
    with pytest.raises(GeometryError, match=message):
        Volume(np.zeros((3, 3, 3)), (1, 1, 1), **place)


@pytest.mark.parametrize("spacing", [(1, 1), (1, 0, 1), (1, -2, 1), (1, float("nan"), 1), ("a", 1, 1), "1"])
def test_impossible_spacing_is_refused(spacing):
    with pytest.raises(GeometryError, match="3 positive numbers"):
        Volume(np.zeros((3, 3, 3)), spacing)


def test_an_output_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(OutputPathError, match=r"nowhere' for the output does not exist; create it first"):
        oblique().write(tmp_path / "nowhere" / "image.nrrd")


def test_an_output_without_a_known_format_is_refused(tmp_path):
    with pytest.raises(OutputPathError, match="does not say in which format"):
        oblique().write(tmp_path / "image.docx")


@pytest.mark.skipif(sys.platform == "win32", reason="the file size limit is POSIX")
@pytest.mark.parametrize("ending", ["nrrd", "nhdr", "nii", "nii.gz", "mha", "mhd"])
def test_a_full_disk_is_told_and_the_old_file_survives(tmp_path, ending):
    target = tmp_path / f"image.{ending}"
    oblique().write(target)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    # A file size limit makes writes fail as on a full disk, in a process of its own because it cannot be lifted again.
    script = f"""
        import resource, signal
        import numpy as np
        from MedInpaintLib.errors import OutputError
        from MedInpaintLib.volume import Volume
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        noise = np.random.default_rng(0).integers(0, 1000, (60, 60, 60)).astype(np.int16)
        try:
            Volume(noise, (1, 1, 1)).write({str(target)!r})
        except OutputError as error:
            print(error)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert f"{target}' could not be written" in run.stdout
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    target = tmp_path / "image.nrrd"
    oblique().write(target)
    before = target.read_bytes()

    def fail(*arguments, **options):
        raise RuntimeError("the disk fell off")

    monkeypatch.setattr(sitk, "WriteImage", fail)
    with pytest.raises(OutputError, match=r"\(the disk fell off\)\.$"):  # and no guess at why it did
        oblique().write(target)
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["image.nrrd"]


@pytest.mark.skipif(sys.platform == "win32", reason="not everybody may make links on Windows")
@pytest.mark.parametrize("ending", ["nrrd", "mhd"])
def test_a_link_is_followed_and_stays_a_link(tmp_path, ending):
    (tmp_path / "store").mkdir()
    link, target = tmp_path / f"link.{ending}", tmp_path / "store" / f"target.{ending}"
    oblique().write(target)
    link.symlink_to(target)
    brighter = oblique().with_array(oblique().array + 1)
    brighter.write(link)
    assert link.is_symlink()
    np.testing.assert_array_equal(Volume.read(target).array, brighter.array)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [link.name]

    report = tmp_path / "report.json"
    report.symlink_to(tmp_path / "store" / "report.json")
    write_text(report, "{}")
    assert report.is_symlink()
    assert (tmp_path / "store" / "report.json").read_text() == "{}"


def test_a_link_into_nowhere_and_a_folder_are_refused_before_the_work(tmp_path):
    (tmp_path / "folder.nrrd").mkdir()
    with pytest.raises(OutputPathError, match=r"folder\.nrrd' is a folder"):
        check_writable(tmp_path / "folder.nrrd")
    if sys.platform != "win32":
        (tmp_path / "link.nrrd").symlink_to(tmp_path / "nowhere" / "a.nrrd")
        with pytest.raises(OutputPathError, match="nowhere' for the output does not exist"):
            check_writable(tmp_path / "link.nrrd")


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path):
    longest = os.pathconf(tmp_path, "PC_NAME_MAX") if hasattr(os, "pathconf") else 120
    place = tmp_path / ("n" * (longest - 5) + ".nrrd")
    oblique().write(place)
    np.testing.assert_array_equal(Volume.read(place).array, oblique().array)


# grids


def ct_table(shift_mm=0.0, spacing=(1.0, 1.0, 1.0)) -> Volume:
    """A scan that begins 1500 mm up the table."""
    return Volume(np.zeros((20, 30, 40), np.uint8), spacing, (-250.0, -250.0, 1500.0 + shift_mm))


@pytest.mark.parametrize("shift", [1.4, 0.5, -0.1])
def test_a_mask_that_is_shifted_far_from_the_origin_is_on_another_grid(shift):
    difference = ct_table().grid_difference(ct_table(shift))
    assert f"origin (-250, -250, {1500 + shift:g}) instead of (-250, -250, 1500)" in difference
    assert f"{abs(shift):g} voxels away" in difference


def test_micrometres_are_told_apart():
    fine, coarse = (Volume(np.zeros((5, 5), np.uint8), step) for step in (0.001, 0.0019))
    assert "spacing (0.0019, 0.0019) instead of (0.001, 0.001)" in fine.grid_difference(coarse)
    moved = Volume(np.zeros((5, 5), np.uint8), 0.001, origin=(0.0005, 0))
    assert "origin" in fine.grid_difference(moved)


def test_the_thickness_of_a_single_slice_counts():
    thin, thick = (Volume(np.zeros((1, 9, 9)), (mm, 1, 1)) for mm in (1, 5))
    assert "spacing (5, 1, 1) instead of (1, 1, 1)" in thin.grid_difference(thick)


def test_axes_that_are_turned_or_flipped_are_told_apart():
    straight = Volume(np.zeros((4, 5, 6)), (3.0, 0.9, 0.7), (-10.0, 20.0, 5.5))
    assert "direction" in straight.grid_difference(oblique())
    flipped = Volume(straight.array, straight.spacing, straight.origin, (-1, 0, 0, 0, 1, 0, 0, 0, 1))
    assert "direction" in straight.grid_difference(flipped)


def test_headers_in_float32_or_with_four_digits_are_on_the_same_grid():
    exact = Volume(
        np.zeros((300, 512, 512), bool), (0.625, 0.48828125, 0.48828125), (-249.755859, -433.255859, 1507.3), OBLIQUE
    )
    places = {what: np.array(getattr(exact, what)) for what in ("spacing", "origin", "direction")}
    single = Volume(exact.array, *(place.astype(np.float32) for place in places.values()))
    rounded = Volume(exact.array, *(np.round(place, 4) for place in places.values()))
    assert exact.grid_difference(single) == ""
    assert exact.grid_difference(rounded) == ""


def write_dicom_series(folder, uid: str) -> np.ndarray:
    voxels = np.random.default_rng(len(uid)).integers(-1024, 1000, (4, 6, 5)).astype(np.int16)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for k, plane in enumerate(voxels):
        image = sitk.GetImageFromArray(plane)
        image.SetSpacing((0.7, 0.7))
        for tag, value in {
            "0008|0060": "CT",
            "0020|000e": uid,
            "0020|0032": f"0\\0\\{2.5 * k}",
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0020|0013": str(k + 1),
            "0008|0018": f"{uid}.{k + 1}",
            "0018|0050": "2.5",
        }.items():
            image.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{uid[-1]}-{k}.dcm"))
        writer.Execute(image)
    return voxels
