"""What all tabs share: widgets from a .ui file, the parameter node that they show, and, for most, a run area."""

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
        """Return what the tab is called."""
        raise NotImplementedError

    def purpose(self) -> str:
        """Say in a line what the tab is for."""
        raise NotImplementedError

    def setParameterNode(self, node) -> None:
        """Show another parameter node's values, or none."""
        self._node = node
        self.refresh()

    def refresh(self) -> None:
        """Show what the parameter node holds."""
        if self._node is None or self._refreshing:
            return
        self._refreshing = True
        try:
            self._show()
        finally:
            self._refreshing = False

    def refreshSoon(self) -> None:
        """Refresh once the widgets know what has just come into the scene."""
        qt.QTimer.singleShot(0, self.refresh)

    def chooseDefaults(self) -> None:
        """Choose what nobody has chosen where there is no choice."""

    def enter(self) -> None:
        """Handle that the user comes to the module."""

    def leave(self) -> None:
        """Handle that the user goes to another module; a running job continues."""

    def rest(self) -> None:
        """Stop what moves by itself: another tab is in front."""

    def cancel(self) -> None:
        """Cancel the running job, if any."""

    def clear(self) -> None:
        """Show nothing of a scene that is being closed."""

    def close(self) -> None:
        """Release everything before the widgets are destroyed."""

    def _show(self) -> None:
        """Bring the widgets up to date with ``self._node``, which is there."""


class RunPage(Page):
    """A tab that runs something.

    Its .ui file has a widget ``runWidget`` with an empty layout, for the run area, and, if its results can be compared
    with what they were made of, such a widget ``compareWidget``.

    Attributes:
        run: starts jobs, and shows how they go.
        compare: shows results over what was there before; None where there is nothing to compare.
    """

    #: Whether results are compared with what they were made of.
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
            self.ui.compareWidget.layout().addWidget(loadUi("Compare"))
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
            ),
            messages=self._messageLabels(),
            hints=self._hintLabels(),
        )
        self.ui.applyButton.connect("clicked(bool)", lambda checked: self.apply())

    def refresh(self) -> None:
        """Show what the parameter node holds, and whether that can be run."""
        if self._node is None or self._refreshing:
            return
        super().refresh()
        self.run.choose(self._whatIsChosen())
        self.run.showCanApply()

    def apply(self) -> None:
        """Start what is chosen."""
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
        """Show a result in the slice views; when the user is in another module, whose views they are, on return."""
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
        """Return further labels that say something about the last run."""
        return ()

    def _hintLabels(self) -> tuple:
        """Return labels that say something about the choices."""
        return ()

    def _whatIsMissing(self) -> str | None:
        """Say in a line why nothing can be run; empty when it can be; None where no scene is shown."""
        raise NotImplementedError

    def _whatIsChosen(self) -> tuple:
        """Return all that a run depends on: when it changes, messages about the last run are out of date."""
        raise NotImplementedError

    def _isReady(self) -> bool:
        """Check once more before a start; a subclass that refuses says why."""
        return True

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
        """Say what there is of a job that was cancelled."""
        self.run.say(self.ui.statusLabel, _("Cancelled; nothing was changed."))

    def _onUndone(self) -> None:
        if self.run.job is None:  # else the labels are about what runs
            self.run.sayNothing()
            self.run.say(self.ui.statusLabel, _("Taken back; the scene is as it was before."))

    def _onGone(self) -> None:
        if self.run.job is None:
            self.run.sayNothing()


def loadUi(name: str):
    """Return a widget from a .ui file of the module."""
    return slicer.util.loadUI(str(layout.resourcePath(f"UI/{name}.ui")))
