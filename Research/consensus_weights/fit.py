"""Weights by least squares: of the shares of mirror and atlas, and of the variance of the error."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from MedInpaintLib.consensus import DEEPEST, mix, shares

from .samples import Samples

#: Ridge, relative to the mean of the normal equations' diagonal: the kinds of evidence are not independent.
RIDGE = 0.02
#: Squared error of the smooth fill, relative to which a ball's error counts, at least: flat balls would outweigh all.
LEAST = 1e-4


@dataclasses.dataclass(frozen=True)
class Weights:
    """The weights of the method `consensus`, one for each kind of evidence."""

    mirror: tuple[float, ...]
    atlas: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Variance:
    """The variance of the error: a constant, for each squared disagreement of the fills, and for each mm of depth."""

    constant: float
    disagreement: float
    depth: float


def fit_weights(samples: Iterable[Samples]) -> Weights:
    """Return the weights with the least squared error, relative to the smooth fill's in each ball, all balls alike.

    The truth less the smooth fill is regressed on the evidence times what each fill adds to the smooth one; that shares
    end at 0 and 1 is left out.
    """
    normal, right = np.zeros((8, 8)), np.zeros(8)
    for each in samples:
        columns = _columns(each)
        error = np.bincount(each.ball, (each.smooth - each.truth) ** 2 * each.weight)
        weight = each.weight / np.maximum(error, LEAST)[each.ball]
        normal += (columns * weight) @ columns.T
        right += (columns * weight) @ (each.truth - each.smooth)
    solved = np.linalg.solve(normal + RIDGE * np.trace(normal) / len(normal) * np.eye(len(normal)), right)
    return Weights(tuple(solved[:4].tolist()), tuple(solved[4:].tolist()))


def predict(samples: Samples, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Return what the method fills in with some weights, and how far the two fills lie from it (squared).

    Args:
        samples: of one scan.
        weights: of the shares.
    """
    parts = shares(samples.evidence, weights.mirror, weights.atlas)
    return mix(samples.smooth, samples.mirror, samples.atlas, parts)


def fit_variance(samples: Sequence[Samples], weights: Weights) -> Variance:
    """Return the non-negative weights of the error's variance, by least squares, each ball alike."""
    from scipy.optimize import nnls

    rows, errors = [], []
    for each in samples:
        mean, apart = predict(each, weights)
        root = np.sqrt(each.weight)
        columns = np.array([np.ones_like(mean), apart, np.minimum(each.depth, DEEPEST)])
        rows.append((columns * root).T)
        errors.append((mean - each.truth) ** 2 * root)
    solved, _ = nnls(np.concatenate(rows), np.concatenate(errors))
    return Variance(*solved.tolist())


def _columns(samples: Samples) -> np.ndarray:
    """Return the regressors, ``(8, n)``: the evidence times what mirror and atlas add to the smooth fill."""
    added = [samples.mirror - samples.smooth, samples.atlas - samples.smooth]
    return np.concatenate([samples.evidence * each for each in added])
