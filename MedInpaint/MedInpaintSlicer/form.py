"""A form for a method's parameters, made from what the method says about them."""

import math
from collections.abc import Callable
from typing import Any

import ctk
import qt

#: A range whose ends are further apart than this factor is typed, not slid.
WIDE = 10_000


class ParameterForm:
    """Fills a QFormLayout with one row a parameter."""

    def __init__(self, layout, changed: Callable[[], None]) -> None:
        """
        Args:
            layout: an empty QFormLayout.
            changed: called whenever the user changes a value.
        """
        self._layout = layout
        self._changed = changed
        self._read: dict[str, Callable[[], Any]] = {}

    def show(self, parameters, values: dict) -> None:
        """Replace the rows.

        Args:
            parameters: ``MedInpaintLib.methods.parameters.ParameterInfo`` objects, in the order of the rows.
            values: name -> value; parameters without one show their default.
        """
        self._read = {}
        while self._layout.rowCount():
            self._layout.removeRow(0)
        for info in parameters:
            widget, read = _EDITORS[info.kind](info, values.get(info.name, info.default), self._changed)
            widget.objectName = f"{info.name}Editor"
            widget.toolTip = info.help
            label = qt.QLabel(_labelText(info))
            label.toolTip = info.help
            self._layout.addRow(label, widget)
            self._read[info.name] = read

    def values(self) -> dict:
        """Parameter name -> value, as shown."""
        return {name: read() for name, read in self._read.items()}


# An editor takes a ParameterInfo, a value and what to call on changes; it returns a widget and a function that reads
# the value from it.


def _floatEditor(info, value, changed):
    if info.minimum is not None and info.maximum is not None and 0 < info.minimum < info.maximum / WIDE:
        return _wideFloatEditor(info, value, changed)
    bounded = info.minimum is not None and info.maximum is not None
    widget = ctk.ctkSliderWidget() if bounded else qt.QDoubleSpinBox()
    widget.decimals = _decimals(info)
    # Qt's spin boxes have no open end; these limits are out of the way of every parameter.
    widget.minimum = -1e9 if info.minimum is None else info.minimum
    widget.maximum = 1e9 if info.maximum is None else info.maximum
    widget.singleStep = 10.0**-widget.decimals
    widget.suffix = _suffix(info)
    widget.value = value
    widget.connect("valueChanged(double)", lambda value: changed())
    return widget, lambda: widget.value


def _wideFloatEditor(info, value, changed):
    """For tolerances and the like: typed as 1e-6, which no slider could hit."""
    widget = qt.QLineEdit()
    widget.text = f"{value:g}"

    def read() -> float:
        try:
            number = float(widget.text)
        except ValueError:
            return info.default
        return min(max(number, info.minimum), info.maximum)

    def onEdited() -> None:
        widget.text = f"{read():g}"
        changed()

    widget.connect("editingFinished()", onEdited)
    return widget, read


def _intEditor(info, value, changed):
    widget = qt.QSpinBox()
    widget.minimum = -(2**31) if info.minimum is None else int(info.minimum)
    widget.maximum = 2**31 - 1 if info.maximum is None else int(info.maximum)
    widget.suffix = _suffix(info)
    widget.value = value
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


_EDITORS = {"float": _floatEditor, "int": _intEditor, "bool": _boolEditor, "choice": _choiceEditor}


def _labelText(info) -> str:
    words = info.name.replace("_", " ")
    return words[0].upper() + words[1:] + ":"


def _suffix(info) -> str:
    return f" {info.unit}" if info.unit else ""


def _decimals(info) -> int:
    """Enough to show the default and the minimum exactly, and to divide the range into about a hundred steps."""
    needed = [_decimalsOf(info.default), _decimalsOf(info.minimum or 0.0)]
    if info.minimum is not None and info.maximum is not None:
        needed.append(-math.floor(math.log10((info.maximum - info.minimum) / 100)))
    return min(max(*needed, 1), 10)


def _decimalsOf(number: float) -> int:
    digits = f"{number:.10f}".rstrip("0")
    return len(digits.partition(".")[2])
