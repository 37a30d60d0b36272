"""The methods in the tab Fill, and the form of each."""

import json
import re

import pytest
import slicer
from panelhost import bundles
from panelhost.filling import chooseIn, clickApply, comeBack, editorOf, typeIn
from panelhost.phantom import addVolume, box, ramp
from PySide6 import QtCore, QtWidgets

import MedInpaintLib
from MedInpaintLib.methods import auto
from Testing.PanelHost.clicks import applyAndWait, chooseHole


def test_every_method_of_the_engine_is_offered_after_automatic(panel):
    offered = [name for name, _title in rows(panel.fillPage.ui.methodCombo) if name is not None]
    assert offered[0] == "auto"
    assert sorted(offered[1:]) == sorted(MedInpaintLib.list_methods())


def rows(combo):
    """Name and title of each row; headings have no name."""
    QtWidgets.QApplication.processEvents()
    return [(combo.itemData(row), combo.itemText(row)) for row in range(combo.count)]


def test_methods_stand_below_the_headings_of_their_groups(panel, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))  # only the released models
    combo = panel.fillPage.ui.methodCombo
    panel.logic.getParameterNode().inputVolume = addVolume()
    comeBack(panel)
    group, heading = {}, ""
    for name, title in rows(combo):
        heading = title if name is None else heading
        group[name] = heading
    assert group["biharmonic"] == "— From the surroundings —"
    assert group["mirror"] == "— From the other side or the atlas —"
    assert group["unet"] == "— Trained networks —"
    assert group["white-matter"] == "— For lesions —"
    assert group["collagan"] == "— From other images —"
    assert group["nearest"] == "— Simple fills —"
    assert group["edge-guided"] == "— Cannot run here —"


def test_a_heading_cannot_be_chosen(panel):
    combo = panel.fillPage.ui.methodCombo
    chooseIn(combo, "biharmonic")
    (heading, *_more) = [row for row in range(combo.count) if combo.itemData(row) is None]
    assert not combo.model().item(heading).isEnabled()
    combo.currentIndex = heading
    assert combo.currentData == "biharmonic"
    assert panel.logic.getParameterNode().method == "biharmonic"


def test_every_method_shows_its_summary_and_a_row_for_each_parameter(panel):
    for name, info in MedInpaintLib.list_methods().items():
        chooseIn(panel.fillPage.ui.methodCombo, name)
        assert panel.fillPage.ui.methodSummaryLabel.text == info.summary
        assert all(editorOf(panel, parameter.name) for parameter in info.describe())
        defaults = {parameter.name: parameter.default for parameter in info.describe()}
        assert panel.fillPage._form.values() == pytest.approx(defaults)


def test_each_method_keeps_its_own_parameters(panel):
    chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    editorOf(panel, "clip").checked = False
    chooseIn(panel.fillPage.ui.methodCombo, "harmonic")
    chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    assert panel.fillPage._form.values()["clip"] is False


def test_a_tolerance_is_typed_in_the_scientific_way(panel):
    chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    typeIn(panel, "tolerance", "1e-4")
    assert panel.fillPage._form.values()["tolerance"] == 1e-4
    assert panel.fillPage.ui.parameterHintLabel.text == ""


@pytest.mark.parametrize("text", ["nonsense", "", "5", "-1", "nan", "inf"])
def test_a_number_out_of_range_is_refused_with_the_range(panel, text):
    chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    typeIn(panel, "tolerance", "1e-4")
    typeIn(panel, "tolerance", text)
    assert editorOf(panel, "tolerance").text == "0.0001"
    assert panel.fillPage._form.values()["tolerance"] == 1e-4
    assert panel.fillPage.ui.parameterHintLabel.visible
    assert re.fullmatch(r"Tolerance must be between 1e-\d+ and [\d.]+\.", panel.fillPage.ui.parameterHintLabel.text)
    typeIn(panel, "tolerance", "1e-3")
    assert not panel.fillPage.ui.parameterHintLabel.visible


def test_apply_does_not_start_with_a_number_that_was_refused(panel):
    chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    editorOf(panel, "tolerance").text = "5"
    clickApply(panel)
    assert panel.fillPage.run.job is None
    assert "Tolerance" in panel.fillPage.ui.parameterHintLabel.text


def test_the_automatic_choice_is_described_as_everywhere(panel):
    chooseIn(panel.fillPage.ui.methodCombo, "auto")
    assert panel.fillPage.ui.methodSummaryLabel.text == auto.SUMMARY


def test_a_model_is_chosen_from_those_that_the_method_can_use(panel, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))  # only the released models
    chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "vae-latent")
    combo = editorOf(panel, "model")
    assert combo.currentText == "Automatic"
    offered = [name for name, _title in rows(combo)]
    assert offered[0] == "auto"
    assert "brain-mr-vae-3" in offered
    assert "brain-mr-unet" not in offered
    chooseIn(combo, "brain-mr-vae-3")
    assert panel.fillPage._form.values()["model"] == "brain-mr-vae-3"
    assert panel.fillPage.ui.applyButton.enabled


def test_a_model_of_ones_own_comes_into_the_list_at_once(panel, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))
    chooseIn(panel.fillPage.ui.methodCombo, "unet")
    assert editorOf(panel, "model").findData("mine") < 0
    bundles.write(tmp_path, "mine", architecture="unet")
    panel.refreshPages()
    assert editorOf(panel, "model").findData("mine") > 0


def test_a_model_that_is_gone_is_shown_and_complained_of(panel):
    chooseHole(panel)
    panel.logic.getParameterNode().methodParameters = {"vae-latent": json.dumps({"model": "nowhere"})}
    chooseIn(panel.fillPage.ui.methodCombo, "vae-latent")
    assert editorOf(panel, "model").currentText == "nowhere"
    assert not panel.fillPage.ui.applyButton.enabled
    assert "There is no model 'nowhere'" in panel.fillPage.ui.applyHintLabel.text


def test_a_long_form_is_folded_until_it_is_opened(panel):
    chooseIn(panel.fillPage.ui.methodCombo, "vae-latent")
    QtWidgets.QApplication.processEvents()
    names = [parameter.name for parameter in MedInpaintLib.list_methods()["vae-latent"].describe()]
    assert [name for name in names if editorOf(panel, name).visible] == names[:4]
    fold = panel.fillPage.ui.methodParametersWidget.findChild(object, "foldButton")
    fold.click()
    QtWidgets.QApplication.processEvents()
    assert all(editorOf(panel, name).visible for name in names)
    fold.click()
    assert not editorOf(panel, names[-1]).visible


def test_a_folded_value_that_was_changed_is_in_sight(panel):
    last = MedInpaintLib.list_methods()["vae-latent"].describe()[-1]
    assert last.default is False
    panel.logic.getParameterNode().methodParameters = {"vae-latent": json.dumps({last.name: True})}
    chooseIn(panel.fillPage.ui.methodCombo, "vae-latent")
    QtWidgets.QApplication.processEvents()
    assert editorOf(panel, last.name).visible


def test_a_short_form_has_no_fold(panel):
    chooseIn(panel.fillPage.ui.methodCombo, "patch")
    assert panel.fillPage.ui.methodParametersWidget.findChild(object, "foldButton") is None


def test_a_method_without_a_model_says_where_to_add_one(panel, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))
    monkeypatch.setattr("MedInpaintLib.models.store._RELEASED", ())
    chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "context-encoder")
    assert not panel.fillPage.ui.applyButton.enabled
    assert "in the tab Models" in panel.fillPage.ui.applyHintLabel.text


def test_methods_without_a_model_for_the_volume_are_greyed_with_the_reason(panel, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))  # only the released models

    def greyed():
        combo = panel.fillPage.ui.methodCombo
        # The panel follows a change of the parameter node with its next event.
        QtWidgets.QApplication.processEvents()
        rows = [row for row in range(combo.count) if not combo.model().item(row).isEnabled()]
        tips = {combo.itemData(row): combo.itemData(row, QtCore.Qt.ToolTipRole) for row in rows}
        return {name: tip for name, tip in tips.items() if name is not None}

    def withoutModelFor(*modalities):
        return {name for name, info in methods.items() if info.needs_model and not {*modalities} & {*info.modalities()}}

    methods = MedInpaintLib.list_methods()
    node = panel.logic.getParameterNode()
    node.inputVolume = addVolume()
    assert set(greyed()) == withoutModelFor("MR", "CT") >= {"boundary-aware", "context-encoder", "edge-guided"}
    assert "The recipe brain-mr-edge-guided " in greyed()["edge-guided"]
    combo = panel.fillPage.ui.methodCombo
    tip = combo.itemData(combo.findData("gan-latent"), QtCore.Qt.ToolTipRole)
    assert tip == f"{methods['gan-latent'].summary} Models for: MR."
    monkeypatch.setattr("MedInpaintSlicer.nodes.images.possibleModalities", lambda volumeNode: {"film"})
    node.inputVolume = addVolume(ramp()[:1])
    without = withoutModelFor("film")
    assert without >= {"vae-latent", "gan-latent", "collagan"}
    assert set(greyed()) == without
    assert "learned from MR" in greyed()["gan-latent"]
    node.methodParameters = {"gan-latent": json.dumps({"any_modality": True})}
    assert set(greyed()) == without - {"gan-latent"}


def test_a_method_that_needs_guides_or_exemplars_asks_for_them(panel, tmp_path):
    chooseHole(panel)
    ui, node = panel.fillPage.ui, panel.logic.getParameterNode()
    chooseIn(ui.methodCombo, "collagan")
    assert not ui.applyButton.enabled
    assert "needs guides" in ui.applyHintLabel.text
    node.guides = [addVolume(name="T2")]
    assert ui.applyButton.enabled
    chooseIn(ui.methodCombo, "exemplar")
    assert not ui.applyButton.enabled
    assert "needs a folder with other scans" in ui.applyHintLabel.text
    node.exemplars = str(tmp_path)
    assert ui.applyButton.enabled


def test_the_parameters_reach_the_report(panel):
    chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    editorOf(panel, "clip").checked = False
    chooseIn(panel.fillPage.ui.blendCombo, "feather")
    panel.fillPage.ui.dilateSlider.value = 2
    applyAndWait(panel)
    filled = slicer.mrmlScene.GetFirstNodeByName("T1 filled (biharmonic)")
    assert json.loads(filled.GetAttribute("MedInpaint.Parameters"))["clip"] is False
    assert filled.GetAttribute("MedInpaint.Blend") == "feather"
    assert int(filled.GetAttribute("MedInpaint.HoleVoxels")) > box().sum()
