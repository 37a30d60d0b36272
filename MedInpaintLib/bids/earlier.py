"""Images of earlier runs into the same dataset, as their tables and records tell, such as other contrasts."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..cohort.case import FAILED, Case, Outcome
from ..cohort.plan import Plan
from ..cohort.scheduler import Heard
from ..cohort.summary import FAILURES, SUMMARY
from ..cohort.work import case_recorded, record_of, recorded
from .case import BidsFillJob
from .derivative import folder_of, outputs_for
from .names import parse

#: The status of an image without a lesion mask.
NO_MASK = "no mask"
#: The kind of error of an image that no run has tried yet.
NOT_DONE = "NotDone"
_IMAGES = (".nii.gz", ".nii")


@dataclasses.dataclass(frozen=True)
class Earlier:
    """What earlier runs say of images.

    Attributes:
        statuses: of images by their id, as in summaries.
        reasons: why images could not be filled, by their id.
    """

    statuses: Mapping[str, str]
    reasons: Mapping[str, Outcome]

    @classmethod
    def of(cls, summaries: Iterable[Path], failures: Iterable[Path]) -> Earlier:
        """Return what tables say, those that are there; of each image, the newest table counts."""
        statuses = {row["id"]: row["status"] for row in _rows(summaries, SUMMARY)}
        reasons = {
            row["id"]: Outcome(FAILED, kind=row["error"], message=row["message"])
            for row in _rows(failures, FAILURES)
            if row["error"] != NOT_DONE
        }
        return cls(statuses, reasons)

    def outcome(self, case: Case, records: Path) -> Outcome:
        """Return what came of an image, without filling it."""
        return _refused(case) or recorded(case, records) or self.reasons.get(case.id) or _NOT_DONE

    def run(self, cases: Sequence[Case], records: Path, heard: Heard) -> Generator[tuple[Case, Outcome], None, None]:
        """Yield the outcomes, as a :class:`.cohort.scheduler.Scheduler` that does nothing."""
        for case in cases:
            yield case, self.outcome(case, records)


_NOT_DONE = Outcome(FAILED, kind=NOT_DONE, message="It was not filled yet.")


def with_images(plan: Plan, statuses: Mapping[str, str], raw: Path) -> Plan:
    """Return a plan that also lists images of earlier runs, unless neither they nor their fills are there any more.

    Args:
        plan: of a run.
        statuses: of the images by their id.
        raw: folder of the dataset with the images.
    """
    cases, idle = [*plan.cases], {**plan.idle}
    for name, status in statuses.items():
        case = case_named(name, raw, plan.folder)
        if case is None:
            continue
        assert isinstance(case.job, BidsFillJob)
        if status == NO_MASK and os.path.exists(case.job.image):
            idle[name] = NO_MASK
        elif status != NO_MASK and (os.path.exists(case.job.output) or os.path.exists(case.job.image)):
            cases.append(case)
    return dataclasses.replace(plan, cases=tuple(cases), idle=idle)


def case_named(name: str, raw: Path, folder: Path) -> Case | None:
    """Return the case of an image by its id, with its outputs, for tables and pages alone; None for no name of BIDS."""
    parsed = parse(f"{name}.nii.gz")
    if parsed is None:
        return None
    inside = ["/".join((*folder_of(parsed), f"{name}{ending}")) for ending in _IMAGES]
    image = next((each for each in inside if os.path.exists(os.path.join(raw, each))), inside[0])
    fields: dict[str, Any] = {"image": os.path.join(raw, image)}
    fields |= outputs_for(parsed, folder, uncertainty=False, page=True)
    return with_page_that_is_there(Case(name, BidsFillJob(job=BidsFillJob.KIND, **fields), f"'{image}'"))


def with_page_that_is_there(case: Case) -> Case:
    """Return a case without a page if there is none, so that nothing leads to it."""
    assert isinstance(case.job, BidsFillJob)
    if case.job.page is None or os.path.exists(case.job.page):
        return case
    return dataclasses.replace(case, job=dataclasses.replace(case.job, page=None))


def recorded_names(records: Path, known: Collection[Case]) -> Iterator[str]:
    """Yield the ids of images that have a record.

    Args:
        records: the folder with the records.
        known: cases to leave out; their records are not opened.
    """
    left_out = {record_of(case, records).name for case in known}
    for file in sorted(os.listdir(records)):
        name = None if file in left_out else case_recorded(records / file)
        if name is not None:
            yield name


def subject_of(name: str) -> str:
    """Return the subject in the id of an image.

    >>> subject_of("sub-01_ses-2_T1w")
    'sub-01'
    """
    return name.partition("_")[0]


def _rows(tables: Iterable[Path], columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of tables that have these columns, the newest table last."""
    for table in sorted((path for path in tables if path.exists()), key=lambda path: path.stat().st_mtime):
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if all(row.get(column) is not None for column in columns):
                    yield row


def _refused(case: Case) -> Outcome | None:
    """Return the outcome of an image whose masks cannot be used, even if it was filled with others before."""
    assert isinstance(case.job, BidsFillJob)
    refusal = case.job.refusal
    return None if refusal is None else Outcome(FAILED, kind="MaskError", message=refusal)
