"""What becomes of lesions in an estimated FLAIR: kept, faded, missed, invented."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

#: Brighter than this times the brain's median is a lesion, in FLAIR images; smaller ones than so many ml are noise.
BRIGHT, LEAST_ML = 1.35, 0.05
#: mm: the brain's rim, where skull and partial volumes are, takes no part; and from where to where beside a lesion the
#: tissue lies that it is compared with.
RIM_MM, BESIDE_MM = 4.0, (3.0, 8.0)


@dataclasses.dataclass(frozen=True)
class LesionsKept:
    """Lesions are those that the true image shows, by brightness.

    Attributes:
        true_ml, found_ml: volume that is bright in the truth, and in the estimate.
        kept_ml: bright in both.
        true_contrast, contrast: mean in the true lesions less that of the tissue beside them, over that; in the truth
            and in the estimate.
    """

    true_ml: float
    found_ml: float
    kept_ml: float
    true_contrast: float
    contrast: float

    @property
    def missed_ml(self) -> float:
        """Bright in the truth alone."""
        return self.true_ml - self.kept_ml

    @property
    def invented_ml(self) -> float:
        """Bright in the estimate alone."""
        return self.found_ml - self.kept_ml


def lesions_kept(made: np.ndarray, truth: np.ndarray, inside: np.ndarray, spacing: Sequence[float]) -> LesionsKept:
    """Compare an estimated FLAIR with the true one.

    Args:
        made, truth: real, of one shape and scale.
        inside: bool, the brain.
        spacing: mm in the order of the axes.
    """
    from scipy import ndimage

    ml = float(np.prod(spacing)) / 1000
    deep = ndimage.distance_transform_edt(inside, sampling=spacing) > RIM_MM
    limit = BRIGHT * float(np.median(truth[inside]))
    true, found = (_bright(each, deep, limit, ml) for each in (truth, made))
    away = ndimage.distance_transform_edt(~true, sampling=spacing) if true.any() else np.full(true.shape, np.inf)
    beside = deep & (away >= BESIDE_MM[0]) & (away <= BESIDE_MM[1])
    return LesionsKept(
        true.sum() * ml,
        found.sum() * ml,
        (true & found).sum() * ml,
        _contrast(truth, true, beside),
        _contrast(made, true, beside),
    )


def _bright(image: np.ndarray, deep: np.ndarray, limit: float, ml: float) -> np.ndarray:
    from scipy import ndimage

    labels, count = ndimage.label((image > limit) & deep)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * ml
    sizes[0] = 0
    return (sizes >= LEAST_ML)[labels]


def _contrast(image: np.ndarray, lesion: np.ndarray, beside: np.ndarray) -> float:
    if not lesion.any() or not beside.any():
        return float("nan")
    level = float(image[beside].mean())
    return (float(image[lesion].mean()) - level) / level
