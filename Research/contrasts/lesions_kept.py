"""How lesions appear in an estimated FLAIR: kept, faded, missed, invented."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

#: In FLAIR images, a lesion is brighter than this times the brain's median; below so many ml it counts as noise.
BRIGHT, LEAST_ML = 1.35, 0.05
#: mm: width of the brain's rim, which is left out because of skull and partial volumes; and the range of distances from
#: a lesion of the tissue with which it is compared.
RIM_MM, BESIDE_MM = 4.0, (3.0, 8.0)


@dataclasses.dataclass(frozen=True)
class LesionsKept:
    """Lesions of the true image, by brightness, and their appearance in the estimate.

    Attributes:
        true_ml, found_ml: volume that is bright in the truth, and in the estimate.
        kept_ml: volume that is bright in both.
        true_contrast, contrast: (mean in the true lesions - mean beside them) / mean beside them; in the truth and in
            the estimate.
    """

    true_ml: float
    found_ml: float
    kept_ml: float
    true_contrast: float
    contrast: float

    @property
    def missed_ml(self) -> float:
        """Volume that is bright in the truth alone."""
        return self.true_ml - self.kept_ml

    @property
    def invented_ml(self) -> float:
        """Volume that is bright in the estimate alone."""
        return self.found_ml - self.kept_ml


def lesions_kept(estimate: np.ndarray, truth: np.ndarray, inside: np.ndarray, spacing: Sequence[float]) -> LesionsKept:
    """Compare an estimated FLAIR with the true one.

    Args:
        estimate, truth: real, of one shape and scale.
        inside: bool, the brain.
        spacing: mm in the order of the axes.
    """
    from scipy import ndimage

    ml = float(np.prod(spacing)) / 1000
    deep = _deep(inside, spacing)
    limit = BRIGHT * float(np.median(truth[inside]))
    true, estimated = (_bright(each, deep, limit, ml) for each in (truth, estimate))
    away = ndimage.distance_transform_edt(~true, sampling=spacing) if true.any() else np.full(true.shape, np.inf)
    beside = deep & (away >= BESIDE_MM[0]) & (away <= BESIDE_MM[1])
    return LesionsKept(
        true.sum() * ml,
        estimated.sum() * ml,
        (true & estimated).sum() * ml,
        _contrast(truth, true, beside),
        _contrast(estimate, true, beside),
    )


def lesions_by_rule(truth: np.ndarray, inside: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return where a true FLAIR is as bright as lesions are, bool; arguments as for :func:`lesions_kept`."""
    limit = BRIGHT * float(np.median(truth[inside]))
    return _bright(truth, _deep(inside, spacing), limit, float(np.prod(spacing)) / 1000)


def _deep(inside: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return the brain without its rim."""
    from scipy import ndimage

    return ndimage.distance_transform_edt(inside, sampling=spacing) > RIM_MM


def _bright(image: np.ndarray, deep: np.ndarray, limit: float, ml: float) -> np.ndarray:
    """Return where the image is brighter than the limit, small components left out."""
    from scipy import ndimage

    labels, count = ndimage.label((image > limit) & deep)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * ml
    sizes[0] = 0
    return (sizes >= LEAST_ML)[labels]


def _contrast(image: np.ndarray, lesion: np.ndarray, beside: np.ndarray) -> float:
    """Return the relative contrast of the lesion to the tissue beside it; NaN where either is empty."""
    if not lesion.any() or not beside.any():
        return float("nan")
    level = float(image[beside].mean())
    return (float(image[lesion].mean()) - level) / level
