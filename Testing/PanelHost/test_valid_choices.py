"""Scenes of other versions, and scripts, hold what no widget offers: the panel takes the default, and goes on."""

import json

import pytest
from panelhost import host
from panelhost.filling import addInputs, comeBack, editorOf
from panelhost.phantom import addHead

from MedInpaintSlicer import parameters
from Testing.PanelHost.clicks import applyAndWait, chooseHole

CHOICES = {
    "method": ("methodCombo", "auto"),
    "blend": ("blendCombo", "auto"),
    "device": ("deviceCombo", "auto"),
    "wantedContrast": ("wantedContrastCombo", "FLAIR"),
    "imputeMode": ("imputeModeCombo", "create"),
    "imputeDevice": ("imputeDeviceCombo", "auto"),
    "evaluateDevice": ("evaluateDeviceCombo", "auto"),
    "batchKind": ("batchKindCombo", "volumes"),
    "batchHole": ("batchHoleCombo", "fill"),
}


@pytest.mark.parametrize("field", CHOICES)
def test_what_is_unknown_is_the_default_in_the_widget_as_in_the_node(panel, field):
    combo, default = CHOICES[field]
    setattr(panel.logic.getParameterNode(), field, "of another version")
    page = next(each for each in panel.pages if hasattr(each.ui, combo))
    assert getattr(page.ui, combo).currentData == default
    assert getattr(panel.logic.getParameterNode(), field) == default


def test_all_that_a_combo_offers_is_kept(panel):
    node = panel.logic.getParameterNode()
    for field, (combo, _default) in CHOICES.items():
        page = next(each for each in panel.pages if hasattr(each.ui, combo))
        box = getattr(page.ui, combo)
        for index in [row for row in range(box.count) if box.itemData(row) is not None]:  # without headings
            setattr(node, field, box.itemData(index))
            assert parameters.validValue(node, field) == box.itemData(index)
            assert box.currentIndex == index


def test_an_unknown_contrast_does_not_keep_the_other_tabs_from_going_on(panel, capfd, caplog):
    addHead("T1")
    panel.logic.getParameterNode().wantedContrast = "PD"
    addInputs()
    comeBack(panel)
    panel.logic.getParameterNode().evaluateCount = 7
    assert "Estimates a whole FLAIR volume" in panel.contrastPage.ui.imputeSummaryLabel.text
    assert "7 " in panel.evaluatePage.ui.evaluateSummaryLabel.text
    assert "Traceback" not in capfd.readouterr().err + caplog.text


def test_an_unknown_method_is_chosen_automatically(panel):
    chooseHole(panel)
    panel.logic.getParameterNode().method = "magic"
    applyAndWait(panel)
    assert panel.fillPage.ui.errorLabel.text == ""
    assert "is filled" in panel.fillPage.ui.resultLabel.text


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("no JSON", {}),
        ("[1, 2]", {}),
        ('{"iterations": "many", "clip": false}', {"clip": False}),
        ('{"clip": [1]}', {}),
        ('{"clip": null, "tolerance": 1e9}', {}),
        ('{"of_another_version": 3, "tolerance": 1e-4}', {"tolerance": 1e-4}),
        ('{"tolerance": "1e-4"}', {}),
    ],
)
def test_values_that_a_method_cannot_have_are_its_defaults(panel, text, values):
    node = panel.logic.getParameterNode()
    node.methodParameters = {"biharmonic": text}
    node.method = "biharmonic"
    assert parameters.valuesOf(node, "biharmonic") == values
    assert editorOf(panel, "clip").checked is values.get("clip", True)
    assert float(editorOf(panel, "tolerance").text) == values.get("tolerance", 1e-5)


def test_values_of_all_kinds_are_kept(panel):
    import MedInpaintLib

    node = panel.logic.getParameterNode()
    for name, info in MedInpaintLib.list_methods().items():
        given = {each.name: each.default for each in info.describe()}
        parameters.setValuesOf(node, name, given)
        assert parameters.valuesOf(node, name) == given
    assert parameters.valuesOf(node, "magic") == {}


def test_numbers_that_no_widget_holds_do_not_stop_the_form(panel, caplog):
    import MedInpaintLib

    node = panel.logic.getParameterNode()
    for name, info in MedInpaintLib.list_methods().items():
        numbers = {each.name: 10**12 for each in info.describe() if each.kind in ("int", "float")}
        node.methodParameters = {name: json.dumps(numbers)}
        node.method = name
        host.processEvents()
        assert list(panel.fillPage._form.values()) == [each.name for each in info.describe()]
    assert caplog.text == ""


def test_a_shape_of_holes_that_is_not_known_becomes_the_usual_one(panel):
    node = panel.logic.getParameterNode()
    node.evaluateShape = "pyramids"
    host.processEvents()
    assert panel.logic.getParameterNode().evaluateShape == "spheres"
    assert panel.evaluatePage.ui.evaluateShapeCombo.currentData == "spheres"
