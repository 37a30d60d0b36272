"""Selectors in which several nodes can be checked; the parameter node has no connector for them."""


class CheckedNodes:
    """A selector that is bound to a list of nodes in a parameter node, both ways."""

    def __init__(self, selector, field: str) -> None:
        """Bind a qMRMLCheckableNodeComboBox to a field of the parameter node."""
        self._selector = selector
        self._field = field
        self._node = None
        self._showing = False
        self._shown = ()
        selector.connect("checkedNodesChanged()", self._onChecked)

    def show(self, node) -> None:
        """Show a parameter node's nodes from now on; None: ignore the selector."""
        self._node = node
        if node is None:
            return
        self._showing = True
        try:
            self._check(presentNodes(node, self._field))
        finally:
            self._showing = False

    def _check(self, nodes: list) -> None:
        checked = self._selector.checkedNodes()
        for each in checked:
            if each not in nodes:
                self._selector.uncheck(each)
        for each in nodes:
            if each not in checked:
                self._selector.check(each)
        # While a scene is loaded, the selector does not yet have all nodes.
        self._shown = self._selector.checkedNodes()

    def _onChecked(self) -> None:
        """Store only the user's changes; while a scene is loaded, the selector changes by itself."""
        if self._node is None or self._showing:
            return
        checked, shown = self._selector.checkedNodes(), self._shown
        added = [each for each in checked if each not in shown]
        removed = [each for each in shown if each not in checked]
        self._shown = checked
        if added or removed:
            kept = [each for each in presentNodes(self._node, self._field) if each not in [*added, *removed]]
            setattr(self._node, self._field, [*kept, *added])


def presentNodes(node, field: str) -> list:
    """Return the nodes in a list of a parameter node that are still in the scene."""
    return [each for each in getattr(node, field) if each is not None and each.GetScene() is not None]
