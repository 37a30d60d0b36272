"""The average head in a scan's own intensities: tissue maps fitted to what is known around a hole."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..progress import Progress
from ..region import Region
from ..solvers.fill import solve_biharmonic
from .maps import head_maps
from .registration import Registration

#: mm from the hole over which a known voxel's weight in the fit falls to exp(-1).
REACH = 10.0
#: The weight of known voxels outside of the brain of the atlas, where its maps are 0: what is there is no tissue of it.
OUTSIDE = 0.05
#: Ridge on the coefficients of the maps, relative to intensities of 0..1.
RIDGE = 1e-3
#: mm of depth over which the misfit at the rim loses an e-fold on its way inwards.
FADING = 15.0
#: Weights below this are left out of the fit.
LITTLE = 1e-3


@dataclasses.dataclass(frozen=True)
class Fitted:
    """The atlas as a scan would show it in a region.

    Attributes:
        values: float32 of the region's shape and scale.
        deviation: root mean square of what remains between it and the known voxels around the hole.
        explained: share of the variance of these voxels that it explains, -inf..1.
    """

    values: np.ndarray
    deviation: float
    explained: float


def fit(region: Region, registration: Registration) -> Fitted:
    """Fit tissue maps and average brightness to a region by ridge regression, weighted by the distance from the hole.

    The scan there is taken as a linear combination of grey matter, white matter, fluid, brightness on T1, a constant
    and the guides, so any contrast can be met, and a lesion elsewhere does not matter.
    """
    from scipy import ndimage

    maps = head_maps()
    places = registration.places(region.place)
    channels = [maps.sample(each, places) for each in maps.channels]
    brain = np.minimum(channels[0] + channels[1] + channels[2], 1.0)
    regressors = np.array([*channels, *region.guides, np.ones(region.hole.shape, dtype=np.float32)])
    distance = ndimage.distance_transform_edt(~region.fill, region.spacing)
    weight = np.where(region.hole, 0.0, np.exp(-((distance / REACH) ** 2)) * np.maximum(brain, OUTSIDE))
    used = weight > LITTLE
    columns, weights, values = regressors[:, used].astype(float), weight[used], region.values[used].astype(float)
    total = max(float(weights.sum()), 1e-9)
    gram = (columns * weights) @ columns.T / total + np.diag([*[RIDGE] * (len(columns) - 1), 1e-9])
    shares = np.linalg.solve(gram, (columns * weights) @ values / total)
    residual = values - shares @ columns
    squared = float((weights * residual**2).sum()) / total
    mean = float(weights @ values) / total
    variance = float(weights @ (values - mean) ** 2) / total
    fitted = np.tensordot(shares.astype(np.float32), regressors, 1)
    return Fitted(fitted, squared**0.5, 1.0 - squared / max(variance, 1e-9))


def continue_inwards(region: Region, fitted: np.ndarray, progress: Progress | None = None) -> np.ndarray:
    """Add the misfit of an estimate at the hole's rim to it, continued into the hole by a thin plate that fades.

    Returns:
        float32 of the region's shape: the known values, and the corrected estimate within their range.
    """
    from scipy import ndimage

    misfit = np.where(region.hole, 0.0, region.values - fitted).astype(np.float32)
    plate = solve_biharmonic(misfit, region.fill, region.spacing, no_data=region.no_data, progress=progress).values
    depth = ndimage.distance_transform_edt(region.hole, region.spacing)
    known = region.values[~region.hole]
    filled = np.clip(fitted + plate * np.exp(-depth / FADING), known.min(), known.max())
    return np.where(region.hole, filled, region.values).astype(np.float32)
