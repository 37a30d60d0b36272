"""Combo boxes whose items have a name and a title; the parameter node has no connectors for them."""

from collections.abc import Mapping
from typing import Any

import qt
from slicer.i18n import tr as _

from .. import modelchoice, parameters


class BoundCombos:
    """Combo boxes that are bound to text fields of a parameter node, both ways."""

    def __init__(self, combos: Mapping[str, Any]) -> None:
        """Bind combo boxes: field -> combo box."""
        self._combos = combos
        self._node = None
        self._showing = False
        for field, combo in combos.items():
            combo.connect("currentIndexChanged(int)", lambda index, field=field: self._onChanged(field))

    def fill(self, field: str, titles: dict[str, str]) -> None:
        """Offer these items instead of the present ones: name -> title."""
        combo = self._combos[field]
        items = [(combo.itemData(index), combo.itemText(index)) for index in range(combo.count)]
        if items == list(titles.items()):
            return
        self._showing, before = True, self._showing
        combo.clear()
        for name, title in titles.items():
            combo.addItem(title, name)
        self._showing = before

    def show(self, node) -> None:
        """Show a parameter node's values from now on; None: ignore the widgets.

        An invalid value is reset to the field's default; for a valid value without an item, such as a removed model,
        the first item is shown.
        """
        self._node = node
        if node is None:
            return
        self._showing = True
        try:
            for field, combo in self._combos.items():
                combo.currentIndex = max(combo.findData(parameters.validValue(node, field)), 0)
        finally:
            self._showing = False

    def _onChanged(self, field: str) -> None:
        if self._node is not None and not self._showing:
            setattr(self._node, field, self._combos[field].currentData)


def showAvailable(combo, methods: Mapping[str, Any], reasons: Mapping[str, str]) -> None:
    """Grey out methods that cannot run, with the reason as tool tip; other tool tips say what a method does.

    Args:
        combo: its items have the methods' names as data.
        methods: name -> ``MethodInfo``.
        reasons: name -> why a method cannot run.
    """
    for row in range(combo.count):
        name = combo.itemData(row)
        if name in methods:
            combo.model().item(row).setEnabled(name not in reasons)
            combo.setItemData(row, reasons.get(name) or modelchoice.summaryOf(methods[name]), qt.Qt.ToolTipRole)


def blends() -> dict[str, str]:
    """Return the ways to blend a fill with its rim: name -> title."""
    return {"auto": _("Automatic"), "paste": _("Paste"), "feather": _("Feather"), "poisson": _("Poisson")}


def devices() -> dict[str, str]:
    """Return the devices: name -> title."""
    return {"auto": _("Automatic"), "cpu": _("CPU"), "cuda": _("GPU (CUDA)"), "mps": _("GPU (Apple)")}
