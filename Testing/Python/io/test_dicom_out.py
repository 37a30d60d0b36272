"""Derived DICOM series: valid by the standard's tables, the source's in all that is known, and named as synthetic."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.data import get_testdata_file
from pydicom.datadict import tag_for_keyword
from pydicom.pixels import compress
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from MedInpaintLib import Volume, io
from MedInpaintLib.errors import OutputError, OutputPathError
from Testing.Python.dicom_files import (
    ENHANCED_CT,
    ENHANCED_MR,
    MR,
    OBLIQUE,
    PET,
    dataset,
    save,
    voxels,
    write_enhanced,
    write_series,
)

TABLES = Path(highdicom.__file__).parent / "_standard"
HOLE = (slice(2, 5), slice(4, 9), slice(3, 8))


def filled(volume: Volume) -> Volume:
    array = volume.array.copy()
    array[HOLE] = array[HOLE].mean()
    return volume.with_array(array)


def files(folder) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in sorted(folder.iterdir())]


@functools.cache
def table(name: str) -> dict:
    """One of the standard's tables, as highdicom ships them."""
    return json.loads((TABLES / f"{name}.json").read_text())


def check_required(ds: pydicom.Dataset) -> None:
    """Check the elements of type 1 and 2 that the standard requires at the top level of this kind of object."""
    iod = table("sop_class_iod_map")[ds.SOPClassUID]
    modules = table("module_attribute_map")
    for module in table("iod_module_map")[iod]:
        if module["usage"] != "M":
            continue
        for attribute in modules[module["key"]]:
            if attribute["path"] or attribute["type"] not in ("1", "2"):
                continue
            name = attribute["keyword"]
            assert tag_for_keyword(name) in ds, f"{module['key']}: {name} is missing"
            if attribute["type"] == "1":
                assert ds[name].value not in (None, "", []), f"{module['key']}: {name} is empty"


@pytest.mark.parametrize("sop_class", [pydicom.uid.CTImageStorage, MR])
def test_a_derived_series_has_what_the_standard_requires(sop_class, tmp_path):
    write_series(tmp_path / "in", sop_class=sop_class)
    for ds in files(tmp_path / "in"):
        check_required(ds)  # the test's own files are complete, so the check means something
    filled(io.read(tmp_path / "in")).write(f"{tmp_path}/out/")
    for ds in files(tmp_path / "out"):
        check_required(ds)


def test_a_derived_series_says_what_it_is_and_where_it_comes_from(tmp_path):
    write_series(tmp_path / "in")
    filled(io.read(tmp_path / "in")).write(f"{tmp_path}/out/")
    sources, derived = files(tmp_path / "in"), files(tmp_path / "out")
    assert len({ds.SeriesInstanceUID for ds in derived}) == 1
    assert len({ds.SOPInstanceUID for ds in derived} | {ds.SOPInstanceUID for ds in sources}) == 16
    for source, ds in zip(sources, derived, strict=True):
        assert ds.SeriesInstanceUID != source.SeriesInstanceUID
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
        assert ds.ImageType[:3] == ["DERIVED", "SECONDARY", "AXIAL"]
        assert ds.SeriesDescription == "Head native (synthetic, not for diagnostic use)"
        assert ds.SeriesNumber == 1003
        assert "Not for diagnostic use" in ds.DerivationDescription
        assert ds.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert ds.SourceImageSequence[0].ReferencedSOPClassUID == source.SOPClassUID
        for name in ("StudyInstanceUID", "FrameOfReferenceUID", "ImagePositionPatient", "ImageOrientationPatient"):
            assert ds[name].value == source[name].value


def test_a_long_description_is_cut_to_what_dicom_allows(tmp_path):
    write_series(tmp_path / "in", change=lambda ds, k: setattr(ds, "SeriesDescription", "x" * 64))
    io.read(tmp_path / "in").write(f"{tmp_path}/out/")
    description = files(tmp_path / "out")[0].SeriesDescription
    assert len(description) == 64
    assert description.endswith("(synthetic, not for diagnostic use)")


def test_nothing_of_the_patient_is_added(tmp_path):
    write_series(tmp_path / "in")
    filled(io.read(tmp_path / "in")).write(f"{tmp_path}/out/")
    for source, ds in zip(files(tmp_path / "in"), files(tmp_path / "out"), strict=True):
        assert [element for element in ds if element.tag.group == 0x10] == [e for e in source if e.tag.group == 0x10]


def test_private_elements_and_old_statistics_are_left_out(tmp_path):
    def more(ds, k):
        ds.private_block(0x0029, "VENDOR", create=True).add_new(1, "LO", "Jane Doe")
        ds.SmallestImagePixelValue = 3

    write_series(tmp_path / "in", change=more)
    io.read(tmp_path / "in").write(f"{tmp_path}/out/")
    for path in (tmp_path / "out").iterdir():
        assert b"Jane Doe" not in path.read_bytes()
        assert "SmallestImagePixelValue" not in pydicom.dcmread(path)


@pytest.mark.parametrize(
    ("slope", "intercept", "dtype"),
    [
        (1, -1024, np.uint16),
        (0.37, 5, np.uint16),
        (2, 0, np.int16),
        (1e-4, -3.5, np.int16),
        (-1, 0, np.uint8),
        (3, 1, np.int8),
    ],
)
@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_stored_values_of_known_voxels_are_the_sources_bit_by_bit(photometric, slope, intercept, dtype, tmp_path):
    def scaled(ds, k):
        ds.RescaleSlope, ds.RescaleIntercept, ds.PhotometricInterpretation = slope, intercept, photometric

    limits = np.iinfo(dtype) if dtype != np.uint16 else np.iinfo(np.uint8)
    stored = np.random.default_rng(0).integers(limits.min, limits.max, (8, 16, 14), endpoint=True).astype(dtype)
    write_series(tmp_path / "in", stored, change=scaled)
    volume = io.read(tmp_path / "in")
    filled(volume).write(f"{tmp_path}/out/")
    known = np.ones(stored.shape, dtype=bool)
    known[HOLE] = False
    again = np.stack([ds.pixel_array for ds in files(tmp_path / "out")])
    assert again.dtype == stored.dtype
    assert np.array_equal(again[known], stored[known])
    back = io.read(tmp_path / "out")
    assert np.array_equal(back.array[known], volume.array[known])
    assert np.abs(back.array[HOLE] - volume.array[HOLE].mean()).max() <= abs(slope) / 2 + 1
    assert back.grid_difference(volume) == ""


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), OBLIQUE])
def test_other_programs_see_one_series_on_the_same_grid(orientation, tmp_path):
    write_series(tmp_path / "in", orientation=orientation)
    volume = filled(io.read(tmp_path / "in"))
    volume.write(f"{tmp_path}/out/")
    (uid,) = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(tmp_path / "out"))
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path / "out"), uid))
    peer = Volume.from_sitk(reader.Execute())
    assert np.array_equal(peer.array, volume.array)
    assert peer.grid_difference(volume) == ""


def test_missing_slices_become_files_in_their_places(tmp_path):
    def marked(ds, k):
        ds.SliceLocation, ds.SpacingBetweenSlices = 2.5 * k, 1

    write_series(tmp_path / "in", orientation=OBLIQUE, skip=(0, 3, 4), change=marked)
    volume = io.read(tmp_path / "in", missing_slices=True)
    assert volume.missing == (2, 3)  # of those between others; what lies before the first file nobody knows
    volume.write(f"{tmp_path}/out/")
    derived = files(tmp_path / "out")
    assert [ds.InstanceNumber for ds in derived] == list(range(1, 8))
    back = io.read(tmp_path / "out")
    assert back.missing == ()
    assert np.array_equal(back.array, volume.array)
    assert back.grid_difference(volume) == ""
    sources = {ds.SOPInstanceUID for ds in files(tmp_path / "in")}
    for ds in derived[2:4]:
        referenced = [each.ReferencedSOPInstanceUID for each in ds.SourceImageSequence]
        assert len(referenced) == 2
        assert set(referenced) <= sources
        assert "SliceLocation" not in ds
    assert all(ds.SpacingBetweenSlices == 2.5 for ds in derived)


def test_slices_keep_their_own_scales(tmp_path):
    def scaled(ds, k):
        ds.RescaleSlope, ds.RescaleIntercept = 0.5 + 0.25 * k, 0

    stored = write_series(tmp_path / "in", sop_class=PET, change=scaled)
    io.read(tmp_path / "in").write(f"{tmp_path}/out/")
    assert np.array_equal(np.stack([ds.pixel_array for ds in files(tmp_path / "out")]), stored)


@pytest.mark.parametrize("encoding", [RLELossless, JPEGLSLossless])
def test_the_encoding_of_the_source_does_not_matter(encoding, tmp_path):
    stored = write_series(tmp_path / "in")
    for path in (tmp_path / "in").iterdir():
        ds = pydicom.dcmread(path)
        compress(ds, encoding)
        ds.save_as(path)
    io.read(tmp_path / "in").write(f"{tmp_path}/out/")
    assert np.array_equal(np.stack([ds.pixel_array for ds in files(tmp_path / "out")]), stored)


@pytest.mark.parametrize("name", ["MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR_small_expb.dcm"])
def test_the_files_of_pydicom_are_written_as_explicit_little_endian(name, tmp_path):
    source = pydicom.dcmread(get_testdata_file(name))
    io.read(get_testdata_file(name)).write(f"{tmp_path}/out/")
    (ds,) = files(tmp_path / "out")
    assert np.array_equal(ds.pixel_array, source.pixel_array)
    assert (ds.Rows, ds.PatientName, ds.StudyInstanceUID) == (source.Rows, source.PatientName, source.StudyInstanceUID)
    assert ds.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian


@pytest.mark.parametrize("sop_class", [ENHANCED_MR, ENHANCED_CT])
@pytest.mark.parametrize("order", [(3, 0, 7, 1, 2, 6, 5, 4), (5, 0, 1, 7, 2, 6)])
def test_an_enhanced_image_stays_one_with_all_frames_in_order(order, sop_class, tmp_path):
    slopes = [1.5 + k for k in range(8)]
    write_enhanced(tmp_path / "x.dcm", order=order, slopes=slopes, sop_class=sop_class)
    volume = io.read(tmp_path / "x.dcm", missing_slices=True)
    volume.write(f"{tmp_path}/out/")
    (ds,) = files(tmp_path / "out")
    assert ds.NumberOfFrames == 8
    assert ds.ImageType[:2] == ["DERIVED", "PRIMARY"]  # the only value that enhanced images may have there
    contents = [group.FrameContentSequence[0] for group in ds.PerFrameFunctionalGroupsSequence]
    assert [content.InStackPositionNumber for content in contents] == list(range(1, 9))
    assert [list(content.DimensionIndexValues) for content in contents] == [[1, k] for k in range(1, 9)]
    back = io.read(tmp_path / "out")
    there = [k for k in range(8) if k not in volume.missing]
    assert np.array_equal(back.array[there], volume.array[there])
    assert back.grid_difference(volume) == ""
    peer = sitk.ReadImage(str(tmp_path / "out" / "00001.dcm"))
    assert peer.GetSize() == (14, 16, 8)


def test_a_film_stays_a_film(tmp_path):
    ds = dataset(voxels()[0], pydicom.uid.DigitalXRayImageStorageForPresentation, "1.2.3", 1)
    ds.ImagerPixelSpacing, ds.PhotometricInterpretation = [0.2, 0.1], "MONOCHROME1"
    save(ds, tmp_path / "film.dcm")
    io.read(tmp_path / "film.dcm").write(f"{tmp_path}/out/")
    (derived,) = files(tmp_path / "out")
    assert np.array_equal(derived.pixel_array, voxels()[0])
    assert derived.PhotometricInterpretation == "MONOCHROME1"


def test_what_is_no_dicom_or_lies_elsewhere_is_refused(tmp_path):
    write_series(tmp_path / "in")
    volume = io.read(tmp_path / "in")
    plain = Volume(volume.array, volume.spacing)
    moved = dataclasses.replace(volume, origin=(0.0, 0.0, 0.0))
    for refused, message in (
        (plain, "can only be written from a DICOM image"),
        (moved, "another grid than its DICOM files"),
        (volume.of_another_quantity(volume.array), "can only be written from a DICOM image"),
        (volume.with_array(np.where(volume.array > 0, np.nan, volume.array)), "cannot hold NaN"),
    ):
        with pytest.raises(OutputPathError, match=message):
            refused.write(f"{tmp_path}/out/")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_a_folder_with_files_is_never_written_to(tmp_path):
    write_series(tmp_path / "in")
    volume = io.read(tmp_path / "in")
    with pytest.raises(OutputPathError, match="is not empty; name a new one"):
        volume.write(tmp_path / "in")
    (tmp_path / "empty").mkdir()
    volume.write(tmp_path / "empty")
    assert len(files(tmp_path / "empty")) == 8
    with pytest.raises(OutputPathError, match="does not exist; create it first"):
        volume.write(f"{tmp_path}/no/out/")


def test_a_writing_that_fails_leaves_nothing(tmp_path, monkeypatch):
    write_series(tmp_path / "in")
    volume = io.read(tmp_path / "in")
    written = pydicom.dcmwrite

    def full(path, dataset, **options):
        if str(path).endswith("00005.dcm"):
            raise OSError(28, "No space left on device")
        written(path, dataset, **options)

    monkeypatch.setattr(pydicom, "dcmwrite", full)
    with pytest.raises(OutputError, match=r"could not be written .No space left"):
        volume.write(f"{tmp_path}/out/")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
