"""Words for a place in the brain: the regions and tissues of the average head that lie under a hole.

The map of regions is a vote of people whose regions are known, see ``Research/atlas_regions.py``. It has the grid of
:func:`.maps.head_maps` and is as symmetric as that. Lobes are not in it: no plane divides them well enough.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from ..errors import MedInpaintError
from ..mask import Box
from ..parts import Part
from ..subject import Subject
from .maps import TISSUES, atlas_file, head_maps
from .registration import Registration, register, why_none

#: The file, beside that of the maps.
FILE = "regions.npz"
#: Regions that are there on both sides, and those on the midline.
PAIRED = (
    "cortex",
    "white matter",
    "deep nuclei",
    "hippocampus",
    "amygdala",
    "ventral diencephalon",
    "lateral ventricle",
    "cerebellum",
)
MIDLINE = ("third ventricle", "fourth ventricle", "brainstem")
#: The name of each number in the map; 0 is no region.
NAMES = ("", *(f"left {name}" for name in PAIRED), *(f"right {name}" for name in PAIRED), *MIDLINE)
#: The number of the same region on the other side.
MIRRORED = np.array(
    [
        0,
        *range(len(PAIRED) + 1, 2 * len(PAIRED) + 1),
        *range(1, len(PAIRED) + 1),
        *range(2 * len(PAIRED) + 1, len(NAMES)),
    ],
    dtype=np.uint8,
)


@dataclasses.dataclass(frozen=True)
class RegionMap:
    """A map of regions on a grid of cubes, whose axes point to superior, anterior and right (MNI).

    Attributes:
        numbers: uint8 ``(k, j, i)``, indices of :data:`NAMES`.
        mm: edge of a voxel.
        origin: MNI mm of the centre of voxel 0 (superior, anterior, right).
    """

    numbers: np.ndarray
    mm: float
    origin: np.ndarray

    def at(self, places: np.ndarray) -> np.ndarray:
        """Return the numbers of the regions at MNI mm ``(3, n)``, those of the nearest voxels; 0 outside the map."""
        index = np.rint((places - self.origin[:, np.newaxis]) / self.mm).astype(int)
        inside = ((index >= 0) & (index < np.array(self.numbers.shape)[:, np.newaxis])).all(axis=0)
        found = np.zeros(places.shape[1], dtype=np.uint8)
        found[inside] = self.numbers[tuple(index[:, inside])]
        return found


@functools.cache
def region_map() -> RegionMap:
    """Return the map of regions; read on first use.

    Raises:
        MedInpaintError: its file is missing.
    """
    path = atlas_file().with_name(FILE)
    if not path.is_file():
        raise MedInpaintError(
            f"The map of regions is missing: there is no file Atlas/{FILE} in the resources. Install MedInpaint again."
        )
    with np.load(path, allow_pickle=False) as stored:
        right, origin = stored["right"], stored["origin"].astype(float)
    return RegionMap(np.concatenate([MIRRORED[right[:, :, :0:-1]], right], axis=2), 1.0, origin)


def store_regions(path: Path, numbers: np.ndarray, origin: Iterable[float]) -> None:
    """Write the right half of a symmetric map at 1 mm, the midline included.

    Args:
        path: of the file.
        numbers: as :attr:`RegionMap.numbers`; an odd number of columns, whose middle one is the midline.
        origin: MNI mm of voxel 0 (superior, anterior, right).
    """
    right = numbers[:, :, numbers.shape[2] // 2 :].astype(np.uint8)
    np.savez_compressed(path, right=right, origin=np.array(list(origin), dtype=np.float32))


def region_shares(registration: Registration, box: Box, voxels: np.ndarray) -> dict[str, float]:
    """Return the share of voxels that lie in each region of the atlas, the largest first.

    Args:
        registration: of the subject's image.
        box: of the subject's arrays.
        voxels: bool of the box's shape, at least one True.

    Returns:
        Shares, 0..1, by name, such as ``"left cortex"``. They add up to less than 1 where some lie in no region.
    """
    numbers = region_map().at(registration.places(box)[:, voxels])
    counts = np.bincount(numbers, minlength=len(NAMES))
    order = sorted(range(1, len(NAMES)), key=lambda number: (-counts[number], number))
    return {NAMES[number]: float(counts[number] / numbers.size) for number in order if counts[number]}


def tissue_shares(registration: Registration, box: Box, voxels: np.ndarray) -> dict[str, float]:
    """Return the shares of the tissues that the atlas expects in voxels; arguments as of :func:`region_shares`.

    Returns:
        Shares, 0..1, of :data:`.maps.TISSUES`; the rest lies outside of the brain.
    """
    maps = head_maps()
    places = registration.places(box)[:, voxels]
    return {
        name: float(maps.sample(channel, places).mean(dtype=float))
        for name, channel in zip(TISSUES, maps.channels, strict=False)
    }


@dataclasses.dataclass(frozen=True)
class Anatomy:
    """Where the parts of a hole lie.

    Attributes:
        regions, tissues: the shares of each part by its number; empty where they are not known.
        reason: why they are not known though they were asked for; else empty.
    """

    regions: Mapping[int, dict[str, float]] = dataclasses.field(default_factory=dict)
    tissues: Mapping[int, dict[str, float]] = dataclasses.field(default_factory=dict)
    reason: str = ""


def is_registered(subject: Subject) -> bool:
    """Return whether the atlas was brought onto a subject's image already, so that asking for it takes no time."""
    return register in subject.cache


def anatomy(
    subject: Subject, parts: Iterable[Part], registration: Registration | None, *, asked: bool = True
) -> Anatomy:
    """Return where the parts of a subject's hole lie.

    Args:
        subject: the image with its hole.
        parts: of the hole.
        registration: of the subject.
        asked: whether the user wants to know; else there is no reason to tell why it is not known.
    """
    reason = why_none(registration)
    if reason or registration is None:
        return Anatomy(reason=reason if asked else "")
    regions, tissues = {}, {}
    for part in parts:
        box, voxels = subject.place(part.box), subject.squeeze(part.voxels)
        regions[part.number] = _rounded(region_shares(registration, box, voxels))
        tissues[part.number] = _rounded(tissue_shares(registration, box, voxels))
    return Anatomy(regions, tissues)


def _rounded(shares: Mapping[str, float]) -> dict[str, float]:
    return {name: round(share, 4) for name, share in shares.items()}
