"""Calibration: the constants that turn what is known of a filled voxel into the standard deviation of its error.

It is ``factor(depth) * sqrt((1 - own) * contrast² + own * spread²)``: the contrast is the standard deviation of the
known tissue around the part, the spread what the method says of itself where it says something, and the factor grows
with the depth of the voxel. The constants of each method are in :mod:`.calibration_table`.
"""

from __future__ import annotations

import dataclasses

import numpy as np

#: mm of depth at which the factors are given; linear between, constant beyond.
DEPTHS = (1.0, 2.2, 4.0, 6.5, 10.0)
#: Shares of a normal distribution within one and two standard deviations.
WITHIN_ONE, WITHIN_TWO = 0.6827, 0.9545
#: Factors that are tried between those that match one share each, and the smallest: in flat tissue all errors are 0.
CANDIDATES, LEAST_RATIO = 65, 1e-6


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What is known of each filled voxel of a region: 1-D arrays in the order of its hole, in the image's units.

    Attributes:
        depth: mm to the nearest known voxel.
        contrast: standard deviation of the known tissue around the voxel's part.
        spread: standard deviation by the method itself; None where it has none.
        least: the smallest standard deviation that is given: no fill is better than the steps of the intensities.
    """

    depth: np.ndarray
    contrast: np.ndarray
    spread: np.ndarray | None
    least: float


@dataclasses.dataclass(frozen=True)
class Calibration:
    """The constants of one method in one kind of image.

    Attributes:
        factors: at each of :data:`DEPTHS`.
        own: share of the method's own variance in what is scaled, 0 to 1; the rest is that of the surroundings.

    >>> evidence = Evidence(np.array([1.0, 6.5, 30.0]), np.full(3, 10.0), None, least=0.1)
    >>> Calibration((0.2, 0.3, 0.4, 0.5, 0.6)).deviation(evidence).tolist()
    [2.0, 5.0, 6.0]
    """

    factors: tuple[float, ...]
    own: float = 0.0

    def deviation(self, evidence: Evidence) -> np.ndarray:
        """Return the standard deviation of each voxel."""
        factor = np.interp(evidence.depth, DEPTHS, self.factors)
        return np.maximum(factor * self.scale(evidence), evidence.least)

    def scale(self, evidence: Evidence) -> np.ndarray:
        """Return what the factors scale. Without a spread it is the contrast, whatever the share."""
        if evidence.spread is None:
            return evidence.contrast
        return np.sqrt((1 - self.own) * evidence.contrast**2 + self.own * evidence.spread.astype(np.float64) ** 2)

    def scaled(self, factor: float) -> Calibration:
        """Return constants with which every standard deviation is so many times as large."""
        return Calibration(tuple(each * factor for each in self.factors), self.own)


#: For a method whose spread is already a calibrated standard deviation.
AS_GIVEN = Calibration((1.0,) * len(DEPTHS), own=1.0)


def matching_factor(ratios: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return the factor by which standard deviations must grow so that they cover the errors as they should.

    Errors are not normal: the factor that has 68 % within one standard deviation leaves less than 95 % within two. The
    result is between the factors that match one share each, where the larger deviation of the two shares is least.

    Args:
        ratios: absolute errors over standard deviations, at least one.
        weights: of each; all alike when None.

    >>> round(matching_factor(np.abs(np.random.default_rng(0).normal(0, 3, 100_000))), 1)
    3.0
    """
    order = np.argsort(ratios, kind="stable")
    values = np.asarray(ratios, dtype=np.float64)[order]
    total = np.cumsum(np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)[order])
    shares = np.concatenate([[0.0], total / total[-1]])
    one, two = (
        values[min(int(np.searchsorted(shares[1:], each)), len(values) - 1)] for each in (WITHIN_ONE, WITHIN_TWO)
    )
    low, high = sorted([max(one, LEAST_RATIO), max(two / 2, LEAST_RATIO)])
    factors = np.geomspace(low, high, CANDIDATES)
    within = (shares[np.searchsorted(values, multiple * factors, side="right")] for multiple in (1, 2))
    off = [np.abs(share - right) for share, right in zip(within, (WITHIN_ONE, WITHIN_TWO), strict=True)]
    return float(factors[np.argmin(np.maximum(*off))])


def shares_within(errors: np.ndarray, deviations: np.ndarray) -> tuple[float, float]:
    """Return the shares of absolute errors that are within one and within two standard deviations.

    >>> shares_within(np.array([0.5, 1.5, 2.5, 0.0]), np.array([1.0, 1.0, 1.0, 0.0]))
    (0.5, 0.75)
    """
    return float((errors <= deviations).mean()), float((errors <= 2 * deviations).mean())
