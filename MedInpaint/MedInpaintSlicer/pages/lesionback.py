"""The section "Lesion back": a segmentation of the filled volume gets the lesion back, and its regions are measured."""

from typing import Any

from slicer.i18n import tr as _

from ..nodes import lesionback, tables
from .messages import say


class LesionBack:
    """The section below a comparison; it is there after a fill, and not after an estimate."""

    def __init__(self, ui) -> None:
        """Bind the widgets of LesionBack.ui."""
        self._ui = ui
        self._job: Any = None
        ui.lesionBackSelector.connect("currentNodeChanged(bool)", lambda valid: self._refresh())
        ui.lesionBackButton.connect("clicked(bool)", lambda checked: self.putBack())
        self.clear()

    def show(self, job) -> None:
        """Offer the lesion of a fill that is done."""
        self._job = job
        self._ui.lesionBackCollapsibleButton.visible = True
        self._refresh()

    def clear(self) -> None:
        """Forget the fill."""
        self._job = None
        self._ui.lesionBackCollapsibleButton.visible = False
        self._refresh()

    def putBack(self) -> None:
        """Put the lesion into a copy of the chosen segmentation, and show the table of its regions."""
        from MedInpaintLib.errors import MedInpaintError

        job, chosen = self._job, self._ui.lesionBackSelector.currentNode()
        if job is None or chosen is None:
            return
        lesion = lesionback.Lesion(job.segmentation, tuple(job.segmentIds))
        try:
            node, warnings = lesionback.putBack(
                chosen, lesion, job.inputVolume, cut=bool(self._ui.lesionBackCutBox.checked)
            )
        except MedInpaintError as error:
            say(self._ui.lesionBackMessage, str(error))
            return
        tables.show(lesionback.regionsOf(node))
        done = _("'{name}' has the lesion; the table shows its regions.").format(name=node.GetName())
        say(self._ui.lesionBackMessage, "\n".join([done, *warnings]))

    def _refresh(self) -> None:
        self._ui.lesionBackButton.enabled = (
            self._job is not None and self._ui.lesionBackSelector.currentNode() is not None
        )
        say(self._ui.lesionBackMessage, "")
