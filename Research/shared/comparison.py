"""Differences between methods, paired hole by hole and averaged over people, and how to say them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from MedInpaintLib.errors import InputError
from .cases import Case

_UNITS = {"psnr": " dB"}
_DIGITS = {"psnr": 2, "ssim": 3}


@dataclasses.dataclass(frozen=True)
class Difference:
    """Mean over people and its standard error, infinite for one; of PSNR in dB, or SSIM."""

    mean: float
    error: float
    metric: str = "psnr"

    @property
    def told(self) -> bool:
        """Whether it is more than two standard errors from 0."""
        return abs(self.mean) > 2 * self.error

    def __str__(self) -> str:
        digits, unit = _DIGITS[self.metric], _UNITS.get(self.metric, "")
        spread = f" ± {self.error:.{digits}f}" if math.isfinite(self.error) else ""
        return f"{self.mean:+.{digits}f}{spread}{unit}"


def difference(found: Sequence[Case], better: str, worse: str, metric: str = "psnr") -> Difference:
    """Of two methods in the same holes, averaged over each person's: holes of one person are not independent.

    Args:
        found: the cases, of one exam.
        better, worse: labels of methods.
        metric: ``"psnr"`` or ``"ssim"``.

    Raises:
        InputError: there is no case.
    """
    gains: dict[str, list[float]] = {}
    for case in found:
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


def of_exam(found: Sequence[Case], label: str) -> list[Case]:
    """The cases of one exam."""
    return [case for case in found if case["title"] == label]


def mean(found: Sequence[Case], method: str, metric: str) -> float:
    """Over all holes."""
    return float(np.mean([row[metric] for case in found for row in case["scores"] if row["method"] == method]))


def verdict(each: Difference, yes: str, no: str) -> str:
    """``yes`` or ``no`` by its sign, with the number; or that it cannot be told.

    >>> verdict(Difference(0.5, 0.1), "wins", "loses")
    'wins (+0.50 ± 0.10 dB)'
    """
    if not each.told:
        return f"cannot be told apart ({each})"
    return f"{yes if each.mean > 0 else no} ({each})"
