"""What MR, CT and film mean, and that a further modality is one object."""

from __future__ import annotations

import ast
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib import modality
from MedInpaintLib.appearance import Appearance
from MedInpaintLib.cli.app import app
from MedInpaintLib.errors import ParameterError
from MedInpaintLib.foreground import body
from MedInpaintLib.intensity import Scaling, fit_scaling
from MedInpaintLib.job import read
from MedInpaintLib.mask import find_hole
from MedInpaintLib.methods import auto, registry
from MedInpaintLib.modality import CT, FILM, MODALITIES, MR, Clue, Modality, register
from MedInpaintLib.parts import find_parts
from MedInpaintLib.subject import Subject

ROOT = Path(__file__).parents[3]
CASES = ROOT / "Testing" / "Data" / "cases"
SOURCES = ("MedInpaintLib", "MedInpaint", "SegmentEditorMedInpaint")


def _uptake(image):
    low, high = image.quantiles(0.0, 1.0)
    return Clue(0.9 if image.dimensions == 3 and low >= 0 and high < 30 else 0.0, "its values are few SUV")


PET = Modality(
    name="PET",
    looks_like=_uptake,
    units="SUV",
    scale=(0.0, 20.0),
    air=0.3,
    window=(0.0, 10.0),
    window_of="uptake",
    patches_suit_volumes=False,
)


@pytest.fixture
def pet():
    register(PET)
    yield
    del MODALITIES["PET"]


@pytest.fixture
def scan(pet, tmp_path):
    """The files of a scan in SUV, a textured ellipsoid of about 4 on a background of 0, and of a mask."""
    k, j, i = np.ogrid[:32, :56, :48]
    inside = ((k - 16) / 14) ** 2 + ((j - 28) / 25) ** 2 + ((i - 24) / 21) ** 2 <= 1
    uptake = np.where(inside, 4 + np.sin(k / 3) + np.cos(j / 4) * np.sin(i / 5), 0).astype(np.float32)
    image = mi.Volume.of(uptake)
    hole = np.zeros(uptake.shape, np.uint8)
    hole[12:22, 22:34, 18:30] = 1
    image.write(tmp_path / "image.nrrd")
    image.with_array(hole).write(tmp_path / "mask.nrrd")
    return tmp_path


def body_of(air, tissue=400.0, shape=(24, 60, 50), spread=60.0):
    """Return a noisy ellipsoid with a brighter rim, float32, on noisy air."""
    rng = np.random.default_rng(0)
    axes = np.ogrid[tuple(slice(0, size) for size in shape)]
    radius = sum(((x - size / 2) / (0.45 * size)) ** 2 for x, size in zip(axes, shape, strict=True) if size > 1)
    signal = tissue + spread * rng.standard_normal(shape) + np.where(radius > 0.85, 300, 0)
    return np.where(radius <= 1, signal, air + 5 * np.abs(rng.standard_normal(shape))).astype(np.float32)


def guess(array, spacing=(4.0, 1.5, 1.5), origin=(-90.0, -100.0, 40.0)):
    """Guess what an array with a place is; without one where the spacing is None."""
    dimensions = array.ndim
    if spacing is None:
        return Modality.guess(Appearance.of(mi.Volume.of(array)))
    return Modality.guess(Appearance.of(mi.Volume(array, spacing[-dimensions:], origin[:dimensions])))


def film_of(shape=(300, 300), low=40.0):
    """Return a smooth picture that fills its frame, with two dark fields in the middle."""
    j, i = (np.linspace(-1, 1, size) for size in shape)
    lungs = np.exp(-((np.abs(i)[None] - 0.45) ** 2 + 0.5 * j[:, None] ** 2) * 12)
    return (low + 180 - 170 * lungs).astype(np.uint8)


def named(value):
    """Name a parameter of a test without its voxels."""
    return str(getattr(value, "shape", getattr(value, "name", value)))


HU = body_of(-1000.0, 20.0).astype(np.int16)
MAGNITUDE = body_of(0.0)
SIGNED = np.where(MAGNITUDE > 100, (MAGNITUDE - 400) * 15, 0)


@pytest.mark.parametrize(
    ("array", "expected", "sure"),
    [
        (HU, CT, True),
        (np.where(np.arange(50) < 8, np.int16(-3024), HU), CT, True),
        (HU[12], CT, True),
        (HU[12:13], CT, True),
        (HU[8:16, 20:40, 18:32], MR, False),
        (HU + np.int16(1024), MR, False),
        (HU * np.float32(0.01), MR, True),
        (HU * np.float32(1000), MR, True),
        (MAGNITUDE, MR, True),
        (SIGNED, MR, True),
        (SIGNED - 1500, MR, True),
        (MAGNITUDE * 1e-4, MR, True),
        ((MAGNITUDE - MAGNITUDE.mean()) / MAGNITUDE.std(), MR, True),
        (MAGNITUDE[12], MR, True),
        (MAGNITUDE[12:13], MR, True),
        (MAGNITUDE[12:13, 20:40, 18:32], MR, True),
        (MAGNITUDE[12, 20:40, 18:32], MR, True),
    ],
    ids=named,
)
def test_a_section_with_a_place_is_never_a_film_and_ct_is_more_than_an_extreme(array, expected, sure):
    found = guess(array)
    assert (found.modality, not found.warnings) == (expected, sure)
    assert found.reason


@pytest.mark.parametrize(
    ("array", "expected", "sure"),
    [
        (film_of(), FILM, True),
        (film_of().astype(np.uint16) * 16, FILM, True),
        (film_of()[None], FILM, True),
        (film_of((120, 120)), MR, False),
        ((MAGNITUDE[12] / 6).clip(0, 255).astype(np.uint8), MR, False),
        (np.kron((MAGNITUDE[12] / 6).clip(0, 255).astype(np.uint8), np.ones((6, 6), np.uint8)), MR, False),
        (np.pad(film_of((200, 200)), 60), MR, False),
    ],
    ids=named,
)
def test_a_picture_without_a_place_is_a_film_if_it_is_large_and_fills_its_frame(array, expected, sure):
    found = guess(array, spacing=None)
    assert (found.modality, not found.warnings) == (expected, sure)


def test_a_film_with_a_pixel_size_is_as_large_as_a_chest():
    assert guess(film_of(), (1.3, 1.3)).modality is FILM
    assert guess(film_of(), (0.5, 0.5)).modality is MR


@pytest.mark.parametrize("dots", [72, 96, 300])
def test_the_resolution_of_a_print_is_no_pixel_size(tmp_path, dots):
    image = sitk.GetImageFromArray(film_of())
    image.SetSpacing((25.4 / dots,) * 2)
    for ending in ("tif", "jpg"):
        path = str(tmp_path / f"film.{ending}")
        sitk.WriteImage(image, path)
        found = Modality.guess(Appearance.of(mi.Volume.read(path)))
        assert (found.modality, found.warnings) == (FILM, ())


def test_a_warning_names_the_doubt_and_the_way_out():
    (warning,) = guess(film_of((120, 120)), spacing=None).warnings
    assert warning.startswith("The image is treated as MR because")
    assert "like a film" in warning
    assert "--modality" in warning


@pytest.mark.parametrize(("code", "expected"), [("CT", CT), ("MR", MR), ("CR", FILM), ("DX", FILM)])
def test_a_dicom_header_decides(code, expected):
    seen = dataclasses.replace(Appearance.of(mi.Volume.of(MAGNITUDE)), header=code)
    assert Modality.guess(seen) == (expected, f"its DICOM header says {code}", (), ())


def test_a_dicom_header_of_no_known_modality_makes_the_guess_unsure():
    found = Modality.guess(dataclasses.replace(Appearance.of(mi.Volume.of(MAGNITUDE)), header="US"))
    assert found.modality is MR
    assert "header says US" in found.warnings[0]


@pytest.mark.parametrize("image", [HU, MAGNITUDE, film_of(), film_of()[None], MAGNITUDE[12:13]], ids=named)
def test_hidden_voxels_and_nan_do_not_change_the_guess(image):
    hidden = np.zeros(image.shape, np.uint8)
    middle = tuple(slice(size // 4, size - size // 4) for size in image.shape)
    hidden[middle] = 1
    found = []
    for fill in (0, -3000, 1e6, np.nan):
        array = np.where(hidden, np.float32(fill), image).astype(np.float32)
        volume = mi.Volume.of(array)
        found.append(Modality.guess(Appearance.of(volume, find_hole(volume.with_array(hidden), volume)[0])))
    assert len(set(found)) == 1
    lost = np.where(np.indices(image.shape).sum(axis=0) % 5, image.astype(np.float32), np.nan)
    assert guess(lost, None).modality is guess(image.astype(np.float32), None).modality


@pytest.mark.parametrize("array", [np.zeros((4, 5, 6)), np.full((9, 9), np.nan), np.ones((1, 3, 3), bool)], ids=named)
def test_an_image_that_shows_nothing_is_mr(array):
    assert guess(array, None).modality is MR


@pytest.mark.parametrize(("case", "image"), [("05-psir-taken-for-ct", "psir"), ("06-single-slice-mr", "t1")])
def test_a_phase_sensitive_mr_and_a_slice_of_a_head_are_mr(case, image):
    folder = CASES / case
    report = mi.inpaint(folder / f"{image}.nii.gz", folder / "mask.nii.gz", method="harmonic").report
    assert (report["modality"], report["warnings"]) == ("MR", [])
    assert report["modality_reason"]
    named = mi.inpaint(folder / f"{image}.nii.gz", folder / "mask.nii.gz", method="harmonic", modality="mr").report
    assert (named["modality"], named["modality_reason"]) == ("MR", "")


def test_an_unsure_guess_is_warned_of_by_a_fill_and_by_an_evaluation():
    image = film_of((120, 120))
    hole = np.zeros(image.shape, np.uint8)
    hole[40:60, 30:50] = 1
    report = mi.inpaint(image, hole, method="harmonic").report
    assert any("treated as MR" in each for each in report["warnings"])
    table = mi.evaluate(image, hole, "harmonic")
    assert any("treated as MR" in each for each in table.warnings)
    assert "treated as MR" in table.to_text()
    assert not mi.evaluate(image, hole, "harmonic", modality="FILM").warnings


def test_a_modality_is_registered_once(pet):
    with pytest.raises(ParameterError, match="'PET' already"):
        register(PET)
    with pytest.raises(ParameterError, match="no modality 'US'; choose one of MR, CT, film, PET"):
        Modality.of("US")


def test_a_further_modality_is_guessed_before_the_others(scan):
    mr = body_of(0.0)
    assert guess(mr / 100).modality is PET
    assert guess(mr).modality is MR
    assert guess(body_of(-1000.0, 0.0)).modality is CT
    assert mi.inpaint(scan / "image.nrrd", scan / "mask.nrrd", method="harmonic").report["modality"] == "PET"


def test_a_further_modality_has_its_own_scale_and_body():
    assert fit_scaling(np.array([0.0, 3.0]), PET).width == 20.0
    faint = np.zeros((8, 20, 20))
    faint[2:6, 5:15, 5:15] = 0.4
    faint[2:6, 5:15, :3] = 0.2
    assert (body(faint, PET) == (faint > 0.3)).all()


def test_a_further_modality_fills_and_checks_itself(scan):
    result = mi.inpaint(scan / "image.nrrd", scan / "mask.nrrd", modality="PET", method="harmonic", self_check=True)
    assert result.report["modality"] == "PET"
    assert "R = 10, from 0 to 10 (uptake, SUV)" in result.report["self_check"][0]["range"]
    chosen = mi.inpaint(scan / "image.nrrd", scan / "mask.nrrd", modality="PET", dilate_mm=2).report
    assert (chosen["method"], "PET volume" in chosen["reason"]) == ("biharmonic", True)


@pytest.mark.parametrize(
    ("properties", "width", "method", "words"),
    [
        ({"has_two_sides": True}, 16, "mirror", "other side"),
        ({"has_two_sides": True}, 32, "mirror", "very large"),
        ({"patches_suit_volumes": False}, 12, "patch-regression", "small"),
        ({"patches_suit_volumes": False}, 16, "biharmonic", "in a PET volume"),
        ({"is_smooth": True}, 12, "biharmonic", "PET images are smooth"),
        ({}, 16, "patch", "tissue around it"),
        ({}, 32, "biharmonic", "very large"),
    ],
)
def test_the_automatic_choice_asks_for_properties_and_not_for_names(monkeypatch, properties, width, method, words):
    chosen, reason = chosen_for(monkeypatch, properties, width)
    assert (chosen, words in reason) == (method, True)


@pytest.mark.parametrize(
    ("properties", "width", "method"),
    [
        ({}, 4, "patch-regression"),
        ({}, 8, "unet"),
        ({"has_two_sides": True}, 16, "unet"),
        ({"has_two_sides": True}, 32, "mirror"),
        ({"is_smooth": True}, 4, "unet"),
    ],
)
def test_the_automatic_choice_takes_a_network_that_can_run_where_the_hole_is_deep(
    monkeypatch, properties, width, method
):
    monkeypatch.setattr(auto, "can_run", lambda method, modality: modality == "PET")
    assert chosen_for(monkeypatch, properties, width)[0] == method


@pytest.mark.parametrize(("gain", "words"), [(None, ""), (0.75, "the network unet would gain about 0.75 dB")])
def test_where_a_network_cannot_run_the_reason_says_what_it_would_gain(monkeypatch, gain, words):
    lacking = dataclasses.replace(registry.get(auto.NETWORK), requires=("a_package_that_is_not_there",))
    monkeypatch.setattr(auto, "get", lambda name: lacking if name == auto.NETWORK else registry.get(name))
    _, reason = chosen_for(monkeypatch, {"network_gain": gain}, 16)
    assert words in reason
    assert ("network" in reason) == bool(words)


def chosen_for(monkeypatch, properties, width):
    """Return the automatic choice and its reason for a cube in a volume whose other side is known, if it has one."""
    monkeypatch.setattr(auto, "is_mostly_known", lambda *_: True)
    image = mi.Volume.of(np.zeros((48, 48, 48)))
    margin = (48 - width) // 2
    hole, _ = find_hole(image.with_array(np.pad(np.ones((width,) * 3, np.uint8), margin)), image)
    subject = Subject(image, hole, Scaling(0, 1), Modality(name="PET", **properties))
    groups = find_parts(hole, image.spacing)
    return auto.choose(subject, groups, [group.depths(subject.whole, None, image.spacing) for group in groups])[0]


def test_a_further_modality_is_evaluated(scan):
    table = mi.evaluate(scan / "image.nrrd", "spheres:8mm:3", "harmonic", modality="PET")
    assert (table.constants["modality"], table.constants["R"], table.constants["black"]) == ("PET", 10.0, 0.0)


@pytest.mark.parametrize(
    "fields",
    [
        {"job": "fill", "mask": "mask.nrrd", "output": "filled.nrrd", "method": "harmonic"},
        {"job": "evaluate", "holes": ["spheres:8mm:3"], "methods": ["harmonic"], "output": "scores.json"},
    ],
)
def test_jobs_take_a_further_modality(scan, fields):
    (scan / "job.json").write_text(json.dumps({**fields, "image": "image.nrrd", "modality": "PET"}))
    assert read(scan / "job.json").run()["modality"] == "PET"
    assert (scan / fields["output"]).is_file()


@pytest.mark.parametrize(
    ("name", "code", "words"), [("PET", 0, "harmonic"), ("pet", 0, "harmonic"), ("US", 2, "MR, CT, film, PET")]
)
def test_the_command_takes_a_further_modality_and_lists_it(scan, name, code, words):
    files = [str(scan / each) for each in ("image.nrrd", "mask.nrrd")]
    options = ["-o", str(scan / "filled.nrrd"), "--method", "harmonic", "--modality", name]
    result = CliRunner().invoke(app, ["fill", *files, *options])
    assert result.exit_code == code
    assert words in result.output


def test_only_one_file_of_the_source_names_modalities():
    """Docstrings and texts for users may; a string that is just such a name is a comparison or a default."""
    written = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in SOURCES
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(modality.__file__)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in ("MR", "CT", "film")
    }
    assert not written


def test_what_may_be_a_film_is_filled_like_one_though_it_is_treated_as_mr(monkeypatch):
    monkeypatch.setattr(auto, "can_run", lambda method, modality: False)
    picture = film_of((120, 120))
    hole = np.zeros(picture.shape, bool)
    hole[40:80, 20:50] = True
    report = mi.inpaint(picture, hole).report
    assert (report["modality"], report["method"]) == ("MR", "biharmonic")
    assert report["reason"].endswith("this may be one")
    assert mi.inpaint(picture, hole, modality="MR").report["method"] != "biharmonic"
