"""One case, in whatever process: not at all where it was done before, and else at most once.

The outputs are written first, each set in one step, then the record. Whenever the process is killed, a case with a
record is done and one without is done again, with the same outputs.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..documents import read_json
from ..errors import InputError, MachineError, OutputPathError, as_ours, in_one_line
from ..files import make_folder, write_json
from ..io.formats import names_folder
from ..progress import Progress
from .case import FAILED, Case, CaseKind, Outcome
from .fingerprint import are_unchanged, contents, fingerprint
from .kinds import kind_of

#: What a scheduler hears of a case at work: the share that is done, and the stage.
Hear = Callable[[float, str], None]


def work_on(case: Case, records: Path, hear: Hear) -> Outcome:
    """Do a case unless its record says that it was done, with these inputs and options and these outputs.

    Args:
        case: what is to be done.
        records: the folder with the records.
        hear: is told the progress.

    Returns:
        Outcome: also of a case that failed, whatever the reason.
    """
    started = time.perf_counter()
    try:
        return _done_once(case, records, Progress(hear))
    except Exception as error:
        ours = as_ours(error)
        return Outcome(
            FAILED,
            seconds=round(time.perf_counter() - started, 3),
            kind=type(ours or error).__name__,
            message=in_one_line(error),
            trace="" if ours else "".join(traceback.format_exception(error)),
        )


def record_of(case: Case, records: Path) -> Path:
    """Return the file that keeps what came of a case.

    Its name is readable, and unique also where capitals, characters or long names are not told apart.

    >>> record_of(Case("sub-01/T1 *.nii.gz", None, ""), Path("records")).name
    'sub-01_T1_.nii.gz-50c8c8c9.json'
    """
    readable = re.sub(r"[^A-Za-z0-9._-]+", "_", case.id).strip("._")[-80:]
    return records / f"{readable}-{hashlib.sha256(case.id.encode()).hexdigest()[:8]}.json"


def _done_once(case: Case, records: Path, progress: Progress) -> Outcome:
    kind, file, started = kind_of(case.job), record_of(case, records), time.perf_counter()
    progress.update(0.0, "Comparing")
    key, stamps = fingerprint(kind, case.job)
    record = _read(file)
    known = _known(kind, case, record, key)
    if known is not None:
        return known
    paths = list(kind.outputs(case.job).values())
    for path in paths:
        make_folder(Path(os.path.abspath(path)).parent)
    folders = _make_room(paths, record)
    if folders or record:  # an older result is none of these inputs and options, even if the work fails
        write_json(file, {"id": case.id, "folders": folders})
    status, report = kind.run(case.job, progress)
    if not are_unchanged(stamps):
        raise MachineError("An input was changed while it was worked on; run this again when all are complete.")
    outcome = Outcome(status, seconds=round(time.perf_counter() - started, 3), facts=kind.facts(report))
    record = {
        "id": case.id,
        "folders": folders,
        "fingerprint": key,
        "status": outcome.status,
        "seconds": outcome.seconds,
        "facts": outcome.facts,
        "outputs": contents(kind, case.job),
    }
    write_json(file, record)
    return outcome


def _make_room(paths: list[str], record: dict[str, Any]) -> list[str]:
    """Return the folders among the outputs, with a DICOM series each, and remove those that this case made before.

    A series is written into a new or empty folder only, so that nothing of anyone else is lost. A record that names the
    folder, written before the work, says that the case has made it, even if it was killed right after.
    """
    folders = [os.path.realpath(path) for path in paths if names_folder(path)]
    for folder in folders:
        if os.path.isdir(folder) and folder in record.get("folders", []):
            shutil.rmtree(folder)
        elif os.path.isdir(folder) and os.listdir(folder):
            raise OutputPathError(f"The folder '{folder}' for the DICOM series is not empty; name a new one.")
    return folders


def _known(kind: CaseKind, case: Case, record: dict[str, Any], key: str) -> Outcome | None:
    """Return what an earlier run made of a case, if its inputs, options and outputs are what they were then."""
    if record.get("fingerprint") != key or record.get("outputs") != contents(kind, case.job):
        return None
    return _outcome(record)


def recorded(case: Case, records: Path) -> Outcome | None:
    """Return what the last run that did a case made of it, whatever has changed since.

    Returns:
        None where it was never done, or its output is gone.
    """
    there = os.path.exists(kind_of(case.job).outputs(case.job)["output"])
    return _outcome(_read(record_of(case, records))) if there else None


def case_recorded(file: Path) -> str | None:
    """Return the id of the case that a record is about; None where it cannot be read."""
    name = _read(file).get("id")
    return name if isinstance(name, str) else None


def _outcome(record: dict[str, Any]) -> Outcome | None:
    try:
        return Outcome(record["status"], True, float(record["seconds"]), dict(record["facts"]))
    except (KeyError, TypeError, ValueError):
        return None


def _read(file: Path) -> dict[str, Any]:
    """Return a record; empty where there is none that can be read, so that the case is done again."""
    try:
        record = read_json(file, f"The record '{file}'", InputError)
    except InputError:
        return {}
    return record if isinstance(record, dict) else {}
