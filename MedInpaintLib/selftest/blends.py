"""Self-tests of the blends: as functions on arrays, and by the name that users give."""

from __future__ import annotations

import numpy as np

from .. import blending
from ..blending.by_name import BLENDS
from ..intensity import Scaling
from ..mask import Hole
from ..progress import Progress
from ..region import Region, crop
from ..subject import Subject
from ..volume import Volume
from .check import check, field, largest

_SPACING = (2.0, 1.0, 0.5)


def _ramp() -> np.ndarray:
    """Return a linear function of position in mm."""
    axes = np.meshgrid(*(np.arange(n) * mm for n, mm in zip((10, 12, 14), _SPACING, strict=True)), indexing="ij")
    return 0.3 + 0.2 * axes[0] - 0.1 * axes[1] + 0.4 * axes[2]


@check("Poisson blending removes a constant mismatch exactly, in 3-D")
def _poisson_constant() -> float:
    truth, hole = field()
    return largest(blending.poisson(truth + 5.0, np.where(hole, -9.0, truth), hole, spacing=_SPACING) - truth)


@check("Poisson blending removes a linear mismatch exactly, whatever the spacing")
def _poisson_ramp() -> float:
    truth, hole = field()
    return largest(blending.poisson(truth + _ramp(), np.where(hole, -9.0, truth), hole, spacing=_SPACING) - truth)


@check("Poisson blending of a flat prediction into a ramp gives the ramp, in 2-D")
def _poisson_flat() -> float:
    ramp, hole = _ramp()[0], field()[1][4]
    return largest(blending.poisson(np.zeros_like(ramp), ramp, hole, spacing=_SPACING[1:]) - ramp)


@check("Feathering closes the seam and leaves the middle of the hole alone")
def _feather() -> float:
    image, prediction = np.zeros((1, 41)), np.ones((1, 41))
    hole = np.zeros((1, 41), dtype=bool)
    hole[0, 10:31] = True
    blended = blending.feather(prediction, image, hole, width_mm=4.0)[0]
    # At 1, 2, 3 and 4 mm from the known pixels, s is 1/4 to 1, and what is left of the prediction is 3 s^2 - 2 s^3.
    expected = [5 / 32, 1 / 2, 27 / 32, 1.0, 1.0]
    return max(largest(blended[10:15] - expected), abs(blended[20] - 1.0), largest(blended - blended[::-1]))


@check("Pasting puts the prediction into the hole")
def _paste() -> float:
    truth, hole = field()
    return largest(blending.paste(truth + 1.0, truth, hole) - truth - hole)


@check("No blending changes a known voxel by a bit, or looks at a hidden one")
def _promises() -> float:
    truth, hole = field()
    image = truth.astype(np.float32)
    other = np.where(hole, np.float32(1e6), image)
    prediction = np.zeros_like(image)
    changes = 0.0
    for blend in (getattr(blending, name) for name in blending.__all__):
        first, second = blend(prediction, image, hole), blend(prediction, other, hole)
        changes += np.count_nonzero(first[~hole] != image[~hole]) + np.count_nonzero(first != second)
    return changes


@check("By name: a mismatch of 1 stays whole, fades over 3 mm of the region, or is removed")
def _by_name() -> float:
    region = _strip()
    # With pixels of 2 mm, the first of the hole has s = 2/3 of the fade's 3 mm: 3 s^2 - 2 s^3 = 20/27 is left.
    expected = {"paste": [1, 1, 1, 1], "feather": [20 / 27, 1, 1, 20 / 27], "poisson": [0, 0, 0, 0]}
    if set(expected) != set(BLENDS):
        raise AssertionError(f"expected values are missing for {', '.join(set(BLENDS) - set(expected))}")
    prediction = np.ones(region.values.shape, dtype=np.float32)
    blended = {name: blend(prediction, region, Progress()) for name, blend in BLENDS.items()}
    known = max(largest(values[~region.hole]) for values in blended.values())
    return known + max(largest(blended[name][:, 4:8] - np.array(row)) for name, row in expected.items())


def _strip() -> Region:
    """Return a region of zeros, with pixels of 2 mm, whose hole is a strip of four columns."""
    hole = np.zeros((6, 12), dtype=bool)
    hole[:, 4:8] = True
    box = (slice(0, 6), slice(0, 12))
    image = Volume(np.zeros(hole.shape, dtype=np.float32), (2.0, 2.0))
    return crop(Subject(image, Hole(hole, box, hole.shape), Scaling(0.0, 1.0)), box)
