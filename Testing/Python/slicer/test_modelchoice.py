"""Methods and models that go together, and what is said when there is none."""

import shutil

import pytest

import MedInpaintLib
from MedInpaintLib.models import store

pytest.importorskip("slicer.util", reason="the tests on real MRML need the package slicer-core")

from panelhost import bundles
from panelhost.phantom import addVolume, ramp

from MedInpaintSlicer import modelchoice
from MedInpaintSlicer.nodes import images


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The folder of the user's own models; there are no others."""
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path / "own"))
    monkeypatch.setattr(store, "_RELEASED", ())
    return tmp_path / "own"


def _complaint(method: str, modalities=(), **values) -> str:
    return modelchoice.complaint(MedInpaintLib.list_methods()[method], values, modalities)


def test_without_a_model_of_its_architecture_a_method_cannot_work_and_the_recipe_is_named(own):
    bundles.write(own, "other", architecture="vae")
    expected = (
        "There is no model for 'Context encoder': add one in the tab Models, or choose another method. "
        "The recipe brain-mr-context-encoder or chest-film-context-encoder makes one."
    )
    assert _complaint("context-encoder") == _complaint("context-encoder", model="auto") == expected
    bundles.write(own, "mine", architecture="context-encoder")
    assert _complaint("context-encoder") == ""


def test_a_method_that_refuses_other_modalities_needs_a_model_of_the_images(own):
    bundles.write(own, "mine", architecture="pconv", modality="MR")
    assert _complaint("pconv", {"CT", "MR"}) == ""
    assert "learned from MR" in _complaint("pconv", {"CT"})
    assert "The recipe body-ct-pconv makes one." in _complaint("pconv", {"CT"})
    assert _complaint("pconv", {"CT"}, any_modality=True) == ""
    bundles.write(own, "other", architecture="vae", modality="MR")
    assert "learned from MR" in _complaint("vae-latent", {"CT"})


def test_methods_without_a_model_are_unavailable_unless_one_is_named(own, tmp_path):
    methods = {name: MedInpaintLib.list_methods()[name] for name in ("pconv", "unet", "harmonic")}
    assert set(modelchoice.unavailable(methods, lambda method: {}, ())) == {"pconv", "unet"}
    elsewhere = bundles.write(tmp_path / "elsewhere", "mine", architecture="unet")
    assert set(modelchoice.unavailable(methods, lambda method: {"model": str(elsewhere)}, ())) == {"pconv"}


def test_a_method_says_for_which_images_it_has_a_model(own):
    methods = MedInpaintLib.list_methods()
    assert modelchoice.summaryOf(methods["harmonic"]) == methods["harmonic"].summary
    assert modelchoice.summaryOf(methods["pconv"]) == f"{methods['pconv'].summary} Models for: none."
    for name, modality in (("one", "film"), ("two", "CT"), ("three", "film")):
        bundles.write(own, name, architecture="pconv", modality=modality)
    assert modelchoice.summaryOf(methods["pconv"]) == f"{methods['pconv'].summary} Models for: CT, film."


def test_flat_volumes_may_be_of_any_modality_and_others_are_no_films():
    assert images.possibleModalities(None) == set()
    assert images.possibleModalities(addVolume()) == {"MR", "CT"}
    assert images.possibleModalities(addVolume(ramp()[:1])) == {"MR", "film", "CT"}


def test_a_broken_model_counts_for_none(own):
    (bundles.write(own, "mine", architecture="pconv") / "weights.safetensors").unlink()
    assert _complaint("pconv") != ""


def test_a_model_that_is_named_must_be_there_and_fit(own):
    folder = bundles.write(own, "mine", architecture="pconv")
    bundles.write(own, "other", architecture="vae")
    assert _complaint("pconv", model="mine", directions=1) == ""
    assert _complaint("pconv", model=str(folder)) == ""
    assert "'gone'" in _complaint("pconv", model="gone")
    assert "'other' is not one for 'U-Net with partial convolutions'" in _complaint("pconv", model="other")


def test_methods_that_need_no_model_never_lack_one(own):
    methods = MedInpaintLib.list_methods()
    assert modelchoice.complaint(None, {}) == ""  # the automatic choice
    assert {name for name, info in methods.items() if modelchoice.complaint(info, {})} == {
        name for name, info in methods.items() if info.needs_model
    }


def test_every_released_model_has_a_method_that_can_use_it():
    for bundle in store.models().values():
        info = modelchoice.methodFor(bundle)
        assert info.needs_model
        assert modelchoice.complaint(info, {"model": bundle.name}) == ""


def test_a_model_for_comparisons_has_no_method(own):
    bundles.write(own, "mine", architecture="pix2pix")
    assert modelchoice.methodFor(store.find("mine")) is None


def test_folders_that_cannot_be_read_are_told_in_a_line(own, monkeypatch):
    def refuse():
        raise PermissionError(13, "Permission denied", str(own))

    monkeypatch.setattr(store, "models", refuse)
    assert modelchoice.modelsFor(MedInpaintLib.list_methods()["unet"]) == {}
    for values in ({}, {"model": "mine"}):
        said = _complaint("unet", **values)
        assert "\n" not in said
        for words in ("cannot be read", "Permission denied", str(own)):
            assert words in said
    assert _complaint("harmonic") == ""


def test_the_models_are_looked_at_anew_only_when_something_has_changed(own, monkeypatch):
    looks, look = [], store.models

    def models():
        looks.append(True)
        return look()

    monkeypatch.setattr(store, "models", models)
    info = MedInpaintLib.list_methods()["unet"]

    def seen():
        found = [modelchoice.modelsFor(info) for _time in range(3)]
        assert found[0] == found[1] == found[2]
        return list(found[0]), len(looks)

    assert seen() == ([], 1)
    first = bundles.write(own, "first", architecture="unet")
    assert seen() == (["first"], 2)
    second = bundles.write(own, "second", architecture="unet")
    assert seen() == (["first", "second"], 3)
    (own / "leads-nowhere").symlink_to(own / "gone")
    assert seen()[0] == ["first", "second"]
    (first / "weights.safetensors").unlink()
    assert seen()[0] == ["second"]
    shutil.rmtree(second)
    assert seen()[0] == []
