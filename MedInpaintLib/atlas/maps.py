"""The maps of the average head: brightness on T1 and the shares of grey and white matter, in MNI coordinates."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import MedInpaintError
from ..registration import block_mean, sample
from ..resources import resource_folders

#: The file, in the folder ``Atlas`` of the resources.
FILE = "head.npz"
#: The tissues whose shares add up to 1 in the brain.
TISSUES = ("grey", "white", "csf")


@dataclasses.dataclass(frozen=True)
class Maps:
    """Maps of the average head on one grid of cubes, whose axes point to superior, anterior and right (MNI).

    Attributes:
        channels: float32 ``(4, k, j, i)``, 0..1: grey matter, white matter, cerebrospinal fluid, brightness on T1; all
            are 0 outside the brain.
        mm: edge of a voxel.
        origin: MNI mm of the centre of voxel 0, in the order of the axes (superior, anterior, right).
    """

    channels: np.ndarray
    mm: float
    origin: np.ndarray

    @property
    def brain(self) -> np.ndarray:
        """float32, 0..1: the share of a voxel that is brain, fluid included."""
        return np.minimum(self.channels[:3].sum(axis=0), 1.0)

    def index(self, places: np.ndarray) -> np.ndarray:
        """Convert MNI mm ``(3, ...)`` to indices of the arrays."""
        return (places - self.origin.reshape(3, *(1,) * (places.ndim - 1)).astype(places.dtype)) / self.mm

    def sample(self, array: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Interpolate one map linearly at MNI mm ``(3, ...)``; 0 outside of it."""
        return sample(array, self.index(places))


@functools.cache
def head_maps(stride: int = 1) -> Maps:
    """Return the maps at 1 mm, or means over cubes of ``stride`` mm; read on first use.

    Raises:
        MedInpaintError: the file of the atlas is missing or damaged.
    """
    if stride > 1:
        fine = head_maps()
        means = np.array([block_mean(each, (stride,) * 3) for each in fine.channels], dtype=np.float32)
        return Maps(means, fine.mm * stride, fine.origin + (stride - 1) / 2)
    with np.load(atlas_file(), allow_pickle=False) as stored:
        grey, white, t1 = (_whole(stored[name]) for name in ("grey", "white", "t1"))
        brain, origin = _whole(stored["brain"]), stored["origin"].astype(float)
    csf = np.maximum(brain - grey - white, 0.0)
    return Maps(np.array([grey, white, csf, t1]), 1.0, origin)


def atlas_file() -> Path:
    """Return the file of the atlas.

    Raises:
        MedInpaintError: it is missing.
    """
    for folder in resource_folders("Atlas"):
        if (folder / FILE).is_file():
            return folder / FILE
    raise MedInpaintError(
        f"The atlas is missing: there is no file Atlas/{FILE} in the resources. Install MedInpaint again."
    )


def _whole(right: np.ndarray) -> np.ndarray:
    """Return a symmetric map whose right half, the midline included, is stored; as float32 0..1."""
    top = np.float32(1.0 / STORED_STEPS)
    return np.concatenate([right[:, :, :0:-1], right], axis=2).astype(np.float32) * top


#: Maps are stored as whole numbers 0..STORED_STEPS, that is 7 bits, which halves the file of 8 bits.
STORED_STEPS = 127


def store(path: Path, maps: dict[str, np.ndarray], origin: Sequence[float]) -> None:
    """Write the right halves of symmetric maps ``(k, j, i)``, 0..1, at 1 mm.

    Args:
        path: of the file.
        maps: by name; an odd number of columns, whose middle one is the midline.
        origin: MNI mm of voxel 0 (superior, anterior, right).
    """
    halves = {}
    for name, each in maps.items():
        right = each[:, :, each.shape[2] // 2 :]
        halves[name] = np.rint(np.clip(right, 0.0, 1.0) * STORED_STEPS).astype(np.uint8)
    np.savez_compressed(path, origin=np.array(origin, dtype=np.float32), **halves)
