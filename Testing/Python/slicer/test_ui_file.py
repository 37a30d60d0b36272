"""The .ui file holds what the panel's code expects of it."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

MODULE = Path(__file__).resolve().parents[3] / "MedInpaint"
ROOT = ElementTree.parse(MODULE / "Resources" / "UI" / "MedInpaint.ui").getroot()
WIDGETS = list(ROOT.iter("widget"))
NAMES = [widget.get("name") for widget in WIDGETS]


def _parameterFields() -> set[str]:
    text = (MODULE / "MedInpaintSlicer" / "parameters.py").read_text(encoding="utf-8")
    body = text.partition("class MedInpaintParameterNode:")[2].partition("\ndef ")[0]
    return set(re.findall(r"^    (\w+): ", body, re.MULTILINE))


def _bindings() -> list[str]:
    return [
        described[0].text
        for widget in WIDGETS
        for described in widget.iterfind("property")
        if described.get("name") == "SlicerParameterName"
    ]


def test_every_name_is_given_once():
    assert len(NAMES) == len(set(NAMES))


def test_every_widget_that_the_code_uses_is_there():
    text = "".join(path.read_text(encoding="utf-8") for path in MODULE.glob("MedInpaintSlicer/*.py"))
    used = set(re.findall(r"\bui\.(\w+)", text))
    assert used
    assert used <= set(NAMES)


def test_bound_parameters_exist_and_are_bound_once():
    assert sorted(_bindings()) == [
        "dilateMm",
        "estimatedVolume",
        "flairVolume",
        "imputeSegmentation",
        "inputVolume",
        "likeVolume",
        "outputVolume",
        "registerFirst",
        "segmentation",
        "selfCheck",
        "t1PostVolume",
        "t1Volume",
        "t2Volume",
        "uncertainty",
    ]
    assert set(_bindings()) <= _parameterFields()


def test_every_mrml_widget_gets_the_scene():
    mrmlWidgets = {widget.get("name") for widget in WIDGETS if widget.get("class").startswith("qMRML")} - {"MedInpaint"}
    connected = {
        connection.findtext("receiver")
        for connection in ROOT.iterfind("connections/connection")
        if connection.findtext("sender") == "MedInpaint"
        and connection.findtext("signal") == "mrmlSceneChanged(vtkMRMLScene*)"
        and connection.findtext("slot") == "setMRMLScene(vtkMRMLScene*)"
    }
    assert connected == mrmlWidgets


def test_every_class_outside_qt_is_declared():
    declared = {element.text for element in ROOT.iterfind("customwidgets/customwidget/class")}
    assert {widget.get("class") for widget in WIDGETS if not widget.get("class").startswith("Q")} == declared


def test_every_choice_has_a_tool_tip():
    choices = ("qMRMLNodeComboBox", "qMRMLSegmentsTableView", "QComboBox", "ctkSliderWidget", "QPushButton")
    choices += ("qMRMLCheckableNodeComboBox", "ctkPathLineEdit", "QCheckBox")
    for widget in WIDGETS:
        if widget.get("class") in choices:
            assert widget.find("property[@name='toolTip']") is not None, widget.get("name")
