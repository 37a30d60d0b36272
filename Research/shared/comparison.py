"""The table of scores of a study, and comparisons of two methods in it, in numbers and in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from MedInpaintLib.evaluation.protocol import TRIVIAL

from .statistics import Difference, Verdict, difference_by_person

#: Fills without training; a network has to be better than the first.
WITHOUT = ("biharmonic", "harmonic")
BASE = WITHOUT[0]
UNTRAINED = frozenset((TRIVIAL, *WITHOUT))

_WORDS = {
    Verdict.BETTER: "{0} is better than {1}",
    Verdict.WORSE: "{0} is worse than {1}",
    Verdict.UNCLEAR: "{0} and {1} cannot be told apart",
    Verdict.TOO_FEW: "Too few people to tell {0} from {1}",
}


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two methods that are compared on the images of one condition.

    Attributes:
        condition: label of the condition.
        first: label of the method that is judged.
        second: label of the method that it is compared with.
    """

    condition: str
    first: str
    second: str = BASE


@dataclasses.dataclass(frozen=True)
class Scores:
    """The table of a study: a row for each method and image.

    Attributes:
        rows: each holds ``condition``, ``image``, ``subject`` (the person), ``seed`` (of the holes), ``method`` and the
            metrics, which are means over the image's holes; None where a metric is undefined.
    """

    rows: Sequence[Mapping[str, Any]]

    def count(self, what: str, condition: str | None = None) -> int:
        """Return how many different values a column has, in one condition or in all."""
        return len({row[what] for row in self.rows if condition in (None, row["condition"])})

    def mean(self, condition: str, method: str, metric: str = "psnr") -> float:
        """Return a method's mean over images."""
        return float(np.mean(list(self._of(condition, method, metric).values())))

    def gains(self, comparison: Comparison, metric: str = "psnr") -> dict[tuple[str, int], float]:
        """Return (image, seed) -> the first method's score less the second's, where both have one."""
        first, second = (
            self._of(comparison.condition, method, metric) for method in (comparison.first, comparison.second)
        )
        return {key: first[key] - second[key] for key in first if key in second}

    def difference(self, comparison: Comparison, metric: str = "psnr") -> Difference:
        """Return the gain of the first method over the second, averaged over people.

        Raises:
            InputError: no image was filled by both.
        """
        people = {(row["image"], row["seed"]): row["subject"] for row in self.rows}
        gains: dict[str, list[float]] = {}
        for key, gain in self.gains(comparison, metric).items():
            gains.setdefault(people[key], []).append(gain)
        trained = not {comparison.first, comparison.second} <= UNTRAINED
        return difference_by_person(gains, metric, trained=trained)

    def _of(self, condition: str, method: str, metric: str) -> dict[tuple[str, int], float]:
        """Return (image, seed) -> score."""
        return {
            (row["image"], row["seed"]): row[metric]
            for row in self.rows
            if row["condition"] == condition and row["method"] == method and row[metric] is not None
        }


def in_words(comparison: Comparison, difference: Difference) -> str:
    """Return the verdict on two methods as a sentence.

    >>> in_words(Comparison("Strips", "RFR"), Difference(0.5, 0.4, 0.6, 8))
    '`RFR` is better than the thin plate'
    """
    return _WORDS[difference.verdict].format(_name(comparison.first), _name(comparison.second))


def levels(scores: Scores, arms: Mapping[str, str]) -> str:
    """Return the mean PSNR of one arm in each condition as a sentence.

    Args:
        scores: of the study.
        arms: label of a condition -> label of the arm that learned such holes.
    """
    parts = [f"{condition} {scores.mean(condition, arm):.2f} dB" for condition, arm in arms.items()]
    return f"PSNR of the network that learned such holes: {', '.join(parts)}."


def _name(label: str) -> str:
    """Return a method's name in a sentence."""
    return "the thin plate" if label == BASE else f"`{label}`"
