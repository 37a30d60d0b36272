"""Shell mean: the trivial fill that every other method has to beat."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..parameters import parameter
from ..prediction import Cost, Prediction, Run, method
from ..region import Region


@dataclasses.dataclass(frozen=True)
class Parameters:
    thickness: float = parameter(
        2.0, unit="mm", minimum=0.1, maximum=6.0, help="Thickness of the shell of known voxels that is averaged."
    )


@method(
    name="shell-mean",
    title="Mean of the surrounding shell",
    family="trivial",
    summary="One constant per hole: the mean of the known voxels around it. The yardstick, not a tool.",
    trust="A flat patch: good for nothing but comparison and for keeping outliers away.",
    reference="the trivial row of every table",
    parameters=Parameters,
    context_mm=6.0,
    cost=Cost(0.001, 0.0005),
)
def fill(region: Region, parameters: Parameters, run: Run) -> Prediction:
    """Fill each connected part with the mean of the known voxels within ``thickness`` (at least one layer) of it."""
    from scipy import ndimage

    from ..mask import grow

    labels, _ = ndimage.label(region.fill, structure=np.ones((3,) * region.hole.ndim))
    layers = [max(1, int(parameters.thickness / mm)) for mm in region.spacing]
    values = region.values.copy()
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        around = grow(box, layers, region.hole.shape)
        own = labels[around] == number
        distance = ndimage.distance_transform_edt(~own, sampling=region.spacing)
        adjacent = ndimage.binary_dilation(own)
        shell = ((distance <= parameters.thickness) | adjacent) & ~region.hole[around]
        # Where voxels without data are all around, the shell is what is known nearest to the part.
        nearby = region.values[around][shell] if shell.any() else region.nearest_known()[around][own]
        values[around][own] = nearby.mean(dtype=np.float64)
    return Prediction(values)
