"""Independent fills of one region, and the evidence for each: smooth, other side, average head, patches."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from .atlas.fitted import Fitted, continue_inwards, fit
from .atlas.registration import Registration
from .blending.by_name import BLENDS
from .initial_fill import initial_fill
from .other_side import Comparison, has_large_part, other_side
from .prediction import METHODS, Prediction, Run
from .region import Region

#: ml up to which a part is also filled by patches: these take 0.25 s a ml.
PATCHES_ML = 40.0


@dataclasses.dataclass(frozen=True)
class IndependentFills:
    """The fills of a region; arrays have its shape, fills its scale.

    Attributes:
        smooth: thin plate.
        others: ``"mirror"`` (of that method, blended; in a part without another side it is what the method falls back
            to), ``"atlas"`` (the average head, fitted and joined to the rim) and, unless the hole is larger than
            :data:`PATCHES_ML`, ``"patch"`` (of that method, blended).
        depth: mm from each voxel of the hole to the nearest known one; 0 elsewhere.
        alike: correlation of the two sides around the part that a voxel is of; 0 where it cannot be mirrored.
        fitted: the average head as this scan would show it, before it is joined to the rim.
        registration: of the atlas.
        compared: the region beside its other side; None where there is none.
    """

    smooth: np.ndarray
    others: dict[str, np.ndarray]
    depth: np.ndarray
    alike: np.ndarray
    fitted: Fitted
    registration: Registration
    compared: Comparison | None


def fill_independently(region: Region, registration: Registration, run: Run) -> IndependentFills:
    """Fill a region by each of them.

    Args:
        region: to fill.
        registration: of the atlas onto its image, one that fits.
        run: seed and progress.
    """
    with_patches = int(np.count_nonzero(region.fill)) * math.prod(region.spacing) / 1000 <= PATCHES_ML
    for_other, for_atlas, for_mirror, for_patches = run.progress.remaining(*_seconds(region, with_patches))
    compared = other_side(region, for_other)
    for_atlas.update(0.0, "Fitting the atlas")
    fitted = fit(region, registration)
    others = {"atlas": continue_inwards(region, fitted.values, for_atlas.part(0.3, 1.0))}
    others["mirror"], _ = fill_by("mirror", region, dataclasses.replace(run, progress=for_mirror))
    if with_patches:
        others["patch"], _ = fill_by("patch", region, dataclasses.replace(run, progress=for_patches))
    run.progress.update(1.0, "Joining the fills")
    return IndependentFills(
        smooth=initial_fill(region),
        others=others,
        depth=depths(region),
        alike=likeness(region, compared),
        fitted=fitted,
        registration=registration,
        compared=compared,
    )


def _seconds(region: Region, with_patches: bool) -> tuple[float, float, float, float]:
    """Return about what the other side, the atlas, the mirror and patches take, beside what an image's regions share.

    Fitted to balls of 20 to 40 mm, a stroke of 141 ml and a tumor of 298 ml in heads at 1 mm.
    """
    thousands, boxed = np.count_nonzero(region.fill) / 1000, region.hole.size / 1e6
    mirror = 0.015 * thousands if has_large_part(region) else 0.35 * thousands
    patches = METHODS["patch"].cost.seconds(int(1000 * thousands)) if with_patches else 0.0
    return 0.5 + 1.3 * boxed, 0.6 * boxed + 0.01 * thousands, 0.1 + mirror, patches


def fill_by(name: str, region: Region, run: Run) -> tuple[np.ndarray, Prediction]:
    """Return the blended fill of a method with its defaults, and what it says of it."""
    info = METHODS[name]
    assert info.fill is not None  # the decorator fills it in
    prediction = info.fill(region, info.parameters(), run)
    return BLENDS[info.blend](prediction.mean, region, run.progress), prediction


def mirror_instead(region: Region, run: Run, reason: str) -> Prediction:
    """Fill by the mirror, which says itself what it could not do."""
    mean, prediction = fill_by("mirror", region, run)
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
