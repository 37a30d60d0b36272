"""Running the engine in a Python process of its own, so that Slicer stays usable and a crash stays outside.

:class:`Conversation` understands what the engine prints, one JSON object a line. A :class:`Runner` starts the process
and hands over its lines; tests replace it by one that only pretends.
"""

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

#: How many of the worker's last lines are shown when it ended without a word.
LAST_LINES = 5

#: Only ASCII on the pipe: Slicer decodes it with the system's encoding, which need not be the worker's.
_ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "ascii:backslashreplace"}


OnLine = Callable[[str], None]
OnExit = Callable[[int], None]


class Runner(Protocol):
    """Something that starts one process and tells what it prints and how it ends."""

    def start(self, command: list[str], folder: str, onLine: OnLine, onExit: OnExit) -> None:
        """Run ``command`` in ``folder``; call ``onLine`` for every line and ``onExit`` once, on the main thread."""

    def kill(self) -> None:
        """End the process and all that it started; ``onExit`` may still be called later."""


class BackgroundRunner:
    """A runner that returns at once; lines and exit arrive while the application's event loop runs."""

    def __init__(self) -> None:
        self._process: Any = None
        self._onLine: OnLine | None = None
        self._onExit: OnExit | None = None

    def start(self, command: list[str], folder: str, onLine: OnLine, onExit: OnExit) -> None:
        self._onLine, self._onExit = onLine, onExit
        # Slicer never lets go of the callbacks that it is given: they hold this runner, and nothing else after the end.
        # Otherwise each job would keep its volumes for the rest of the session (500 MB a fill of a volume of 200 MB).
        self._process = slicer.util.launchConsoleProcess(
            command,
            updateEnvironment=_ENVIRONMENT,
            cwd=folder,
            blocking=False,
            logCallback=self._tellLine,
            completedCallback=self._tellExit,
        )

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            processtree.kill(self._process.pid)

    def _tellLine(self, line: str) -> None:
        if self._onLine is not None:
            self._onLine(line)

    def _tellExit(self, exitCode: int) -> None:
        onExit, self._onExit, self._onLine = self._onExit, None, None
        if onExit is not None:
            onExit(exitCode)


class ForegroundRunner:
    """A runner that returns when the process has ended; for scripts, and where no event loop runs."""

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
    """The events that the worker has printed so far.

    Attributes:
        result: the "result" event, once it came.
    """

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
        """Take in one line; lines that are no event (a traceback, a library's chatter) are kept for :meth:`failure`."""
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
        """Return why there is no result, as an error of the engine's kinds."""
        from MedInpaintLib import errors

        if self._error is not None:
            kind = getattr(errors, self._error["kind"], errors.MedInpaintError)
            return kind(self._error["message"])
        message = _("The worker process ended before it was done ({how}).").format(how=howItEnded(exitCode))
        if self._otherLines:
            message += " " + _("Its last lines: {lines}").format(lines="\n".join(self._otherLines))
        return errors.MedInpaintError(message)


def workerCommand(jobFile: str) -> list[str]:
    """Return the command that executes a job file; to be run in the folder that holds ``MedInpaintLib``."""
    return engineCommand("job", jobFile)


def engineCommand(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of the engine; to be run in the folder that holds ``MedInpaintLib``."""
    return [shutil.which("PythonSlicer") or sys.executable, "-m", f"MedInpaintLib.{module}", *arguments]


def _parse(line: str) -> dict:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def howItEnded(exitCode: int) -> str:
    """Return what an exit code means, in words."""
    if exitCode >= 0:
        return _("exit code {code}").format(code=exitCode)
    try:
        name = signal.Signals(-exitCode).name
    except ValueError:
        name = str(-exitCode)
    if name == "SIGKILL":
        return _("killed by the system, which happens when the memory runs out")
    return _("signal {name}").format(name=name)
