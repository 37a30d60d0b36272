"""The consensus: the weighted mean of fills whose errors are independent, by weights for depth and evidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .independent_fills import IndependentFills
from .prediction import Prediction
from .region import Region

#: The shares of the mirror's and the atlas' fill in what is added to the smooth one: sums of a constant, the depth in
#: cm (2 at most), the correlation of the two sides around the part, and the share of the surroundings' variance that
#: the atlas explains. Least squares over balls of 12 to 40 mm in train people, each ball alike:
#: ``python -m Research consensus-weights``.
MIRROR = (0.68, -0.17, 0.28, -0.29)
ATLAS = (0.25, 0.33, -0.17, 0.24)
#: Variances of the error, in the squared range of the image: a constant, for each squared difference of the two fills
#: from their mean, and for each mm of depth (10 at most); from the same balls.
CONSTANT, DISAGREEMENT, DEPTH = 0.0029, 0.74, 0.0020
#: mm of depth beyond which the error does not grow.
DEEPEST = 10.0


def join(region: Region, fills: IndependentFills) -> Prediction:
    """Return the weighted mean of the fills of a region."""
    explained = fills.fitted.explained
    parts = shares(evidence(fills.depth, fills.alike, explained))
    mean, apart = mix(fills.smooth, fills.mirror, fills.atlas, parts)
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
    """Return what the shares depend on, ``(4, ...)``, in the order of :data:`MIRROR` and :data:`ATLAS`.

    Args:
        depth: of each voxel below the rim of the hole, mm.
        alike: correlation of the two sides around its part.
        explained: share of the surroundings' variance that the atlas explains.
    """
    depth = np.asarray(depth, dtype=float)
    known = np.broadcast_to(np.clip(explained, 0.0, 1.0), depth.shape)
    return np.array([np.ones_like(depth), np.minimum(depth / 10.0, 2.0), np.maximum(alike, 0.0), known])


def shares(
    evidence: np.ndarray, mirror: Sequence[float] = MIRROR, atlas: Sequence[float] = ATLAS
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of the mirror's and the atlas' fill, each 0..1 and 1 at most together.

    Args:
        evidence: see :func:`evidence`.
        mirror, atlas: the weight of each kind of evidence.

    >>> mirror, atlas = shares(evidence(np.array([2.0, 20.0]), np.array([0.6, 0.6]), 0.7))
    >>> mirror.round(2).tolist(), atlas.round(2).tolist()
    ([0.61, 0.24], [0.38, 0.76])
    """
    of_mirror, of_atlas = (np.clip(np.tensordot(np.asarray(each), evidence, 1), 0.0, 1.0) for each in (mirror, atlas))
    total = np.maximum(of_mirror + of_atlas, 1.0)
    return of_mirror / total, of_atlas / total


def mix(
    smooth: np.ndarray,
    mirror: np.ndarray,
    atlas: np.ndarray,
    parts: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean of the fills, and how far they lie from it (squared).

    Args:
        smooth, mirror, atlas: the fills.
        parts: shares of mirror and atlas, see :func:`shares`.
    """
    of_mirror, of_atlas = parts
    mean = smooth + of_mirror * (mirror - smooth) + of_atlas * (atlas - smooth)
    return mean, of_mirror * (mirror - mean) ** 2 + of_atlas * (atlas - mean) ** 2
