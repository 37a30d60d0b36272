"""Tables of cases: CSV or TSV, a row a case, a column a field of its job."""

from __future__ import annotations

import csv
import dataclasses
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..documents import read_text
from ..errors import InputError, ParameterError
from .case import Case, CaseKind
from .cells import Cell, cell_of, fields_of, needed_fields
from .names import add_outputs
from .plan import Plan, PlanError, problems_of

#: Largest table, bytes: 10,000 rows of 4 paths have 3 MB.
MOST_BYTES = 256 << 20
#: The column with the names of the cases; its own columns, which begin with this, are left to the user.
ID, OWN = "id", "#"


def plan_of_table(
    path: str | os.PathLike[str],
    kind: CaseKind,
    *,
    folder: str | os.PathLike[str] | None = None,
    options: Mapping[str, Any] | None = None,
    beside: tuple[str, ...] = (),
) -> Plan:
    """Return the plan in a table, whose relative paths are relative to it.

    Args:
        path: of the file; ``.csv`` has commas or semicolons, ``.tsv`` tabs between its columns. The first row has
            their names: fields of the job or options of the command, ``id``, and others that begin with ``#``.
        kind: of the jobs.
        folder: for summary and records; ``study-cohort`` beside ``study.csv`` when None.
        options: fields for all rows; a cell that is not empty comes before them.
        beside: outputs to be written beside each output where the row names none, see :func:`.names.add_outputs`.

    Raises:
        InputError: it cannot be read.
        PlanError: with all that is wrong with it.
    """
    table = Path(path)
    rows = _rows(read_text(table, f"The table '{table}'", ParameterError, MOST_BYTES), table)
    columns = _columns(next(rows)[1], kind, options or {})
    cases: list[Case] = []
    problems: list[str] = []
    for number, cells in rows:
        try:
            cases.append(_case(number, cells, columns, kind, table.parent, options or {}, beside))
        except InputError as error:
            problems.append(str(error))
    chosen = table.with_name(f"{table.stem}-cohort") if folder is None else Path(folder)
    plan = Plan(tuple(cases), kind, chosen, sources=(table,))
    problems += problems_of(plan)
    if not cases and not problems:
        problems.append(f"The table '{table}' has no rows.")
    if problems:
        raise PlanError(problems)
    return plan


def _rows(text: str, table: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty with their numbers, from 1 as in a spreadsheet; the first are the headings."""
    heading = next((line for line in text.splitlines() if line.strip()), "")
    if not heading:
        raise ParameterError(f"The table '{table}' is empty; its first row names the columns.")
    if table.suffix.lower() in (".tsv", ".tab"):
        delimiter = "\t"
    else:
        delimiter = max(",;\t", key=heading.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                yield number, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise ParameterError(f"The table '{table}' cannot be read after row {number} ({error}).") from None


@dataclasses.dataclass(frozen=True)
class _Column:
    """A column: its heading, and what its cells hold."""

    heading: str
    cell: Cell


def _columns(headings: list[str], kind: CaseKind, options: Mapping[str, Any]) -> list[_Column]:
    """Return the columns of a table.

    Raises:
        PlanError: columns are missing, unknown or there twice.
    """
    columns: list[_Column] = []
    problems: list[str] = []
    for number, heading in enumerate(headings, start=1):
        if heading.startswith(OWN):
            cell: Cell | None = Cell(None, str)
        elif heading.lower() == ID:
            cell = Cell(ID, str)
        else:
            cell = cell_of(heading, kind)
        if cell is None:
            problems.append(
                f"Row 1: column {number} '{heading}' is unknown; the columns are {ID}, "
                f"{', '.join([*kind.entries(), *fields_of(kind)])}, and your own if their names begin with {OWN}."
            )
        else:
            columns.append(_Column(heading, cell))
    known = [column.cell.name for column in columns if column.cell.name is not None]
    problems += [
        f"Row 1: the column '{name}' is there twice." for name in dict.fromkeys(known) if known.count(name) > 1
    ]
    there = {*options, *(column.cell.field for column in columns)}
    problems += [f"Row 1: the column '{name}' is missing." for name in needed_fields(kind) if name not in there]
    if problems:
        raise PlanError(problems)
    return columns


def _case(
    number: int,
    cells: list[str],
    columns: list[_Column],
    kind: CaseKind,
    folder: Path,
    options: Mapping[str, Any],
    beside: tuple[str, ...],
) -> Case:
    """Return the case in a row.

    Raises:
        ParameterError: with the row's number and the column.
    """
    origin = f"Row {number}"
    if len(cells) != len(columns):
        raise ParameterError(f"{origin} has {len(cells)} cells, and the table {len(columns)} columns.")
    fields: dict[str, Any] = {}
    for column, cell in zip(columns, cells, strict=True):
        if not cell or column.cell.field is None:
            continue
        try:
            column.cell.put(column.cell.read(cell), fields)
        except ValueError as error:
            raise ParameterError(f"{origin}, column '{column.heading}': {error}.") from None
    output = fields.get("output", "")
    name = fields.pop(ID, output)
    try:
        kind, fields = kind.of_row({**options, **fields})
        return Case(name, kind.job.of(add_outputs({"job": kind.job.KIND, **fields}, beside), folder), origin)
    except InputError as error:
        raise ParameterError(f"{origin}: {_of_a_row(str(error))}") from None


def _of_a_row(message: str) -> str:
    """Return a message about the fields of a job file as one about the columns of a table."""
    message = re.sub(r"^The job's field '", "column '", message)
    return re.sub(r"^The job file has missing: (.*?)\. Its fields are: .*$", r"nothing in the column \1.", message)
