"""A form for a method's parameters, made from the method's description of them."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import ctk
import qt
from slicer.i18n import tr as _

#: Of a form with two more rows than this, only so many are shown at first.
FEW = 4

#: A number whose range spans more than this factor is typed rather than set with a slider.
WIDE = 10_000


class ParameterForm:
    """A QFormLayout with one row per parameter."""

    def __init__(self, layout, changed: Callable[[], None], complain: Callable[[str], None]) -> None:
        """Bind a layout.

        Args:
            layout: an empty QFormLayout.
            changed: called whenever the user changes a value.
            complain: called with the reason when the user has typed an invalid value.
        """
        self._layout = layout
        self._changed = changed
        self._complain = complain
        self._read: dict[str, Callable[[], Any]] = {}
        self._typed: list[_TypedNumber] = []
        self._folded: list[Any] = []

    def show(self, parameters, values: dict, lists: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Replace the rows. Those of a long form are folded after the first few, unless one of them was changed.

        Args:
            parameters: ``MedInpaintLib.parameters.ParameterInfo`` objects, in the order of the rows.
            values: name -> value; parameters without one show their default.
            lists: name of a text parameter -> the values to choose from, and their titles.
        """
        self._read = {}
        self._typed = []
        self._folded = []
        while self._layout.rowCount():
            self._layout.removeRow(0)
        parameters = list(parameters)
        folds = len(parameters) > FEW + 1
        for number, info in enumerate(parameters):
            if folds and number == FEW:
                self._addFold(any(values.get(each.name, each.default) != each.default for each in parameters[FEW:]))
            widget, read = self._makeEditor(info, values.get(info.name, info.default), (lists or {}).get(info.name))
            widget.objectName = f"{info.name}Editor"
            widget.toolTip = info.help
            label = qt.QLabel(_title(info) + ":")
            label.toolTip = info.help
            self._layout.addRow(label, widget)
            self._read[info.name] = read
            if folds and number >= FEW:
                self._folded += [label, widget]
        self._unfold(not folds or self._button.checked)

    def values(self) -> dict:
        """Return parameter name -> value, as shown."""
        return {name: read() for name, read in self._read.items()}

    def commit(self) -> bool:
        """Accept numbers that are typed but not confirmed; return whether all of them are valid."""
        return all([number.commit() for number in self._typed])

    def _addFold(self, isOpen: bool) -> None:
        """Add the button that shows the rows after it."""
        self._button = qt.QPushButton(_("More parameters"))
        self._button.objectName = "foldButton"
        self._button.checkable = True
        self._button.checked = isOpen
        self._button.toolTip = _("Show or hide the parameters that are seldom changed.")
        self._button.connect("toggled(bool)", self._unfold)
        self._layout.addRow(self._button)

    def _unfold(self, isOpen: bool) -> None:
        for widget in self._folded:
            widget.visible = isOpen

    def _makeEditor(self, info, value, choices: Mapping[str, str] | None):
        if choices is not None:
            return _listEditor(choices, value, self._changed)
        if _isWide(info):
            number = _TypedNumber(info, value, self._changed, self._complain)
            self._typed.append(number)
            return number.widget, number.value
        return _EDITORS[info.kind](info, value, self._changed)


class _TypedNumber:
    """An editor for numbers such as 1e-6, which no slider could set; keeps the last valid number."""

    def __init__(self, info, value: float, changed, complain) -> None:
        self._info = info
        self._value = value
        self._changed = changed
        self._complain = complain
        self.widget = qt.QLineEdit()
        self.widget.text = f"{value:g}"
        self.widget.connect("editingFinished()", self.commit)

    def value(self) -> float:
        """Return the last valid number."""
        return self._value

    def commit(self) -> bool:
        """Accept the text, or say why it is invalid and restore the last valid number; return whether it is valid."""
        if self.widget.text == f"{self._value:g}":
            return True
        number = _number(self.widget.text)
        if number is not None and self._info.minimum <= number <= self._info.maximum:
            self._value = number
            self._changed()
            self.widget.text = f"{number:g}"
            return True
        self._complain(
            _("{name} must be between {minimum:g} and {maximum:g}.").format(
                name=_title(self._info), minimum=self._info.minimum, maximum=self._info.maximum
            )
        )
        self.widget.text = f"{self._value:g}"
        return False


# Each of these functions takes a ParameterInfo, a value and a callback for changes, and returns a widget and a function
# that reads its value.


def _floatEditor(info, value, changed):
    bounded = info.minimum is not None and info.maximum is not None
    widget = ctk.ctkSliderWidget() if bounded else qt.QDoubleSpinBox()
    widget.decimals = _decimals(info)
    # Qt's spin boxes need limits; no parameter reaches these.
    widget.minimum = -1e9 if info.minimum is None else info.minimum
    widget.maximum = 1e9 if info.maximum is None else info.maximum
    widget.singleStep = 10.0**-widget.decimals
    widget.suffix = _suffix(info)
    widget.value = value
    widget.connect("valueChanged(double)", lambda value: changed())
    return widget, lambda: widget.value


def _intEditor(info, value, changed):
    widget = qt.QSpinBox()
    widget.minimum = -(2**31) if info.minimum is None else int(info.minimum)
    widget.maximum = 2**31 - 1 if info.maximum is None else int(info.maximum)
    widget.suffix = _suffix(info)
    widget.value = min(max(value, widget.minimum), widget.maximum)
    widget.connect("valueChanged(int)", lambda value: changed())
    return widget, lambda: widget.value


def _boolEditor(info, value, changed):
    widget = qt.QCheckBox()
    widget.checked = value
    widget.connect("toggled(bool)", lambda value: changed())
    return widget, lambda: widget.checked


def _choiceEditor(info, value, changed):
    widget = qt.QComboBox()
    for choice in info.choices:
        widget.addItem(choice)
    widget.currentIndex = info.choices.index(value)
    widget.connect("currentIndexChanged(int)", lambda value: changed())
    return widget, lambda: widget.currentText


def _listEditor(choices: Mapping[str, str], value: str, changed):
    """Return an editor for a text that is chosen by its title; one that is not offered is an item, too."""
    widget = qt.QComboBox()
    widget.sizeAdjustPolicy = qt.QComboBox.AdjustToMinimumContentsLengthWithIcon
    widget.minimumContentsLength = 8
    for text, title in {**({} if value in choices else {value: value}), **choices}.items():
        widget.addItem(title, text)
    widget.currentIndex = widget.findData(value)
    widget.connect("currentIndexChanged(int)", lambda value: changed())
    return widget, lambda: widget.currentData


def _textEditor(info, value, changed):
    widget = qt.QLineEdit()
    widget.text = value
    widget.connect("editingFinished()", changed)
    return widget, lambda: widget.text


_EDITORS = {
    "float": _floatEditor,
    "int": _intEditor,
    "bool": _boolEditor,
    "str": _textEditor,
    "choice": _choiceEditor,
}


def _isWide(info) -> bool:
    if info.kind != "float" or info.minimum is None or info.maximum is None:
        return False
    return 0 < info.minimum < info.maximum / WIDE


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _title(info) -> str:
    words = info.name.replace("_", " ")
    return words[0].upper() + words[1:]


def _suffix(info) -> str:
    return f" {info.unit}" if info.unit else ""


def _decimals(info) -> int:
    """Return enough decimals to show default and minimum exactly, and about a hundred steps in the range."""
    decimals = [_decimalsOf(info.default), _decimalsOf(info.minimum or 0.0)]
    if info.minimum is not None and info.maximum is not None:
        decimals.append(-math.floor(math.log10((info.maximum - info.minimum) / 100)))
    return min(max(*decimals, 1), 10)


def _decimalsOf(number: float) -> int:
    digits = f"{number:.10f}".rstrip("0")
    return len(digits.partition(".")[2])
