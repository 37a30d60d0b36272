"""The tables of the study, one for each measurement: written after the work, read by the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..shared.manifests import read_rows, write_rows
from ..shared.statistics import Difference, difference_by_person
from .volumes import COLUMNS

#: Measurement -> its columns. Of `dice` more is better; the others are errors.
MEASURED = {"volumes": COLUMNS, "registration": ("near", "far"), "extraction": ("dice", "volume")}
CASE = ("image", "subject", "kind", "ml", "arm", "used", "seconds")
SEGMENTER = "segmenter"

Row = dict[str, Any]
#: Of a row: the value that is averaged and compared.
Value = Callable[[Row], float]


def file_of(folder: Path, measurement: str) -> Path:
    """Return the path of a measurement's table."""
    return folder / f"{measurement}.csv.gz"


def write_tables(cases: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Write a table for each measurement from what :func:`.measure.rows_of` yields."""
    cases = list(cases)
    for measurement, columns in MEASURED.items():
        tools = (SEGMENTER,) if measurement == "volumes" else ()
        rows: list[Sequence[object]] = [(*CASE, *tools, *columns)]
        for case in cases:
            own = case.get(measurement) or {}
            about = [", ".join(case[name]) if name == "used" else case[name] for name in CASE]
            for tool, values in own.items() if tools else [("", own)] if own else []:
                rows.append((*about, *([tool] if tools else []), *(f"{values[name]:.4f}" for name in columns)))
        write_rows(file_of(folder, measurement), rows)


def read_table(folder: Path, measurement: str) -> list[Row]:
    """Return the rows of a measurement."""
    numbers = (*MEASURED[measurement], "ml", "seconds")
    rows = read_rows(file_of(folder, measurement))
    return [{name: float(cell) if name in numbers else cell for name, cell in row.items()} for row in rows]


def by_arm(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return arm -> its rows."""
    arms: dict[str, list[Row]] = {}
    for row in rows:
        arms.setdefault(row["arm"], []).append(row)
    return arms


def size_of(name: str) -> Value:
    """Return the value of a column without its sign."""
    return lambda row: abs(row[name])


def by_person(rows: Iterable[Row], value: Value) -> dict[str, float]:
    """Return person -> the mean value of their rows, those of several segmenters among them."""
    people: dict[str, list[float]] = {}
    for row in rows:
        people.setdefault(row["subject"], []).append(value(row))
    return {person: float(np.mean(values)) for person, values in people.items()}


def mean_and_error(rows: Iterable[Row], value: Value, digits: int = 2) -> str:
    """Return the mean over people with its standard error, such as ``0.52 ± 0.04``."""
    values = list(by_person(rows, value).values())
    if len(values) < 2:
        return f"{np.mean(values):.{digits}f}" if values else ""
    return f"{np.mean(values):.{digits}f} ± {np.std(values, ddof=1) / len(values) ** 0.5:.{digits}f}"


def less_error(own: Iterable[Row], base: Iterable[Row], value: Value) -> Difference:
    """Return by how much an error is smaller than that of the base, by person, over people who have both."""
    errors, before = by_person(own, value), by_person(base, value)
    return difference_by_person({each: [before[each] - errors[each]] for each in errors if each in before}, "error")
