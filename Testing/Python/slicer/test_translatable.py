"""What users read can be translated: it goes through Slicer's ``_()``, with places that are filled in afterwards."""

import ast
import re
import string
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
FILES = sorted(
    path for module in ("MedInpaint", "SegmentEditorMedInpaint") for path in (REPOSITORY / module).rglob("*.py")
)
#: Attributes of widgets, and functions, that show a text.
SHOWN = {"text", "toolTip", "title", "placeholderText", "windowTitle", "helpText", "acknowledgementText"}
SHOWING = {"say", "setText", "setToolTip", "addItem", "addTab", "setTitleText", "showStatusMessage", "infoDisplay"}

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _calls(tree: ast.Module) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _isProse(node: ast.AST) -> bool:
    """Whether this is a text with words in it, as it stands in the file."""
    if isinstance(node, ast.JoinedStr):
        return any(_isProse(value) for value in node.values)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(re.search("[A-Za-z]{2}", node.value))


@each_file
def test_what_is_translated_is_a_plain_text(path):
    """A text with values in it is another one each time, and no dictionary has it."""
    for call in _calls(_tree(path)):
        if _name(call) == "_":
            assert isinstance(call.args[0], ast.Constant), f"{path.name}:{call.lineno}"


def _shown(path: Path) -> list[ast.AST]:
    """What is put into a widget, or raised for a user to read."""
    tree = _tree(path)
    shown = [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign) and _isShown(node.targets[0])]
    for call in _calls(tree):
        if _name(call) in SHOWING:
            # What follows the text in addItem is for the program.
            shown += call.args[:1] if _name(call) == "addItem" else call.args
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    return shown + [argument for call in raised if _name(call) in _errors() for argument in call.args]


@each_file
def test_no_text_is_shown_with_places_that_are_not_filled_in(path):
    for each in _shown(path):
        if isinstance(each, ast.Call) and _name(each) == "_":
            places = [name for _text, name, _spec, _conversion in string.Formatter().parse(each.args[0].value) if name]
            assert places == [], f"{path.name}:{each.lineno}"


@each_file
def test_nothing_is_shown_that_cannot_be_translated(path):
    assert [f"{path.name}:{each.lineno}" for each in _shown(path) if _isProse(each)] == []


def _isShown(target: ast.AST) -> bool:
    return isinstance(target, ast.Attribute) and target.attr in SHOWN


def _errors() -> set[str]:
    """The errors whose text users see."""
    from MedInpaintLib import errors

    return {name for name in vars(errors) if name.endswith("Error")}


def test_the_texts_of_the_ui_files_are_translated_by_qt():
    """Only lists of classes and names of parameters are marked as not to be translated."""
    for path in (REPOSITORY / "MedInpaint" / "Resources" / "UI").glob("*.ui"):
        text = path.read_text(encoding="utf-8")
        for kept in re.findall(r'<string notr="true">(.*?)</string>', text):
            assert re.match(r"QLabel \{|\w+$", kept), kept
