"""Slice-by-slice work for methods that are 2-D."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .progress import Progress
from .region import Region


def fill_slices(region: Region, fill: Callable[[np.ndarray, np.ndarray], np.ndarray], progress: Progress) -> np.ndarray:
    """Fill each slice that touches the hole on its own.

    Slices are cut across the axis with the thickest voxels (the first one when all are alike), where a 2-D method
    sees the finest grid. A slice without a known voxel keeps the value of the nearest slice that has one.

    Args:
        region: 2-D or 3-D.
        fill: ``fill(values, hole)`` returns the filled slice; float32 and bool, 2-D.
        progress: reports and cancels.
    """
    if region.values.ndim == 2:
        return fill(region.values, region.hole)
    axis = int(np.argmax(region.spacing))
    values, hole = np.moveaxis(region.values, axis, 0).copy(), np.moveaxis(region.hole, axis, 0)
    blind = np.asarray(hole.all(axis=(1, 2)))
    seeing = np.flatnonzero(~blind)
    # Slices that have nothing but voxels without data in them are filled where another one needs their values.
    touched = np.flatnonzero(np.moveaxis(region.fill, axis, 0).any(axis=(1, 2)))
    nearest = {number: seeing[np.argmin(np.abs(seeing - number))] for number in touched}
    needed = sorted({number for number in nearest.values() if hole[number].any()})
    for count, number in enumerate(needed):
        progress.update(count / len(needed), "Filling slices")
        values[number] = fill(np.ascontiguousarray(values[number]), np.ascontiguousarray(hole[number]))
    for number in touched[blind[touched]]:
        values[number] = values[nearest[number]]
    return np.moveaxis(values, 0, axis)
