"""Cases, what comes of them, and what a cohort must know of a kind of job."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from ..jobs.job_file import JobFile
from ..progress import Progress
from ..report import Report

Job = TypeVar("Job", bound=JobFile)

#: What comes of a case: done, copied because there is nothing to do in it, or failed.
DONE, CONTROL, FAILED = "done", "control", "failed"


@dataclasses.dataclass(frozen=True)
class Case:
    """One image of a study, and what is to be done with it.

    Attributes:
        id: its name in tables and messages, unique in the study and the same in every run.
        job: inputs, options and outputs; it can be run without the cohort.
        origin: where the user wrote it down, such as ``"Row 7"``, for messages.
    """

    id: str
    job: JobFile
    origin: str


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes:
        status: :data:`DONE`, :data:`CONTROL` or :data:`FAILED`.
        skipped: whether that was known from an earlier run.
        seconds: of the work, in the run in which it was done.
        facts: of the report, by the columns of the summary.
        kind, message: of the error, where it failed.
        trace: the traceback, where the error is a fault of the program.
    """

    status: str
    skipped: bool = False
    seconds: float = 0.0
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    kind: str = ""
    message: str = ""
    trace: str = ""


class CaseKind(abc.ABC, Generic[Job]):
    """What a cohort must know of a kind of job, besides how to run it.

    Attributes:
        job: the class of the jobs.
        reads, writes: its fields with paths of inputs and of outputs. Folders that are read are inputs as a whole.
        without_effect: fields that change how a job is done and not what comes out.
        columns: of the summary, keys of :meth:`facts`.
        counted: the status of cases -> what a person calls it, in the order of a sentence.
        ending: of outputs that are named after their image; empty where it is the image's.
        readers: field -> how a cell is read, where the type of the field does not say it.
        tables: further tables over the study: the file's name -> its columns, keys of :meth:`rows`.
    """

    job: type[Job]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    without_effect: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    counted: ClassVar[Mapping[str, str]] = {DONE: "done", FAILED: "failed"}
    ending: str = ""
    readers: ClassVar[Mapping[str, Callable[[str], Any]]] = {}
    tables: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @abc.abstractmethod
    def check(self, job: Job) -> None:
        """Check what can be checked without opening a file.

        Raises:
            InputError: options that cannot be used.
        """

    @abc.abstractmethod
    def further_inputs(self, job: Job) -> tuple[list[Path], dict[str, Any]]:
        """Return files (there or not) and facts that the result depends on, besides the job's fields and inputs."""

    def of_row(self, fields: dict[str, Any]) -> tuple[CaseKind[Any], dict[str, Any]]:
        """Return the kind of job that the fields of a row are for, mostly this one, and the fields as it has them."""
        return self, fields

    @abc.abstractmethod
    def run(self, job: Job, progress: Progress) -> tuple[str, Report]:
        """Do the job; return :data:`DONE` or :data:`CONTROL`, and the report."""

    @abc.abstractmethod
    def facts(self, report: Any) -> dict[str, Any]:
        """Return what the summary says of a report, by :attr:`columns`, and what :meth:`rows` needs; ready for JSON."""

    @abc.abstractmethod
    def describe(self, status: str, facts: Mapping[str, Any]) -> str:
        """Say in a few words what came of a case that did not fail."""

    def inputs(self, job: Job) -> dict[str, str]:
        """Return the paths that a job reads, by the field, with a number where it holds several."""
        return _paths(job, self.reads)

    def outputs(self, job: Job) -> dict[str, str]:
        """Return the paths that a job writes, by the field, with a number where it holds several."""
        return _paths(job, self.writes)

    def entries(self) -> Sequence[str]:
        """Return names that columns can have besides those of fields: entries of a field with values by name."""
        return ()

    def entry_of(self, heading: str) -> tuple[str, str] | None:
        """Return the field and the entry in it that a column of this name holds; None where it holds none."""
        return None

    def rows(self, table: str, facts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows of one of the :attr:`tables`, from the facts of all cases that are done."""
        return []


def facts_of_warnings(warnings: Sequence[str]) -> dict[str, Any]:
    """Return what the summary says of the warnings of a report."""
    return {"warnings": len(warnings), "first_warning": warnings[0] if warnings else ""}


def _paths(job: JobFile, fields: tuple[str, ...]) -> dict[str, str]:
    paths: dict[str, str] = {}
    for field in fields:
        value = getattr(job, field)
        if isinstance(value, str):
            paths[field] = value
        elif isinstance(value, dict):
            paths |= {f"{field} {name}": path for name, path in value.items()}
        elif value:
            paths |= {f"{field} {number}": path for number, path in enumerate(value, start=1)}
    return paths
