"""The edges of the atlas on an image, which show how well it fits there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .maps import head_maps
from .registration import Registration

#: The labels of the edges.
BRAIN, WHITE = 1, 2
NAMES = {BRAIN: "outline of the brain", WHITE: "border of white matter"}
#: The share at which a tissue begins.
SHARE = 0.5
#: Slices that are this many times as thick as the smallest side of a voxel are drawn one by one: an edge from one slice
#: to the next would fill wide areas of both.
THICK = 2.0
#: Slices whose places are looked up at a time: places take 12 bytes a voxel.
SLICES = 8


def edge_labels(registration: Registration, shape: Sequence[int], spacing: Sequence[float]) -> np.ndarray:
    """Return the edges of the brain and of its white matter, as the atlas expects them, under the hole as elsewhere.

    An edge is the outermost layer of voxels in which the share of the tissue is :data:`SHARE` or more. At the border of
    the image there is none. Where both meet, it is the outline of the brain.

    Args:
        registration: of the subject's image.
        shape: of the subject's arrays.
        spacing: of them, mm.

    Returns:
        uint8: 0, :data:`BRAIN` or :data:`WHITE`.
    """
    maps = head_maps()
    tissues = {WHITE: maps.channels[1], BRAIN: maps.brain}
    inside = {label: np.empty(shape, dtype=bool) for label in tissues}
    for start in range(0, shape[0], SLICES):
        box = (slice(start, min(start + SLICES, shape[0])), *(slice(0, size) for size in shape[1:]))
        places = registration.places(box)
        for label, share in tissues.items():
            inside[label][box] = maps.sample(share, places) >= SHARE
    labels = np.zeros(shape, dtype=np.uint8)
    for label, voxels in inside.items():
        labels[_outermost(voxels, spacing)] = label
    return labels


def _outermost(voxels: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return the voxels with a neighbour beside a face that is not one of them; across thick slices, none counts."""
    enclosed = voxels.copy()
    for axis, mm in enumerate(spacing):
        if mm < THICK * min(spacing):
            along, own = np.moveaxis(enclosed, axis, 0), np.moveaxis(voxels, axis, 0)
            along[1:] &= own[:-1]
            along[:-1] &= own[1:]
    return voxels & ~enclosed
