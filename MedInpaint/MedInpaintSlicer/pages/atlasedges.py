"""The box "Edges of the atlas" of a comparison: how well the average head fits the volume."""

from typing import Any

from slicer.i18n import tr as _

from ..jobs import process
from ..jobs.atlasedges import AtlasEdgesJob
from ..nodes import views
from ..nodes.snapshot import removeVolume
from .messages import say


class AtlasEdges:
    """The label layer of the slice views with the edges of the atlas, which a job finds when they are first asked for.

    Unchecking the box shows the label layer as it was before; the label map stays until the comparison ends, so that
    looking with and without it takes no time.
    """

    def __init__(self, ui) -> None:
        """Bind the box and the message of Compare.ui."""
        self._ui = ui
        self._fill: Any = None
        self._job: AtlasEdgesJob | None = None
        self._edges: Any = None
        self._layer = views.Layer("Label")
        self._isAway = False
        ui.atlasEdgesBox.connect("toggled(bool)", self._onToggled)
        self.clear()

    def show(self, job) -> None:
        """Offer the edges for a fill that is done."""
        self.clear()
        self._fill = job
        self._ui.atlasEdgesBox.enabled = True

    def clear(self) -> None:
        """Forget the fill, and remove the edges."""
        self._ui.atlasEdgesBox.checked = False
        self._hide()
        removeVolume(self._edges)
        self._fill = self._edges = None
        self._isAway = False
        self._ui.atlasEdgesBox.enabled = False
        say(self._ui.atlasEdgesMessage, "")

    def pause(self) -> None:
        """Leave the slice views alone while the user is in another module."""
        self._isAway = True

    def resume(self) -> None:
        """Show edges that were found meanwhile."""
        self._isAway = False
        if self._ui.atlasEdgesBox.checked and self._job is None:
            self._showEdges()

    def _onToggled(self, on: bool) -> None:
        say(self._ui.atlasEdgesMessage, "")
        if not on or self._fill is None:
            self._hide()
        elif self._isThere():
            self._showEdges()
        else:
            self._find()

    def _find(self) -> None:
        """Start the job."""
        from MedInpaintLib.errors import MedInpaintError

        self._onProgress(0.0, _("Starting"))
        self._job = AtlasEdgesJob(
            self._fill.request, process.BackgroundRunner(), progress=self._onProgress, finished=self._onFinished
        )
        try:
            self._job.start()
        except MedInpaintError as error:  # such as segments that were removed since the fill
            self._job = None
            self._refuse(error)

    def _hide(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
        self._layer.restore()

    def _isThere(self) -> bool:
        return self._edges is not None and self._edges.GetScene() is not None

    def _showEdges(self) -> None:
        if self._isThere() and not self._isAway:
            self._layer.show(self._edges)
            say(
                self._ui.atlasEdgesMessage,
                _("Where the average head fits, yellow follows the outline of the brain and cyan its white matter."),
            )

    def _onProgress(self, fraction: float, stage: str) -> None:
        say(self._ui.atlasEdgesMessage, _("{stage}: {percent} %").format(stage=stage, percent=round(100 * fraction)))

    def _onFinished(self, job) -> None:
        if self._job is None or job is not self._job:  # it was cancelled
            return
        self._job = None
        if job.state == "done":
            self._edges = job.outputVolume
            self._showEdges()
        elif job.error is not None:
            self._refuse(job.error)

    def _refuse(self, error: Exception) -> None:
        """Say why there are no edges, and uncheck the box."""
        from MedInpaintLib.errors import in_one_line

        self._ui.atlasEdgesBox.checked = False
        say(self._ui.atlasEdgesMessage, in_one_line(error))
