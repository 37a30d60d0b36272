"""The level ``group``: the tables over all that is done, without filling anything."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

from ..cohort.case import FAILED, Case, Outcome
from ..cohort.plan import Plan
from ..cohort.run import CasesFailedError, Emit, run
from ..cohort.scheduler import Heard
from ..cohort.work import recorded
from .case import BidsFillJob

#: The kind of error of an image that no run has tried yet.
NOT_DONE = "NotDone"


@dataclasses.dataclass(frozen=True)
class Recorded:
    """A :class:`.cohort.scheduler.Scheduler` that does nothing: it tells what earlier runs left.

    Attributes:
        reasons: why cases failed, by their id.
    """

    reasons: Mapping[str, Outcome]

    def run(self, cases: Sequence[Case], records: Path, heard: Heard) -> Generator[tuple[Case, Outcome], None, None]:
        for case in cases:
            yield case, self._refused(case) or recorded(case, records) or self._missing(case)

    def _refused(self, case: Case) -> Outcome | None:
        """Return the outcome of an image whose masks cannot be used, even if it was filled with others before."""
        assert isinstance(case.job, BidsFillJob)
        refusal = case.job.refusal
        return None if refusal is None else Outcome(FAILED, kind="MaskError", message=refusal)

    def _missing(self, case: Case) -> Outcome:
        return self.reasons.get(case.id) or Outcome(FAILED, kind=NOT_DONE, message="It was not filled yet.")


def summarize(plan: Plan, emit: Emit) -> None:
    """Write the tables over all images of a plan.

    Raises:
        CasesFailedError: some are not filled.
    """
    plan = dataclasses.replace(plan, cases=tuple(map(_with_page_that_is_there, plan.cases)))
    try:
        run(plan, Recorded(_failures(plan.folder)), emit, at_once=1)
    except CasesFailedError:
        raise CasesFailedError(
            f"Not all images are filled, see '{plan.file('failures.tsv')}'; the level participant fills them."
        ) from None


def _with_page_that_is_there(case: Case) -> Case:
    """Return a case without a page if there is none, so that the index does not lead to it."""
    assert isinstance(case.job, BidsFillJob)
    if case.job.page is None or os.path.exists(case.job.page):
        return case
    return dataclasses.replace(case, job=dataclasses.replace(case.job, page=None))


def _failures(folder: Path) -> dict[str, Outcome]:
    """Return what the runs of single participants and parts have noted of their failures, the newest of each."""
    reasons: dict[str, Outcome] = {}
    for table in sorted(folder.glob("failures*.tsv"), key=lambda path: path.stat().st_mtime):
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row.get("error") not in (None, NOT_DONE):
                    reasons[row["id"]] = Outcome(FAILED, kind=row["error"], message=row["message"])
    return reasons
