"""Label maps: a segmentation's voxels as whole numbers, checked, and the names that come with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DoubtError, GeometryError, ImageReadError
from ..io.label_names import names_of, read_table
from ..io.segments import is_segmentation
from ..mask_values import numbered
from ..volume import Volume

#: Of an image, fewer neighbors than this share have one value; with so few values it may be anything.
SAME_NEIGHBORS, FEW_LABELS = 0.5, 16
#: How a user says that a doubt is unfounded.
FORCE = "To go on anyway, add --force (force=True)."


def labels_in(volume: Volume, force: bool) -> np.ndarray:
    """Return a segmentation's labels as whole numbers.

    Raises:
        ImageReadError, GeometryError, DoubtError: it is no label map, as far as that can be told.
    """
    array = volume.array
    if is_segmentation(volume.metadata):
        raise ImageReadError(
            "The segmentation is one of Slicer's, whose segments may overlap. Put the lesion back in Slicer "
            "(MedInpaint, Compare), or export the segmentation as a label map."
        )
    if array.ndim != 3:
        raise GeometryError("The segmentation must be 3-D: regions of a flat image have no volume.")
    whole = None if array.dtype.kind == "f" and np.isinf(array).any() else numbered(array)
    if whole is None:
        raise ImageReadError(
            "The segmentation holds fractions, like probabilities or an image: a label map has whole numbers. Of FSL "
            "FAST give _seg or _pveseg, and resample label maps with nearest neighbors."
        )
    if not whole.any():
        raise ImageReadError("The segmentation is empty: all its voxels are 0.")
    if not force and _looks_like_image(whole):
        raise DoubtError(
            "The segmentation looks like an image: neighbors have different values nearly everywhere. Give the label "
            f"map that was made of the filled image. {FORCE}"
        )
    return whole


def _looks_like_image(whole: np.ndarray) -> bool:
    equal = pairs = 0
    values: set[int] = set()
    for plane in whole:
        first, second = plane[:, :-1], plane[:, 1:]
        both = (first != 0) & (second != 0)
        pairs += int(np.count_nonzero(both))
        equal += int(np.count_nonzero(both & (first == second)))
        if len(values) <= FEW_LABELS:
            values.update(np.unique(plane).tolist())
    return len(values) > FEW_LABELS and equal < SAME_NEIGHBORS * pairs


def names_for(
    segmentation: Any, volume: Volume, names: str | os.PathLike[str] | Mapping[int, str] | None
) -> Mapping[int, str]:
    """Return names of labels from the user's table, or from tables in or beside the file."""
    if isinstance(names, Mapping):
        return {int(label): str(name) for label, name in names.items()}
    if names is not None:
        return read_table(names)
    if isinstance(segmentation, (str, os.PathLike)) and Path(segmentation).is_file():
        return names_of(segmentation)
    return volume.label_names
