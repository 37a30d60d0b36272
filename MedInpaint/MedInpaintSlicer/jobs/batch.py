"""The base class of jobs that fill many images one after another: :mod:`.volumes` and :mod:`.sequence`."""

import logging
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from ..nodes.snapshot import removeVolume
from . import process
from .fill import FillJob, Request

if TYPE_CHECKING:
    from MedInpaintLib.report import FillReport


class BatchJob(VTKObservationMixin):
    """Fills that run, or have run, one worker process at a time; one that fails does not stop the others.

    Attributes:
        state: ``"running"``, ``"done"`` (at least one was filled), ``"failed"`` (none was) or ``"cancelled"``.
        results: item -> the node of its result, or the error; items that were not reached are missing.
        reports: filled item -> the engine's report.
        outputVolume: a volume that shows a result, or None.
        error: why none was filled.
        seconds: duration of the batch, once it has ended.
        created: the nodes that were added to the scene.
    """

    def __init__(
        self,
        items: Iterable[Hashable],
        request: Request,
        makeRunner: Callable[[], process.Runner],
        progress: Callable[[float, str], None] | None = None,
        warning: Callable[[str], None] | None = None,
        finished: Callable[["BatchJob"], None] | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare a batch; callbacks come on the main thread, as for :class:`.job.Job`.

        Args:
            items: the items to fill; duplicates are removed.
            request: the request for all fills; its volume and segments are ignored.
            makeRunner: makes the runner of a worker process.
            progress: called with the fraction of all, 0..1, and the current stage: "2 of 5: T1: Filling".
            warning: called with each new warning.
            finished: called once with this job when it is done, failed or cancelled.
            log: called with each other line that a worker prints.
        """
        from MedInpaintLib.errors import ParameterError

        super().__init__()
        if request.outputVolume is not None:
            raise ParameterError(_("An output cannot be chosen for several fills; each gets a new one."))
        self.state = "running"
        self.items: tuple[Any, ...] = tuple(dict.fromkeys(items))
        self.results: dict[Hashable, Any] = {}
        self.reports: dict[Hashable, FillReport] = {}
        self.outputVolume = None
        self.error: Exception | None = None
        self.seconds = 0.0
        self.created: list[Any] = []
        self._request = request
        self._makeRunner = makeRunner
        self._progress = progress or (lambda fraction, stage: None)
        self._onWarning = warning or (lambda message: None)
        self._onFinished = finished or (lambda job: None)
        self._log = log
        self._warnings: dict[str, list[str]] = {}
        self._job: FillJob | None = None
        self._proceeding = False
        self._started = time.monotonic()

    @property
    def filled(self) -> list[Hashable]:
        """The items filled so far, in order."""
        return [item for item in self.items if item in self.reports]

    @property
    def failures(self) -> list[str]:
        """The items that could not be filled, a line for each reason: "T1, T2: No voxel of ..."."""
        names: dict[str, list[str]] = {}
        for item, result in self.results.items():
            if isinstance(result, Exception):
                names.setdefault(inOneLine(result), []).append(self.name(item))
        return lines(names)

    @property
    def warnings(self) -> list[str]:
        """The warnings, a line for each message: "T1, T2: The hole is ..."."""
        return lines(self._warnings)

    def start(self) -> None:
        """Start the first fill.

        Raises:
            MedInpaintLib.errors.MedInpaintError: there is nothing to fill.
        """
        self._check()
        self._started = time.monotonic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeRemovedEvent, self._onNodeRemoved)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, lambda caller, event: self.cancel())
        try:
            self._proceed()
        except BaseException:
            # For example Ctrl+C while a script waits; the current fill has already ended itself.
            self.state = "failed"
            self.removeObservers()
            self._close()
            raise

    def cancel(self) -> None:
        """Stop at once and keep the results so far; a job that has ended ignores this."""
        if self.state == "running":
            self._stop("cancelled")

    def undo(self) -> None:
        """Remove the results that are still there; a running job, and a second call, do nothing."""
        if self.state != "running":
            created, self.created = self.created, []
            self._remove(created)

    def name(self, item: Any) -> str:
        """Return an item's name."""
        raise NotImplementedError

    # Methods that subclasses implement.

    def _check(self) -> None:
        """Raise an error if the batch cannot be started."""
        from MedInpaintLib.errors import InputError

        if not self.items:
            raise InputError(_("There is nothing to fill; choose one or more volumes."))

    def _open(self, item: Any, **callbacks) -> FillJob:
        """Make the job that fills an item, without starting it; raise an error if the item cannot be filled."""
        raise NotImplementedError

    def _close(self) -> None:
        """Release what the last item needed, after its fill has ended in any way."""

    def _refuse(self, item: Any, error: Exception) -> None:
        """Handle an item that was not filled."""

    def _conclude(self) -> None:
        """Complete the result after the last fill."""

    def _remove(self, created: list[Any]) -> None:
        """Remove the result's nodes."""
        for node in created:
            removeVolume(node)

    def _missing(self) -> Exception | None:
        """Return why the rest cannot be filled after a node was removed; None if it can."""
        return None

    # The course of a batch.

    def _proceed(self) -> None:
        """Start fills until one runs in the background or all have been tried.

        A fill in the foreground has ended when its start returns. This is a loop because fills that start each other
        would nest as deep as the batch is long.
        """
        if self._proceeding:
            return
        self._proceeding = True
        try:
            while self.state == "running" and self._job is None and len(self.results) < len(self.items):
                self._startNext(self.items[len(self.results)])
        finally:
            self._proceeding = False
        if self.state == "running" and self._job is None:
            self._stop("done" if self.reports else "failed")

    def _startNext(self, item: Hashable) -> None:
        self._tellProgress(0.0, "")
        if self.state != "running":  # the callback has cancelled
            return
        try:
            self._job = self._open(
                item, progress=self._tellProgress, warning=self._warn, finished=self._onJobFinished, log=self._log
            )
            self._job.start()
        except Exception as error:
            # An item that cannot be filled must not stop the others.
            self._take(item, error)

    def _onJobFinished(self, job: FillJob) -> None:
        if self.state != "running":  # cancelled
            return
        item = self.items[len(self.results)]
        if job.report is not None:
            self.reports[item] = job.report
            self.created += job.created
            self._take(item, job.outputVolume)
        else:
            self._take(item, job.error)
        self._proceed()

    def _take(self, item: Hashable, result: Any) -> None:
        self._job = None
        self._close()
        self.results[item] = result
        if isinstance(result, Exception):
            self._logFault(result)
            # The traceback would keep all variables of its frames, including images, as long as this job exists.
            result.with_traceback(None)
            self._refuse(item, result)

    def _logFault(self, error: Exception) -> None:
        from MedInpaintLib.errors import is_fault

        if is_fault(error):
            logging.error("MedInpaint failed", exc_info=error)

    def _stop(self, state: str) -> None:
        """End the batch with a state, and cancel the current fill, if any."""
        self.state = state
        self.removeObservers()
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._close()
        self.seconds = time.monotonic() - self._started
        if state == "failed" and self.error is None:
            self.error = self._failure()
        # Add nothing to a scene that is being closed.
        if self.reports and self.error is None and not slicer.mrmlScene.IsClosing():
            self._tryToConclude()
        self._onFinished(self)

    def _tryToConclude(self) -> None:
        try:
            self._conclude()
        except Exception as error:
            # Every error must reach the caller, and no incomplete result may stay in the scene.
            self.state, self.error = "failed", error
            self.undo()

    def _onNodeRemoved(self, caller, event) -> None:
        error = self._missing() if self.state == "running" else None
        if error is not None:
            self.error = error
            self._stop("failed")

    def _failure(self) -> Exception:
        from MedInpaintLib.errors import MedInpaintError

        errors = list(self.results.values())
        if len(errors) == 1:
            return errors[0]
        return MedInpaintError(" ".join([_("Nothing was filled."), *self.failures]))

    def _tellProgress(self, fraction: float, stage: str) -> None:
        done, count = len(self.results), len(self.items)
        where = _("{number} of {count}: {name}").format(number=done + 1, count=count, name=self.name(self.items[done]))
        self._progress((done + fraction) / count, f"{where}: {stage}" if stage else where)

    def _warn(self, message: str) -> None:
        name = self.name(self.items[len(self.results)])
        isNew = message not in self._warnings
        self._warnings.setdefault(message, []).append(name)
        if isNew:
            self._onWarning(f"{name}: {message}")


def checkPresent(inputNode: Any, segmentation: Any) -> None:
    """Raise an error if a node was removed from the scene since the batch was started."""
    from MedInpaintLib.errors import InputError, MaskError

    if segmentation is None:
        raise MaskError(_("It has no segmentation that marks a hole."))
    for node in (inputNode, segmentation):
        if not slicer.mrmlScene.IsNodePresent(node):
            raise InputError(_("'{name}' was removed from the scene before.").format(name=node.GetName()))


def inOneLine(error: Exception) -> str:
    """Return an error's message in one line."""
    from MedInpaintLib.errors import in_one_line

    return in_one_line(error)


def lines(names: Mapping[str, list[str]]) -> list[str]:
    """Return a line for each message: "T1, T2: No voxel of ..."."""
    return [f"{', '.join(items)}: {message}" for message, items in names.items()]
