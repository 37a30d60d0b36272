"""The lower end of a tab: Apply and Cancel, progress, and messages about the run."""

import dataclasses
import functools
import logging
import time
from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from .messages import FittedLabels, say, timeLeft


@dataclasses.dataclass(frozen=True)
class Hooks:
    """The functions of a page that its run area calls.

    Attributes:
        title: the page's title in the log.
        whatIsMissing: says in a line why Apply cannot be pressed; empty when it can; None while there is no scene.
        purpose: says what Apply does.
        showResult: called with a job that is done.
        showCancelled: called with a job that was cancelled.
        log: takes lines for the log.
        canForce: whether the function that starts a job takes ``force``, to run with inputs that look wrong.
    """

    title: str
    whatIsMissing: Callable[[], str | None]
    purpose: Callable[[], str]
    showResult: Callable[[Any], None]
    showCancelled: Callable[[Any], None]
    log: Callable[[str], None]
    canForce: Callable[[], bool] = lambda: False


class RunArea:
    """The widgets that start one run at a time and show its progress.

    Attributes:
        job: the running job, or None.
    """

    def __init__(self, page, ui, hooks: Hooks, messages=(), hints=()) -> None:
        """Bind the run area's widgets.

        Args:
            page: the page's widget.
            ui: has the widgets of Run.ui.
            hooks: the page's functions.
            messages: further labels with messages about the run.
            hints: further labels with hints about the choices.
        """
        self._ui = ui
        self._hooks = hooks
        self._messages = (ui.statusLabel, ui.errorLabel, ui.warningLabel, ui.resultLabel, *messages)
        self._labels = FittedLabels(page, (*self._messages, ui.applyHintLabel, *hints))
        self._choices: tuple | None = None
        self._stage = ""
        self._started = 0.0
        self._make: Callable[..., Any] | None = None
        self.job: Any = None
        ui.cancelButton.connect("clicked(bool)", lambda checked: self.cancel())
        for label in (*self._messages, ui.applyHintLabel):
            self.say(label, "")
        self._showRunning()

    def start(self, make: Callable[..., Any]) -> None:
        """Start a run.

        Args:
            make: starts a job and returns it; takes the callbacks ``progress``, ``warning``, ``log`` and ``finished``.
        """
        self.sayNothing()
        self.say(self._ui.statusLabel, _("Preparing..."))
        self._log(_("started"))
        self._make = make
        self._stage, self._started = "", time.monotonic()
        try:
            self.job = make(
                progress=self.onProgress, warning=self.onWarning, log=self._hooks.log, finished=self._onFinished
            )
        except Exception as error:
            self.showError(error)
        self._showRunning()

    def cancel(self) -> None:
        """Cancel the running job, if any."""
        if self.job is not None:
            self.job.cancel()

    def close(self) -> None:
        """Release everything before the widgets are destroyed."""
        self.cancel()
        self._labels.stop()

    def say(self, label, text: str) -> None:
        """Show a text in one of the labels; hide the label if the text is empty."""
        say(label, text)
        self._labels.fitSoon()

    def sayNothing(self) -> None:
        """Remove the messages about the last run."""
        for label in self._messages:
            self.say(label, "")

    def reveal(self, *labels) -> None:
        """Scroll to labels; the last one wins."""
        self._labels.reveal(*labels)

    def clear(self) -> None:
        """Forget the choices and messages of the scene that is being closed."""
        self._choices = None
        self.sayNothing()

    def choose(self, choices: tuple) -> None:
        """Store the current choices, and remove messages about a run with other choices."""
        if self._choices not in (None, choices) and self.job is None:
            self.sayNothing()
        self._choices = choices

    def showCanApply(self) -> None:
        """Enable Apply, or say why it cannot be pressed."""
        missing = self._hooks.whatIsMissing()
        if missing is None:
            return
        self._ui.applyButton.enabled = self.job is None and not missing
        self.say(self._ui.applyHintLabel, missing if self.job is None else "")
        if self.job is not None:
            missing = _("A run is in progress; Cancel stops it.")
        self._ui.applyButton.toolTip = missing or self._hooks.purpose()

    def onProgress(self, fraction: float, stage: str) -> None:
        """Show the progress of the run."""
        self._ui.progressBar.value = round(100 * fraction)
        left = timeLeft(fraction, time.monotonic() - self._started)
        self.say(self._ui.statusLabel, f"{stage}: {left}" if left else stage)
        if stage != self._stage:
            self._stage = stage
            self._log(stage)

    def onWarning(self, message: str) -> None:
        """Show a warning of the run."""
        before = self._ui.warningLabel.text
        self.say(self._ui.warningLabel, f"{before}\n{message}" if before else message)
        self._log(_("Warning: {message}").format(message=message))

    def _onFinished(self, job) -> None:
        self.job = None
        self.say(self._ui.statusLabel, "")
        try:
            self._tellEnd(job)
        except Exception as error:  # the panel must not be stuck with a job that has ended
            self.showError(error)
        self._showRunning()

    def _tellEnd(self, job) -> None:
        if job.state == "done":
            self._hooks.showResult(job)
            self._log(self._ui.resultLabel.text)
        elif job.state == "cancelled":
            self._hooks.showCancelled(job)
            self._log(_("cancelled"))
        else:
            self.showError(job.error)
            self._offerToForce(job.error)

    def _offerToForce(self, error: Exception) -> None:
        """Ask whether to fill anyway where the inputs only look wrong, and do so."""
        from MedInpaintLib.errors import DoubtError

        make = self._make
        if make is None or not isinstance(error, DoubtError) or not self._hooks.canForce():
            return
        if slicer.util.confirmOkCancelDisplay(f"{error}\n\n{_('Fill anyway?')}", self._hooks.title):
            self.start(functools.partial(make, force=True))

    def _showRunning(self) -> None:
        running = self.job is not None
        self._ui.cancelButton.enabled = running
        self._ui.progressBar.visible = running
        if running:
            self._ui.progressBar.value = 0
            self._ui.progressBar.format = "%p%"
        self.showCanApply()

    def showError(self, error: Exception) -> None:
        """Show an error; those that the user did not cause are logged with their traceback."""
        from MedInpaintLib.errors import in_one_line, is_fault

        if is_fault(error):
            logging.error("MedInpaint failed", exc_info=error)
        text = in_one_line(error)
        self.say(self._ui.statusLabel, "")
        self.say(self._ui.errorLabel, text)
        self._log(_("Error: {message}").format(message=text))
        self._labels.reveal(self._ui.errorLabel)

    def _log(self, line: str) -> None:
        self._hooks.log(f"{self._hooks.title}: {line}")
