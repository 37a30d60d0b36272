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
        self.fillRows(field, list(titles.items()))

    def fillRows(self, field: str, rows: list[tuple[str | None, str]]) -> None:
        """Offer these items, name and title, instead of the present ones; those without a name are headings."""
        combo = self._combos[field]
        if rows == [(combo.itemData(index), combo.itemText(index)) for index in range(combo.count)]:
            return
        self._showing, before = True, self._showing
        combo.clear()
        addRows(combo, rows)
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
        if self._node is None or self._showing:
            return
        if self._combos[field].currentData is None:  # a heading, which only a script can choose
            self.show(self._node)
        else:
            setattr(self._node, field, self._combos[field].currentData)


def addRows(combo, rows: list[tuple[str | None, str]]) -> None:
    """Add items, name and title, to a combo box; those without a name are headings, which cannot be chosen."""
    for name, title in rows:
        combo.addItem(title, name)
        if name is None:
            combo.model().item(combo.count - 1).setEnabled(False)


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
