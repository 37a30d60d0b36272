"""Heads made from the atlas by a known map, so that a registration has a known answer."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from MedInpaintLib.atlas.maps import head_maps
from MedInpaintLib.intensity import Scaling
from MedInpaintLib.mask import Hole
from MedInpaintLib.modality import MR, Modality
from MedInpaintLib.subject import Subject
from MedInpaintLib.volume import Volume

MM = 4.0
SHAPE = (44, 54, 44)
#: Shares of grey matter, white matter and fluid in the brightness, and what lies around the brain.
T1, T2 = (0.6, 0.9, 0.25), (0.6, 0.45, 1.0)
#: Indices (k, j, i) point to superior, posterior, left: ITK's axes z, y, x.
TO_MM = np.diag([MM, -MM, -MM])


@dataclasses.dataclass(frozen=True)
class Head:
    """A head, and where each of its voxels lies in the atlas.

    Attributes:
        volume: the image.
        places: MNI mm ``(3, *shape)`` by construction.
        brain: bool, which voxels are brain.
    """

    volume: Volume
    places: np.ndarray
    brain: np.ndarray

    def subject(self, hole: np.ndarray | None = None, modality: Modality = MR) -> Subject:
        """Return the head with a hole (a corner of the image by default)."""
        if hole is None:
            hole = np.zeros(self.volume.array.shape, dtype=bool)
            hole[0, 0, 0] = True
        box = ndimage.find_objects(hole.astype(int))[0]
        image = dataclasses.replace(self.volume, array=np.where(hole, -5.0, self.volume.array).astype(np.float32))
        return Subject(image, Hole(hole[box], box, hole.shape), Scaling(0.0, 1.0), modality)

    def ball(self, centre, radius_mm):
        """Return the voxels of a ball around some MNI mm."""
        return ((self.places - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(axis=0) <= radius_mm**2


def head(*, turn=(0.1, -0.06, 0.08), size=0.92, shift=(6.0, -9.0, 5.0), bend=5.0, contrast=T1, skull=True) -> Head:
    """Make a head from the tissue maps.

    Args:
        turn: angles in radians about the three axes.
        size: of the head relative to the atlas.
        shift: mm of its middle from the middle of the image, (superior, anterior, right).
        bend: mm of a smooth deformation at most, as waves of 90 mm.
        contrast: shares of the tissues in the brightness.
        skull: whether there is a dark skull with bright scalp around the brain.
    """
    matrix = _rotation(turn) / size
    middle = (np.array(SHAPE) - 1) / 2
    at = np.tensordot(TO_MM, np.indices(SHAPE) - middle.reshape(3, 1, 1, 1), 1) - np.reshape(shift, (3, 1, 1, 1))
    places = np.tensordot(matrix, at, 1) + np.array([8.0, -18.0, 0.0]).reshape(3, 1, 1, 1)
    waves = np.sin(2 * np.pi * np.roll(places, 1, axis=0) / 90.0)
    places = places + bend * waves
    maps = head_maps()
    tissues = [maps.sample(each, places) for each in maps.channels[:3]]
    image = sum(share * each for share, each in zip(contrast, tissues, strict=True))
    brain = maps.sample(maps.brain, places)
    if skull:
        near = ndimage.distance_transform_edt(brain < 0.5, sampling=MM)
        image = image + 0.9 * ((near > 7) & (near < 14)) + 0.1 * ((near > 0) & (near <= 7)) * (brain < 0.5)
    noise = np.random.default_rng(1).normal(0.0, 0.01, SHAPE)
    return Head(Volume((image + noise).astype(np.float32), (MM,) * 3), places, brain > 0.5)


def _rotation(angles):
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        one, two = [other for other in range(3) if other != axis]
        step = np.eye(3)
        step[one, one] = step[two, two] = np.cos(angle)
        step[one, two], step[two, one] = -np.sin(angle), np.sin(angle)
        turn = turn @ step
    return turn
