"""Fills of one region whose errors are independent, and what speaks for each: smooth, other side, average head."""

from __future__ import annotations

import dataclasses

import numpy as np

from .atlas.fitted import Fitted, continue_inwards, fit
from .atlas.registration import Registration
from .blending.by_name import BLENDS
from .initial_fill import initial_fill
from .other_side import Comparison, other_side
from .prediction import METHODS, Prediction, Run
from .region import Region


@dataclasses.dataclass(frozen=True)
class IndependentFills:
    """The fills of a region; arrays have its shape, fills its scale.

    Attributes:
        smooth: thin plate.
        mirror: of the method `mirror`, blended; in a part without another side it is what that method falls back to.
        atlas: the average head, fitted and joined to the rim.
        depth: mm from each voxel of the hole to the nearest known one; 0 elsewhere.
        alike: correlation of the two sides around the part that a voxel is of; 0 where it cannot be mirrored.
        fitted: the average head as this scan would show it, before it is joined to the rim.
        registration: of the atlas.
        compared: the region beside its other side; None where there is none.
        mirror_said: what `mirror` predicted.
    """

    smooth: np.ndarray
    mirror: np.ndarray
    atlas: np.ndarray
    depth: np.ndarray
    alike: np.ndarray
    fitted: Fitted
    registration: Registration
    compared: Comparison | None
    mirror_said: Prediction


def fill_independently(region: Region, registration: Registration, run: Run) -> IndependentFills:
    """Fill a region by each of the three.

    Args:
        region: to fill.
        registration: of the atlas onto its image, one that fits.
        run: seed and progress.
    """
    progress = run.progress
    compared = other_side(region, progress.part(0.0, 0.3))
    fitted = fit(region, registration)
    atlas = continue_inwards(region, fitted.values)
    mirror, said = fill_by_mirror(region, dataclasses.replace(run, progress=progress.part(0.3, 0.95)))
    progress.update(0.95, "Joining the fills")
    return IndependentFills(
        smooth=initial_fill(region),
        mirror=mirror,
        atlas=atlas,
        depth=depths(region),
        alike=likeness(region, compared),
        fitted=fitted,
        registration=registration,
        compared=compared,
        mirror_said=said,
    )


def fill_by_mirror(region: Region, run: Run) -> tuple[np.ndarray, Prediction]:
    """Return the blended fill of the method `mirror`, and what it says of it."""
    info = METHODS["mirror"]
    assert info.fill is not None  # the decorator fills it in
    prediction = info.fill(region, info.parameters(), run)
    return BLENDS[info.blend](prediction.mean, region, run.progress), prediction


def mirror_instead(region: Region, run: Run, reason: str) -> Prediction:
    """Fill by the mirror, which says itself what it could not do."""
    mean, prediction = fill_by_mirror(region, run)
    instead = prediction.instead or "mirror"
    warning = f"All of the hole was filled by {instead}: {reason}."
    return dataclasses.replace(prediction, mean=mean, warnings=(warning, *prediction.warnings), instead=instead)


def depths(region: Region) -> np.ndarray:
    """Return the mm from each voxel of the hole to the nearest known one; 0 elsewhere."""
    from scipy import ndimage

    return ndimage.distance_transform_edt(region.hole, region.spacing)


def likeness(region: Region, compared: Comparison | None) -> np.ndarray:
    """Return for each voxel how well both sides correlate around its part; 0 where it cannot be mirrored."""
    if compared is None:
        return np.zeros(region.hole.shape)
    of_parts = [0.0, *(0.0 if part.reason else max(part.correlation, 0.0) for part in compared.parts)]
    return np.array(of_parts)[compared.zone]
