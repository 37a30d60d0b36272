"""Left and right: of regions by their names, and of voxels by the regions around them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

LEFT, RIGHT = "left", "right"
_WORDS = {"left": LEFT, "lh": LEFT, "l": LEFT, "right": RIGHT, "rh": RIGHT, "r": RIGHT}


def side_of(name: str) -> str:
    """Return ``"left"`` or ``"right"`` if a region's name says so, else an empty text.

    A single letter tells the side at either end of the name, where it is the only one: "R-C-S" is no right side.

    >>> [side_of(each) for each in ("Left-Putamen", "ctx-rh-insula", "Hippocampus_L", "Brain-Stem", "R-C-S")]
    ['left', 'right', 'left', '', '']
    """
    words = re.findall(r"[^\W_]+", name.lower())
    letters = [word for word in words if len(word) == 1 and word.isalpha()]
    ends = words[:1] + words[-1:]
    sides = {
        _WORDS[word] for word in words if word in _WORDS and (len(word) > 1 or (word in ends and len(letters) == 1))
    }
    return sides.pop() if len(sides) == 1 else ""


def sides_of_voxels(
    labels: np.ndarray, spacing: tuple[float, ...], voxels: np.ndarray, names: Mapping[int, str]
) -> np.ndarray | None:
    """Return for each voxel whether it lies on the left, as a bool array; None where no name of a label tells a side.

    A voxel of a region with a side lies on that side. Others, such as those of the brain stem, lie on the side of the
    plane in the middle between the centers of all left and of all right regions.

    Args:
        labels: of the segmentation, whole numbers.
        spacing: of its voxels, mm, in the order of the axes.
        voxels: indices of n voxels, of the shape (axes, n).
        names: of the labels.
    """
    numbers = {side: [number for number, name in names.items() if side_of(name) == side] for side in (LEFT, RIGHT)}
    centers = {side: _center(np.isin(labels, numbers[side]), spacing) for side in (LEFT, RIGHT)}
    left, right = centers[LEFT], centers[RIGHT]
    if left is None or right is None:
        return None if left is right else np.full(voxels.shape[1], right is None)
    across = left - right
    on_left = across @ (voxels * np.reshape(spacing, (-1, 1))) > across @ (left + right) / 2
    own = labels[tuple(voxels)]
    return (on_left | np.isin(own, numbers[LEFT])) & ~np.isin(own, numbers[RIGHT])


def _center(mask: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray | None:
    """Return the mean position of the marked voxels, mm from the first voxel; None where none is marked."""
    count = np.count_nonzero(mask)
    if not count:
        return None
    sums = [
        mask.sum(axis=tuple(other for other in range(mask.ndim) if other != axis)) @ np.arange(size)
        for axis, size in enumerate(mask.shape)
    ]
    return np.array(sums) / count * spacing
