"""A list whose items are ticked, for which the parameter node has no connector."""

from collections.abc import Callable, Iterable, Mapping

import qt


class CheckList:
    """A list widget with items to tick."""

    def __init__(self, widget, changed: Callable[[], None]) -> None:
        """Bind a list widget.

        Args:
            widget: an empty QListWidget.
            changed: called when the user ticks or unticks an item.
        """
        self._widget = widget
        self._changed = changed
        self._names: list[str] = []
        self._tips: Mapping[str, str] = {}
        self._always: frozenset[str] = frozenset()
        self._showing = False
        widget.connect("itemChanged(QListWidgetItem*)", lambda item: self._onChanged())

    def fill(self, titles: Mapping[str, str], tips: Mapping[str, str], always: Iterable[str] = ()) -> None:
        """Offer these items instead of the present ones.

        Args:
            titles: name -> title.
            tips: name -> tool tip.
            always: names that are ticked and cannot be unticked.
        """
        self._always = frozenset(always)
        self._names, self._tips = list(titles), tips
        self._showing = True
        self._widget.clear()
        for name, title in titles.items():
            item = qt.QListWidgetItem(title)
            item.setToolTip(tips.get(name, ""))
            item.setFlags(qt.Qt.ItemIsUserCheckable if name in self._always else _USABLE)
            item.setCheckState(qt.Qt.Checked if name in self._always else qt.Qt.Unchecked)
            self._widget.addItem(item)
        self._showing = False

    def show(self, names: Iterable[str], reasons: Mapping[str, str]) -> None:
        """Tick some items, besides those that are always ticked, and untick the others.

        Args:
            names: the items to tick.
            reasons: name -> why it cannot be ticked, of items that are greyed out.
        """
        ticked = {*names, *self._always} - reasons.keys()
        self._showing = True
        for row, name in enumerate(self._names):
            item = self._widget.item(row)
            item.setCheckState(qt.Qt.Checked if name in ticked else qt.Qt.Unchecked)
            item.setToolTip(reasons.get(name, self._tips.get(name, "")))
            if name not in self._always:
                item.setFlags(qt.Qt.ItemIsUserCheckable if name in reasons else _USABLE)
        self._showing = False

    def ticked(self) -> list[str]:
        """Return the items that the user has ticked, in the order of the list."""
        return [
            name
            for row, name in enumerate(self._names)
            if name not in self._always and self._widget.item(row).checkState() == qt.Qt.Checked
        ]

    def _onChanged(self) -> None:
        if not self._showing:
            self._changed()


_USABLE = qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable
