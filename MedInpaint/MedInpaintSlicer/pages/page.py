"""The base classes of tabs: widgets from a .ui file, a parameter node and, for most tabs, a run area."""

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from .. import layout
from . import runarea
from .compare import Compare


class Page:
    """One tab of the panel.

    Widgets with a SlicerParameterName are bound by the parameter node itself; a subclass binds the others.

    Attributes:
        widget: the page.
        ui: the widgets in it, by name.
        logic: a ``MedInpaintLogic``.
    """

    #: The .ui file, without its ending.
    UI = ""

    def __init__(self, logic) -> None:
        self.logic = logic
        self.widget = loadUi(self.UI)
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self._node: Any = None
        self._refreshing = False

    def title(self) -> str:
        """Return the tab's title."""
        raise NotImplementedError

    def purpose(self) -> str:
        """Say in a line what the tab is for."""
        raise NotImplementedError

    def setParameterNode(self, node) -> None:
        """Show the values of another parameter node, or none."""
        self._node = node
        self.refresh()

    def refresh(self) -> None:
        """Show the parameter node's values."""
        if self._node is None or self._refreshing:
            return
        self._refreshing = True
        try:
            self._show()
        finally:
            self._refreshing = False

    def refreshSoon(self) -> None:
        """Refresh after the widgets have received new nodes of the scene."""
        qt.QTimer.singleShot(0, self.refresh)

    def chooseDefaults(self) -> None:
        """Choose inputs that are not chosen and have only one candidate."""

    def enter(self) -> None:
        """Prepare the page when the user enters the module."""

    def leave(self) -> None:
        """Pause the page when the user leaves the module; a running job continues."""

    def rest(self) -> None:
        """Stop animations when another tab comes to the front."""

    def cancel(self) -> None:
        """Cancel the running job, if any."""

    def clear(self) -> None:
        """Forget the scene, which is being closed."""

    def close(self) -> None:
        """Release everything before the widgets are destroyed."""

    def _show(self) -> None:
        """Update the widgets from ``self._node``, which is not None."""


class RunPage(Page):
    """A tab that runs jobs.

    Its .ui file has a widget ``runWidget`` with an empty layout for the run area, and another one ``compareWidget`` if
    its results are compared with their inputs.

    Attributes:
        run: starts jobs and shows their progress.
        compare: compares results with their inputs; None if this tab does not.
    """

    #: Whether results are compared with their inputs.
    COMPARES = False

    def __init__(self, logic, log) -> None:
        """Make the page and its run area.

        Args:
            logic: a ``MedInpaintLogic``.
            log: takes lines for the log.
        """
        super().__init__(logic)
        self.ui.runWidget.layout().addWidget(loadUi("Run"))
        if self.COMPARES:
            lesionBack = loadUi("LesionBack")
            lesionBack.setMRMLScene(slicer.mrmlScene)
            self.ui.compareWidget.layout().addWidget(loadUi("Compare"))
            self.ui.compareWidget.layout().addWidget(lesionBack)
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.compare = Compare(self.ui, self._onUndone, self._onGone) if self.COMPARES else None
        self._isEntered = False
        self._arrived = None
        self.run = runarea.RunArea(
            self.widget,
            self.ui,
            runarea.Hooks(
                title=self.title(),
                whatIsMissing=self._whatIsMissing,
                purpose=self._applyPurpose,
                showResult=self._showResult,
                showCancelled=self._showCancelled,
                log=log,
                canForce=self._canForce,
            ),
            messages=self._messageLabels(),
            hints=self._hintLabels(),
        )
        self.ui.applyButton.connect("clicked(bool)", lambda checked: self.apply())

    def refresh(self) -> None:
        """Show the parameter node's values, and whether they can be run."""
        if self._node is None or self._refreshing:
            return
        super().refresh()
        self.run.choose(self._whatIsChosen())
        self.run.showCanApply()

    def apply(self) -> None:
        """Start a run with the current choices."""
        if self.run.job is None and self._node is not None and not self._whatIsMissing() and self._isReady():
            self.run.start(self._start)

    def enter(self) -> None:
        self._isEntered = True
        if self._arrived is not None:
            self.showComparison(self._arrived)
        elif self.compare is not None:
            self.compare.resume()

    def leave(self) -> None:
        self._isEntered = False
        if self.compare is not None:
            self.compare.pause()

    def rest(self) -> None:
        if self.compare is not None:
            self.compare.rest()

    def showComparison(self, job) -> None:
        """Show a result in the slice views, or on return if the user is in another module."""
        self._arrived = None if self._isEntered else job
        if self._isEntered and self.compare is not None:
            self.compare.show(job)

    def cancel(self) -> None:
        self.run.cancel()

    def clear(self) -> None:
        self._arrived = None
        self.run.clear()
        if self.compare is not None:
            self.compare.clear()

    def close(self) -> None:
        self.run.close()
        if self.compare is not None:
            self.compare.clear()

    def _messageLabels(self) -> tuple:
        """Return further labels with messages about the last run."""
        return ()

    def _hintLabels(self) -> tuple:
        """Return labels with hints about the choices."""
        return ()

    def _whatIsMissing(self) -> str | None:
        """Say in a line why nothing can be run; empty when it can; None if no scene is shown."""
        raise NotImplementedError

    def _whatIsChosen(self) -> tuple:
        """Return all inputs of a run; when they change, messages about the last run are removed."""
        raise NotImplementedError

    def _isReady(self) -> bool:
        """Return whether a run can start; a subclass that returns False also shows the reason."""
        return True

    def _canForce(self) -> bool:
        """Return whether :meth:`_start` takes ``force``."""
        return False

    def _applyPurpose(self) -> str:
        """Say what Apply does, for its tool tip."""
        return self.purpose()

    def _start(self, **callbacks):
        """Start a job and return it; takes the callbacks of :class:`..jobs.job.Job`."""
        raise NotImplementedError

    def _showResult(self, job) -> None:
        """Show a job that is done."""
        raise NotImplementedError

    def _showCancelled(self, job) -> None:
        """Say what remains of a job that was cancelled."""
        self.run.say(self.ui.statusLabel, _("Cancelled; nothing was changed."))

    def _onUndone(self) -> None:
        if self.run.job is None:  # otherwise the labels are about the running job
            self.run.sayNothing()
            self.run.say(self.ui.statusLabel, _("Undone; the scene is as it was before."))

    def _onGone(self) -> None:
        if self.run.job is None:
            self.run.sayNothing()


def loadUi(name: str):
    """Return a widget from a .ui file of the module."""
    return slicer.util.loadUI(str(layout.resourcePath(f"UI/{name}.ui")))
