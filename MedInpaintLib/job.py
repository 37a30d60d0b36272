"""A fill as a JSON file, and its runner: the one thing that the panel, the command line and a cluster execute.

``python -m MedInpaintLib.job JOB.json`` needs only the engine's own dependencies. It prints one JSON object a line:
``{"event": "progress", "fraction": 0.4, "stage": "Solving"}``, ``{"event": "warning", "message": ...}``, and at the
end one of ``{"event": "result", "output": ..., "report": {...}}``, ``{"event": "error", "kind": ..., "message":
...}`` or ``{"event": "cancelled", "message": ...}``. Exit codes are :data:`EXIT_DONE` and its neighbours.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import numbers
import os
import reprlib
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .errors import Cancelled, InputError, MedInpaintError, OutputPathError, ParameterError
from .progress import Progress
from .threads import one_for_blas

EXIT_DONE, EXIT_FAILED, EXIT_INPUT, EXIT_CANCELLED = 0, 1, 2, 130

Emit = Callable[[dict[str, Any]], None]

_INPUTS, _SOURCES, _OUTPUTS = ("image", "mask"), ("exemplars",), ("output", "report", "uncertainty", "filled_mask")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def _whole(value: Any) -> int:
    # numbers.Integral: numpy's integers are welcome. True and False are integers to Python, but not to people.
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise ValueError
    return float(value)


def _whole_list(value: Any) -> list[int]:
    if not isinstance(value, (list, tuple)):
        raise ValueError
    return [_whole(entry) for entry in value]


def _text_list(value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)):
        raise ValueError
    return [_text(entry) for entry in value]


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise ValueError
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


#: For each type of field: how to say it, and a function that takes a value as that type or raises ValueError.
_KINDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "str": ("a text that is not empty", _text),
    "int": ("a whole number", _whole),
    "float": ("a number", _number),
    "bool": ("true or false", _truth),
    "list[int]": ("a list of whole numbers", _whole_list),
    "list[str]": ("a list of texts that are not empty", _text_list),
    "dict[str, Any]": ("an object of names and values", _object),
}


@dataclasses.dataclass(frozen=True)
class Job:
    """One fill. The fields are those of the JSON file; all but the first four have defaults.

    Attributes:
        job: ``"fill"``.
        image, mask: files (or a folder with one DICOM series) to read.
        output: the filled image; its ending says the format.
        report: where to write the report as JSON, or None.
        uncertainty: where to write the uncertainty (standard deviation, in the image's units), or None.
        filled_mask: where to write the mask of the voxels that were filled (grown and resampled), or None.
        guides: files with other contrasts of the same subject.
        exemplars: a folder with other scans of the same contrast, or None.
        self_check: try the method, or with ``"auto"`` several, on holes in healthy tissue of the same image first.
        labels, dilate_mm, method, parameters, blend, modality, device, seed: as in :func:`MedInpaintLib.inpaint`.
        compress: write a compressed file where the format can; the panel does not, for speed.
    """

    job: str
    image: str
    mask: str
    output: str
    report: str | None = None
    uncertainty: str | None = None
    filled_mask: str | None = None
    labels: list[int] | None = None
    dilate_mm: float = 0.0
    method: str = "auto"
    parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    blend: str = "auto"
    modality: str | None = None
    guides: list[str] = dataclasses.field(default_factory=list)
    exemplars: str | None = None
    self_check: bool = False
    device: str = "auto"
    seed: int = 0
    compress: bool = True

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is None and str(field.type).endswith("| None"):
                continue
            wanted, convert = _KINDS[str(field.type).removesuffix(" | None")]
            try:
                object.__setattr__(self, field.name, convert(value))
            except ValueError:
                found = "null" if value is None else reprlib.repr(value)
                raise ParameterError(f"The job's field '{field.name}' must be {wanted}; found {found}.") from None

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Job:
        """Read a job file; relative paths in it are relative to the file's folder.

        Raises:
            ParameterError: not JSON, or fields that are missing or unknown.
        """
        place = Path(path)
        try:
            # -sig: Windows' Notepad puts a byte order mark before the text, which JSON does not know.
            fields = json.loads(place.read_text(encoding="utf-8-sig"))
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
        missing = [name for name in ("image", "mask", "output") if name not in fields]
        if unknown or missing:
            parts = [f"unknown fields: {', '.join(unknown)}"] if unknown else []
            parts += [f"missing: {', '.join(missing)}"] if missing else []
            raise ParameterError(f"The job file has {'; '.join(parts)}. Its fields are: {', '.join(known)}.")
        paths: dict[str, Any] = {
            name: str(folder / fields[name])
            for name in (*_INPUTS, *_SOURCES, *_OUTPUTS)
            if isinstance(fields.get(name), str) and fields[name]
        }
        guides = fields.get("guides")
        if isinstance(guides, list):
            paths["guides"] = [str(folder / each) if isinstance(each, str) and each else each for each in guides]
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
    from .formats import check_writable
    from .pipeline import inpaint
    from .volume import Volume

    progress = progress or Progress()
    _check_that_nothing_is_overwritten(job)
    for path in (job.output, job.uncertainty, job.filled_mask):
        if path is not None:
            check_writable(path)
    if job.report is not None:
        check_folder(job.report)
    start = time.perf_counter()
    progress.update(0.0, "Reading")
    image, mask = Volume.read(job.image), Volume.read(job.mask)
    reading = time.perf_counter() - start
    check_writable(job.output, image)
    if job.uncertainty is not None:
        check_writable(job.uncertainty, image.with_array(_like_uncertainty(image.array.shape)))
    result = inpaint(
        image,
        mask,
        method=job.method,
        parameters=job.parameters,
        blend=job.blend,
        labels=job.labels,
        dilate_mm=job.dilate_mm,
        modality=job.modality,
        guides=job.guides,
        exemplars=job.exemplars,
        self_check=job.self_check,
        uncertainty=job.uncertainty is not None,
        device=job.device,
        seed=job.seed,
        progress=progress.part(0.0, 0.95),
    )
    _complete(result.report, job, reading)
    progress.update(0.95, "Writing")
    if job.uncertainty is not None:
        assert result.uncertainty is not None  # it was asked for
        result.uncertainty.write(job.uncertainty)
    result.save(job.output, job.report, job.filled_mask, compress=job.compress)
    progress.update(1.0, "Done")
    return result.report


def _complete(report: dict[str, Any], job: Job, reading: float) -> None:
    """Add what :func:`inpaint` cannot know because it was given volumes: the files' names, and how long they took."""
    for name in _INPUTS:
        report[name]["name"] = Path(getattr(job, name)).name
    for stage in ("read", "total"):
        report["seconds"][stage] = round(report["seconds"][stage] + reading, 4)


def _check_that_nothing_is_overwritten(job: Job) -> None:
    """The inputs stay as they are, no output replaces another one, and none will be taken for an exemplar.

    Raises:
        OutputPathError: naming the two that are one file, or the one that lies among the exemplars.
    """
    named = {name: getattr(job, name) for name in _INPUTS}
    named |= {f"guide {number}": path for number, path in enumerate(job.guides, start=1)}
    named |= {name: getattr(job, name) for name in _OUTPUTS if getattr(job, name) is not None}
    for (name, path), (other, other_path) in itertools.combinations(named.items(), 2):
        if other not in _OUTPUTS or not _share_a_file(path, other_path):
            continue
        if name not in _OUTPUTS:
            raise OutputPathError(f"The {other} '{other_path}' would overwrite an input, the {name}; rename it.")
        raise OutputPathError(
            f"The {name} and the {other} would both be written to '{other_path}'; rename one of them."
        )
    exemplars = _exemplars_of(job)
    for name in _OUTPUTS:
        path = getattr(job, name)
        if path is not None and any(_lies_in(path, place) for place in exemplars):
            raise OutputPathError(f"The {name} '{path}' lies among the exemplars; write it elsewhere.")


def _exemplars_of(job: Job) -> list[str]:
    """The folder with the exemplars, and what is in it: links may lead elsewhere."""
    if job.exemplars is None:
        return []
    with contextlib.suppress(OSError):  # the pipeline says what is wrong with it
        return [job.exemplars, *(entry.path for entry in os.scandir(job.exemplars))]
    return [job.exemplars]


def _lies_in(path: str, place: str) -> bool:
    """Whether a path leads to a place, or into it where that is a folder."""
    return any(_share_a_file(str(at), place) for at in (path, *Path(os.path.realpath(path)).parents))


def _share_a_file(first: str, second: str) -> bool:
    """Whether two paths lead to one file: as they are, through links, or by the voxels that belong to a header."""
    for path, other in itertools.product(_files_of(first), _files_of(second)):
        if os.path.realpath(path) == os.path.realpath(other):
            return True
        # Hard links, and names that differ in capitals where the file system does not mind.
        with contextlib.suppress(OSError):
            if os.path.samefile(path, other):
                return True
    return False


def _files_of(path: str) -> list[str]:
    """The file itself and, where it is only a header, those beside it that hold the voxels."""
    stem, ending = os.path.splitext(path)
    voxels = (".raw", ".raw.gz", ".zraw") if ending.lower() in (".mhd", ".nhdr") else ()
    return [path, *(stem + other for other in voxels)]


def _like_uncertainty(shape: tuple[int, ...]) -> Any:
    """An array of the uncertainty's dtype and shape that takes no memory."""
    import numpy as np

    return np.broadcast_to(np.float32(0), shape)


def guarded(work: Callable[[], None], emit: Emit) -> int:
    """Run ``work``, turn what it raises into one event, and return the exit code.

    SIGINT and SIGTERM cancel: they raise :class:`Cancelled` in the main thread, so temporary files are removed on the
    way out. Afterwards they do again what they did before.
    """
    try:
        with _signals_cancel():
            work()
    except Cancelled as error:
        emit({"event": "cancelled", "message": str(error)})
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
    except BrokenPipeError:
        raise  # whoever listened has left, so there is nobody to tell
    except Exception as error:
        # A fault of the program: one clear line for the user, the traceback for those who will mend it.
        traceback.print_exc()
        what = " ".join("".join(traceback.format_exception_only(type(error), error)).split())
        message = f"An unexpected error, please report it with the traceback: {what}"
        emit({"event": "error", "kind": type(error).__name__, "message": message})
        return EXIT_FAILED
    return EXIT_DONE


@contextlib.contextmanager
def _signals_cancel() -> Iterator[None]:
    """SIGINT and SIGTERM raise :class:`Cancelled` in this block. Python lets only the main thread set that."""
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
    one_for_blas()
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 1:
        print("usage: python -m MedInpaintLib.job JOB.json", file=sys.stderr)
        return EXIT_INPUT
    # Nothing is read or imported before this line, so a signal finds its handlers from the start.
    return guarded(lambda: execute(Job.read(arguments[0]), print_event), print_event)


def _cancel(number: int, frame: Any) -> None:
    raise Cancelled("Cancelled; nothing was written.")


if __name__ == "__main__":
    sys.exit(main())
