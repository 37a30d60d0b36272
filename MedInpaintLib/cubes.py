"""Cubes: a region with voxels of 1 mm whose axes point to superior, anterior and right, as 3-D networks see it."""

from __future__ import annotations

import dataclasses

import numpy as np

from .frames import Pose, pose
from .region import Region

#: mm, the edge of a voxel.
EDGE = 1.0
#: Voxels whose size differs by less than this share are taken as they are.
ALIKE = 0.06


@dataclasses.dataclass(frozen=True)
class Cubes:
    """How a region's arrays are turned and resampled; turns by less than 45 degrees are left as they are.

    Attributes:
        pose: turns the axes to (inferior to superior, posterior to anterior, left to right).
        shape: of the region.
        size: of its cubes.
    """

    pose: Pose
    shape: tuple[int, ...]
    size: tuple[int, ...]

    def cut(self, array: np.ndarray) -> np.ndarray:
        """Return an array of the region's shape in cubes: float32 of :attr:`size`, linearly interpolated."""
        return _resized(self.pose.turn(array.reshape(self.shape)), self.size)

    def back(self, array: np.ndarray) -> np.ndarray:
        """Return an array in cubes on the region's own grid: float32 of its shape, linearly interpolated."""
        turned = tuple(self.shape[axis] for axis in self.pose.order)
        return np.ascontiguousarray(self.pose.back(_resized(array, turned)))


def cubes_of(region: Region) -> Cubes:
    """Return how a region of a volume is turned into cubes."""
    turned = _upright(pose(region.subject.image, "coronal"))
    shape = region.hole.shape
    sizes = [
        shape[axis]
        if abs(region.spacing[axis] / EDGE - 1) < ALIKE
        else round(shape[axis] * region.spacing[axis] / EDGE)
        for axis in turned.order
    ]
    return Cubes(turned, shape, tuple(max(size, 1) for size in sizes))


def _upright(coronal: Pose) -> Pose:
    """Return the axes superior, anterior, right from those of coronal frames: slices to the back, rows down, left."""
    back, down, left = coronal.order
    flips = [axis for axis, place in ((0, 1), (1, 0), (2, 2)) if place not in coronal.flips]
    return Pose((down, back, left), tuple(flips))


def _resized(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    from scipy import ndimage

    array = np.ascontiguousarray(array, dtype=np.float32)
    if array.shape == shape:
        return array
    factors = [new / old for new, old in zip(shape, array.shape, strict=True)]
    return ndimage.zoom(array, factors, order=1, mode="nearest", grid_mode=True)
