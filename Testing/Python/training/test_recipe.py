"""Recipes: those that come with MedInpaint can be read, and wrong ones are refused in one line."""

from __future__ import annotations

import dataclasses
import json
import runpy
import shutil
from pathlib import Path

import pytest
import torch

from MedInpaintLib.errors import ModelError, ParameterError
from MedInpaintLib.networks import build
from MedInpaintLib.training.recipe import FOLDER, read_recipe
from MedInpaintLib.training.run import check
from MedInpaintLib.training.tasks import task_of
from MedInpaintLib.training.tasks.inpainting import InpaintingTask

PUBLISHED = {"chest-film-rfr-published": "chest-film-features", "body-ct-rfr-published": "body-ct-features"}
LITERAL = runpy.run_path(str(Path(__file__).parents[2] / "Benchmarks" / "literal_rfr.py"))["LiteralRfr"]


@pytest.fixture
def encoders(tiny_models, tmp_path, monkeypatch):
    """The user's folder of models, with untrained encoders under the names that the published recipes ask for."""
    for name in PUBLISHED.values():
        folder = shutil.copytree(tiny_models / "a-tiny-vae", tmp_path / "models" / name)
        facts = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
        (folder / "bundle.json").write_text(json.dumps({**facts, "name": name}), encoding="utf-8")
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path / "models"))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_recipes_can_be_read_and_built_and_those_of_released_models_stored(path, encoders):
    recipe = read_recipe(path.stem)
    assert recipe.name == path.stem
    network = build(recipe.architecture, recipe.arguments)
    task_of(recipe.architecture, network, recipe.task)
    # Stored in half precision, a bundle stays below 5 MB; none is released of the size that others have published.
    megabytes = 2e-6 * sum(each.numel() for each in network.state_dict().values())
    assert megabytes < 5 or path.stem.endswith("-published")
    check(recipe, devices=1)  # what a training does before it reads data


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_recipes_have_the_network_losses_and_phases_of_the_authors(name):
    recipe = read_recipe(name)
    with torch.device("meta"):
        network, authors = build(recipe.architecture, recipe.arguments), LITERAL(kernel=recipe.arguments["kernel"])
    count, expected = (sum(each.numel() for each in made.parameters()) for made in (network, authors))
    # Two colours less: in the first convolution, in the tail, and in the last one.
    assert count == expected - 2 * (64 * 7**2 + 32 * 3**2 + 64 * 3**2) == 31_216_065
    assert network.recurrences == 6
    assert recipe.pixels == 256
    assert recipe.schedule.batch == 6
    # Liu et al., ECCV 2018, eq. 7, which Li et al. took over; the phases are those of the code of Li et al.
    losses = {
        "valid": 1.0,
        "hole": 6.0,
        "perceptual": 0.05,
        "style": 120.0,
        "variation": 0.1,
        "power": 1,
        "per": "frame",
    }
    phases = {"rate": 2e-4, "fine_tune": recipe.schedule.steps * 2 // 3, "fine_rate": 5e-5, "fresh": True}
    assert recipe.task == {**losses, **phases, "features": PUBLISHED[name]}
    defaults = {field.name: field.default for field in dataclasses.fields(InpaintingTask)}
    assert {option: defaults[option] for option in losses} == losses


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_step_of_the_published_recipes_lowers_the_sum_of_five_losses(name, encoders):
    """In frames of 64 pixels: the network is the same, and a step takes a sixteenth of the time."""
    recipe = read_recipe(name)
    torch.manual_seed(0)
    network = build(recipe.architecture, {**recipe.arguments, "pixels": 64}).train()
    task = task_of(recipe.architecture, network, recipe.task)
    truth = torch.rand(2, 1, 64, 64) * 2 - 1
    known = torch.ones(2, 1, 64, 64, dtype=torch.bool)
    known[..., 28:36, 28:36] = False
    before = [each.clone() for each in network.parameters()]
    ((optimized, total, log),) = task.losses((truth * known, known, truth), 0, torch.Generator())
    total.backward()
    task.optimizers[optimized].step()
    assert set(log) == {f"part/{each}" for each in ("valid", "hole", "perceptual", "style", "variation")}
    shares = {
        name: recipe.task[name.removeprefix("part/")] * value.item() / total.item() for name, value in log.items()
    }
    assert sum(shares.values()) == pytest.approx(1, rel=1e-4)
    assert min(shares.values()) > 1e-4
    changed = [not torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True)]
    assert sum(changed) / len(changed) > 0.95


@pytest.mark.parametrize("name", PUBLISHED)
def test_without_its_encoder_a_published_recipe_says_how_to_make_one(name, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))
    encoder = PUBLISHED[name]
    with pytest.raises(
        ModelError, match=f"no model '{encoder}'.*'medinpaint train {encoder}'.*weights of VGG16"
    ) as said:
        check(read_recipe(name), devices=1)
    assert "\n" not in str(said.value)
    # The encoder sees images on the scale on which it has learned them.
    ours, theirs = (read_recipe(each).data for each in (name, encoder))
    assert (ours.modality, ours.centre, ours.half_width) == (theirs.modality, theirs.centre, theirs.half_width)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("title =", "titel ="), "knows no 'titel'"),
        (('name = "tiny"', ""), "lacks 'name'"),
        (("steps = 6", 'steps = "six"'), "'steps' that is no int"),
        (("steps = 6", "steps = 0"), "must be 1 or more"),
        (("batch = 8", "batch = 1"), "must be 2 or more"),
        (("ema = 0.8", "ema = 1.0"), "below 1"),
        (('modality = "MR"', 'modality = "US"'), "the modality 'US'"),
        (('contrasts = ["T1"]', 'contrasts = "T1"'), "a list of texts"),
        (("pixels = 16", ""), "has no 'pixels'"),
        (("pixels = 16", "pixels = 16.5"), "has pixels = 16.5; give the side"),
        (("pixel_mm = 2.0", "pixel_mm = 0"), "pixel_mm = 0; it must be above 0"),
        (("pixel_mm = 2.0", "pixel_mm = nan"), "a number that is not finite"),
        (("pixel_mm = 2.0", "half_width = -1"), "half_width = -1; it must be above 0"),
        (("batch = 8", "clip = 0"), "clip = 0; it must be above 0"),
        (("hole_mm = 8", "hole_mm = 3.9"), "hole_mm = 3.9; with 16 pixels of 2 mm it must be between 4 and 24"),
        (("hole_mm = 8", "hole_mm = 25"), "hole_mm = 25; .* between 4 and 24"),
        (("[arguments]", "[arguments"), "cannot be read"),
        (("[arguments]", "task = 3\n[arguments]"), "'task' that is no"),
        (('name = "tiny"', 'name = "Tiny model"'), "name"),
    ],
)
def test_wrong_recipes_are_refused(change, message, recipe):
    path = recipe()
    text = path.read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        read_recipe(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("hint = 'nearest'", "hint = ''"), r"has hint = True in \[arguments\] and hint = '' in \[data\]"),
        (("hint = true", "hint = false"), r"has hint = False in \[arguments\] and hint = 'nearest'"),
        (("hint = true", "hint = 1"), r"has hint = 1 in \[arguments\]"),
        (("hint = true\nother_side = true", "hint = true"), "must have the same other_side"),
        (("other_side = true\n", "other_side = 1\n"), "has a 'other_side' that is no bool: 1"),
        (("hint = 'nearest'", "hint = 'guess'"), "no method 'guess'"),
        (("hint = 'nearest'", "hint = 'unet'"), "the hint 'unet', which needs a model"),
        (("'spheres:8mm'", "'cubes:8mm'"), "no shape 'cubes'"),
        (("'spheres:8mm'", "'lesions:8mm:from=none.nii'"), "takes lesions from 'none.nii', and there is no such file"),
        (("cases = 6", "cases = 0"), "no holes to learn from"),
        (("slice_mm = 2.0", "slice_mm = 0"), "slice_mm = 0; it must be above 0"),
        (("slice_mm = 2.0", 'also = ["oblique"]'), "the plane 'oblique'"),
        (("slice_mm = 2.0", "across = -1"), "across = -1; give a number of pixels"),
    ],
)
def test_wrong_recipes_of_networks_that_fill_are_refused(change, message, recipe):
    path = recipe("unet")
    text = path.read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        read_recipe(path)


def test_a_recipe_that_is_not_there_names_those_that_are():
    with pytest.raises(ParameterError, match="brain-mr-vae-3"):
        read_recipe("nothing")


@pytest.mark.parametrize("option", ["learning_rate", "network", "optimizers"])
def test_unknown_options_of_a_task_are_refused(option, recipe):
    network = build("vae", {"pixels": 16, "latent": 2, "width": 4})
    with pytest.raises(ParameterError, match=f"knows no '{option}'"):
        task_of("vae", network, {option: 1})
