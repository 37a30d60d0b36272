"""Weights by least squares: of the shares of the fills, and of the variance of the error."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from MedInpaintLib.consensus import DEEPEST, WEIGHTS, mix, shares

from .samples import Samples

#: Ridge, relative to the mean of the normal equations' diagonal: the kinds of evidence are not independent.
RIDGE = 0.02
#: Squared error of the smooth fill, relative to which a ball's error counts, at least: flat balls would outweigh all.
LEAST = 1e-4
#: Kinds of evidence, see :func:`MedInpaintLib.consensus.evidence`.
KINDS = 4
#: Name of a fill -> the weight of each kind of evidence.
Weights = Mapping[str, tuple[float, ...]]


@dataclasses.dataclass(frozen=True)
class Variance:
    """The variance of the error: a constant, for each squared disagreement of the fills, and for each mm of depth."""

    constant: float
    disagreement: float
    depth: float


def fit_weights(samples: Iterable[Samples], names: Sequence[str] = tuple(WEIGHTS)) -> Weights:
    """Return the weights with the least squared error, relative to the smooth fill's in each ball, all balls alike.

    The truth less the smooth fill is regressed on the evidence times what each fill adds to the smooth one; that shares
    end at 0 and 1 is left out.

    Args:
        samples: to learn from.
        names: of the fills that are weighed.
    """
    size = KINDS * len(names)
    normal, right = np.zeros((size, size)), np.zeros(size)
    for each in samples:
        columns = _columns(each, names)
        error = np.bincount(each.ball, (each.smooth - each.truth) ** 2 * each.weight)
        weight = each.weight / np.maximum(error, LEAST)[each.ball]
        normal += (columns * weight) @ columns.T
        right += (columns * weight) @ (each.truth - each.smooth)
    solved = np.linalg.solve(normal + RIDGE * np.trace(normal) / size * np.eye(size), right)
    return {name: tuple(own.tolist()) for name, own in zip(names, solved.reshape(-1, KINDS), strict=True)}


def predict(samples: Samples, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Return what the method fills in with some weights, and how far the fills lie from it (squared).

    Args:
        samples: of one scan.
        weights: of the shares.
    """
    return mix(samples.smooth, samples.others, shares(samples.evidence, weights))


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


def _columns(samples: Samples, names: Sequence[str]) -> np.ndarray:
    """Return the regressors, ``(KINDS * names, n)``: the evidence times what each fill adds to the smooth one."""
    return np.concatenate([samples.evidence * (samples.others[name] - samples.smooth) for name in names])
