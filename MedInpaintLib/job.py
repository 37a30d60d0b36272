"""The runner of jobs: the one thing that the panel, the command line and a cluster execute.

``python -m MedInpaintLib.job JOB.json`` needs only the engine's own dependencies; :data:`JOBS` has the kinds of jobs.
It prints one JSON object a line: ``{"event": "progress", "fraction": 0.4, "stage": "Solving"}``, ``{"event": "warning",
"message": ...}``, and at the end one of ``{"event": "result", "output": ..., "report": {...}}`` (the output is a path,
or a list of paths where the job writes several images), ``{"event": "error",
"kind": ..., "message": ...}`` or ``{"event": "cancelled", "message": ...}``. Exit codes are :data:`EXIT_DONE` and its
neighbours.
"""

from __future__ import annotations

if __name__ == "__main__":  # before the other imports, during which a signal may come
    from .starting import CANCELLED, end_in_one_line

    end_in_one_line(1, f'{{"event": "cancelled", "message": "{CANCELLED}"}}')

import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .documents import read_json
from .errors import Cancelled, InputError, ParameterError, as_ours, in_one_line
from .files import as_json
from .jobs.atlas_edges import AtlasEdgesJob
from .jobs.evaluate import EvaluateJob
from .jobs.fill import FillJob
from .jobs.fill_together import FillTogetherJob
from .jobs.impute import ImputeJob
from .jobs.job_file import JobFile
from .jobs.lesion_back import LesionBackJob
from .progress import Progress
from .signals import cancelling, end_this_process_on_signals
from .starting import EXIT_CANCELLED
from .streams import emptied, opened
from .threads import one_for_blas

EXIT_DONE, EXIT_FAILED, EXIT_INPUT = 0, 1, 2

#: The kinds of jobs, by their name in the file.
JOBS: dict[str, type[JobFile]] = {
    kind.KIND: kind for kind in (FillJob, FillTogetherJob, ImputeJob, EvaluateJob, LesionBackJob, AtlasEdgesJob)
}

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
    return kind.of(fields, job_file.parent).read_from(job_file)


def guarded(work: Callable[[], None], emit: Emit) -> int:
    """Run ``work``, turn what it raises into one event, and return the exit code.

    SIGINT and SIGTERM raise :class:`Cancelled` in the main thread, so that temporary files are removed; afterwards
    their handlers are restored.
    """
    try:
        with cancelling(lambda message: emit({"event": "cancelled", "message": message})):
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


def execute(job: JobFile, emit: Emit) -> None:
    """Run the job and report it in events."""
    progress = Progress(lambda fraction, stage: emit({"event": "progress", "fraction": fraction, "stage": stage}))
    report = job.run(progress)
    for warning in report["warnings"]:
        emit({"event": "warning", "message": warning})
    emit({"event": "result", "output": job.output, "report": report})


def print_event(event: dict[str, Any]) -> None:
    """Print one JSON object on a line of standard output, at once."""
    print(as_json(event), flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run ``python -m MedInpaintLib.job JOB.json``; return the exit code."""
    one_for_blas()
    opened()
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 1:
        print("usage: python -m MedInpaintLib.job JOB.json", file=sys.stderr)
        return EXIT_INPUT
    return emptied(lambda: guarded(lambda: execute(read(arguments[0]), print_event), print_event))


if __name__ == "__main__":
    opened()
    end_this_process_on_signals(lambda message: print_event({"event": "cancelled", "message": message}))
    sys.exit(main())
