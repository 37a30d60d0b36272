"""Damaged and cut off files of every format are refused, and voxels from elsewhere are not read unasked."""

import gzip

import numpy as np
import pytest
import SimpleITK as sitk

import MedInpaintLib as mi
from MedInpaintLib import Volume
from MedInpaintLib.errors import ImageReadError

RNG = np.random.default_rng(0)
STACK = (RNG.random((9, 20, 30)) * 1000).astype(np.uint16)
FLAT = (RNG.random((40, 50)) * 255).astype(np.uint8)

#: File to read, file to damage, image, whether it is compressed.
FILES = {
    "raw.nrrd": ("raw.nrrd", STACK, False),
    "gzip.nrrd": ("gzip.nrrd", STACK, True),
    "a.nhdr": ("a.raw", STACK, False),
    "b.nhdr": ("b.raw.gz", STACK, True),
    "raw.mha": ("raw.mha", STACK, False),
    "zlib.mha": ("zlib.mha", STACK, True),
    "a.mhd": ("a.raw", STACK, False),
    "b.mhd": ("b.zraw", STACK, True),
    "raw.nii": ("raw.nii", STACK, False),
    "gzip.nii.gz": ("gzip.nii.gz", STACK, True),
    "stack.tif": ("stack.tif", STACK, False),
    "flat.tif": ("flat.tif", FLAT, False),
    "packed.tif": ("packed.tif", FLAT, True),
    "flat.png": ("flat.png", FLAT, True),
    "flat.jpg": ("flat.jpg", FLAT, False),
    "stack.vtk": ("stack.vtk", STACK, False),
    "stack.gipl": ("stack.gipl", STACK.astype(np.int16), False),
    "flat.dcm": ("flat.dcm", FLAT, False),
}
#: Formats whose compressed voxels have a checksum, so that each flipped bit shows.
CHECKED = ["gzip.nrrd", "b.nhdr", "zlib.mha", "b.mhd", "gzip.nii.gz", "flat.png"]


@pytest.fixture(params=FILES)
def written(request, tmp_path):
    """Return the file to read and the one to damage."""
    return write(request.param, tmp_path)


def write(name, folder):
    data, array, compressed = FILES[name]
    sitk.WriteImage(sitk.GetImageFromArray(array), str(folder / name), useCompression=compressed)
    return folder / name, folder / data


def test_a_whole_file_is_read(written):
    path, _ = written
    array = FILES[path.name][1]
    volume = Volume.read(path)
    if path.suffix != ".jpg":
        np.testing.assert_array_equal(volume.array.reshape(array.shape), array)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.95, 0.99])
def test_a_file_that_is_cut_off_is_refused(written, share):
    path, data = written
    whole = data.read_bytes()
    data.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ImageReadError):
        Volume.read(path)


@pytest.mark.parametrize("name", CHECKED)
def test_no_flipped_bit_of_compressed_voxels_goes_unnoticed(tmp_path, name):
    path, data = write(name, tmp_path)
    whole, truth = data.read_bytes(), Volume.read(path).array
    for at in range(len(whole) // 3, len(whole), len(whole) // 40):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << (at % 8)
        data.write_bytes(damaged)
        try:
            found = Volume.read(path).array
        except ImageReadError:
            continue
        np.testing.assert_array_equal(found, truth)


@pytest.mark.parametrize("name", ["a.nhdr", "a.mhd"])
def test_voxels_that_are_missing_are_named(tmp_path, name):
    path, data = write(name, tmp_path)
    data.unlink()
    with pytest.raises(ImageReadError, match=r"a\.(nhdr|mhd)' cannot be read"):
        Volume.read(path)


@pytest.mark.parametrize("name", ["a.nhdr", "a.mhd"])
@pytest.mark.parametrize("absolute", [True, False])
def test_voxels_outside_the_headers_folder_are_read_only_when_allowed(tmp_path, name, absolute):
    inside = tmp_path / "inside"
    inside.mkdir()
    path, data = write(name, inside)
    data.rename(tmp_path / "a.raw")
    elsewhere = str(tmp_path / "a.raw") if absolute else "../a.raw"
    path.write_text(path.read_text().replace("a.raw", elsewhere))
    with pytest.raises(ImageReadError, match=r"outside its own folder.*--allow-outside-data"):
        Volume.read(path)
    np.testing.assert_array_equal(Volume.read(path, allow_outside_data=True).array, STACK)


def test_a_gzip_member_with_a_wrong_length_is_refused(tmp_path):
    path, _ = write("gzip.nii.gz", tmp_path)
    content = gzip.decompress(path.read_bytes())
    packed = gzip.compress(content)
    path.write_bytes(packed[:-4] + (len(content) + 1).to_bytes(4, "little"))
    with pytest.raises(ImageReadError, match="damaged"):
        Volume.read(path)


@pytest.mark.parametrize("name", ["a.tif", "a.jpg", "a.bmp", "a.nrrd", "a.vtk", "a.nii"])
def test_a_png_with_another_name_is_refused(tmp_path, name):
    path, _ = write("flat.png", tmp_path)
    with pytest.raises(ImageReadError, match=r"is no [A-Z]+ file|cannot be read as an image"):
        Volume.read(path.rename(tmp_path / name))


META = "ObjectType = Image\nNDims = 3\nDimSize = 6 5 4\nElementType = MET_UCHAR\nElementSpacing = 1 1 1\n"


@pytest.mark.parametrize("line", ["ElementDataFile\n= {}", "ElementDataFile =\n{}", "Other\rElementDataFile : {}", ""])
def test_a_metaimage_whose_voxels_are_not_found_where_they_belong_is_refused(line, tmp_path):
    (tmp_path / "elsewhere.raw").write_bytes(bytes(120))
    header = tmp_path / "inner" / "a.mhd"
    header.parent.mkdir()
    header.write_text(META + line.format("../elsewhere.raw") + "\n", newline="")
    with pytest.raises(ImageReadError, match="no line 'ElementDataFile"):
        Volume.read(header)


def test_empty_lines_in_a_metaimage_hide_no_damage(tmp_path):
    path = tmp_path / "a.mha"
    Volume(np.random.default_rng(0).integers(0, 9, (4, 5, 6), np.uint8), 1.0).write(path)
    content = bytearray(path.read_bytes().replace(b"NDims", b"\nNDims", 1))
    path.write_bytes(content)
    Volume.read(path)
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ImageReadError, match="damaged"):
        Volume.read(path)


@pytest.mark.parametrize("allowed", [False, True])
def test_data_outside_the_folder_may_be_allowed_for_every_image_of_a_job(allowed, tmp_path):
    image = np.random.default_rng(0).integers(0, 900, (12, 12, 12)).astype(np.int16)
    hole = np.zeros(image.shape, np.uint8)
    hole[4:7, 4:7, 4:7] = 1
    (tmp_path / "data").mkdir()
    (tmp_path / "headers").mkdir()
    for name, array in (("image", image), ("mask", hole)):
        Volume(array, 1.0).write(tmp_path / "data" / f"{name}.mhd", compress=False)
        text = (tmp_path / "data" / f"{name}.mhd").read_text()
        (tmp_path / "headers" / f"{name}.mhd").write_text(text.replace(f"= {name}-", f"= ../data/{name}-"))
    outside, mask = (str(tmp_path / "headers" / f"{name}.mhd") for name in ("image", "mask"))
    volume, marks = Volume(image, 1.0), Volume(hole, 1.0)
    for work in (
        lambda: mi.inpaint(outside, marks, method="harmonic", allow_outside_data=allowed),
        lambda: mi.inpaint(volume, mask, method="harmonic", allow_outside_data=allowed),
        lambda: mi.inpaint(volume, marks, method="harmonic", guides=[outside], allow_outside_data=allowed),
        lambda: mi.evaluate(outside, marks, "harmonic", allow_outside_data=allowed),
        lambda: mi.evaluate(volume, mask, "harmonic", allow_outside_data=allowed),
        lambda: mi.evaluate(volume, "spheres:3mm:1", "harmonic", avoid=mask, allow_outside_data=allowed),
    ):
        if allowed:
            work()
        else:
            with pytest.raises(ImageReadError, match="outside its own folder"):
                work()


@pytest.mark.parametrize("name", ["100%d.mhd", "two\nlines.mhd", "a b 1 9 1.nhdr", "\x1b[31m.nhdr"])
def test_voxels_beside_a_header_have_a_name_that_every_reader_understands(tmp_path, name):
    Volume(STACK, 1.0).write(tmp_path / name)
    assert len(list(tmp_path.iterdir())) == 2
    np.testing.assert_array_equal(Volume.read(tmp_path / name).array, STACK)
