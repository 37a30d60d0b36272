"""Whether one method is better than another, or on other people: differences, their intervals, and the verdict."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Mapping, Sequence

import numpy as np

from MedInpaintLib.errors import InputError

#: A verdict needs this many people or more: with fewer, the t-interval is wider than any difference seen here.
LEAST_PEOPLE = 5
#: Share of intervals that hold the true mean over people.
CONFIDENCE = 0.95
#: Two trainings with the same recipe differ by up to this much: the largest difference of the study `seeds` (0.33 dB,
#: SSIM 0.0033), rounded up to a tenth of a dB and to a thousandth. Smaller differences of trained networks may come
#: from the random numbers of the training. For `texture`, how far a fill's gradient is from the truth's, it is that
#: of the same study (0.016), rounded up to a hundredth. For `told`, how often a fill is told from the truth, it is that
#: of two trainings of one classifier in the study `forced-choice` (0.071), rounded up to a tenth.
CHANCE_OF_TRAINING = {"psnr": 0.4, "ssim": 0.004, "texture": 0.02, "told": 0.1}
#: Metrics of which less is better: errors, also of texture, of volumes of grey and white matter and of a registration
#: near a lesion, and how often a fill is told from the truth. Of the other metrics that are compared, more is better.
LOWER_IS_BETTER = ("nmse", "rmse", "mae", "report_rmse", "texture", "told", "grey", "white", "near")
#: Distance of the gradient energy, which is relative to the truth's, from 1. It is no column of a table: a fill can be
#: too rough as well as too smooth, so more gradient is not always better.
TEXTURE = "texture"
UNITS = {"psnr": " dB"}
DIGITS = {"psnr": 2}


class Verdict(enum.Enum):
    """The possible readings of a difference."""

    BETTER = "is better"
    WORSE = "is worse"
    UNCLEAR = "cannot be told apart"
    TOO_FEW = "too few people to tell"


def texture_error(energy: float) -> float:
    """Return :data:`TEXTURE` of a gradient energy.

    >>> texture_error(0.75), texture_error(1.25)
    (0.25, 0.25)
    """
    return abs(energy - 1)


@dataclasses.dataclass(frozen=True)
class Difference:
    """The gain of one method over another, averaged over people, or of one group of people over another.

    Attributes:
        mean: over people of the mean over each one's pairs, or the difference of two groups' means; positive where the
            first method or group is better.
        low, high: ends of its 95 % t-interval; infinite for one person.
        people: their number; of two groups, that of the smaller one.
        metric: of the gain.
        trained: whether a trained network is compared, so that the chance of its training counts, too.
    """

    mean: float
    low: float
    high: float
    people: int
    metric: str = "psnr"
    trained: bool = False

    @property
    def verdict(self) -> Verdict:
        """The reading of the interval, and of nothing else.

        Better or worse: the interval leaves out 0 and, where a network was trained, the mean exceeds
        :data:`CHANCE_OF_TRAINING`. A metric without such a chance has no clear verdict for trained networks.
        """
        if self.people < LEAST_PEOPLE:
            return Verdict.TOO_FEW
        chance = CHANCE_OF_TRAINING.get(self.metric, math.inf) if self.trained else 0.0
        if self.low <= 0 <= self.high or abs(self.mean) <= chance:
            return Verdict.UNCLEAR
        return Verdict.BETTER if self.mean > 0 else Verdict.WORSE

    def __str__(self) -> str:
        """Return the mean with its interval, such as ``+0.50 dB (+0.21 to +0.79)``."""
        digits = DIGITS.get(self.metric, 3)
        interval = f" ({self.low:+.{digits}f} to {self.high:+.{digits}f})" if math.isfinite(self.low) else ""
        return f"{self.mean:+.{digits}f}{UNITS.get(self.metric, '')}{interval}"


def difference_by_person(
    gains: Mapping[str, Sequence[float]], metric: str = "psnr", *, trained: bool = False
) -> Difference:
    """Return the mean gain over people with its t-interval; images and holes of one person are not independent.

    Args:
        gains: person -> the first method's score less the second's, for each hole that both filled; turned round where
            less is better.
        metric: of the scores.
        trained: whether a trained network is compared.

    Raises:
        InputError: there is no pair, or a gain is not finite.

    >>> print(difference_by_person({"a": [1.0], "b": [2.0, 4.0], "c": [2.0], "d": [1.0], "e": [3.0]}))
    +2.00 dB (+0.76 to +3.24)
    """
    from scipy import stats

    means = _means(gains)
    if not means:
        raise InputError("There is nothing to compare: no hole was filled by both methods.")
    mean, people = float(np.mean(means)), len(means)
    if people == 1:
        return Difference(mean, -math.inf, math.inf, 1, metric, trained)
    error = float(np.std(means, ddof=1)) / math.sqrt(people)
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, people - 1)) * error
    return Difference(mean, mean - reach, mean + reach, people, metric, trained)


def difference_of_groups(
    first: Mapping[str, Sequence[float]],
    second: Mapping[str, Sequence[float]],
    metric: str = "psnr",
    *,
    trained: bool = False,
) -> Difference:
    """Return the difference of two groups' means over people with its t-interval, by Welch's test.

    For groups of different people, whose scores cannot be paired and may vary differently.

    Args:
        first, second: person -> scores of all the person's holes, of which more is better.
        metric: of the scores.
        trained: whether trained networks are compared.

    Raises:
        InputError: a group is empty, or a score is not finite.

    >>> print(difference_of_groups({"a": [1.0], "b": [2.0, 4.0], "c": [2.0]}, {"d": [0.0], "e": [1.0]}))
    +1.50 dB (-0.99 to +3.99)
    """
    from scipy import stats

    means = [_means(group) for group in (first, second)]
    people = min(map(len, means))
    if not people:
        raise InputError("There is nothing to compare: nobody in one of the groups has a score.")
    mean = float(np.mean(means[0]) - np.mean(means[1]))
    if people == 1:
        return Difference(mean, -math.inf, math.inf, 1, metric, trained)
    variances = [float(np.var(each, ddof=1)) / len(each) for each in means]
    total = sum(variances)
    spread = sum(variance**2 / (len(each) - 1) for variance, each in zip(variances, means, strict=True))
    # Where nobody differs from the rest of their group, the interval has no width whatever the degrees of freedom.
    degrees = total**2 / spread if spread else math.inf
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, degrees)) * math.sqrt(total)
    return Difference(mean, mean - reach, mean + reach, people, metric, trained)


def _means(scores: Mapping[str, Sequence[float]]) -> list[float]:
    """Return each person's mean; people without a score are left out.

    Raises:
        InputError: a score is not finite.
    """
    if not np.isfinite([score for each in scores.values() for score in each]).all():
        raise InputError("A score that is not finite cannot be averaged; limit or leave it out when it is measured.")
    return [float(np.mean(each)) for each in scores.values() if len(each)]


def reading(difference: Difference, yes: str = "is better", no: str = "is worse") -> str:
    """Return the verdict in words, with the difference and the number of people.

    >>> reading(Difference(0.5, 0.3, 0.7, 8), "wins", "loses")
    'wins: +0.50 dB (+0.30 to +0.70), 8 people'
    """
    words = {Verdict.BETTER: yes, Verdict.WORSE: no}.get(difference.verdict, difference.verdict.value)
    return f"{words}: {difference}, {difference.people} {'person' if difference.people == 1 else 'people'}"
