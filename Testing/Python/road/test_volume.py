"""Reading, writing and refusing files."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import SimpleITK as sitk

from MedInpaintLib.errors import GeometryError, ImageReadError, OutputError, OutputPathError
from MedInpaintLib.volume import Volume

OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def oblique(dtype=np.int16) -> Volume:
    values = np.arange(4 * 5 * 6).reshape(4, 5, 6).astype(dtype)
    return Volume(values, (3.0, 0.9, 0.7), origin=(-10.0, 20.0, 5.5), direction=OBLIQUE)


@pytest.mark.parametrize("ending", ["nrrd", "nhdr", "nii", "nii.gz", "mha", "mhd"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_voxels_and_geometry_survive_a_round_trip(tmp_path, ending, dtype):
    volume = oblique(dtype)
    volume.write(tmp_path / f"image.{ending}")
    back = Volume.read(tmp_path / f"image.{ending}")
    assert back.array.dtype == volume.array.dtype
    np.testing.assert_array_equal(back.array, volume.array)
    assert volume.grid_difference(back) == ""


@pytest.mark.parametrize(
    ("ending", "dtype"), [("png", np.uint8), ("png", np.uint16), ("tif", np.uint8), ("tif", np.float32)]
)
def test_films_survive_a_round_trip(tmp_path, ending, dtype):
    film = Volume(np.arange(20).reshape(4, 5).astype(dtype), (0.5, 0.5))
    film.write(tmp_path / f"film.{ending}")
    back = Volume.read(tmp_path / f"film.{ending}")
    assert back.array.dtype == dtype
    np.testing.assert_array_equal(back.array, film.array)


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
    with pytest.raises(ImageReadError, match=r"4-D with 3 volumes.*Split it"):
        Volume.read(tmp_path / "fmri.nii.gz")


def test_a_4d_image_with_one_volume_is_that_volume():
    single = sitk.JoinSeries([sitk.Image(4, 5, 6, sitk.sitkInt16)])
    assert Volume.of(single).array.shape == (6, 5, 4)


def test_a_vector_image_is_refused_with_the_way_out():
    with pytest.raises(ImageReadError, match=r"3 values per voxel.*one channel at a time"):
        Volume.of(sitk.Image([4, 4], sitk.sitkVectorUInt8, 3))


def test_complex_and_4d_arrays_are_refused():
    with pytest.raises(ImageReadError, match="complex"):
        Volume.of(np.zeros((3, 3), complex))
    with pytest.raises(ImageReadError, match=r"2 or 3 axes; found 4"):
        Volume.of(np.zeros((2, 3, 3, 3)))


@pytest.mark.parametrize("spacing", [(1, 1), (1, 0, 1), (1, -2, 1), (1, float("nan"), 1)])
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
@pytest.mark.parametrize("ending", ["nrrd", "nii", "nii.gz", "mha", "mhd"])
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
    with pytest.raises(OutputError, match="the disk fell off"):
        oblique().write(target)
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["image.nrrd"]


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
