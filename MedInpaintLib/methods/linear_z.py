"""Linear interpolation between slices, for missing slices and thick-slice scans."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..parameters import parameter
from ..prediction import Cost, Prediction, Run, method
from ..region import Region


@dataclasses.dataclass(frozen=True)
class Parameters:
    axis: str = parameter(
        "auto",
        choices=("auto", "slice", "row", "column"),
        help="Along which axis to interpolate; auto takes the one with the thickest voxels.",
    )


@method(
    name="linear-z",
    title="Linear between slices",
    family="interpolation",
    summary="Interpolates straight between the known slices before and after; made for missing or ruined slices.",
    trust="Good for one to three missing slices; blurs what moves from slice to slice.",
    reference="linear interpolation along one axis",
    parameters=Parameters,
    cost=Cost(0.002, 0.001),
)
def fill(region: Region, parameters: Parameters, run: Run) -> Prediction:
    """Interpolate linearly along the axis, constant beyond known voxels; lines without any copy the nearest one."""
    axis = _axis(parameters.axis, region)
    values = np.moveaxis(region.values, axis, 0)
    known = np.moveaxis(~region.hole, axis, 0)
    size = len(values)
    at = np.arange(size).reshape(-1, *(1,) * (values.ndim - 1))
    before = np.maximum.accumulate(np.where(known, at, -1), axis=0)
    after = np.minimum.accumulate(np.where(known, at, size)[::-1], axis=0)[::-1]
    lonely = (before < 0) & (after == size)
    before, after = np.where(before < 0, after, before), np.where(after == size, before, after)
    low = np.take_along_axis(values, np.clip(before, 0, size - 1), axis=0)
    high = np.take_along_axis(values, np.clip(after, 0, size - 1), axis=0)
    share = (at - before) / np.maximum(after - before, 1)
    filled = np.moveaxis(low + (high - low) * share, 0, axis)
    lonely = np.moveaxis(lonely, 0, axis)
    if lonely.any():
        filled = np.where(lonely, region.nearest_known(), filled)
    return Prediction(np.where(region.hole, filled, region.values))


def _axis(name: str, region: Region) -> int:
    if name == "auto":
        return int(np.argmax(region.spacing))
    # A 2-D region has no slice axis: its rows are taken.
    return max({"slice": -3, "row": -2, "column": -1}[name] + region.values.ndim, 0)
