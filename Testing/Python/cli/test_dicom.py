"""DICOM from end to end, through the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner

from MedInpaintLib import Volume, io
from MedInpaintLib.cli.app import app
from Testing.Python.dicom_files import (
    OBLIQUE,
    ORIGIN,
    SPACING,
    STRAIGHT,
    dataset,
    item,
    save,
    voxels,
    write_series,
    write_structures,
)

CASE = Path("Testing/Data/cases/04-dicom-missing-slice").resolve()


def fill(*arguments) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["fill", *map(str, arguments), "--method", "linear-z", "--progress", "none"])
    return done.exit_code, " ".join(done.output.split())


@pytest.fixture
def study(tmp_path):
    """A series of 8 slices and a mask with a small hole."""
    stored = write_series(tmp_path / "series")
    image = io.read(tmp_path / "series")
    marked = np.zeros(stored.shape, np.uint8)
    marked[3:5, 5:9, 4:8] = 1
    image.of_another_quantity(marked).write(tmp_path / "mask.nrrd")
    return tmp_path


def test_a_missing_slice_is_refused_by_name_until_it_is_asked_for(tmp_path):
    code, said = fill(CASE / "series", CASE / "lesion-true-positions.nrrd", "-o", tmp_path / "o.nrrd")
    assert code == 2
    assert "lacks a slice: k = 4 at (0, 0, 20) mm (after '003.dcm', before '005.dcm')" in said
    assert "--fill-missing-slices" in said
    assert not (tmp_path / "o.nrrd").exists()


def test_a_missing_slice_that_is_asked_for_is_filled_besides_the_hole(tmp_path):
    mask, report = CASE / "lesion-true-positions.nrrd", tmp_path / "r.json"
    code, _ = fill(CASE / "series", mask, "-o", tmp_path / "o.nrrd", "--fill-missing-slices", "--report", report)
    assert code == 0
    facts = json.loads(report.read_text())
    assert facts["hole"]["voxels"] == 100 + 80 * 70
    assert any("lacks 1 of its 9 slices (k = 4)" in warning for warning in facts["warnings"])
    filled, source = io.read(tmp_path / "o.nrrd"), io.read(CASE / "series", missing_slices=True)
    assert (filled.spacing, filled.array.shape) == ((5.0, 2.0, 2.0), (9, 80, 70))
    known = io.read(mask).array == 0
    known[4] = False
    assert np.array_equal(filled.array[known], source.array[known])
    between = (source.array[3].astype(float) + source.array[5]) / 2
    assert np.abs(filled.array[4] - between).max() <= 1


def test_a_missing_slice_that_is_marked_whole_is_filled(tmp_path):
    code, _ = fill(CASE / "series", CASE / "missing-slice.nrrd", "-o", tmp_path / "o.nrrd")
    assert code == 0
    assert io.read(tmp_path / "o.nrrd").array[4].std() > 0


def test_an_empty_mask_fills_the_missing_slice_alone(tmp_path):
    empty = io.read(CASE / "missing-slice.nrrd")
    empty.with_array(np.zeros_like(empty.array)).write(tmp_path / "empty.nrrd")
    report = tmp_path / "r.json"
    code, _ = fill(
        CASE / "series", tmp_path / "empty.nrrd", "-o", tmp_path / "o.nrrd", "--fill-missing-slices", "--report", report
    )
    assert code == 0
    assert json.loads(report.read_text())["hole"]["voxels"] == 80 * 70


@pytest.mark.parametrize("how", [["-o", "out/"], ["--dicom", "-o", "out"]])
def test_a_series_leaves_as_a_derived_series(how, study, monkeypatch):
    monkeypatch.chdir(study)
    code, said = fill("series", "mask.nrrd", *how, "--report", "r.json", "--save-mask", "filled.nrrd")
    assert code == 0, said
    known = io.read("filled.nrrd").array == 0
    for k, path in enumerate(sorted(Path("out").iterdir())):
        ds = pydicom.dcmread(path)
        assert ds.ImageType[:2] == ["DERIVED", "SECONDARY"]
        assert "synthetic, not for diagnostic use" in ds.SeriesDescription
        assert np.array_equal(ds.pixel_array[known[k]], voxels()[k][known[k]])
    assert "out/00008.dcm" in json.loads(Path("r.json").read_text())["files"]
    code, said = fill("series", "mask.nrrd", *how)
    assert code == 2
    assert "is not empty" in said


def test_dicom_leaves_only_where_dicom_came_in(study):
    io.read(study / "series").with_array(voxels()).write(study / "image.nrrd")
    code, said = fill(study / "image.nrrd", study / "mask.nrrd", "-o", f"{study}/out/")
    assert code == 2
    assert "can only be written from a DICOM image" in said
    for option in ("--uncertainty", "--save-mask"):
        code, said = fill(study / "series", study / "mask.nrrd", "-o", study / "o.nrrd", option, f"{study}/out/")
        assert code == 2
        assert "'out' does not say in which format to write" in said
    assert not (study / "out").exists()
    assert not (study / "o.nrrd").exists()


def test_one_of_several_series_is_filled(study):
    def other(ds, k):
        ds.SeriesNumber, ds.SeriesDescription = 7, "late"

    for path in list((study / "series").iterdir()):
        path.rename(path.with_name(f"first-{path.name}"))
    write_series(study / "series", voxels(seed=1), series="1.2.3.77", change=other)
    code, said = fill(study / "series", study / "mask.nrrd", "-o", study / "o.nrrd")
    assert code == 2
    assert "choose one with --series" in said
    code, _ = fill(study / "series", study / "mask.nrrd", "-o", study / "o.nrrd", "--series", "late")
    assert code == 0
    known = io.read(study / "mask.nrrd").array == 0
    assert np.array_equal(io.read(study / "o.nrrd").array[known], voxels(seed=1)[known].astype(int) - 1024)


def test_a_film_leaves_as_png(tmp_path):
    ds = dataset(voxels((1, 64, 48))[0], pydicom.uid.ComputedRadiographyImageStorage, "1.2.3", 1)
    ds.Modality = "CR"
    save(ds, tmp_path / "film.dcm")
    marked = np.zeros((64, 48), np.uint8)
    marked[20:30, 20:30] = 1
    Volume(marked, 1.0).write(tmp_path / "mask.png")
    code, said = fill(tmp_path / "film.dcm", tmp_path / "mask.png", "-o", tmp_path / "o.png", "--method", "harmonic")
    assert code == 0, said
    assert np.array_equal(io.read(tmp_path / "o.png").array[marked == 0], voxels((1, 64, 48))[0][marked == 0])


def test_a_segmentation_given_as_the_image_is_refused_in_words(study):
    save(dataset(voxels()[0], "1.2.840.10008.5.1.4.1.1.66.4", "1.2.3", 1), study / "seg.dcm")
    code, said = fill(study / "seg.dcm", study / "mask.nrrd", "-o", study / "o.nrrd")
    assert code == 2
    assert "is a segmentation (DICOM-SEG), not an image; give it as the mask" in said


def test_guides_that_lack_slices_are_refused(study):
    code, said = fill(study / "series", study / "mask.nrrd", "-o", study / "o.nrrd", "--guide", CASE / "series")
    assert code == 2
    assert "Only the image of a fill may lack slices" in said


@pytest.mark.parametrize("orientation", [STRAIGHT, OBLIQUE])
def test_a_structure_set_is_a_mask_and_its_structures_have_names(orientation, tmp_path):
    stored = write_series(tmp_path / "series", orientation=orientation)
    steps, start = io.read(tmp_path / "series").ijk_to_lps()

    def square(k: int, half: float) -> np.ndarray:
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half + (6.6, 7.3)
        return np.column_stack([corners, np.full(4, k)]) @ steps.T + start

    write_structures(tmp_path / "s.dcm", {"lesion": [square(3, 2.25), square(4, 2.25)], "skin": [square(5, 5.25)]})
    code, said = fill(tmp_path / "series", tmp_path / "s.dcm", "-o", tmp_path / "o.nrrd")
    assert code == 2
    assert "lesion" in said
    assert "skin" in said
    code, said = fill(
        *(tmp_path / "series", tmp_path / "s.dcm", "-o", tmp_path / "o.nrrd"),
        *("--label", "lesion", "--save-mask", tmp_path / "m.nrrd"),
    )
    assert code == 0, said
    j, i = np.indices(stored.shape[1:])
    expected = np.zeros(stored.shape, dtype=bool)
    expected[3:5] = np.maximum(abs(i - 6.6), abs(j - 7.3)) < 2.25
    assert np.array_equal(io.read(tmp_path / "m.nrrd").array != 0, expected)
    assert np.array_equal(io.read(tmp_path / "o.nrrd").array[~expected], stored[~expected].astype(int) - 1024)


@pytest.mark.parametrize("shrunk", [1, 2])
def test_a_segmentation_is_a_mask_by_the_place_of_its_frames(shrunk, tmp_path):
    """Frames in any order, empty slices left out; on the image's grid and on one of half as many voxels."""
    stored = write_series(tmp_path / "series")
    marked = np.zeros((8, 16, 14), dtype=bool)
    marked[3:6, 4:10, 4:8] = True
    ds = dataset(marked[0].astype(np.uint8), "1.2.840.10008.5.1.4.1.1.66.4", "1.2.3.8", 1)
    ds.SegmentationType, ds.Modality = "BINARY", "SEG"
    ds.SegmentSequence = [item(SegmentNumber=1, SegmentLabel="lesion")]
    order = (5, 3, 4)
    ds.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=[ORIGIN[0], ORIGIN[1], ORIGIN[2] + k * SPACING[0]])],
            SegmentIdentificationSequence=[item(ReferencedSegmentNumber=1)],
        )
        for k in order
    ]
    ds.SharedFunctionalGroupsSequence = [
        item(
            PlaneOrientationSequence=[item(ImageOrientationPatient=list(STRAIGHT))],
            PixelMeasuresSequence=[item(PixelSpacing=list(SPACING[1:]), SliceThickness=SPACING[0])],
        )
    ]
    ds.NumberOfFrames, ds.BitsAllocated, ds.BitsStored, ds.HighBit = 3, 1, 1, 0
    ds.PixelData = pydicom.pixels.pack_bits(marked[list(order)].astype(np.uint8))
    save(ds, tmp_path / "seg.dcm")
    image = io.read(tmp_path / "series")
    coarse = Volume(
        image.array[:, ::shrunk, ::shrunk], (2.5, 0.8 * shrunk, 0.7 * shrunk), image.origin, image.direction
    )
    coarse.write(tmp_path / "image.nrrd")
    code, said = fill(
        tmp_path / "image.nrrd", tmp_path / "seg.dcm", "-o", tmp_path / "o.nrrd", "--save-mask", tmp_path / "m.nrrd"
    )
    assert code == 0, said
    assert np.array_equal(io.read(tmp_path / "m.nrrd").array != 0, marked[:, ::shrunk, ::shrunk])
    known = ~marked[:, ::shrunk, ::shrunk]
    assert np.array_equal(
        io.read(tmp_path / "o.nrrd").array[known], stored[:, ::shrunk, ::shrunk][known].astype(int) - 1024
    )


def test_a_mask_that_lacks_a_slice_is_refused(study):
    marked = Volume.read(study / "mask.nrrd").array.astype(np.uint16)

    def plain(ds, k):
        ds.RescaleIntercept = "0"

    write_series(study / "marks", marked, skip=[3], change=plain, series="1.2.3.77")
    code, said = fill(study / "series", study / "marks", "-o", study / "o.nrrd")
    assert code == 2
    assert "lacks a slice: k = 3" in said


def test_the_index_of_a_disc_stands_for_its_folder(study):
    write_series(study / "disc" / "a")
    write_series(
        study / "disc" / "b", voxels(seed=1), change=lambda ds, k: setattr(ds, "SeriesNumber", 9), series="1.9"
    )
    index = study / "disc" / "DICOMDIR"
    save(item(SOPClassUID="1.2.840.10008.1.3.10", SOPInstanceUID="1.2"), index)
    code, said = fill(index, study / "mask.nrrd", "-o", study / "o.nrrd", "--series", "9", "--modality", "CT")
    assert code == 0, said
    source = io.read(study / "disc" / "b").array
    known = Volume.read(study / "mask.nrrd").array == 0
    np.testing.assert_array_equal(io.read(study / "o.nrrd").array[known], source[known])
    slice_of_it = study / "disc" / "b" / "003.dcm"
    code, said = fill(index, study / "mask.nrrd", "-o", study / "o.nrrd", "--series", "9", "--report", slice_of_it)
    assert code == 2
    assert "would overwrite an input" in said


def test_a_series_cannot_be_chosen_from_a_file_of_another_format(study):
    code, said = fill(study / "mask.nrrd", study / "mask.nrrd", "-o", study / "o.nrrd", "--series", "3")
    assert code == 2
    assert "is no folder with DICOM series; leave out --series" in said


def test_a_series_may_be_the_only_output(study):
    code, _ = fill(study / "series", study / "mask.nrrd", "-o", f"{study / 'filled'}/")
    assert code == 0
    assert len(list((study / "filled").iterdir())) == 8
