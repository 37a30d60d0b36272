"""The panel's section "More to go by": what the fill may know beyond the volume itself."""

import os

from slicer.i18n import tr as _

from ..nodes import guides


class Sources:
    """Binds the guides and the exemplars, for whose widgets the parameter node has no connectors."""

    def __init__(self, ui) -> None:
        self.ui = ui
        self._node = None
        self._showing = False
        self._shownGuides = ()
        ui.guidesSelector.connect("checkedNodesChanged()", self._onGuidesChecked)
        # The first signal is not for a path that was emptied, the second is for nothing else.
        ui.exemplarsPathEdit.connect("currentPathChanged(QString)", self._onExemplarsChanged)
        ui.exemplarsPathEdit.connect("validInputChanged(bool)", self._onExemplarsChanged)

    def show(self, node) -> None:
        """Show what a parameter node holds, from now on; None: nothing, and take nothing in."""
        self._node = node
        if node is None:
            return
        self._showing = True
        try:
            self._check(guidesOf(node))
            if self.ui.exemplarsPathEdit.currentPath != node.exemplars:
                self.ui.exemplarsPathEdit.currentPath = node.exemplars
            inUse = bool(guidesOf(node) or node.exemplars)
            # Seen even while the section is closed.
            self.ui.moreCollapsibleButton.text = _("More to go by (in use)") if inUse else _("More to go by")
        finally:
            self._showing = False

    def _check(self, wanted) -> None:
        selector = self.ui.guidesSelector
        checked = selector.checkedNodes()
        for each in checked:
            if each not in wanted:
                selector.uncheck(each)
        for each in wanted:
            if each not in checked:
                selector.check(each)
        # While a scene is loaded, the selector does not yet know all of its nodes.
        self._shownGuides = selector.checkedNodes()

    def _onGuidesChecked(self) -> None:
        """Take over what the user has changed; while a scene is loaded, the selector changes by itself."""
        if self._node is None or self._showing:
            return
        checked, shown = self.ui.guidesSelector.checkedNodes(), self._shownGuides
        added = [each for each in checked if each not in shown]
        removed = [each for each in shown if each not in checked]
        self._shownGuides = checked
        if added or removed:
            kept = [each for each in guidesOf(self._node) if each not in [*added, *removed]]
            self._node.guides = [*kept, *added]

    def _onExemplarsChanged(self, change) -> None:
        path = self.ui.exemplarsPathEdit.currentPath
        if self._node is not None and not self._showing and path != self._node.exemplars:
            self._node.exemplars = path


def guidesOf(node) -> list:
    """The chosen guides that are still in the scene."""
    return [each for each in node.guides if each is not None and each.GetScene() is not None]


def complaint(node) -> str:
    """What is wrong with the chosen guides and exemplars, in a line; empty when nothing is."""
    if node.exemplars and not os.path.isdir(os.path.expanduser(node.exemplars)):
        return _("There is no folder '{folder}' with exemplars.").format(folder=node.exemplars)
    return guides.complaint(guidesOf(node), node.inputVolume, node.outputVolume)
