"""The consensus: the weighted mean of fills whose errors are independent, by weights for depth and evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .independent_fills import IndependentFills
from .prediction import Prediction
from .region import Region

#: For each fill the weights of its share in what is added to the smooth one: the share is the sum of a constant, the
#: depth in cm (2 at most), the correlation of the two sides around the part, and the share of the surroundings'
#: variance that the atlas explains. Least squares over balls of 12 to 40 mm in train people, each ball alike:
#: ``python -m Research consensus-weights``.
WEIGHTS = {
    "mirror": (0.31, 0.04, 0.31, -0.18),
    "atlas": (0.20, 0.35, -0.18, 0.28),
    "patch": (0.51, -0.29, -0.02, -0.18),
}
#: The same for parts that are not filled by patches.
WITHOUT_PATCHES = {"mirror": (0.68, -0.17, 0.28, -0.29), "atlas": (0.25, 0.33, -0.17, 0.24)}
#: Variances of the error, in the squared range of the image: a constant, for each squared difference of the fills from
#: their mean, and for each mm of depth (10 at most); from the same balls.
CONSTANT, DISAGREEMENT, DEPTH = 0.0019, 0.99, 0.0019
#: mm of depth beyond which the error does not grow.
DEEPEST = 10.0


def join(region: Region, fills: IndependentFills) -> Prediction:
    """Return the weighted mean of the fills of a region."""
    explained = fills.fitted.explained
    weights = WEIGHTS if "patch" in fills.others else WITHOUT_PATCHES
    parts = shares(evidence(fills.depth, fills.alike, explained), weights)
    mean, apart = mix(fills.smooth, fills.others, parts)
    variance = CONSTANT + DISAGREEMENT * apart + DEPTH * np.minimum(fills.depth, DEEPEST)
    alone = np.count_nonzero(region.fill & (fills.alike <= 0))
    notes = {
        "agreement with the atlas around the hole": explained,
        "correlation around the hole": float(fills.alike[region.fill].max()),
    }
    warnings: tuple[str, ...] = ()
    if alone:
        few = f"{alone} voxels of the hole were filled by the atlas and the tissue around them alone"
        warnings = (f"{few}: the other side is not known there, or not like this one.",)
    return Prediction(mean, np.sqrt(variance).astype(np.float32), notes, warnings)


def evidence(depth: np.ndarray, alike: np.ndarray, explained: float | np.ndarray) -> np.ndarray:
    """Return what the shares depend on, ``(4, ...)``, in the order of :data:`WEIGHTS`.

    Args:
        depth: of each voxel below the rim of the hole, mm.
        alike: correlation of the two sides around its part.
        explained: share of the surroundings' variance that the atlas explains.
    """
    depth = np.asarray(depth, dtype=float)
    known = np.broadcast_to(np.clip(explained, 0.0, 1.0), depth.shape)
    return np.array([np.ones_like(depth), np.minimum(depth / 10.0, 2.0), np.maximum(alike, 0.0), known])


def shares(evidence: np.ndarray, weights: Mapping[str, Sequence[float]] = WEIGHTS) -> dict[str, np.ndarray]:
    """Return the share of each fill, 0..1 and 1 at most together; the rest is the smooth fill's.

    Args:
        evidence: see :func:`evidence`.
        weights: name of a fill -> the weight of each kind of evidence.

    >>> found = shares(evidence(np.array([2.0, 20.0]), np.array([0.6, 0.6]), 0.7), WITHOUT_PATCHES)
    >>> {name: share.round(2).tolist() for name, share in found.items()}
    {'mirror': [0.61, 0.24], 'atlas': [0.38, 0.76]}
    """
    found = {name: np.clip(np.tensordot(np.asarray(own), evidence, 1), 0.0, 1.0) for name, own in weights.items()}
    total = np.maximum(sum(found.values()), 1.0)
    return {name: share / total for name, share in found.items()}


def mix(
    smooth: np.ndarray, others: Mapping[str, np.ndarray], parts: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean of the fills, and how far they lie from it (squared).

    Args:
        smooth: the fill to which the others add.
        others: name -> fill.
        parts: name -> share, see :func:`shares`.
    """
    mean = smooth + sum(share * (others[name] - smooth) for name, share in parts.items())
    return mean, np.asarray(sum(share * (others[name] - mean) ** 2 for name, share in parts.items()))
