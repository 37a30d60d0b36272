"""The tables of the study on disk, and what is read from them: means by person, and differences by person."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..shared.facts import read_facts
from ..shared.manifests import read_rows, write_rows
from ..shared.statistics import LOWER_IS_BETTER, Difference, difference_by_person
from .arms import ARMS, FROM_ONE, MAIN, METHODS, REGRESSION, RELEASED, RESCALED, Question

SCORES, LESIONS = "scores.csv.gz", "lesions.csv.gz"
#: Columns that are text; the others are numbers, or empty where there is none.
_TEXTS = ("session", "subject", "wanted", "there", "method")
#: In the table of lesions: the true image itself.
TRUTH = "truth"

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Measured:
    """The scores of the study.

    Attributes:
        scores: a row per method, question and slice.
        lesions: a row per method and session, for the questions whose lesions are looked at.
    """

    scores: list[Row]
    lesions: list[Row]


@dataclasses.dataclass(frozen=True)
class Table:
    """What the page is made from.

    Attributes:
        scores, lesions: see :class:`Measured`.
        facts: see :mod:`..shared.facts`.
    """

    scores: list[Row]
    lesions: list[Row]
    facts: dict[str, Any]

    @property
    def people(self) -> list[str]:
        """The people who were tested on, in the order of the table."""
        return list(dict.fromkeys(row["subject"] for row in self.scores))

    @property
    def best(self) -> str:
        """The label of the network that others have to match: the released one or, without it, the first arm."""
        return RELEASED if self.of(MAIN, RELEASED) else ARMS[0].label

    def of(self, question: Question, method: str, person: str = "") -> list[Row]:
        """Return the rows of a question and method, of one person or all, in the order of the slices."""
        wanted, there = question
        return [
            row
            for row in self.scores
            if (row["wanted"], row["there"], row["method"]) == (wanted, "+".join(there), method)
            and person in ("", row["subject"])
        ]

    def methods(self, question: Question) -> list[str]:
        """Return all methods that answer a question, in the order of :data:`.arms.METHODS`."""
        return [method for method in METHODS if self.of(question, method)]

    def by_person(self, question: Question, method: str, metric: str) -> dict[str, float]:
        """Return person -> mean over the slices of this person."""
        return {
            person: float(np.mean([row[metric] for row in rows]))
            for person in self.people
            if (rows := self.of(question, method, person))
        }

    def mean(self, question: Question, method: str, metric: str) -> float:
        """Return the mean over people of the mean over each one's slices."""
        return float(np.mean([*self.by_person(question, method, metric).values()]))

    def difference(self, question: Question, one: str, other: str, metric: str = "nmse") -> Difference:
        """Return the gain of a method over another by person; pairs are slices, and one of both is a trained network.

        For errors a gain is how much less they are.
        """
        sign = -1 if metric in LOWER_IS_BETTER else 1
        gains: dict[str, list[float]] = {}
        for a, b in zip(self.of(question, one), self.of(question, other), strict=True):
            gains.setdefault(a["subject"], []).append(sign * (a[metric] - b[metric]))
        return difference_by_person(gains, metric, trained=True)

    def comparisons(self, question: Question) -> Iterator[tuple[str, str]]:
        """Yield which methods are compared: the best with the regression, the first arm with all other networks."""
        first = ARMS[0].label
        yield self.best, REGRESSION
        for method in self.methods(question):
            if method not in (first, RESCALED, REGRESSION):
                yield first, method

    def lesions_of(self, question: Question, method: str) -> list[Row]:
        """Return the rows on lesions of a question and method, one for each session."""
        return [row for row in self.lesions if (row["there"], row["method"]) == ("+".join(question[1]), method)]

    def lesion_methods(self) -> Iterator[tuple[Question, str]]:
        """Yield the questions and methods that have rows on lesions; the truth once, first."""
        yield MAIN, TRUTH
        for question in (MAIN, FROM_ONE):
            for method in METHODS:
                if self.lesions_of(question, method):
                    yield question, method


def read_table(folder: Path) -> Table:
    """Read what :func:`write_table` and :func:`..shared.facts.write_facts` have written to a folder."""
    scores, lesions = ([_typed(row) for row in read_rows(folder / name)] for name in (SCORES, LESIONS))
    return Table(scores, lesions, read_facts(folder))


def write_table(measured: Measured, folder: Path) -> None:
    """Write ``scores.csv.gz`` and ``lesions.csv.gz``, a line for each row."""
    for name, rows in ((SCORES, measured.scores), (LESIONS, measured.lesions)):
        write_rows(folder / name, [list(rows[0]), *(_cells(row.values()) for row in rows)])


def _cells(values: Sequence[Any] | Any) -> list[Any]:
    return [f"{value:.5g}" if isinstance(value, float) else value for value in values]


def _typed(row: dict[str, str]) -> Row:
    """Return a row of a CSV file with numbers for what are numbers."""
    return {name: value if name in _TEXTS else float(value) if value else None for name, value in row.items()}
