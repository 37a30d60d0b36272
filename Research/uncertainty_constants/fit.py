"""The constants of one method: a factor for each depth, and how much of the method's own spread counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from MedInpaintLib.calibration import DEPTHS, Calibration, Evidence, matching_factor

from .samples import OfMethod

#: mm between the depths of which one factor each is learned; the factors stand at :data:`.calibration.DEPTHS`.
EDGES = (1.5, 3.0, 5.0, 8.0)
#: Shares of the method's own variance that are tried. A larger one is taken only if it reduces the mean log density of
#: the errors by GAIN at least.
OWN, GAIN = (0.0, 0.5, 0.9, 1.0), 0.01
#: Factors are interpolated between depths, so they are matched again so many times.
ROUNDS = 4


@dataclasses.dataclass(frozen=True)
class Errors:
    """Errors of one method in all images: arrays with one value a voxel.

    Attributes:
        error: the absolute error.
        evidence: what is known of each voxel.
        weight: of each, 1 for each hole in total.
    """

    error: np.ndarray
    evidence: Evidence
    weight: np.ndarray


def joined(samples: Sequence[OfMethod]) -> Errors:
    """Return the errors of all images, each as a share of its own smallest standard deviation.

    Images have different units; those of the constants cancel.
    """
    spreads = [each.evidence.spread for each in samples]

    def all_of(arrays: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate([array / each.evidence.least for array, each in zip(arrays, samples, strict=True)])

    evidence = Evidence(
        np.concatenate([each.evidence.depth for each in samples]),
        all_of([each.evidence.contrast for each in samples]),
        None if any(each is None for each in spreads) else all_of([each for each in spreads if each is not None]),
        1.0,
    )
    errors = all_of([np.abs(each.error) for each in samples])
    return Errors(errors, evidence, np.concatenate([each.weight for each in samples]))


def fit(samples: Sequence[OfMethod]) -> Calibration:
    """Return the constants with which the standard deviations of a method cover its errors.

    Args:
        samples: of all images, at least one.
    """
    errors = joined(samples)
    best: Calibration | None = None
    least = np.inf
    for own in OWN if errors.evidence.spread is not None else (0.0,):
        calibration = _matched(errors, own)
        loss = _loss(errors, calibration)
        if best is None or loss < least - GAIN:
            best, least = calibration, loss
    assert best is not None  # there is at least one share
    return Calibration(tuple(round(each, 3) for each in best.factors), best.own)


def _matched(errors: Errors, own: float) -> Calibration:
    """Return the constants whose factors match the errors at each depth, and do not fall with the depth."""
    bins = np.searchsorted(EDGES, errors.evidence.depth)
    weights = np.bincount(bins, errors.weight, minlength=len(DEPTHS))
    factors = np.ones(len(DEPTHS))
    for _ in range(ROUNDS):
        ratios = errors.error / Calibration(tuple(factors), own).deviation(errors.evidence)
        for number in range(len(DEPTHS)):
            inside = bins == number
            if inside.any():
                factors[number] *= matching_factor(ratios[inside], errors.weight[inside])
        factors = rising(factors, weights)
    return Calibration(tuple(factors.tolist()), own)


def rising(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the values that never fall and are nearest to these; those without weight get that of the one before.

    >>> rising(np.array([1.0, 3.0, 2.0, 9.0]), np.array([1.0, 1.0, 1.0, 0.0])).tolist()
    [1.0, 2.5, 2.5, 2.5]
    """
    groups: list[list[float]] = []  # mean, weight, count
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        if weight <= 0 and groups:
            groups[-1][2] += 1
            continue
        groups.append([value, weight, 1])
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            mean, own, count = groups.pop()
            last = groups[-1]
            total = last[1] + own
            last[:] = [(last[0] * last[1] + mean * own) / total if total else mean, total, last[2] + count]
    return np.array([mean for mean, _, count in groups for _ in range(int(count))])


def _loss(errors: Errors, calibration: Calibration) -> float:
    """Return minus the mean log density of the errors, double-exponential: heavier tails than the normal one."""
    deviation = calibration.deviation(errors.evidence)
    return float(np.average(np.log(deviation) + np.sqrt(2) * errors.error / deviation, weights=errors.weight))


def variances(samples: Sequence[OfMethod], calibration: Calibration) -> tuple[float, float]:
    """Return how much the logarithm of the matching factor varies between holes of one image, and between images.

    Args:
        samples: of one method.
        calibration: its constants.
    """
    within: list[float] = []
    means: list[float] = []
    counts: list[int] = []
    for each in samples:
        ratios = np.abs(each.error) / calibration.deviation(each.evidence)
        logs = [np.log(max(matching_factor(ratios[each.hole == hole]), 1e-3)) for hole in np.unique(each.hole)]
        if len(logs) > 1:
            within.append(float(np.var(logs, ddof=1)))
            means.append(float(np.mean(logs)))
            counts.append(len(logs))
    if len(means) < 2:
        return np.nan, np.nan
    noise = float(np.mean(within))
    return noise, float(np.var(means, ddof=1)) - noise * float(np.mean(1 / np.array(counts)))


def holes_for_half(pairs: Sequence[tuple[float, float]]) -> float:
    """Return the number of trial holes of an image that tell as much of its own factor as other people do.

    It is the variance between holes over that between images, of all methods together.

    Args:
        pairs: what :func:`variances` returned for each method.

    >>> holes_for_half([(0.2, 0.05), (0.4, 0.15), (float("nan"), float("nan"))])
    3.0
    """
    known = [pair for pair in pairs if not np.isnan(pair[0])]
    if not known:
        return np.nan
    within, between = np.mean(known, axis=0).tolist()
    return round(within / max(between, 1e-2), 3)
