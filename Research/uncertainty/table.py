"""How many errors of each person lie within multiples of the shipped standard deviation, by method and size of hole."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.calibration_table import calibration_of

from ..shared.manifests import read_rows, write_rows
from ..uncertainty_constants.judge import SIZES, by_size
from ..uncertainty_constants.samples import OfMethod

COVERAGE = "coverage.csv.gz"
#: Multiples of the standard deviation at which errors are counted; the shares at 1 and 2 are the coverage.
MULTIPLES = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
ONE, TWO = MULTIPLES.index(1.0), MULTIPLES.index(2.0)


@dataclasses.dataclass(frozen=True)
class Line:
    """One person's holes of one size, filled by one method.

    Attributes:
        modality, axes: of the image.
        method: its name.
        size: mm (pixels of films), the upper end of the size.
        subject: identifier of the person.
        holes: how many.
        within: shares of the errors within each of :data:`MULTIPLES`, all holes alike.
        raw: shares within one and two of the method's own standard deviation, uncalibrated; None where it has none.
    """

    modality: str
    axes: int
    method: str
    size: float
    subject: str
    holes: int
    within: tuple[float, ...]
    raw: tuple[float, float] | None

    @property
    def kind(self) -> tuple[str, int]:
        """The kind of image."""
        return self.modality, self.axes


def count(measured: Mapping[tuple[tuple[str, int], str], Sequence[OfMethod]]) -> Iterator[Line]:
    """Yield a line for each person, method and size of hole; none for methods without constants.

    Args:
        measured: errors by kind of image and method.
    """
    for ((modality, axes), method), samples in measured.items():
        calibration = calibration_of(method, modality, axes)
        if calibration is None:
            continue
        for size, parts in by_size(samples):
            for subject in sorted({each.subject for each in parts}):
                within, raw = [], []
                for each in (part for part in parts if part.subject == subject):
                    error, evidence = np.abs(each.error), each.evidence
                    deviation = calibration.deviation(evidence)
                    for own in (each.hole == hole for hole in np.unique(each.hole)):
                        within.append([float((error[own] <= k * deviation[own]).mean()) for k in MULTIPLES])
                        if evidence.spread is not None:
                            raw.append([float((error[own] <= k * evidence.spread[own]).mean()) for k in (1, 2)])
                one, two = np.mean(raw, axis=0).tolist() if raw else (0.0, 0.0)
                shares = tuple(np.mean(within, axis=0).tolist())
                yield Line(modality, axes, method, size, subject, len(within), shares, (one, two) if raw else None)


def write_lines(lines: Sequence[Line], path: Path) -> None:
    """Write the lines as a table, in which the largest size is empty."""
    head = ["modality", "axes", "method", "size", "subject", "holes", *(f"within {k:g}" for k in MULTIPLES)]
    rows: list[list[object]] = [[*head, "own within 1", "own within 2"]]
    for line in lines:
        shares = [f"{share:.4f}" for share in line.within]
        own = ["", ""] if line.raw is None else [f"{share:.4f}" for share in line.raw]
        size = "" if np.isinf(line.size) else f"{line.size:g}"
        rows.append([line.modality, line.axes, line.method, size, line.subject, line.holes, *shares, *own])
    write_rows(path, rows)


def read_lines(folder: Path) -> list[Line]:
    """Return the lines of the table in a folder."""
    return [
        Line(
            row["modality"],
            int(row["axes"]),
            row["method"],
            float(row["size"] or "inf"),
            row["subject"],
            int(row["holes"]),
            tuple(float(row[f"within {k:g}"]) for k in MULTIPLES),
            (float(row["own within 1"]), float(row["own within 2"])) if row["own within 1"] else None,
        )
        for row in read_rows(folder / COVERAGE)
    ]


@dataclasses.dataclass(frozen=True)
class Pooled:
    """Shares of several people, all holes alike, with their standard deviation over people.

    Attributes:
        shares: of all holes.
        spread: NaN for one person.
        people, holes: how many.
    """

    shares: np.ndarray
    spread: np.ndarray
    people: int
    holes: int


def pooled(lines: Sequence[Line], *, raw: bool = False) -> Pooled | None:
    """Return the shares of some lines together; None without any.

    Args:
        lines: at least one.
        raw: those of the methods' own standard deviations; lines without are left out.
    """
    kept = [(line, line.raw if raw else line.within) for line in lines]
    pairs = [(line, np.array(shares)) for line, shares in kept if shares is not None]
    if not pairs:
        return None

    def mean(own: Sequence[tuple[Line, np.ndarray]]) -> np.ndarray:
        return np.average([shares for _, shares in own], axis=0, weights=[line.holes for line, _ in own])

    people = sorted({line.subject for line, _ in pairs})
    by_person = np.array([mean([pair for pair in pairs if pair[0].subject == subject]) for subject in people])
    spread = by_person.std(axis=0, ddof=1) if len(people) > 1 else np.full(by_person.shape[1], np.nan)
    return Pooled(mean(pairs), spread, len(people), sum(line.holes for line, _ in pairs))


def sizes_in_words(size: float, unit: str) -> str:
    """Return the range of a size of holes in words.

    >>> sizes_in_words(9.0, "mm"), sizes_in_words(16.0, "mm"), sizes_in_words(float("inf"), "px")
    ('up to 9 mm', '9 to 16 mm', 'over 26 px')
    """
    index = SIZES.index(size)
    if index == 0:
        return f"up to {size:g} {unit}"
    low = SIZES[index - 1]
    return f"over {low:g} {unit}" if np.isinf(size) else f"{low:g} to {size:g} {unit}"
