"""Combo boxes whose items have a name beside their title, for which the parameter node has no connectors."""

from slicer.i18n import tr as _

from .. import parameters


class BoundCombos:
    """Binds combo boxes to text fields of a parameter node, both ways."""

    def __init__(self, combos: dict) -> None:
        """
        Args:
            combos: field -> combo box.
        """
        self._combos = combos
        self._node = None
        self._showing = False
        for field, combo in combos.items():
            combo.connect("currentIndexChanged(int)", lambda index, field=field: self._onChanged(field))

    def fill(self, field: str, titles: dict[str, str]) -> None:
        """Offer these: name -> title; in place of others."""
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
        """Show what a parameter node holds, from now on; None: nothing, and take nothing in.

        A value that the field cannot have becomes its default; for others that are not offered, such as a model that is
        not there now, the first item stands.
        """
        self._node = node
        if node is None:
            return
        self._showing = True
        try:
            for field, combo in self._combos.items():
                combo.currentIndex = max(combo.findData(parameters.mended(node, field)), 0)
        finally:
            self._showing = False

    def _onChanged(self, field: str) -> None:
        if self._node is not None and not self._showing:
            setattr(self._node, field, self._combos[field].currentData)


def blends() -> dict[str, str]:
    """How a fill can meet its surroundings: name -> title."""
    return {"auto": _("Automatic"), "paste": _("Paste"), "feather": _("Feather"), "poisson": _("Poisson")}


def devices() -> dict[str, str]:
    """Where can be computed: name -> title."""
    return {"auto": _("Automatic"), "cpu": _("CPU"), "cuda": _("GPU (CUDA)"), "mps": _("GPU (Apple)")}
