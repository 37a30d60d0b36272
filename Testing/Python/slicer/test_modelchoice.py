"""Methods and models that go together, and what is said when there is none."""

import pytest

import MedInpaintLib
from MedInpaintLib.models import store

pytest.importorskip("slicer.util", reason="the tests on real MRML need the package slicer-core")

from panelhost import bundles

from MedInpaintSlicer import modelchoice


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The folder of the user's own models; there are no others."""
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path / "own"))
    monkeypatch.setattr(store, "_RELEASED", ())
    return tmp_path / "own"


def _complaint(method: str, **values) -> str:
    return modelchoice.complaint(MedInpaintLib.methods()[method], values)


def test_without_a_model_of_its_architecture_a_method_cannot_work(own):
    bundles.write(own, "other", architecture="vae")
    wanted = "There is no model for 'Context encoder'; add one in the tab Models, or choose another method."
    assert _complaint("context-encoder") == _complaint("context-encoder", model="auto") == wanted
    bundles.write(own, "mine", architecture="context-encoder")
    assert _complaint("context-encoder") == ""


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
    methods = MedInpaintLib.methods()
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
