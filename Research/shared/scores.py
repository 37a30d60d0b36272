"""The table of scores in a page's folder: written after the measurement, read to write the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .cases import Case
from .facts import read_facts
from .manifests import read_rows, write_rows

SCORES = "scores.csv.gz"
#: Columns before those of the metrics.
_COLUMNS = ("task", "image", "subject", "seed", "R", "method", "hole")


def write_scores(cases: Sequence[Case], metrics: Sequence[str], path: Path) -> None:
    """Write a CSV file with a line for each method and hole; the cell of a score that is None is empty."""
    rows: list[list[object]] = [[*_COLUMNS, *metrics]]
    for case in cases:
        own = [case["task"], case["image"], case["subject"], case["seed"], f"{case['range']:.6g}"]
        rows += [
            [*own, row["method"], row["hole"], *(_cell(row[metric]) for metric in metrics)] for row in case["scores"]
        ]
    write_rows(path, rows)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"


def read_scores(path: Path) -> list[Case]:
    """Return the cases that :func:`write_scores` wrote, in the same order; what the file does not hold is missing."""
    cases: dict[tuple[str, str, str], Case] = {}
    for row in read_rows(path):
        case = cases.setdefault(
            (row["task"], row["image"], row["seed"]),
            {
                "task": row["task"],
                "image": row["image"],
                "subject": row["subject"],
                "seed": int(row["seed"]),
                "range": float(row["R"]),
                "scores": [],
            },
        )
        scores: dict[str, Any] = {
            name: float(value) if value else None for name, value in row.items() if name not in _COLUMNS
        }
        hole: int | str = int(row["hole"]) if row["hole"].isdigit() else row["hole"]
        case["scores"].append({"method": row["method"], "hole": hole, **scores})
    return list(cases.values())


def read_cases(folder: Path) -> list[Case]:
    """Return the cases of a page, with the mean seconds of their task from the page's facts."""
    seconds = read_facts(folder)["seconds"]
    return [{**case, "seconds": seconds[case["task"]]} for case in read_scores(folder / SCORES)]


def mean_seconds(cases: Sequence[Case]) -> dict[str, dict[str, float]]:
    """Return task -> method -> mean time to fill a case, in seconds with two decimals, for the facts of a page."""
    times: dict[str, dict[str, list[float]]] = {}
    for case in cases:
        for method, seconds in case["seconds"].items():
            times.setdefault(case["task"], {}).setdefault(method, []).append(seconds)
    return {
        task: {method: round(float(np.mean(values)), 2) for method, values in methods.items()}
        for task, methods in times.items()
    }
