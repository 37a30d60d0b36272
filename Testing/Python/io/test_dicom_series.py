"""DICOM series: positions come from the headers, and what is irregular is refused by name."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedInpaintLib import Volume, io
from MedInpaintLib.errors import ImageReadError, OutputPathError
from Testing.Python.dicom_files import (
    MR,
    OBLIQUE,
    ORIGIN,
    PET,
    SPACING,
    dataset,
    item,
    normal,
    save,
    voxels,
    write_series,
)

CASE = Path("Testing/Data/cases/04-dicom-missing-slice").resolve()


def read(folder, **options) -> Volume:
    return io.read(folder, missing_slices=True, **options)


def as_itk_reads(folder) -> Volume:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    return Volume.from_sitk(reader.Execute())


def moved(k: int, by: tuple[float, float, float]):
    def change(ds, index):
        if index == k:
            ds.ImagePositionPatient = [float(mm + more) for mm, more in zip(ds.ImagePositionPatient, by, strict=True)]

    return change


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), OBLIQUE, (0, 1, 0, 0, 0, -1)])
def test_a_regular_series_is_read_as_simpleitk_reads_it(orientation, tmp_path):
    stored = write_series(tmp_path, orientation=orientation)
    volume, peer = read(tmp_path), as_itk_reads(tmp_path)
    assert np.array_equal(volume.array, stored.astype(int) - 1024)
    assert np.array_equal(volume.array, peer.array)
    assert volume.array.dtype == peer.array.dtype
    assert volume.grid_difference(peer) == ""
    assert (volume.missing, volume.warnings, volume.padding) == ((), (), None)


def test_the_names_of_the_files_do_not_matter(tmp_path):
    stored = write_series(tmp_path)
    for k in range(8):
        (tmp_path / f"{k:03d}.dcm").rename(tmp_path / f"IM{(5 * k) % 8}")
    assert np.array_equal(read(tmp_path).array, stored.astype(int) - 1024)


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), OBLIQUE])
@pytest.mark.parametrize("skip", [(3,), (1, 2, 5), (2, 4, 6)])
def test_missing_slices_are_found_and_the_others_keep_their_positions(skip, orientation, tmp_path):
    stored = write_series(tmp_path, orientation=orientation, skip=skip)
    volume = read(tmp_path)
    assert volume.missing == skip
    there = [k for k in range(8) if k not in skip]
    assert np.array_equal(volume.array[there], stored[there].astype(int) - 1024)
    assert (volume.array[list(skip)] == volume.array[there].min()).all()
    np.testing.assert_allclose(volume.spacing, SPACING, rtol=1e-6)
    steps, start = volume.ijk_to_lps()
    np.testing.assert_allclose(start + 7 * steps[:, 2], ORIGIN + 7 * SPACING[0] * normal(orientation), atol=1e-4)


def test_a_missing_slice_in_a_short_series_is_found_too(tmp_path):
    write_series(tmp_path, skip=(2, 4, 5, 6, 7))
    assert read(tmp_path).missing == (2,)


def test_the_case_of_a_missing_slice_has_true_positions():
    volume = read(CASE / "series")
    assert (volume.missing, volume.spacing, volume.array.shape) == ((4,), (5.0, 2.0, 2.0), (9, 80, 70))
    assert volume.grid_difference(io.read(CASE / "missing-slice.nrrd")) == ""


def test_only_a_fill_may_read_a_series_that_lacks_slices():
    with pytest.raises(ImageReadError, match=r"lacks a slice: k = 4 at \(0, 0, 20\) mm \(after '003.dcm', before '005"):
        Volume.read(CASE / "series")


def test_padding_fills_missing_slices_and_is_reported_in_intensities(tmp_path):
    def padded(ds, k):
        ds.PixelPaddingValue, ds.PixelPaddingRangeLimit = 0, 7

    write_series(tmp_path, change=padded, skip=(3,))
    volume = read(tmp_path)
    assert volume.padding == (-1024.0, -1017.0)
    assert (volume.array[3] == -1024).all()


def test_padding_written_without_its_sign_is_understood(tmp_path):
    def padded(ds, k):
        ds.add_new(0x00280120, "US", 63536)  # -2000 as an unsigned number

    write_series(tmp_path, voxels().astype(np.int16), change=padded)
    assert read(tmp_path).padding == (-3024.0, -3024.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (moved(4, (0, 0, 0.9)), r"not evenly spaced: '004.dcm' at \(-20, 10.5, -289.1\) mm lies 0.9 mm from where"),
        (moved(4, (0, 0, 1.6)), "not evenly spaced: '004.dcm'"),
        (moved(4, (0.5, 0, 0)), "not evenly spaced: '004.dcm'.* lies 0.5 mm"),
        (moved(7, (0, 0, 0.4)), "not evenly spaced: '007.dcm'"),
        (moved(0, (0, -3, 0)), "not evenly spaced: '000.dcm'"),
        (moved(4, (0, 0, -2.5)), "'003.dcm' and '004.dcm' lie at the same position"),
    ],
)
def test_a_shifted_slice_is_refused_by_name(change, message, tmp_path):
    write_series(tmp_path, change=change)
    with pytest.raises(ImageReadError, match=message):
        read(tmp_path)


def test_slices_of_two_thicknesses_are_refused(tmp_path):
    write_series(tmp_path, change=lambda ds, k: moved(k, (0, 0, 1.25 * max(k - 4, 0)))(ds, k))
    with pytest.raises(ImageReadError, match="not evenly spaced"):
        read(tmp_path)


def test_positions_that_are_rounded_are_no_shift(tmp_path):
    def rounded(ds, k):
        ds.ImagePositionPatient = [round(float(mm), 1) for mm in ds.ImagePositionPatient]

    write_series(tmp_path, step=(0, 0, 1.23), change=rounded)
    assert read(tmp_path).spacing[0] == pytest.approx(1.23, abs=0.01)


def test_a_file_that_is_there_twice_is_named(tmp_path):
    write_series(tmp_path)
    shutil.copy(tmp_path / "003.dcm", tmp_path / "copy.dcm")
    with pytest.raises(ImageReadError, match=r"'003.dcm' and 'copy.dcm' lie at the same position.*copies of one image"):
        read(tmp_path)


def test_time_points_and_echoes_are_refused_and_told_apart(tmp_path):
    write_series(tmp_path, sop_class=MR)
    for k in range(8):
        (tmp_path / f"{k:03d}.dcm").rename(tmp_path / f"first-{k}.dcm")

    def later(ds, k):
        ds.EchoTime, ds.SOPInstanceUID = "80", f"1.2.3.99.{k + 1}"

    write_series(tmp_path, sop_class=MR, change=later)
    with pytest.raises(
        ImageReadError, match=r"holds 2 images at each of its 8 positions.*differ in their echo time: 20, 80"
    ):
        read(tmp_path)


def changed(k: int, **values):
    def change(ds, index):
        if index == k:
            for name, value in values.items():
                setattr(ds, name, value)

    return change


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"Rows": 14, "Columns": 16}, r"'002.dcm' has another size than the rest, \(14, 16\) instead of \(16, 14\)"),
        ({"PixelSpacing": [0.9, 0.9]}, "'002.dcm' has another pixel spacing than the rest"),
        ({"ImageOrientationPatient": [0, 1, 0, -1, 0, 0]}, "'002.dcm' has another orientation .* turned by 90 degrees"),
        ({"ImageOrientationPatient": [0.9998, 0.02, 0, -0.02, 0.9998, 0]}, "'002.dcm' has another orientation"),
        ({"RescaleSlope": 0}, "'002.dcm' has a rescale slope of 0"),
        ({"RescaleSlope": None, "RescaleIntercept": None}, "'002.dcm' has no rescale slope, unlike the rest"),
        ({"ImagePositionPatient": None}, "'002.dcm' does not say where its slice lies"),
        ({"PixelSpacing": [0, 0.7]}, "002.dcm' has a pixel spacing of"),
    ],
)
def test_a_slice_of_another_kind_is_refused_by_name(values, message, tmp_path):
    write_series(tmp_path, change=changed(2, **values))
    with pytest.raises(ImageReadError, match=message):
        read(tmp_path)


def test_axes_that_are_not_at_right_angles_are_refused_with_their_angle(tmp_path):
    write_series(tmp_path, orientation=(1, 0, 0, 0.0871557, 0.9961947, 0), step=(0, 0, 2.5))
    with pytest.raises(ImageReadError, match="axes at 85 degrees instead of 90"):
        read(tmp_path)


@pytest.mark.parametrize("cut", [0, 60, 0.3, 0.6, 0.95, 0.999])
def test_a_slice_that_is_cut_is_refused_by_name(cut, tmp_path):
    write_series(tmp_path)
    content = (tmp_path / "005.dcm").read_bytes()
    (tmp_path / "005.dcm").write_bytes(content[: int(len(content) * cut) if isinstance(cut, float) else cut])
    with pytest.raises(ImageReadError, match=r"The DICOM file '.*005.dcm' is damaged or incomplete"):
        read(tmp_path)


def test_a_field_that_is_no_number_is_named(tmp_path):
    write_series(tmp_path)
    content = (tmp_path / "005.dcm").read_bytes()
    (tmp_path / "005.dcm").write_bytes(content.replace(b"-287.5", b"-28x.5"))
    with pytest.raises(
        ImageReadError, match=r"005.dcm' has '.*-28x.5' as its element \(0020,0032\); it must be 3 numbers"
    ):
        read(tmp_path)


@pytest.mark.parametrize("angle", [0.5, 12.0, -20.0])
def test_a_tilted_gantry_keeps_its_sheared_grid_and_its_voxels(angle, tmp_path):
    shift = np.tan(np.radians(angle)) * SPACING[0]
    stored = write_series(tmp_path / "in", step=(0, shift, SPACING[0]))
    volume = read(tmp_path / "in")
    assert np.array_equal(volume.array, stored.astype(int) - 1024)
    steps = volume.ijk_to_lps()[0]
    np.testing.assert_allclose(steps[:, 2], (0, shift, SPACING[0]), atol=1e-5)
    (warning,) = volume.warnings
    assert f"tilted by {abs(angle):g} degrees" in warning
    volume.write(tmp_path / "out.nrrd")
    assert io.read(tmp_path / "out.nrrd").grid_difference(volume) == ""
    with pytest.raises(OutputPathError, match="sheared"):
        volume.write(tmp_path / "out.nii.gz")


def two_series(folder: Path) -> None:
    write_series(folder)
    for k in range(8):
        (folder / f"{k:03d}.dcm").rename(folder / f"a{k}.dcm")

    def other(ds, k):
        ds.SeriesNumber, ds.SeriesDescription = 7, "Head contrast late"

    write_series(folder, voxels(seed=1)[:3], series="1.2.3.77.1", change=other)


@pytest.mark.parametrize("series", ["7", "1.2.3.77.1", "late", "HEAD CONTRAST", "77.1"])
def test_several_series_are_listed_and_one_is_chosen(series, tmp_path):
    two_series(tmp_path)
    with pytest.raises(ImageReadError) as caught:
        read(tmp_path)
    assert "holds 2 DICOM series (3: 'Head native', CT, 8 slices, UID ...1.2.3.5; 7: 'Head contrast late'" in str(
        caught.value
    )
    assert "--series" in str(caught.value)
    assert np.array_equal(read(tmp_path, series=series).array, voxels(seed=1)[:3].astype(int) - 1024)


@pytest.mark.parametrize(("series", "message"), [("head", "names 2 series"), ("9", "holds no series '9'; it holds 3:")])
def test_a_series_that_is_not_clear_is_refused(series, message, tmp_path):
    two_series(tmp_path)
    with pytest.raises(ImageReadError, match=message):
        read(tmp_path, series=series)


def test_what_is_no_image_is_left_out_with_a_word(tmp_path):
    write_series(tmp_path)
    (tmp_path / "notes.txt").write_text("tall")
    save(item(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", SOPInstanceUID="1.2"), tmp_path / "report.dcm")
    (warning,) = read(tmp_path).warnings
    assert "left out: 'notes.txt', 'report.dcm' (a structured report)" in warning


def test_an_index_makes_subfolders_belong_to_the_folder(tmp_path):
    stored = write_series(tmp_path / "disc" / "ST0" / "SE0")
    save(item(SOPClassUID="1.2.840.10008.1.3.10", SOPInstanceUID="1.2"), tmp_path / "disc" / "DICOMDIR")
    for source in (tmp_path / "disc", tmp_path / "disc" / "DICOMDIR"):
        assert np.array_equal(read(source).array, stored.astype(int) - 1024)


@pytest.mark.parametrize(
    ("sop_class", "words"),
    [
        ("66.4", "a segmentation .DICOM-SEG., not an image; give it as the mask"),
        ("481.2", "a grid of radiation doses .RTDOSE., not an image"),
        ("481.3", "a structure set .RTSTRUCT., not an image; give it as the mask"),
        ("481.5", "a radiotherapy plan"),
        ("88.33", "a structured report"),
        ("9.1.1", "a waveform"),
        ("11.1", "a presentation state"),
        ("104.1", "a PDF document"),
        ("66.1", "a spatial registration"),
    ],
)
def test_an_object_that_is_no_image_is_refused_in_words(sop_class, words, tmp_path):
    ds = dataset(voxels()[0], f"1.2.840.10008.5.1.4.1.1.{sop_class}", "1.2.3", 1)
    save(ds, tmp_path / "in" / "x.dcm")
    for source in (tmp_path / "in" / "x.dcm", tmp_path / "in"):
        with pytest.raises(ImageReadError, match=words):
            io.read(source)


def test_slices_with_their_own_scales_each_keep_theirs(tmp_path):
    slopes = [0.5 + 0.25 * k for k in range(8)]

    def scaled(ds, k):
        ds.RescaleSlope, ds.RescaleIntercept = slopes[k], 0

    stored = write_series(tmp_path, sop_class=PET, change=scaled)
    volume = read(tmp_path)
    assert np.array_equal(volume.array, stored * np.array(slopes)[:, np.newaxis, np.newaxis])
    assert "different rescale slopes" in volume.warnings[0]


def test_a_folder_without_images_says_so(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(ImageReadError, match="holds no DICOM series of images"):
        read(tmp_path)
