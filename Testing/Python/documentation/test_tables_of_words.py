"""Tables and lists of pages that repeat what the program says of itself."""

import re

import pytest

import MedInpaintLib as mi
from MedInpaintLib.holes.grammar import grammar
from MedInpaintLib.models.recipes import recipes
from MedInpaintLib.models.store import is_released
from Testing import documentation


def test_the_table_has_every_method_with_its_own_words():
    page = documentation.text("docs/how-to/choose-a-method.md")
    for name, info in mi.list_methods().items():
        assert f"| `{name}` | {info.summary} | {info.trust} |" in page


@pytest.mark.parametrize(
    ("modality", "images"),
    [("MR", "brain MR (T1, T2, FLAIR)"), ("film", "chest films"), ("CT", "chest and abdomen CT")],
)
def test_the_table_of_models_has_all_that_are_released_and_recipes_for_the_others(modality, images):
    (line,) = (
        each
        for each in documentation.text("docs/how-to/trained-models.md").splitlines()
        if each.startswith(f"| {images} |")
    )
    present, others = (set(re.findall(r"`([\w-]+)`", cell)) for cell in line.split("|")[2:4])
    one_pass = {"unet", "pconv", "rfr", "context-encoder", "edge-guided", "boundary-aware"}
    if modality == "MR":
        one_pass.add("unet-3d")  # it needs the atlas of heads
    released = {
        each.architecture for each in mi.list_models().values() if is_released(each) and each.modality == modality
    }
    assert released & one_pass == present
    known = {name: [recipe for recipe, kind in recipes(name).items() if kind == modality] for name in one_pass}
    assert all(known[name] for name in present)
    missing = {recipe for name in one_pass - present for recipe in known[name]}
    assert missing == {each for each in others if each not in one_pass}
    assert {each for each in others if each in one_pass} == {name for name in one_pass - present if not known[name]}


def test_the_shapes_of_holes_are_written_as_the_program_explains_them():
    page = documentation.text("docs/reference/evaluation-on-your-images.md")
    for line in grammar().splitlines():
        assert line.strip() in page
