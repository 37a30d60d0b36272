"""4-D images: each volume is filled as if it were alone, and the file keeps its header and all other voxels."""

import gzip
import hashlib
import json
import re
import tracemalloc

import nibabel
import numpy as np
import pytest
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib import calibration_table
from MedInpaintLib.cli.app import app
from MedInpaintLib.cohort.case import CONTROL
from MedInpaintLib.cohort.fill import Fill
from MedInpaintLib.errors import EmptyMaskError, GeometryError, ImageReadError, OutputPathError, ParameterError
from MedInpaintLib.io.four_d import FourD, volumes_in
from MedInpaintLib.jobs.fill import FillJob
from MedInpaintLib.progress import Progress

RNG = np.random.default_rng(0)
SHAPE, COUNT = (14, 12, 10), 3
AFFINE = np.array([[-2.0, 0, 0, 20], [0, 2, 0, -30], [0, 0, 3, 7], [0, 0, 0, 1]])
SEEDED = {"method": "patch", "seed": 5}


def write_nifti(path, count=COUNT, dtype=np.int16, slope=None, kind=nibabel.Nifti1Image):
    """Write a series of volumes of different noise, with all that a header can hold."""
    voxels = RNG.integers(100, 900, (*SHAPE, count)).astype(dtype)
    image = kind(voxels, AFFINE)
    header = image.header
    header.set_xyzt_units("mm", "sec")
    header["pixdim"][4], header["toffset"], header["slice_code"], header["descrip"] = 2.2, 0.5, 3, b"TR=2.2"
    header["cal_max"], header["intent_name"] = 900, b"bold"
    header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"kept"))
    if slope:
        header.set_slope_inter(slope, 10)
        image = kind(voxels * slope + 10, AFFINE, header)
        image.header.set_slope_inter(slope, 10)
    nibabel.save(image, path)
    return path


def write_mgz(path, count=COUNT):
    voxels = RNG.integers(100, 900, (*SHAPE, count)).astype(np.int16)
    image = nibabel.MGHImage(voxels, AFFINE)
    image.header["tr"], image.header["te"] = 2200.0, 30.0
    nibabel.save(image, path)
    content = bytearray(stored(path))
    with gzip.open(path, "wb") as file:
        file.write(bytes(content) + b"history")
    return path


def write_masks(path, *boxes, affine=AFFINE):
    """Write a mask with a box for each volume; of one box, a 3-D mask."""
    voxels = np.zeros((*SHAPE, len(boxes)), np.uint8)
    for number, box in enumerate(boxes):
        if box is not None:
            voxels[(*box, number)] = 1
    nibabel.save(nibabel.Nifti1Image(voxels[..., 0] if len(boxes) == 1 else voxels, affine), path)
    return path


BOX, OTHER = np.s_[5:8, 4:7, 3:6], np.s_[3:5, 6:9, 5:8]


def stored(path):
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


def job(folder, image, mask, **changes):
    ending = "".join(image.suffixes)
    fields = {"job": "fill", "image": str(image), "mask": str(mask), "output": str(folder / f"out{ending}")}
    return FillJob(**{**fields, **SEEDED, **changes})


def alone(folder, image, number, mask, **options):
    """Return what a fill makes of one volume that another library has cut out."""
    single = nibabel.load(image).slicer[..., number]
    path = folder / f"alone-{number}.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.asarray(single.dataobj), single.affine, single.header), path)
    return mi.inpaint(path, mask, **{**SEEDED, **options})


@pytest.fixture
def image(tmp_path):
    return write_nifti(tmp_path / "fmri.nii.gz")


@pytest.fixture
def mask(tmp_path):
    return write_masks(tmp_path / "mask.nii.gz", BOX)


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize(("ending", "dtype"), [("nii.gz", np.int16), ("nii", np.float32), ("nii", np.uint8)])
def test_each_volume_is_filled_as_if_it_were_alone_behind_the_same_header(tmp_path, mask, ending, dtype, kind):
    source = write_nifti(tmp_path / f"a.{ending}", dtype=dtype, kind=kind)
    done = job(tmp_path, source, mask)
    done.run()
    before, after = nibabel.load(source), nibabel.load(done.output)
    offset = int(before.header["vox_offset"])
    assert stored(source)[:offset] == stored(tmp_path / f"out.{ending}")[:offset]
    old, new = np.asarray(before.dataobj), np.asarray(after.dataobj)
    assert new.dtype == old.dtype
    hole = np.zeros(SHAPE, bool)
    hole[BOX] = True
    np.testing.assert_array_equal(new[~hole], old[~hole])
    for number in range(COUNT):
        single = nibabel.Nifti1Image(old[..., number], AFFINE)
        nibabel.save(single, tmp_path / "single.nii.gz")
        expected = mi.inpaint(tmp_path / "single.nii.gz", mask, **SEEDED).volume.array.T
        np.testing.assert_array_equal(new[..., number], expected)
    assert not np.array_equal(new[hole], old[hole])


def test_scaled_voxels_come_back_bit_by_bit(tmp_path, mask):
    source = write_nifti(tmp_path / "a.nii", slope=0.37)
    job(tmp_path, source, mask).run()
    before, after = nibabel.load(source), nibabel.load(tmp_path / "out.nii")
    old, new = before.dataobj.get_unscaled(), after.dataobj.get_unscaled()
    hole = np.zeros(SHAPE, bool)
    hole[BOX] = True
    assert old.dtype == new.dtype == np.dtype("<i2")
    np.testing.assert_array_equal(new[~hole], old[~hole])
    assert stored(source)[:352] == stored(tmp_path / "out.nii")[:352]


def test_frames_of_an_mgz_file_keep_header_and_what_is_behind_them(tmp_path, mask):
    source = write_mgz(tmp_path / "a.mgz")
    job(tmp_path, source, mask).run()
    old, new = stored(source), stored(tmp_path / "out.mgz")
    assert (new[:284], new[-7:], len(new)) == (old[:284], b"history", len(old))
    before, after = (np.asarray(nibabel.load(path).dataobj) for path in (source, tmp_path / "out.mgz"))
    for number in range(COUNT):
        expected = alone(tmp_path, source, number, mask).volume.array.T
        np.testing.assert_array_equal(after[..., number], expected)
    assert not np.array_equal(before, after)


def test_a_mask_for_each_volume_fills_each_and_leaves_those_without(tmp_path, image):
    masks = write_masks(tmp_path / "masks.nii.gz", BOX, None, OTHER)
    paths = {name: str(tmp_path / f"{name}.nii.gz") for name in ("uncertainty", "filled_mask")}
    report = job(tmp_path, image, masks, **paths, report=str(tmp_path / "r.json")).run()
    old, new = (np.asarray(nibabel.load(path).dataobj) for path in (image, tmp_path / "out.nii.gz"))
    np.testing.assert_array_equal(new[..., 1], old[..., 1])
    spread = nibabel.load(paths["uncertainty"])
    for number, box in ((0, BOX), (2, OTHER)):
        single = write_masks(tmp_path / "single.nii.gz", box)
        expected = alone(tmp_path, image, number, single, uncertainty=True)
        np.testing.assert_array_equal(new[..., number], expected.volume.array.T)
        np.testing.assert_array_equal(np.asarray(spread.dataobj)[..., number], expected.uncertainty.array.T)
    filled = nibabel.load(paths["filled_mask"])
    np.testing.assert_array_equal(np.asarray(filled.dataobj), np.asarray(nibabel.load(masks).dataobj))
    for other in (spread, filled):
        assert other.header.get_zooms() == nibabel.load(image).header.get_zooms()
        assert other.header["cal_max"] == 0
    assert report["hole"]["voxels"] == 27 + 18
    assert report["mask"]["shape"] == [COUNT, *SHAPE[::-1]]
    assert report["image"]["shape"] == [COUNT, *SHAPE[::-1]]
    assert sorted(part["volume"] for part in report["parts"]) == [0, 2]
    assert [each["number"] for each in report["volumes"]][-1] == 1
    assert {each["number"]: each["method"] for each in report["volumes"]} == {0: "patch", 1: "none", 2: "patch"}
    assert report["method"] == "patch"
    written = json.loads((tmp_path / "r.json").read_text())
    assert sorted(written["files"]) == ["filled_mask.nii.gz", "out.nii.gz", "uncertainty.nii.gz"]
    assert {name: written[name] for name in report if name != "files"} == {
        name: value for name, value in report.items() if name != "files"
    }


def test_the_page_shows_the_first_volume_that_was_filled_and_names_others_with_warnings(tmp_path, image):
    masks = write_masks(tmp_path / "masks.nii.gz", None, OTHER, BOX)
    page, report = tmp_path / "page.html", tmp_path / "report.json"
    job(tmp_path, image, masks, page=str(page), report=str(report)).run()
    text = page.read_text(encoding="utf-8")
    assert "<h1>fmri.nii.gz</h1>" in text
    assert "The image has 3 volumes, counted from 0. This page shows volume 1, the first that was filled." in text
    expected = mi.inpaint(image, masks, volume=1, **SEEDED)
    assert _first_picture(text) == _first_picture(expected.page())
    assert _first_picture(text) != _first_picture(mi.inpaint(image, masks, volume=2, **SEEDED).page())
    assert json.loads(report.read_text())["files"]["page.html"] == hashlib.sha256(page.read_bytes()).hexdigest()


def _first_picture(page):
    return re.search(r'class="layer after"><img src="([^"]+)"', page)[1]


def test_the_page_names_the_other_volumes_with_warnings_and_says_when_none_was_filled(tmp_path, image):
    away = AFFINE.copy()
    away[:3, 3] += 0.9
    masks = write_masks(tmp_path / "masks.nii.gz", BOX, None, BOX, affine=away)
    page = tmp_path / "page.html"
    job(tmp_path, image, masks, page=str(page)).run()
    assert "Other volumes with warnings, which the report has: 2." in page.read_text(encoding="utf-8")
    none = job(tmp_path, image, write_masks(tmp_path / "none.nii.gz", None), page=str(page))
    assert Fill().run(none, Progress())[0] == CONTROL
    assert "This page shows volume 0, since no volume was filled." in page.read_text(encoding="utf-8")


def test_warnings_say_which_volumes_they_are_about(tmp_path, image):
    away = AFFINE.copy()
    away[:3, 3] += 0.9
    masks = write_masks(tmp_path / "masks.nii.gz", BOX, None, BOX, affine=away)
    warnings = job(tmp_path, image, masks).run()["warnings"]
    assert any(warning.startswith("Volumes 0, 2: The mask is on another grid") for warning in warnings)
    everywhere = job(tmp_path, image, write_masks(tmp_path / "m.nii.gz", BOX, affine=away)).run()["warnings"]
    assert any(warning.startswith("The mask is on another grid") for warning in everywhere)


def test_one_volume_is_filled_and_written_in_3d_with_its_header(tmp_path, image, mask):
    job(tmp_path, image, mask, volume=1).run()
    before, after = nibabel.load(image), nibabel.load(tmp_path / "out.nii.gz")
    expected = alone(tmp_path, image, 1, mask).volume.array.T
    np.testing.assert_array_equal(np.asarray(after.dataobj), expected)
    differing = [name for name in before.header if bytes(before.header[name]) != bytes(after.header[name])]
    assert differing == ["dim"]
    assert after.shape == SHAPE
    assert after.header.extensions[0].get_content() == before.header.extensions[0].get_content()
    np.testing.assert_array_equal(mi.inpaint(image, mask, volume=1, **SEEDED).volume.array.T, expected)


def test_one_volume_takes_its_own_of_several_masks(tmp_path, image):
    masks = write_masks(tmp_path / "masks.nii.gz", BOX, OTHER, None)
    expected = alone(tmp_path, image, 1, write_masks(tmp_path / "single.nii.gz", OTHER)).volume.array
    np.testing.assert_array_equal(mi.inpaint(image, masks, volume=1, **SEEDED).volume.array, expected)
    job(tmp_path, image, masks, volume=1).run()
    np.testing.assert_array_equal(mi.Volume.read(tmp_path / "out.nii.gz").array, expected)


@pytest.mark.parametrize("write", [write_nifti, write_mgz])
def test_a_volume_that_is_not_there_is_refused(tmp_path, mask, write):
    source = write(tmp_path / ("a.mgz" if write is write_mgz else "a.nii.gz"))
    assert volumes_in(source) == COUNT
    with pytest.raises(ParameterError, match="has no volume 3: its volumes are 0 to 2"):
        mi.inpaint(source, mask, volume=3)
    with pytest.raises(ParameterError, match="counted from 0"):
        mi.inpaint(source, mask, volume=-1)
    with pytest.raises(ImageReadError, match=r"4-D with 3 volumes in it.*one of 0 to 2 that --volume"):
        mi.inpaint(source, mask)
    with pytest.raises(ParameterError, match="it is a single volume"):
        mi.inpaint(mask, mask, volume=1)
    with pytest.raises(ParameterError, match="only be chosen from a file"):
        mi.inpaint(np.zeros(SHAPE), np.zeros(SHAPE), volume=0)


def test_masks_of_another_length_are_refused(tmp_path, image):
    masks = write_masks(tmp_path / "masks.nii.gz", BOX, BOX)
    for number in (None, 1):
        with pytest.raises(GeometryError, match="has 2 volumes and the image 3"):
            job(tmp_path, image, masks, volume=number).run()
    single = alone(tmp_path, image, 0, write_masks(tmp_path / "single.nii.gz", BOX)).image
    single.write(tmp_path / "t1.nii.gz")
    with pytest.raises(GeometryError, match="has 2 volumes and the image 1"):
        job(tmp_path, tmp_path / "t1.nii.gz", masks).run()
    assert not (tmp_path / "out.nii.gz").exists()


@pytest.mark.parametrize("name", ["out.mgz", "out.nrrd", "out.png", "out/"])
def test_another_format_for_all_volumes_is_refused(tmp_path, image, mask, name):
    with pytest.raises(OutputPathError, match=r"cannot hold the 3 volumes|PNG files hold|DICOM"):
        job(tmp_path, image, mask, output=str(tmp_path / name)).run()


def test_nothing_is_written_when_a_volume_cannot_be_filled(tmp_path, image):
    masks = write_masks(tmp_path / "masks.nii.gz", BOX, np.s_[:, :, :], BOX)
    (tmp_path / "out.nii.gz").write_bytes(b"old")
    with pytest.raises(mi.MedInpaintError, match=r"^Volume 1: The mask covers the whole image"):
        job(tmp_path, image, masks).run()
    with pytest.raises(EmptyMaskError):
        job(tmp_path, image, write_masks(tmp_path / "none.nii.gz", None)).run()
    with pytest.raises(EmptyMaskError):
        job(tmp_path, image, write_masks(tmp_path / "none.nii.gz", None, None, None)).run()
    assert (tmp_path / "out.nii.gz").read_bytes() == b"old"


def test_a_file_that_is_damaged_at_its_end_is_refused_before_any_work(tmp_path, image, mask):
    image.write_bytes(image.read_bytes()[:-30])
    for number in (None, 0):
        with pytest.raises(ImageReadError, match="cut off"):
            job(tmp_path, image, mask, volume=number).run()


def test_a_later_volume_whose_scaling_cannot_be_undone_is_refused_before_any_work(tmp_path, mask, monkeypatch):
    voxels = np.zeros((*SHAPE, COUNT), np.float32)
    voxels[..., :2] = RNG.integers(100, 900, (*SHAPE, 2))
    voxels[2, 3, 4, 2] = np.float32(1e-9)  # beside an intercept of 1e12 it is lost, even in float64
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.float32)
    path = tmp_path / "scaled.nii"
    nibabel.save(nibabel.Nifti1Image(voxels, AFFINE, header), path)
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([1.0, 1e12], "<f4").tobytes()  # scl_slope and scl_inter
    path.write_bytes(bytes(content))
    monkeypatch.setattr("MedInpaintLib.jobs.fill_volumes.inpaint", None)
    with pytest.raises(ImageReadError, match=r"scaling of .*scaled\.nii.* cannot be undone without rounding"):
        job(tmp_path, path, mask).run()
    voxels[2, 3, 4, 2] = 500
    nibabel.save(nibabel.Nifti1Image(voxels, AFFINE, header), path)
    assert FourD.open(path).count == COUNT


def test_colors_and_vectors_stay_refused(tmp_path):
    vectors = nibabel.Nifti1Image(np.zeros((*SHAPE, 1, 3), np.float32), AFFINE)
    nibabel.save(vectors, tmp_path / "vectors.nii.gz")
    with pytest.raises(ImageReadError, match="5-D with 3 volumes"):
        mi.Volume.read(tmp_path / "vectors.nii.gz", volume=0)


def test_no_more_than_a_volume_is_in_memory(tmp_path, mask):
    def peak(count):
        source = write_nifti(tmp_path / f"{count}.nii", count)
        tracemalloc.start()
        job(tmp_path, source, mask, method="shell-mean").run()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(2)  # imports
    assert peak(60) < peak(4) + 10 * 2 * np.prod(SHAPE)


def test_the_command_and_a_study_fill_all_volumes(tmp_path, image, mask):
    runner = CliRunner()
    arguments = [str(image), str(mask), "-o", str(tmp_path / "a.nii.gz"), "--method", "nearest", "--volume", "2"]
    assert runner.invoke(app, ["fill", *arguments]).exit_code == 0
    told = runner.invoke(app, ["fill", *arguments[:-2]]).stdout.splitlines()
    assert told[2].startswith("  81 voxels, 0.32 ml in 3 parts of 3 volumes, ")
    assert told[3].split() == ["volume", "part", "voxels", "mm", "deep", "method"]
    assert [line.split()[:3] for line in told[4:]] == [[str(number), "1", "27"] for number in range(COUNT)]
    runner.invoke(app, ["fill", *arguments])
    assert nibabel.load(tmp_path / "a.nii.gz").shape == SHAPE
    write_masks(tmp_path / "none.nii.gz", None)
    table = tmp_path / "study.csv"
    table.write_text(
        "image,mask,output,volume\nfmri.nii.gz,mask.nii.gz,b.nii.gz,\nfmri.nii.gz,mask.nii.gz,c.nii.gz,2\n"
        "fmri.nii.gz,none.nii.gz,d.nii.gz,\n"
    )
    command = ["cohort", str(table), "--method", "nearest", "--jobs", "1"]
    first = runner.invoke(app, command)
    assert first.exit_code == 0, first.output
    assert "3 cases: 2 filled, 1 copied with an empty mask, 0 failed" in first.output
    whole = np.asarray(nibabel.load(tmp_path / "b.nii.gz").dataobj)
    np.testing.assert_array_equal(np.asarray(nibabel.load(tmp_path / "c.nii.gz").dataobj), whole[..., 2])
    assert stored(tmp_path / "d.nii.gz") == stored(image)
    assert "3 of them were done before" in runner.invoke(app, command).output


def test_a_header_tells_the_grid_of_each_volume(image):
    opened = FourD.open(image)
    assert opened.count == COUNT
    assert all(each.same_grid(opened.grid) for each in opened.volumes())


def test_where_a_volume_has_no_uncertainty_none_is_written(tmp_path, image, monkeypatch):
    monkeypatch.setattr(calibration_table, "TABLE", {})
    masks = write_masks(tmp_path / "masks.nii.gz", BOX, None, OTHER)
    path = tmp_path / "uncertainty.nii.gz"
    path.write_bytes(b"of an earlier fill")
    report = job(tmp_path, image, masks, uncertainty=str(path), report=str(tmp_path / "r.json")).run()
    assert not path.exists()
    assert "never measured" in report["uncertainty"]["reason"]
    assert any("No uncertainty is given" in each for each in report["warnings"])
    assert sorted(json.loads((tmp_path / "r.json").read_text())["files"]) == ["out.nii.gz"]
