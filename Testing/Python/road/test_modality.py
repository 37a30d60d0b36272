"""What MR, CT and film mean, and that a further modality is one object."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib import modality
from MedInpaintLib.cli.app import app
from MedInpaintLib.errors import ParameterError
from MedInpaintLib.foreground import body
from MedInpaintLib.intensity import Scaling, fit_scaling
from MedInpaintLib.job import read
from MedInpaintLib.mask import find_hole
from MedInpaintLib.methods import auto
from MedInpaintLib.modality import CT, MODALITIES, MR, Modality, register
from MedInpaintLib.subject import Subject

ROOT = Path(__file__).parents[3]
SOURCES = ("MedInpaintLib", "MedInpaint", "SegmentEditorMedInpaint")


def _is_uptake(known, dimensions):
    return bool(dimensions == 3 and known.size and known.min() >= 0 and known.max() < 30)


PET = Modality(
    name="PET",
    looks_like=_is_uptake,
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


@pytest.mark.parametrize(
    ("known", "dimensions", "expected"),
    [([-1000, 40], 3, "CT"), ([0, 40], 3, "MR"), ([-3, 900], 3, "MR"), ([0, 255], 2, "film"), ([-1000, 0], 2, "CT")],
)
def test_the_modality_is_guessed_from_values_and_shape(known, dimensions, expected):
    assert Modality.guess(np.array(known), dimensions).name == expected


@pytest.mark.parametrize(("dimensions", "expected"), [(2, "film"), (3, "MR")])
def test_without_known_voxels_the_shape_alone_counts(dimensions, expected):
    assert Modality.guess(np.array([]), dimensions).name == expected


def test_a_modality_is_registered_once(pet):
    with pytest.raises(ParameterError, match="'PET' already"):
        register(PET)
    with pytest.raises(ParameterError, match="no modality 'US'; choose one of MR, CT, film, PET"):
        Modality.of("US")


def test_a_further_modality_is_guessed_before_the_others(scan):
    assert Modality.guess(np.array([0.0, 4.0]), 3) is PET
    assert Modality.guess(np.array([0.0, 900.0]), 3) is MR
    assert Modality.guess(np.array([-1000.0, 40.0]), 3) is CT
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
    assert "R = 10, from 0 to 10 (uptake, SUV)" in result.report["self_check"]["range"]
    chosen = mi.inpaint(scan / "image.nrrd", scan / "mask.nrrd", modality="PET").report
    assert (chosen["method"], "PET volume" in chosen["reason"]) == ("biharmonic", True)


@pytest.mark.parametrize(
    ("properties", "method", "words"),
    [
        ({"has_two_sides": True}, "mirror", "other side"),
        ({"patches_suit_volumes": False}, "biharmonic", "in a PET volume"),
        ({"is_smooth": True}, "biharmonic", "PET images are smooth"),
        ({}, "patch", "tissue around it"),
    ],
)
def test_the_automatic_choice_asks_for_properties_and_not_for_names(monkeypatch, properties, method, words):
    monkeypatch.setattr(auto, "is_mostly_known", lambda subject: True)
    image = mi.Volume.of(np.zeros((30, 30, 30)))
    hole, _ = find_hole(image.with_array(np.pad(np.ones((12,) * 3, np.uint8), 9)), image)
    chosen, reason = auto.choose(Subject(image, hole, Scaling(0, 1), Modality(name="PET", **properties)))
    assert (chosen, words in reason) == (method, True)


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


@pytest.mark.parametrize(("name", "code", "words"), [("PET", 0, "harmonic"), ("US", 2, "MR, CT, film, PET")])
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
