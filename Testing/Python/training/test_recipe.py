"""Recipes: those that come with MedInpaint can be read, and wrong ones are refused in one line."""

from __future__ import annotations

import pytest

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.networks import build
from MedInpaintLib.training.recipe import FOLDER, read_recipe
from MedInpaintLib.training.run import check
from MedInpaintLib.training.tasks import task_of


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_recipes_can_be_read_and_built_and_those_of_released_models_stored(path):
    recipe = read_recipe(path.stem)
    assert recipe.name == path.stem
    network = build(recipe.architecture, recipe.arguments)
    task_of(recipe.architecture, network, recipe.task)
    # Stored in half precision, a bundle stays below 5 MB; none is released of the size that others have published.
    megabytes = 2e-6 * sum(each.numel() for each in network.state_dict().values())
    assert megabytes < 5 or path.stem.endswith("-published")
    check(recipe, devices=1)  # what a training does before it reads data


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
