"""A list of which items are ticked, for which the parameter node has no connector."""

from collections.abc import Callable, Iterable, Mapping

import qt


class CheckList:
    """Ticks and unticks the items of a list widget."""

    def __init__(self, widget, changed: Callable[[], None]) -> None:
        """
        Args:
            widget: an empty QListWidget.
            changed: called when the user ticks or unticks an item.
        """
        self._widget = widget
        self._changed = changed
        self._names: list[str] = []
        self._always: frozenset[str] = frozenset()
        self._showing = False
        widget.connect("itemChanged(QListWidgetItem*)", lambda item: self._onChanged())

    def fill(self, titles: Mapping[str, str], tips: Mapping[str, str], always: Iterable[str] = ()) -> None:
        """Offer these.

        Args:
            titles: name -> title.
            tips: name -> tool tip.
            always: names that are ticked and cannot be unticked.
        """
        self._always = frozenset(always)
        self._names = list(titles)
        self._showing = True
        self._widget.clear()
        for name, title in titles.items():
            item = qt.QListWidgetItem(title)
            item.setToolTip(tips.get(name, ""))
            item.setFlags(qt.Qt.ItemIsUserCheckable if name in self._always else _USABLE)
            item.setCheckState(qt.Qt.Checked if name in self._always else qt.Qt.Unchecked)
            self._widget.addItem(item)
        self._showing = False

    def show(self, names: Iterable[str]) -> None:
        """Tick these, and no others but those that always are."""
        wanted = {*names, *self._always}
        self._showing = True
        for row, name in enumerate(self._names):
            self._widget.item(row).setCheckState(qt.Qt.Checked if name in wanted else qt.Qt.Unchecked)
        self._showing = False

    def ticked(self) -> list[str]:
        """What is ticked and need not be, in the order of the list."""
        return [
            name
            for row, name in enumerate(self._names)
            if name not in self._always and self._widget.item(row).checkState() == qt.Qt.Checked
        ]

    def _onChanged(self) -> None:
        if not self._showing:
            self._changed()


_USABLE = qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable
