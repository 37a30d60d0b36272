"""The .ui files hold what the panel's code expects of them."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

MODULE = Path(__file__).resolve().parents[3] / "MedInpaint"
FOLDER = MODULE / "Resources" / "UI"
ROOTS = {path.stem: ElementTree.parse(path).getroot() for path in sorted(FOLDER.glob("*.ui"))}
#: The tabs; the others are what is around them, and in them.
PAGES = sorted(set(ROOTS) - {"MedInpaint", "Run"})

#: Widgets that are clicked, typed into or chosen from.
INTERACTIVE = [
    "QPushButton",
    "QToolButton",
    "QComboBox",
    "QCheckBox",
    "QSpinBox",
    "QDoubleSpinBox",
    "QLineEdit",
    "QListWidget",
    "QPlainTextEdit",
    "QTextBrowser",
    "qMRMLNodeComboBox",
    "qMRMLCheckableNodeComboBox",
    "qMRMLSegmentsTableView",
    "ctkSliderWidget",
    "ctkPathLineEdit",
]

each_file = pytest.mark.parametrize("name", list(ROOTS))


def _widgets(name: str) -> list:
    return list(ROOTS[name].iter("widget"))


def _names(name: str) -> list[str]:
    return [widget.get("name") for widget in _widgets(name)]


def _parameterFields() -> set[str]:
    text = (MODULE / "MedInpaintSlicer" / "parameters.py").read_text(encoding="utf-8")
    body = text.partition("class MedInpaintParameterNode:")[2].partition("\ndef ")[0]
    return set(re.findall(r"^    (\w+): ", body, re.MULTILINE))


def _bindings() -> list[str]:
    return [
        described[0].text
        for name in ROOTS
        for widget in _widgets(name)
        for described in widget.iterfind("property")
        if described.get("name") == "SlicerParameterName"
    ]


@each_file
def test_every_name_is_given_once(name):
    names = _names(name)
    # A tab shows the widgets of the run area as well.
    names += _names("Run") if name in PAGES else []
    assert len(names) == len(set(names))


def test_every_widget_that_the_code_uses_is_there():
    text = "".join(path.read_text(encoding="utf-8") for path in MODULE.glob("MedInpaintSlicer/**/*.py"))
    used = set(re.findall(r"\b_?ui\.(\w+)", text))
    assert used
    assert used <= {name for each in ROOTS for name in _names(each)}


def test_bound_parameters_exist_and_are_bound_once():
    bindings = _bindings()
    assert bindings
    assert len(bindings) == len(set(bindings))
    assert set(bindings) <= _parameterFields()


@each_file
def test_every_mrml_widget_gets_the_scene(name):
    top = ROOTS[name].find("widget").get("name")
    mrmlWidgets = {widget.get("name") for widget in _widgets(name) if widget.get("class").startswith("qMRML")} - {top}
    connected = {
        connection.findtext("receiver")
        for connection in ROOTS[name].iterfind("connections/connection")
        if connection.findtext("sender") == top
        and connection.findtext("signal") == "mrmlSceneChanged(vtkMRMLScene*)"
        and connection.findtext("slot") == "setMRMLScene(vtkMRMLScene*)"
    }
    assert connected == mrmlWidgets


@each_file
def test_every_class_outside_qt_is_declared(name):
    declared = {element.text for element in ROOTS[name].iterfind("customwidgets/customwidget/class")}
    assert {widget.get("class") for widget in _widgets(name) if not widget.get("class").startswith("Q")} == declared


@each_file
def test_everything_that_can_be_used_has_a_tool_tip(name):
    for widget in _widgets(name):
        if widget.get("class") in INTERACTIVE:
            assert widget.find("property[@name='toolTip']") is not None, widget.get("name")


@each_file
def test_the_tab_key_goes_through_all_of_it_from_top_to_bottom(name):
    inTree = [widget.get("name") for widget in _widgets(name) if widget.get("class") in INTERACTIVE]
    stops = [stop.text for stop in ROOTS[name].iterfind("tabstops/tabstop")]
    assert [stop for stop in stops if stop in inTree] == inTree
