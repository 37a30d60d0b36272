"""The table of the study: a line for each part and method, written after the measurement and read by the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..shared.manifests import read_rows, write_rows

Row = dict[str, Any]
#: Columns in words; all others are numbers.
_WORDS = ("split", "image", "subject", "contrast", "kind", "tissue", "method", "took")
COLUMNS = (
    *("split", "image", "subject", "contrast", "thickness", "kind", "part", "ml", "depth_mm", "mirrored", "tissue"),
    *("method", "took", "seconds", "psnr", "ssim", "mae", "brightness"),
)


def write_table(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as compressed CSV."""
    write_rows(path, [COLUMNS, *([row[name] for name in COLUMNS] for row in rows)])


def read_table(path: Path) -> list[Row]:
    """Return the rows; none where there is no file."""
    if not path.is_file():
        return []
    return [{name: value if name in _WORDS else float(value) for name, value in row.items()} for row in read_rows(path)]


def part_of(row: Row) -> tuple[str, str, int]:
    """Return what a part is identified by."""
    return row["image"], row["kind"], int(row["part"])


def by_method(rows: Iterable[Row]) -> dict[str, dict[tuple[str, str, int], Row]]:
    """Return method -> part -> row."""
    sorted_rows: dict[str, dict[tuple[str, str, int], Row]] = {}
    for row in rows:
        sorted_rows.setdefault(row["method"], {})[part_of(row)] = row
    return sorted_rows


def mean_by_person(rows: Iterable[Row], metric: str = "psnr") -> float:
    """Return the mean over people of the mean over each one's parts."""
    people: dict[str, list[float]] = {}
    for row in rows:
        people.setdefault(row["subject"], []).append(row[metric])
    return float(np.mean([np.mean(values) for values in people.values()]))
