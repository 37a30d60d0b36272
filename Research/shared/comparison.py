"""Comparisons of two methods in a study of trained networks, in numbers and in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from MedInpaintLib.evaluation.protocol import TRIVIAL

from .cases import Case
from .statistics import Difference, Verdict
from .tables import compare

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


def of_condition(cases: Sequence[Case], label: str) -> list[Case]:
    """Return the cases of one condition."""
    return [case for case in cases if case["title"] == label]


def mean(cases: Sequence[Case], method: str, metric: str = "psnr") -> float:
    """Return a method's mean over all holes, or over images where the rows are means over an image's holes.

    Holes or images without this score are left out.
    """
    scores = [row[metric] for case in cases for row in case["scores"] if row["method"] == method]
    return float(np.mean([score for score in scores if score is not None]))


def difference(cases: Sequence[Case], comparison: Comparison, metric: str = "psnr") -> Difference:
    """Return the gain of the first method over the second, averaged over people.

    Args:
        cases: of all conditions.
        comparison: what is compared; every method but :data:`UNTRAINED` is a trained network.
        metric: of the scores.
    """
    own = of_condition(cases, comparison.condition)
    trained = not {comparison.first, comparison.second} <= UNTRAINED
    return compare(own, comparison.first, comparison.second, metric, trained=trained)


def in_words(comparison: Comparison, difference: Difference) -> str:
    """Return the verdict on two methods as a sentence.

    >>> in_words(Comparison("Strips", "RFR"), Difference(0.5, 0.4, 0.6, 8))
    '`RFR` is better than the thin plate'
    """
    return _WORDS[difference.verdict].format(_name(comparison.first), _name(comparison.second))


def levels(cases: Sequence[Case], arms: Mapping[str, str]) -> str:
    """Return the mean PSNR of one arm in each condition as a sentence.

    Args:
        cases: of all conditions.
        arms: label of a condition -> label of the arm that learned such holes.
    """
    parts = [f"{condition} {mean(of_condition(cases, condition), arm):.2f} dB" for condition, arm in arms.items()]
    return f"PSNR of the network that learned such holes: {', '.join(parts)}."


def _name(label: str) -> str:
    """Return a method's name in a sentence."""
    return "the thin plate" if label == BASE else f"`{label}`"
