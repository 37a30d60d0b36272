"""The runner of jobs: the one thing that the panel, the command line and a cluster execute.

``python -m MedInpaintLib.job JOB.json`` needs only the engine's own dependencies; :data:`JOBS` has the kinds of jobs.
It prints one JSON object a line: ``{"event": "progress", "fraction": 0.4, "stage": "Solving"}``, ``{"event": "warning",
"message": ...}``, and at the end one of ``{"event": "result", "output": ..., "report": {...}}``, ``{"event": "error",
"kind": ..., "message": ...}`` or ``{"event": "cancelled", "message": ...}``. Exit codes are :data:`EXIT_DONE` and its
neighbours.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .documents import read_json
from .errors import Cancelled, InputError, ParameterError, as_ours, in_one_line
from .jobs.evaluate import EvaluateJob
from .jobs.fill import FillJob
from .jobs.impute import ImputeJob
from .jobs.job_file import JobFile
from .progress import Progress
from .streams import emptied, opened
from .threads import one_for_blas

EXIT_DONE, EXIT_FAILED, EXIT_INPUT, EXIT_CANCELLED = 0, 1, 2, 130

#: The kinds of jobs, by their name in the file.
JOBS: dict[str, type[JobFile]] = {kind.KIND: kind for kind in (FillJob, ImputeJob, EvaluateJob)}

Emit = Callable[[dict[str, Any]], None]


def read(path: str | os.PathLike[str]) -> JobFile:
    """Read a job file; relative paths in it are relative to the file's folder.

    Raises:
        ParameterError: not JSON, no job that is known, or fields that are missing or unknown.
    """
    job_file = Path(path)
    fields = read_json(job_file, f"The job file '{job_file}'", ParameterError)
    kind = JOBS.get(str(fields.get("job"))) if isinstance(fields, dict) else None
    if kind is None:
        known = " or ".join(f'"{name}"' for name in JOBS)
        raise ParameterError(f'A job file holds one JSON object with "job": {known}.')
    return kind.of(fields, job_file.parent)


def guarded(work: Callable[[], None], emit: Emit) -> int:
    """Run ``work``, turn what it raises into one event, and return the exit code.

    SIGINT and SIGTERM raise :class:`Cancelled` in the main thread, so that temporary files are removed; afterwards
    their handlers are restored.
    """
    try:
        with _signals_cancel():
            work()
    except BrokenPipeError:
        raise  # nobody reads the output any more
    except Exception as error:
        return _tell(error, emit)
    return EXIT_DONE


def _tell(error: Exception, emit: Emit) -> int:
    """Turn an error into one event, with the traceback of a fault on standard error; return the exit code."""
    ours = as_ours(error)
    if isinstance(ours, Cancelled):
        emit({"event": "cancelled", "message": str(ours)})
        return EXIT_CANCELLED
    if ours is None:
        traceback.print_exception(error)
    event = {"event": "error", "kind": type(ours or error).__name__, "message": in_one_line(error)}
    try:
        emit(event)
    except BrokenPipeError:
        raise
    except OSError:  # standard output is full: the line still reaches a person on standard error
        with contextlib.suppress(OSError):
            print(f"Error: {event['message']}", file=sys.stderr)
        return EXIT_FAILED
    return EXIT_INPUT if isinstance(ours, InputError) else EXIT_FAILED


@contextlib.contextmanager
def _signals_cancel() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise :class:`Cancelled` in this block; only Python's main thread can set that."""
    before: dict[signal.Signals, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before[number] = signal.signal(number, _cancel)
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # None: it was not set from Python, and cannot be set again from here
                signal.signal(number, handler)


def execute(job: JobFile, emit: Emit) -> None:
    """Run the job and report it in events."""
    progress = Progress(lambda fraction, stage: emit({"event": "progress", "fraction": fraction, "stage": stage}))
    report = job.run(progress)
    for warning in report["warnings"]:
        emit({"event": "warning", "message": warning})
    emit({"event": "result", "output": job.output, "report": report})


def print_event(event: dict[str, Any]) -> None:
    """Print one JSON object on a line of standard output, at once."""
    print(json.dumps(event), flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run ``python -m MedInpaintLib.job JOB.json``; return the exit code."""
    one_for_blas()
    opened()
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 1:
        print("usage: python -m MedInpaintLib.job JOB.json", file=sys.stderr)
        return EXIT_INPUT
    # Nothing is read or imported before this line, so a signal finds its handlers from the start.
    return emptied(lambda: guarded(lambda: execute(read(arguments[0]), print_event), print_event))


def _cancel(number: int, frame: Any) -> None:
    raise Cancelled("Cancelled; nothing was written.")


if __name__ == "__main__":
    sys.exit(main())
