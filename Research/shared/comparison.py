"""Differences between methods, paired hole by hole and averaged over people, and sentences about them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence

import numpy as np

from MedInpaintLib.errors import InputError

from .cases import Case

_UNITS = {"psnr": " dB"}
_DIGITS = {"psnr": 2, "ssim": 3}


@dataclasses.dataclass(frozen=True)
class Difference:
    """Mean over people and its standard error, infinite for one person; of PSNR in dB, or SSIM."""

    mean: float
    error: float
    metric: str = "psnr"

    @property
    def is_clear(self) -> bool:
        """Whether it is more than two standard errors from 0."""
        return abs(self.mean) > 2 * self.error

    def __str__(self) -> str:
        digits, unit = _DIGITS[self.metric], _UNITS.get(self.metric, "")
        spread = f" ± {self.error:.{digits}f}" if math.isfinite(self.error) else ""
        return f"{self.mean:+.{digits}f}{spread}{unit}"


def difference(cases: Sequence[Case], better: str, worse: str, metric: str = "psnr") -> Difference:
    """Return the difference of two methods in the same holes, averaged over people, whose holes are not independent.

    Args:
        cases: of one condition.
        better, worse: labels of methods.
        metric: ``"psnr"`` or ``"ssim"``.

    Raises:
        InputError: there is no case.
    """
    gains: dict[str, list[float]] = {}
    for case in cases:
        scores = {(row["method"], row["hole"]): row[metric] for row in case["scores"]}
        for hole in {hole for _, hole in scores}:
            one, other = scores[better, hole], scores[worse, hole]
            # Two perfect fills, of infinite PSNR, do not differ.
            gains.setdefault(case["subject"], []).append(0.0 if one == other else one - other)
    if not gains:
        raise InputError(f"There is no case in which '{better}' and '{worse}' could be compared: no hole fitted.")
    means = [float(np.mean(each)) for each in gains.values()]
    error = float(np.std(means, ddof=1) / math.sqrt(len(means))) if len(means) > 1 else math.inf
    return Difference(float(np.mean(means)), error, metric)


def of_condition(cases: Sequence[Case], label: str) -> list[Case]:
    """Return the cases of one condition."""
    return [case for case in cases if case["title"] == label]


def mean(cases: Sequence[Case], method: str, metric: str) -> float:
    """Return a method's mean over all holes."""
    return float(np.mean([row[metric] for case in cases for row in case["scores"] if row["method"] == method]))


def compare_trainings(
    cases: Sequence[Case], conditions: Iterable[str], narrow: str, wide: str, *, words: tuple[str, str]
) -> str:
    """Say, for each condition, what one arm gains over the thin plate, and whether another arm is better than it.

    Args:
        cases: all.
        conditions: labels.
        narrow, wide: labels of the arms.
        words: what each of them learned from.
    """
    parts = []
    for condition in conditions:
        own = of_condition(cases, condition)
        parts.append(
            f"{condition}: the network that learned {words[0]} gains {difference(own, narrow, 'biharmonic')} over the "
            f"thin plate; the one that learned {words[1]} "
            f"{verdict(difference(own, wide, narrow), 'is better', 'is worse')}"
        )
    return "; ".join(parts) + "."


def verdict(difference: Difference, yes: str, no: str) -> str:
    """Return ``yes`` or ``no`` by the sign, with the number; or that the two cannot be told apart.

    >>> verdict(Difference(0.5, 0.1), "wins", "loses")
    'wins (+0.50 ± 0.10 dB)'
    """
    if not difference.is_clear:
        return f"cannot be told apart ({difference})"
    return f"{yes if difference.mean > 0 else no} ({difference})"
