"""The engine's own Python process: Slicer stays usable meanwhile and does not crash with it.

A :class:`Runner` starts the process and passes on its lines; tests replace it. :class:`Conversation` parses the lines,
each of which is a JSON object.
"""

import atexit
import json
import shutil
import signal
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import slicer
from slicer.i18n import tr as _

from . import processtree

#: How many of the worker's last lines are shown when it ended without an error event.
LAST_LINES = 5

#: Only ASCII on the pipe: Slicer decodes it with the system's encoding, which need not be the worker's.
_ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "ascii:backslashreplace"}


OnLine = Callable[[str], None]
OnExit = Callable[[int], None]


class Runner(Protocol):
    """A starter of one process that reports its lines and its exit code."""

    def start(self, command: list[str], folder: str, onLine: OnLine, onExit: OnExit) -> None:
        """Run ``command`` in ``folder``; call ``onLine`` for each line and ``onExit`` once, on the main thread."""

    def kill(self) -> None:
        """End the process and its descendants; ``onExit`` may still be called later."""


#: The runners whose processes have not ended.
_running: set["BackgroundRunner"] = set()


@atexit.register
def endAll() -> None:
    """End all processes that run in the background, because Slicer quits: also those that a script has started."""
    for runner in list(_running):
        runner.kill()
    _running.clear()


class BackgroundRunner:
    """A runner that returns at once; lines and exit arrive while the application's event loop runs."""

    def __init__(self) -> None:
        self._process: Any = None
        self._onLine: OnLine | None = None
        self._onExit: OnExit | None = None

    def start(self, command: list[str], folder: str, onLine: OnLine, onExit: OnExit) -> None:
        self._onLine, self._onExit = onLine, onExit
        # Slicer never releases the callbacks, so they hold only this runner, which forgets the rest after the end.
        # Otherwise each job would keep its volumes until Slicer is closed (500 MB for a fill of a 200 MB volume).
        self._process = slicer.util.launchConsoleProcess(
            command,
            updateEnvironment=_ENVIRONMENT,
            cwd=folder,
            blocking=False,
            logCallback=self._tellLine,
            completedCallback=self._tellExit,
        )
        _running.add(self)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            processtree.kill(self._process.pid)

    def _tellLine(self, line: str) -> None:
        if self._onLine is not None:
            self._onLine(line)

    def _tellExit(self, exitCode: int) -> None:
        _running.discard(self)
        onExit, self._onExit, self._onLine = self._onExit, None, None
        if onExit is not None:
            onExit(exitCode)


class ForegroundRunner:
    """A runner that returns when the process has ended; for scripts, and when no event loop runs."""

    def __init__(self) -> None:
        self._process: Any = None

    def start(self, command: list[str], folder: str, onLine: OnLine, onExit: OnExit) -> None:
        self._process = slicer.util.launchConsoleProcess(command, updateEnvironment=_ENVIRONMENT, cwd=folder)
        for line in self._process.stdout:
            onLine(line.rstrip())
        onExit(self._process.wait())

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            processtree.kill(self._process.pid)
            self._process.wait()


class Conversation:
    """The events that the worker has printed so far; ``result`` is the "result" event, or None."""

    def __init__(
        self,
        progress: Callable[[float, str], None],
        warning: Callable[[str], None],
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.result: dict | None = None
        self._progress = progress
        self._warning = warning
        self._log = log
        self._error: dict | None = None
        self._otherLines: deque[str] = deque(maxlen=LAST_LINES)

    def hear(self, line: str) -> None:
        """Handle one line; lines that are no event (a traceback, a library's output) are kept for :meth:`failure`."""
        event = _parse(line)
        kind = event.get("event")
        if kind == "progress":
            self._progress(float(event["fraction"]), event["stage"])
        elif kind == "warning":
            self._warning(event["message"])
        elif kind == "result":
            self.result = event
        elif kind == "error":
            self._error = event
        elif kind == "cancelled":
            self._error = {
                "kind": "Cancelled",
                "message": _("The worker process was told to stop; nothing was changed."),
            }
        elif line.strip():
            self._otherLines.append(line.strip())
            self._log(line.rstrip())

    def failure(self, exitCode: int) -> Exception:
        """Return the engine's error that says why there is no result."""
        from MedInpaintLib import errors

        if self._error is not None:
            kind = getattr(errors, self._error["kind"], errors.MedInpaintError)
            return kind(self._error["message"])
        message = _("The worker process ended before it was done ({how}).").format(how=howItEnded(exitCode))
        if self._otherLines:
            message += " " + _("Its last lines: {lines}").format(lines="\n".join(self._otherLines))
        return errors.MedInpaintError(message)


def workerCommand(jobFile: str) -> list[str]:
    """Return the command that executes a job file; run it in the folder that contains ``MedInpaintLib``."""
    return engineCommand("job", jobFile)


def engineCommand(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of the engine; run it in the folder that contains ``MedInpaintLib``."""
    return [shutil.which("PythonSlicer") or sys.executable, "-m", f"MedInpaintLib.{module}", *arguments]


def _parse(line: str) -> dict:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def howItEnded(exitCode: int) -> str:
    """Describe an exit code in words."""
    if exitCode >= 0:
        return _("exit code {code}").format(code=exitCode)
    try:
        name = signal.Signals(-exitCode).name
    except ValueError:
        name = str(-exitCode)
    if name == "SIGKILL":
        return _("killed by the system, which happens when the memory runs out")
    return _("signal {name}").format(name=name)
