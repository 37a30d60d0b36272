"""Tables of cases: CSV or TSV, a row a case, a column a field of its job."""

from __future__ import annotations

import csv
import dataclasses
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..documents import read_text
from ..errors import InputError, ParameterError
from ..jobs.job_file import JobFile
from .case import Case, CaseKind
from .names import add_outputs
from .plan import Plan, PlanError, problems_of

#: Largest table, bytes: 10,000 rows of 4 paths have 3 MB.
MOST_BYTES = 256 << 20
#: What stands between the entries of a cell that holds a list.
BETWEEN = ";"
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
    columns = _columns(next(rows)[1], kind.job)
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
    """A column: its heading, the field that it holds (None: the user's own), and how a cell is read."""

    heading: str
    field: str | None
    read: Callable[[str], Any]


def _columns(headings: list[str], job: type[JobFile]) -> list[_Column]:
    """Return the columns of a table.

    Raises:
        PlanError: columns are missing, unknown or there twice.
    """
    fields = {field.name: field for field in dataclasses.fields(job) if field.name not in ("job", "workers")}
    names = {_plain(name): name for name in fields} | {
        _plain(field.metadata["flag"]): name for name, field in fields.items() if field.metadata.get("flag")
    }
    columns: list[_Column] = []
    problems: list[str] = []
    for number, heading in enumerate(headings, start=1):
        name = names.get(_plain(heading))
        if heading.startswith(OWN):
            columns.append(_Column(heading, None, str))
        elif heading.lower() == ID:
            columns.append(_Column(heading, ID, str))
        elif name is None:
            problems.append(
                f"Row 1: column {number} '{heading}' is unknown; the columns are {ID}, {', '.join(fields)}, and your "
                f"own if their names begin with {OWN}."
            )
        else:
            columns.append(_Column(heading, name, _READ[str(fields[name].type).removesuffix(" | None")]))
    known = [column.field for column in columns if column.field is not None]
    problems += [
        f"Row 1: the column '{name}' is there twice." for name in dict.fromkeys(known) if known.count(name) > 1
    ]
    problems += [
        f"Row 1: the column '{name}' is missing."
        for name, field in fields.items()
        if field.default is field.default_factory is dataclasses.MISSING and name not in known
    ]
    if problems:
        raise PlanError(problems)
    return columns


def _plain(name: str) -> str:
    """Return what a field and its option on the command line have in common."""
    return name.strip().lower().lstrip("-").replace("-", "_")


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
        if not cell or column.field is None:
            continue
        try:
            fields[column.field] = column.read(cell)
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


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise ValueError(f"it must be a number; found '{cell}'") from None


def _whole(cell: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", cell):
        raise ValueError(f"it must be a whole number; found '{cell}'")
    return int(cell)


def _truth(cell: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if cell.lower() not in words:
        raise ValueError(f"it must be true or false; found '{cell}'")
    return words[cell.lower()]


def _list(cell: str) -> list[str]:
    return [entry.strip() for entry in cell.split(BETWEEN) if entry.strip()]


def _labels(cell: str) -> list[int | str]:
    return [int(entry) if entry.isdecimal() else entry for entry in _list(cell)]


def _pairs(cell: str) -> dict[str, str]:
    pairs = {}
    for entry in _list(cell):
        name, equals, value = entry.partition("=")
        if not equals:
            raise ValueError(f"it must hold NAME=VALUE, with {BETWEEN} between several; found '{entry}'")
        pairs[name.strip()] = value.strip()
    return pairs


#: How a cell is read, by the type of its field.
_READ: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": _whole,
    "float": _number,
    "bool": _truth,
    "list[int | str]": _labels,
    "list[str]": _list,
    "dict[str, Any]": _pairs,
    "dict[str, str]": _pairs,
}
