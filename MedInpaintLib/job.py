"""A fill as a JSON file, and its runner: the one thing that the panel, the command line and a cluster execute.

``python -m MedInpaintLib.job JOB.json`` needs only the engine's own dependencies. It prints one JSON object a line:
``{"event": "progress", "fraction": 0.4, "stage": "Solving"}``, ``{"event": "warning", "message": ...}``, and at the
end one of ``{"event": "result", "output": ..., "report": {...}}``, ``{"event": "error", "kind": ..., "message":
...}`` or ``{"event": "cancelled"}``. Exit codes are :data:`EXIT_DONE` and its neighbours.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import Cancelled, InputError, MedInpaintError, OutputPathError, ParameterError
from .progress import Progress

EXIT_DONE, EXIT_FAILED, EXIT_INPUT, EXIT_CANCELLED = 0, 1, 2, 130

Emit = Callable[[dict[str, Any]], None]


@dataclasses.dataclass(frozen=True)
class Job:
    """One fill. The fields are those of the JSON file; all but the first four have defaults.

    Attributes:
        job: ``"fill"``.
        image, mask: files (or a folder with one DICOM series) to read.
        output: the filled image; its ending says the format.
        report: where to write the report as JSON, or None.
        uncertainty: where to write the uncertainty, for methods that have one, or None.
        labels, dilate_mm, method, parameters, blend, modality, device, seed: as in :func:`MedInpaintLib.inpaint`.
        compress: write a compressed file where the format can; the panel does not, for speed.
    """

    job: str
    image: str
    mask: str
    output: str
    report: str | None = None
    uncertainty: str | None = None
    labels: list[int] | None = None
    dilate_mm: float = 0.0
    method: str = "auto"
    parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    blend: str = "auto"
    modality: str | None = None
    device: str = "auto"
    seed: int = 0
    compress: bool = True

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Job:
        """Read a job file; relative paths in it are relative to the file's folder.

        Raises:
            ParameterError: not JSON, or fields that are missing or unknown.
        """
        place = Path(path)
        try:
            fields = json.loads(place.read_text(encoding="utf-8"))
        except OSError as error:
            raise ParameterError(f"The job file '{place}' cannot be read ({error.strerror or error}).") from None
        except ValueError as error:
            raise ParameterError(f"The job file '{place}' is not JSON ({error}).") from None
        return cls.of(fields, place.parent)

    @classmethod
    def of(cls, fields: Any, folder: Path) -> Job:
        """A job from the JSON file's content; relative paths are taken from ``folder``.

        Raises:
            ParameterError: fields are missing, unknown or of the wrong kind.
        """
        if not isinstance(fields, dict) or fields.get("job") != "fill":
            raise ParameterError('A job file holds one JSON object with "job": "fill".')
        known = {field.name: field for field in dataclasses.fields(cls)}
        unknown = sorted(set(fields) - set(known))
        missing = [name for name in ("image", "mask", "output") if not isinstance(fields.get(name), str)]
        if unknown or missing:
            parts = [f"unknown fields: {', '.join(unknown)}"] if unknown else []
            parts += [f"missing: {', '.join(missing)}"] if missing else []
            raise ParameterError(f"The job file has {'; '.join(parts)}. Its fields are: {', '.join(known)}.")
        paths = {
            name: str(folder / fields[name])
            for name in ("image", "mask", "output", "report", "uncertainty")
            if fields.get(name) is not None
        }
        return cls(**{**fields, **paths})

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the job as a JSON file."""
        from .files import write_text

        write_text(path, json.dumps(dataclasses.asdict(self), indent=2) + "\n")


def run(job: Job, progress: Progress | None = None) -> dict[str, Any]:
    """Do the job and write its files; returns the report.

    Raises:
        MedInpaintError: see :func:`MedInpaintLib.inpaint`; nothing was written then.
    """
    from .files import check_folder
    from .pipeline import inpaint
    from .volume import check_writable

    progress = progress or Progress()
    for path in (job.output, job.uncertainty):
        if path is not None:
            check_writable(path)
    if job.report is not None:
        check_folder(job.report)
    if Path(job.output).resolve() in (Path(job.image).resolve(), Path(job.mask).resolve()):
        raise OutputPathError(f"The output '{job.output}' would overwrite an input; give it another name.")
    result = inpaint(
        job.image,
        job.mask,
        method=job.method,
        parameters=job.parameters,
        blend=job.blend,
        labels=job.labels,
        dilate_mm=job.dilate_mm,
        modality=job.modality,
        device=job.device,
        seed=job.seed,
        progress=progress.part(0.0, 0.95),
    )
    progress.update(0.95, "Writing")
    if job.uncertainty is not None:
        if result.uncertainty is None:
            raise ParameterError(f"Method '{result.report['method']}' gives no uncertainty; leave it out.")
        result.uncertainty.write(job.uncertainty)
    result.save(job.output, job.report, compress=job.compress)
    progress.update(1.0, "Done")
    return result.report


def guarded(work: Callable[[], None], emit: Emit) -> int:
    """Run ``work``, turn what it raises into one event, and return the exit code.

    SIGINT and SIGTERM cancel: they raise :class:`Cancelled` in the main thread, so temporary files are removed on
        the way out.
    """
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _cancel)
    try:
        work()
    except Cancelled:
        emit({"event": "cancelled"})
        return EXIT_CANCELLED
    except MedInpaintError as error:
        emit({"event": "error", "kind": type(error).__name__, "message": str(error)})
        return EXIT_INPUT if isinstance(error, InputError) else EXIT_FAILED
    except ModuleNotFoundError as error:
        message = f"The package '{error.name}' is needed and not installed; install it with: pip install {error.name}"
        emit({"event": "error", "kind": "MissingDependencyError", "message": message})
        return EXIT_FAILED
    except MemoryError:
        message = "There is not enough memory for this volume; crop it around the hole and try again."
        emit({"event": "error", "kind": "MemoryError", "message": message})
        return EXIT_FAILED
    return EXIT_DONE


def execute(job: Job, emit: Emit) -> None:
    """Do the job and tell of it in events."""
    progress = Progress(lambda fraction, stage: emit({"event": "progress", "fraction": fraction, "stage": stage}))
    report = run(job, progress)
    for warning in report["warnings"]:
        emit({"event": "warning", "message": warning})
    emit({"event": "result", "output": job.output, "report": report})


def print_event(event: dict[str, Any]) -> None:
    """One JSON object on a line of standard output, at once."""
    print(json.dumps(event), flush=True)


def main(arguments: list[str] | None = None) -> int:
    """``python -m MedInpaintLib.job JOB.json``"""
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 1:
        print("usage: python -m MedInpaintLib.job JOB.json", file=sys.stderr)
        return EXIT_INPUT
    return guarded(lambda: execute(Job.read(arguments[0]), print_event), print_event)


def _cancel(number: int, frame: Any) -> None:
    raise Cancelled("Cancelled; nothing was written.")


if __name__ == "__main__":
    sys.exit(main())
