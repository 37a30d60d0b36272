"""Slices that a DICOM series lacks: filled when the user says so, or marks them whole; never taken as known."""

from __future__ import annotations

import dataclasses

import numpy as np

from .errors import GeometryError
from .mask import Hole, bounding_box
from .mask_values import Meaning
from .volume import Volume


def with_missing_slices(image: Volume, hole: Hole | None, *, fill: bool) -> tuple[Hole, list[str]]:
    """Return the hole with the slices that the image lacks, and a warning that names them.

    Args:
        image: to be filled.
        hole: what the mask marks; None for nothing.
        fill: whether missing slices that the mask does not mark are filled, too.

    Raises:
        GeometryError: the mask does not mark all of them whole, and they are not to be filled.
    """
    if not image.missing:
        assert hole is not None  # only missing slices can stand in for a mask
        return hole, []
    voxels = np.zeros(image.array.shape, dtype=bool) if hole is None else hole.full()
    missing = list(image.missing)
    if not fill and not voxels[missing].all():
        raise GeometryError(
            f"{image.header.lacks('The series')}. Fill what is missing with --fill-missing-slices "
            "(fill_missing_slices=True), or mark it whole in the mask."
        )
    voxels[missing] = True
    box = bounding_box(voxels)
    assert box is not None  # the missing slices are in it
    listed = ", ".join(str(k) for k in missing[:10]) + (" and more" if len(missing) > 10 else "")
    warning = f"The series lacks {len(missing)} of its {len(voxels)} slices (k = {listed}); they were filled whole."
    inner = np.ascontiguousarray(voxels[box])
    if hole is None:
        hole = Hole(inner, box, voxels.shape, Meaning("empty", "the slices that the series lacks are filled"))
    return dataclasses.replace(hole, voxels=inner, box=box), [warning]
