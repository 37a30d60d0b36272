"""The lower end of a tab: Apply and Cancel, the progress, and what is to be said about the run."""

import dataclasses
import logging
from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from .messages import FittedLabels, say


@dataclasses.dataclass(frozen=True)
class Widgets:
    """What every tab has for its runs.

    Attributes:
        apply, cancel: buttons.
        progress: a bar, seen while something runs.
        hint: a label that says why Apply cannot be pressed.
        status, error, warning, result: labels that say something about the run.
    """

    apply: Any
    cancel: Any
    progress: Any
    hint: Any
    status: Any
    error: Any
    warning: Any
    result: Any


class RunArea:
    """Starts one run at a time and shows how it goes.

    Attributes:
        job: what runs, or None.
    """

    def __init__(
        self,
        page,
        widgets: Widgets,
        whatIsMissing: Callable[[], str | None],
        purpose: Callable[[], str],
        showResult: Callable[[Any], None],
        messages=(),
        hints=(),
    ) -> None:
        """
        Args:
            page: the tab; holds all the others.
            widgets: of the area.
            whatIsMissing: why Apply cannot be pressed; empty when it can, None to leave things as they are.
            purpose: what Apply does.
            showResult: called with a job that is done.
            messages: further labels that say something about the run.
            hints: further labels that say something about the choices.
        """
        self._widgets = widgets
        self._whatIsMissing = whatIsMissing
        self._purpose = purpose
        self._showResult = showResult
        self._messages = (widgets.status, widgets.error, widgets.warning, widgets.result, *messages)
        self._labels = FittedLabels(page, (*self._messages, widgets.hint, *hints))
        self._choices = None
        self.job = None
        widgets.cancel.connect("clicked(bool)", lambda checked: self.cancel())
        for label in (*self._messages, widgets.hint):
            self.say(label, "")
        self._showRunning()

    def start(self, make: Callable[..., Any]) -> None:
        """Start a run.

        Args:
            make: starts a job and returns it; takes the callbacks ``progress``, ``warning`` and ``finished``.
        """
        self.sayNothing()
        self.say(self._widgets.status, _("Preparing..."))
        try:
            self.job = make(progress=self.onProgress, warning=self.onWarning, finished=self._onFinished)
        except Exception as error:
            self._showError(error)
        self._showRunning()

    def cancel(self) -> None:
        """Stop what runs, if anything."""
        if self.job is not None:
            self.job.cancel()

    def close(self) -> None:
        """Before the widgets are destroyed."""
        self.cancel()
        self._labels.stop()

    def say(self, label, text: str) -> None:
        """Show a text in one of the labels, or hide it where there is none."""
        say(label, text)
        self._labels.fitSoon()

    def sayNothing(self) -> None:
        """Forget what was said about the last run."""
        for label in self._messages:
            self.say(label, "")

    def reveal(self, *labels) -> None:
        """Bring labels into sight; the last wins."""
        self._labels.reveal(*labels)

    def clear(self) -> None:
        """The scene is being closed."""
        self._choices = None
        self.sayNothing()

    def choose(self, choices: tuple) -> None:
        """These are the choices now: what was said about a run with others does not hold any more."""
        if self._choices not in (None, choices) and self.job is None:
            self.sayNothing()
        self._choices = choices

    def showCanApply(self) -> None:
        """Whether Apply can be pressed, and if not why."""
        missing = self._whatIsMissing()
        if missing is None:
            return
        self._widgets.apply.enabled = self.job is None and not missing
        self.say(self._widgets.hint, missing if self.job is None else "")
        if self.job is not None:
            missing = _("This is being done; Cancel stops it.")
        self._widgets.apply.toolTip = missing or self._purpose()

    def onProgress(self, fraction: float, stage: str) -> None:
        """The run has come so far."""
        self._widgets.progress.value = round(100 * fraction)
        self.say(self._widgets.status, stage)

    def onWarning(self, message: str) -> None:
        """The run says something that the user should know."""
        before = self._widgets.warning.text
        self.say(self._widgets.warning, f"{before}\n{message}" if before else message)

    def _onFinished(self, job) -> None:
        self.job = None
        self.say(self._widgets.status, "")
        if job.state == "done":
            self._showResult(job)
            slicer.util.setSliceViewerLayers(background=job.outputVolume)
        elif job.state == "cancelled":
            self.say(self._widgets.status, _("Cancelled; nothing was changed."))
        else:
            self._showError(job.error)
        self._showRunning()

    def _showRunning(self) -> None:
        running = self.job is not None
        self._widgets.cancel.enabled = running
        self._widgets.progress.visible = running
        if running:
            self._widgets.progress.value = 0
            self._widgets.progress.format = "%p%"
        self.showCanApply()

    def _showError(self, error: Exception) -> None:
        from MedInpaintLib.errors import MedInpaintError

        if not isinstance(error, MedInpaintError):
            logging.error("MedInpaint failed", exc_info=error)
        self.say(self._widgets.status, "")
        self.say(self._widgets.error, str(error) or type(error).__name__)
        self._labels.reveal(self._widgets.error)
