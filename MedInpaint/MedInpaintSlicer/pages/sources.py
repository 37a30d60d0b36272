"""The panel's section "Additional inputs": guides and exemplars."""

import os
from typing import Any

from slicer.i18n import tr as _

from .. import options, parameters
from ..nodes import guides
from .checkednodes import CheckedNodes, presentNodes


class Sources:
    """Binding of the widgets for guides and exemplars, for which the parameter node has no connectors."""

    def __init__(self, ui) -> None:
        self.ui = ui
        self._node = None
        self._showing = False
        self._guides = CheckedNodes(ui.guidesSelector, "guides")
        # The first signal is not sent when the path is emptied; the second one is sent only then.
        ui.exemplarsPathEdit.connect("currentPathChanged(QString)", self._onExemplarsChanged)
        ui.exemplarsPathEdit.connect("validInputChanged(bool)", self._onExemplarsChanged)

    def show(self, node) -> None:
        """Show a parameter node's values from now on; None: ignore the widgets."""
        self._node = node
        self._guides.show(node)
        if node is None:
            return
        self._showing = True
        try:
            if self.ui.exemplarsPathEdit.currentPath != node.exemplars:
                self.ui.exemplarsPathEdit.currentPath = node.exemplars
            inUse = bool(guidesOf(node) or node.exemplars)
            # Visible even while the section is collapsed.
            self.ui.moreCollapsibleButton.text = _("Additional inputs (in use)") if inUse else _("Additional inputs")
        finally:
            self._showing = False

    def _onExemplarsChanged(self, change) -> None:
        path = self.ui.exemplarsPathEdit.currentPath
        if self._node is not None and not self._showing and path != self._node.exemplars:
            self._node.exemplars = path


def guidesOf(node) -> list:
    """Return the chosen guides that are still in the scene."""
    return presentNodes(node, "guides")


def fillArguments(node) -> dict[str, Any]:
    """Return the choices of the tab "Fill", except its volumes and segments, as arguments of ``inpaint``."""
    return {
        **options.toArguments(parameters.fillOptions(node)),
        "guides": guidesOf(node),
        "exemplars": node.exemplars or None,
        "uncertainty": node.uncertainty,
    }


def complaint(node) -> str:
    """Say in a line what is wrong with the chosen guides and exemplars; empty when nothing is."""
    return folderComplaint(node) or guides.complaint(guidesOf(node), node.inputVolume, node.outputVolume)


def folderComplaint(node) -> str:
    """Say in a line what is wrong with the chosen folder of exemplars; empty when nothing is."""
    if node.exemplars and not os.path.isdir(os.path.expanduser(node.exemplars)):
        return _("There is no folder '{folder}' with exemplars.").format(folder=node.exemplars)
    return ""
