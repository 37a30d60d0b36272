"""The tables that a cohort leaves: a row for each case, and a row for each failure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..files import write_text
from ..texts import csv_cell
from .case import DONE, FAILED, Outcome
from .kinds import kind_of
from .plan import Plan

#: First columns of the summary, before those of the kind of jobs, and the columns of the failures.
SUMMARY = ("id", "status", "seconds")
FAILURES = ("id", "error", "message", "origin")


def write_tables(plan: Plan, outcomes: Mapping[str, Outcome]) -> None:
    """Write the tables and, for faults of the program, ``tracebacks.txt`` in the plan's folder.

    The tables are ``summary.tsv``, ``failures.tsv`` and those of the kind of jobs.

    Rows are in the order of the plan, so that the tables do not depend on which case was done first; images that need
    nothing come last. The last column is the path of the (first) output, relative to the folder where it lies in it.

    Args:
        plan: the cases.
        outcomes: what came of each, by its id.
    """
    rows: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    traces: list[str] = []
    for case in plan.cases:
        outcome = outcomes[case.id]
        outputs = kind_of(case.job).outputs(case.job)
        output = outputs.get("output") or outputs["output 1"]
        common = {"id": case.id, "status": outcome.status, "seconds": outcome.seconds}
        rows.append({**common, **outcome.facts, "output": _inside(output, plan.folder)})
        if outcome.status == FAILED:
            failures.append({"id": case.id, "error": outcome.kind, "message": outcome.message, "origin": case.origin})
        if outcome.trace:
            traces.append(f"{case.id}\n{outcome.trace}")
    rows += [{"id": name, "status": why} for name, why in plan.idle.items()]
    _write(plan.file("summary.tsv"), (*SUMMARY, *plan.kind.columns, "output"), rows)
    _write(plan.file("failures.tsv"), FAILURES, failures)
    facts = [outcome.facts for case in plan.cases if (outcome := outcomes[case.id]).status == DONE]
    for name, columns in plan.kind.tables.items():
        _write(plan.file(name), columns, plan.kind.rows(name, facts))
    if traces:
        write_text(plan.file("tracebacks.txt"), "\n".join(traces))
    else:
        plan.file("tracebacks.txt").unlink(missing_ok=True)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    lines = [columns, *([csv_cell(_shown(row.get(column))) for column in columns] for row in rows)]
    write_text(path, "".join("\t".join(line) + "\n" for line in lines))


def _shown(value: Any) -> Any:
    return "" if value is None else value


def _inside(path: str, folder: Path) -> str:
    """Return a path relative to a folder that it lies in, with ``/`` between its parts; else as it is."""
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # on another drive
        return path
    return path if relative.startswith(os.pardir) else relative.replace(os.sep, "/")
