"""DICOM voxels: bit by bit what pydicom reads, in every class, scale and encoding; damage is refused."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels import compress
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from MedInpaintLib import io
from MedInpaintLib.errors import ImageReadError
from Testing.Python.dicom_files import ORIGIN, STRAIGHT, dataset, save, voxels

#: Computed radiography, digital X-ray and mammography, CT, MR, PET, nuclear medicine, angiography, fluoroscopy,
#: ultrasound, secondary capture, radiotherapy image.
CLASSES = ("1", "1.1", "1.2", "2", "4", "128", "20", "12.1", "12.2", "6.1", "7", "481.1")
#: For lossy 12-bit JPEG, pydicom needs a decoder that is not installed.
UNREADABLE = ("JPEG-lossy.dcm", "JPGExtended.dcm")
FOLDER = Path(get_testdata_file("CT_small.dcm")).parent


def as_pydicom_reads(path) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(path)
        return ds.pixel_array * float(ds.get("RescaleSlope", 1) or 1) + float(ds.get("RescaleIntercept", 0) or 0)


def write(path, stored, sop_class="2", **values):
    ds = dataset(stored, f"1.2.840.10008.5.1.4.1.1.{sop_class}", "1.2.3", 1)
    ds.ImagePositionPatient, ds.ImageOrientationPatient, ds.PixelSpacing = list(ORIGIN), list(STRAIGHT), [0.8, 0.7]
    for name, value in values.items():
        setattr(ds, name, value)
    save(ds, path)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("sop_class", CLASSES)
def test_every_class_is_read_in_its_intensities(sop_class, photometric, tmp_path):
    for slope, intercept in ((1, 0), (1, -1024), (0.5, 3), (2, 3), (1.7e-3, -0.25)):
        write(
            tmp_path / "x.dcm",
            voxels()[0],
            sop_class,
            RescaleSlope=slope,
            RescaleIntercept=intercept,
            PhotometricInterpretation=photometric,
        )
        volume = io.read(tmp_path / "x.dcm")
        assert np.array_equal(volume.array[0], as_pydicom_reads(tmp_path / "x.dcm"))
        assert any("MONOCHROME1" in warning for warning in volume.warnings) == (photometric == "MONOCHROME1")


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
@pytest.mark.parametrize("unused", [0, 2, 4])
def test_every_depth_is_read(unused, dtype, photometric, tmp_path):
    bits = 8 * np.dtype(dtype).itemsize - unused
    low, high = (-(1 << bits - 1), 1 << bits - 1) if np.dtype(dtype).kind == "i" else (0, 1 << bits)
    stored = np.random.default_rng(0).integers(low, high, (16, 14)).astype(dtype)
    values = {"BitsStored": bits, "HighBit": bits - 1, "RescaleSlope": 1, "RescaleIntercept": 0}
    write(tmp_path / "x.dcm", stored, PhotometricInterpretation=photometric, **values)
    assert np.array_equal(io.read(tmp_path / "x.dcm").array[0], stored)


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "693_J2KI.dcm",
        "J2K_pixelrep_mismatch.dcm",
        "JPEG2000.dcm",
        "JPEGLSNearLossless_08.dcm",
        "JPEGLSNearLossless_16.dcm",
        "MR_small.dcm",
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_expb.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_padded.dcm",
        "examples_overlay.dcm",
        "image_dfl.dcm",
    ],
)
def test_the_files_of_pydicom_are_read_as_it_reads_them(name):
    volume = io.read(FOLDER / name)
    assert np.array_equal(np.squeeze(volume.array), as_pydicom_reads(FOLDER / name))


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.dcm") if path.stat().st_size < 2**20))
def test_all_files_of_pydicom_are_read_as_it_reads_them_or_refused_in_our_words(name):
    try:
        array = io.read(FOLDER / name).array
    except ImageReadError as error:
        refusal = str(error).replace(name, "")
    else:
        if name not in UNREADABLE:
            assert np.array_equal(np.squeeze(array), as_pydicom_reads(FOLDER / name))
        refusal = ""
    assert not any(foreign in refusal for foreign in ("\n", "ITK", "GDCM", "Error("))


def test_a_film_is_two_dimensional_and_keeps_its_pixel_size(tmp_path):
    ds = dataset(voxels()[0], "1.2.840.10008.5.1.4.1.1.1.1", "1.2.3", 1)
    ds.ImagerPixelSpacing = [0.2, 0.1]
    save(ds, tmp_path / "film.dcm")
    film = io.read(tmp_path / "film.dcm")
    assert (film.array.shape, film.spacing) == ((16, 14), (0.2, 0.1))
    film.write(tmp_path / "film.png")
    assert np.array_equal(io.read(tmp_path / "film.png").array, film.array)


def test_grey_that_is_stored_as_colour_is_read_and_colour_is_refused(tmp_path):
    grey = np.repeat(voxels()[0].astype(np.uint8)[..., np.newaxis], 3, axis=-1)
    colour = grey.copy()
    colour[3, 3, 1] += 1
    for name, pixels in (("grey", grey), ("colour", colour)):
        ds = dataset(pixels[..., 0], "1.2.840.10008.5.1.4.1.1.7", "1.2.3", 1)
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
        ds.PixelData = pixels.tobytes()
        save(ds, tmp_path / f"{name}.dcm")
    assert np.array_equal(io.read(tmp_path / "grey.dcm").array, grey[..., 0])
    with pytest.raises(ImageReadError, match="3 values per voxel"):
        io.read(tmp_path / "colour.dcm")


def test_a_film_in_time_is_refused(tmp_path):
    stored = voxels()
    ds = dataset(stored[0], "1.2.840.10008.5.1.4.1.1.12.1", "1.2.3", 1)
    ds.NumberOfFrames, ds.PixelData = len(stored), stored.tobytes()
    save(ds, tmp_path / "cine.dcm")
    with pytest.raises(ImageReadError, match="holds 8 frames that do not say where they lie"):
        io.read(tmp_path / "cine.dcm")


def test_a_file_without_its_preamble_is_known_for_what_it_is(tmp_path):
    content = (FOLDER / "rtstruct.dcm").read_bytes()
    assert content[128:132] != b"DICM"
    with pytest.raises(ImageReadError, match="a structure set"):
        io.read(FOLDER / "rtstruct.dcm")


@pytest.mark.parametrize("encoding", [RLELossless, JPEGLSLossless, DeflatedExplicitVRLittleEndian])
def test_a_compressed_file_that_is_cut_is_refused_whatever_the_place(encoding, tmp_path):
    write(tmp_path / "x.dcm", voxels()[0])
    ds = pydicom.dcmread(tmp_path / "x.dcm")
    if encoding.is_deflated:
        ds.file_meta.TransferSyntaxUID = encoding
    else:
        compress(ds, encoding)
    ds.save_as(tmp_path / "y.dcm")
    content = (tmp_path / "y.dcm").read_bytes()
    assert np.array_equal(io.read(tmp_path / "y.dcm").array[0], voxels()[0].astype(int) - 1024)
    for size in [*range(400, len(content) - 8, 37), len(content) - 9]:
        (tmp_path / "y.dcm").write_bytes(content[:size])
        with pytest.raises(ImageReadError, match=r"damaged or incomplete|is no "):
            io.read(tmp_path / "y.dcm")


def test_single_frame_files_need_no_pydicom(tmp_path):
    """What SimpleITK reads must not depend on the extra; what needs it names the command that installs it."""
    write(tmp_path / "x.dcm", voxels()[0])
    ds = dataset(voxels()[0], "1.2.840.10008.5.1.4.1.1.4.1", "1.2.3", 1)
    save(ds, tmp_path / "enhanced.dcm")
    program = f"""
import sys
sys.modules["pydicom"] = sys.modules["highdicom"] = None
from MedInpaintLib import io
from MedInpaintLib.errors import MissingDependencyError
assert io.read({str(tmp_path / "x.dcm")!r}).array.shape == (1, 16, 14)
for name in ("MR_small_RLE.dcm", "693_J2KI.dcm", "MR_small_jpeg_ls_lossless.dcm"):
    io.read({str(FOLDER)!r} + "/" + name)
try:
    io.read({str(tmp_path / "enhanced.dcm")!r})
except MissingDependencyError as error:
    assert "pip install pydicom highdicom" in str(error)
else:
    raise SystemExit("read without pydicom")
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
