"""Coverage: how many errors lie within one and two standard deviations, by the size of the hole."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from MedInpaintLib.calibration import Calibration

from .samples import OfMethod

#: mm, upper ends of the sizes of holes in tables.
SIZES = (9.0, 16.0, 26.0, np.inf)


@dataclasses.dataclass(frozen=True)
class Coverage:
    """Shares of the errors within one and two standard deviations, each hole alike.

    Attributes:
        one, two: of all holes.
        spread_one, spread_two: their standard deviation over people; NaN for one person.
        people, holes: how many.
    """

    one: float
    two: float
    spread_one: float
    spread_two: float
    people: int
    holes: int


def coverage(samples: Sequence[OfMethod], constants: Callable[[OfMethod], Calibration]) -> Coverage | None:
    """Return the coverage in some samples; None without any.

    Args:
        samples: of one method.
        constants: returns those for the samples of an image.
    """
    shares: list[tuple[str, float, float]] = []
    for each in samples:
        ratios = np.abs(each.error) / constants(each).deviation(each.evidence)
        shares += [
            (each.subject, float((ratios[own] <= 1).mean()), float((ratios[own] <= 2).mean()))
            for own in (each.hole == hole for hole in np.unique(each.hole))
        ]
    if not shares:
        return None
    people = sorted({subject for subject, _, _ in shares})
    by_person = np.array([np.mean([s[1:] for s in shares if s[0] == subject], axis=0) for subject in people])
    one, two = np.mean([share[1:] for share in shares], axis=0)
    spread = by_person.std(axis=0, ddof=1) if len(people) > 1 else np.full(2, np.nan)
    return Coverage(float(one), float(two), float(spread[0]), float(spread[1]), len(people), len(shares))


def by_size(samples: Sequence[OfMethod]) -> Iterator[tuple[float, list[OfMethod]]]:
    """Yield the samples of each size of hole, with the upper end of the size, mm."""
    low = 0.0
    for high in SIZES:
        parts = [part for each in samples if (part := _between(each, low, high)) is not None]
        if parts:
            yield high, parts
        low = high


def _between(samples: OfMethod, low: float, high: float) -> OfMethod | None:
    own = (samples.size > low) & (samples.size <= high)
    return chosen(samples, own) if own.any() else None


def chosen(samples: OfMethod, own: np.ndarray) -> OfMethod:
    """Return some voxels of the samples."""
    evidence = samples.evidence
    return dataclasses.replace(
        samples,
        hole=samples.hole[own],
        size=samples.size[own],
        error=samples.error[own],
        evidence=dataclasses.replace(
            evidence,
            depth=evidence.depth[own],
            contrast=evidence.contrast[own],
            spread=None if evidence.spread is None else evidence.spread[own],
        ),
    )
