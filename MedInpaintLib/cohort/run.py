"""A plan from its first case to its tables."""

from __future__ import annotations

import collections
import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import Cancelled, MedInpaintError
from ..files import make_folder
from .case import CONTROL, DONE, FAILED, Case, Outcome
from .index import write_index
from .lock import only_runner
from .outlook import Outlook
from .plan import Plan
from .scheduler import Scheduler
from .summary import write_tables
from .work import record_of

Emit = Callable[[dict[str, Any]], None]
#: Writes what people read of all cases, see :func:`write_overview`.
WriteOverview = Callable[[Plan, Mapping[str, Outcome]], "Path | None"]


class CasesFailedError(MedInpaintError):
    """Some cases failed; the others are done."""


def write_overview(plan: Plan, outcomes: Mapping[str, Outcome]) -> Path | None:
    """Write the tables and the index of a plan; return the path of the index, or None without pages."""
    write_tables(plan, outcomes)
    return write_index(plan, outcomes)


def run(
    plan: Plan, scheduler: Scheduler, emit: Emit, *, at_once: int | None, write: WriteOverview = write_overview
) -> dict[str, int]:
    """Do all cases of a plan that are not done yet, and write its tables and index; return how many are of each status.

    Args:
        plan: what is to be done.
        scheduler: does it.
        emit: is told all that happens, one event at a time: ``warning``; ``working`` with ``id``, ``fraction`` and
            ``stage``; ``case`` with ``id``, ``status``, ``skipped``, ``seconds``, ``what`` in words, ``message`` and
            ``facts`` of a case that is over, its ``number`` ``of`` all, and ``left``, the seconds left, or None; at
            last ``result`` with ``output``, the path of the summary, ``report``, whose ``index`` is that of the pages
            or None, and ``counted``, its numbers in words.
        at_once: how many cases the scheduler does at a time; None: that is not known before.
        write: writes tables and pages over the cases when all are over, and returns the path of the index, or None.

    Raises:
        CasesFailedError: some failed; all others are done.
        InputError: another process is at work on the same plan.
        Cancelled: what was done is kept.
    """
    make_folder(plan.records)
    for warning in plan.warnings:
        emit({"event": "warning", "message": warning})
    with only_runner(plan.file("lock")):
        try:
            outcomes = _outcomes(plan, scheduler, emit, at_once)
        except Cancelled:
            raise Cancelled(
                "Cancelled; cases that are done are kept, and the same command goes on with the others."
            ) from None
        index = write(plan, outcomes)
    counts = collections.Counter(outcome.status for outcome in outcomes.values())
    report = {
        "cases": len(plan.cases),
        **{status: counts[status] for status in (DONE, CONTROL, FAILED)},
        "skipped": sum(outcome.skipped for outcome in outcomes.values()),
        "failures": os.fspath(plan.file("failures.tsv")),
        "index": None if index is None else os.fspath(index),
    }
    counted = ", ".join(f"{counts[status]} {word}" for status, word in plan.kind.counted.items())
    emit({"event": "result", "output": os.fspath(plan.file("summary.tsv")), "report": report, "counted": counted})
    if counts[FAILED]:
        raise CasesFailedError(
            f"{counts[FAILED]} of {len(plan.cases)} cases failed, see '{plan.file('failures.tsv')}'; the same command "
            "tries them again."
        )
    return counts


def _outcomes(plan: Plan, scheduler: Scheduler, emit: Emit, at_once: int | None) -> dict[str, Outcome]:
    kept = set(os.listdir(plan.records))
    recorded = {case.id for case in plan.cases if record_of(case, plan.records).name in kept}
    outlook = Outlook([case.id for case in plan.cases], recorded, at_once)
    outcomes: dict[str, Outcome] = {}

    def heard(case: Case, fraction: float, stage: str) -> None:
        outlook.begin(case.id)
        emit({"event": "working", "id": case.id, "fraction": fraction, "stage": stage})

    with contextlib.closing(scheduler.run(plan.cases, plan.records, heard)) as running:
        for case, outcome in running:
            outcomes[case.id] = outcome
            outlook.complete(case.id, outcome)
            left = outlook.seconds()
            emit(
                {
                    "event": "case",
                    "number": len(outcomes),
                    "of": len(plan.cases),
                    "left": left,
                    "id": case.id,
                    "status": outcome.status,
                    "skipped": outcome.skipped,
                    "seconds": outcome.seconds,
                    "message": outcome.message,
                    "what": _what(plan, outcome),
                    "facts": dict(outcome.facts),
                }
            )
    return outcomes


def _what(plan: Plan, outcome: Outcome) -> str:
    return "" if outcome.status == FAILED else plan.kind.describe(outcome.status, outcome.facts)
