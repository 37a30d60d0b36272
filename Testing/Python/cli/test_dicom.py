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
from Testing.Python.dicom_files import dataset, save, voxels, write_series

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
