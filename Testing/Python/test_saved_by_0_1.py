"""What version 0.1.0 saved still opens: job files, models, recipes and scenes, see ``Testing/Data/0.1/README.md``."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib import job

REPOSITORY = Path(__file__).resolve().parents[2]
SAVED = REPOSITORY / "Testing" / "Data" / "0.1"
JOB_FILES = sorted(path.relative_to(SAVED).as_posix() for path in SAVED.glob("jobs/**/*.json"))
MODELS = sorted({Path(name).parent.name for name in zipfile.ZipFile(SAVED / "models.zip").namelist()} - {"", "models"})
#: Architecture -> a method that fills with it, and the parameters that this method needs besides the model.
METHODS = {
    "vae": ("vae-latent", {"steps": 2}),
    "dcgan": ("gan-latent", {"steps": 2}),
    "collagan": ("collagan", {"target": "FLAIR", "guides": "T1, T2"}),
}


@pytest.fixture
def saved(tmp_path):
    """A copy of all files, in which jobs may write; ``out`` is where the job files want their output."""
    folder = tmp_path / "0.1"
    shutil.copytree(SAVED, folder)
    shutil.unpack_archive(folder / "models.zip", folder)
    (folder / "jobs" / "out").mkdir()
    return folder


def test_job_files_of_all_kinds_were_saved():
    kinds = [json.loads((SAVED / path).read_text())["job"] for path in JOB_FILES]
    assert sorted(kinds) == sorted(2 * ["fill", "impute", "evaluate"])


@pytest.mark.parametrize("path", JOB_FILES)
def test_a_job_file_runs_and_writes_its_outputs(path, saved, monkeypatch, capsys):
    # The estimates name their model: here it is among the user's own.
    monkeypatch.setenv("MEDINPAINT_MODELS", str(saved / "models"))
    if json.loads((saved / path).read_text())["job"] == "impute":
        pytest.importorskip("torch")
    code = job.main([str(saved / path)])
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == job.EXIT_DONE, events[-1]
    assert events[-1]["event"] == "result"
    fields = json.loads((saved / path).read_text())
    for name in ("output", "report", "uncertainty", "filled_mask"):
        if fields.get(name) is not None:
            assert ((saved / path).parent / fields[name]).stat().st_size > 0


def test_a_fill_job_fills_its_hole_and_nothing_else(saved):
    assert job.main([str(saved / "jobs" / "fill.json")]) == job.EXIT_DONE
    before, after = (mi.Volume.read(saved / "jobs" / name).array for name in ("t1.nrrd", "out/filled.nrrd"))
    filled = mi.Volume.read(saved / "jobs" / "out" / "filled-mask.nrrd").array > 0
    assert np.array_equal(after[~filled], before[~filled])
    assert not np.array_equal(after[filled], before[filled])


@pytest.mark.parametrize("name", [*MODELS, "brain-mr-rfr"])
def test_a_model_loads_and_fills(name, saved):
    pytest.importorskip("torch")
    folder = saved / "models" / name if name in MODELS else REPOSITORY / "Resources" / "Models" / name
    architecture = json.loads((folder / "bundle.json").read_text())["architecture"]
    method, parameters = METHODS.get(architecture, (architecture, {}))
    image = mi.Volume.read(SAVED / "jobs" / "t1.nrrd")
    hole = mi.Volume.read(SAVED / "jobs" / "hole.nrrd")
    result = mi.inpaint(
        image,
        hole,
        method=method,
        parameters={**parameters, "model": str(folder)},
        modality="MR",
        guides=[SAVED / "jobs" / "flair.nrrd", SAVED / "jobs" / "t2.nrrd"] if architecture == "collagan" else [],
        device="cpu",
    )
    assert result.report["method"] == method
    assert not np.array_equal(result.volume.array, image.array)
    assert np.array_equal(result.volume.array[hole.array == 0], image.array[hole.array == 0])


@pytest.mark.parametrize("path", sorted(SAVED.glob("recipes/*.toml")), ids=lambda path: path.stem)
def test_a_recipe_can_be_read(path):
    pytest.importorskip("torch")
    from MedInpaintLib.training.recipe import read_recipe

    recipe = read_recipe(path)
    assert recipe.name == path.stem
    assert recipe.schedule.steps > 0
    assert recipe.data.contrasts


@pytest.fixture
def scene():
    """MRML with nothing in it, and what the panel needs of Slicer."""
    pytest.importorskip("slicer.util", reason="scenes need the package slicer-core")
    pytest.importorskip("PySide6.QtWidgets", reason="the panel's parameter node needs the package PySide6-Essentials")
    sys.path.append(str(REPOSITORY / "Testing" / "PanelHost"))
    from panelhost import host, mrml

    host.install()
    mrml.clearScene()
    import slicer

    yield slicer.mrmlScene
    mrml.clearScene()


def test_a_scene_gives_the_panel_its_choices_back(scene):
    from MedInpaint import MedInpaintLogic
    from MedInpaintSlicer import parameters

    scene.SetURL(str(SAVED / "scene" / "scene.mrml"))
    assert scene.Connect()
    node = MedInpaintLogic().getParameterNode()
    for field, value in json.loads((SAVED / "scene" / "values.json").read_text()).items():
        assert _told(getattr(node, field)) == value, field
        if isinstance(value, str):
            assert _told(parameters.validValue(node, field)) == value, field
    assert parameters.valuesOf(node, "biharmonic") == {"tolerance": 1e-4, "clip": False}
    assert parameters.valuesOf(node, "patch") == {"size": 5.0, "effort": 6}


def test_a_scene_gives_the_segment_editor_effect_its_choices_back(scene):
    from panelhost import effect

    scene.SetURL(str(SAVED / "scene" / "scene.mrml"))
    assert scene.Connect()
    module = effect.install()
    assert module is not None
    import slicer

    # The singleton of the module Segment Editor stays when a scene is closed, if another test has made it.
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentEditorNode")
    node = next(each for each in nodes if not each.GetSingletonTag())
    widget = slicer.qMRMLSegmentEditorWidget()
    widget.setMRMLScene(scene)
    widget.setMRMLSegmentEditorNode(node)
    widget.setActiveEffectByName("MedInpaint fill")
    options = widget.scripted[0].self().options
    assert options.methodCombo.currentData == "harmonic"
    assert options.growSlider.value == 1.5
    assert options.uncertaintyBox.checked
    assert options.outputSelector.currentNode().GetName() == "Filled"
    widget.close()


def _told(value):
    """A field's value as ``values.json`` has it: nodes by their names."""
    if isinstance(value, (list, tuple)):
        return [_told(each) for each in value]
    return value.GetName() if hasattr(value, "GetName") else value
