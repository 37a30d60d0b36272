"""What a 3-D network sees of a region: several fills, and maps that say where and how sure they are."""

from __future__ import annotations

import dataclasses

import numpy as np

from .atlas.maps import head_maps
from .cubes import Cubes
from .independent_fills import IndependentFills
from .region import Region

#: The channels that are intensities, in their order: the fill that is corrected, with the scan around the hole; the
#: fills it is made of; the other side of the head.
INTENSITIES = ("base", "smooth", "mirror", "atlas", "patch", "other side")
#: The other channels, each -1..1.
MAPS = (
    "known",
    "depth",
    "other side known",
    "alike",
    "explained",
    "grey",
    "white",
    "fluid",
    "brightness on T1",
    "superior",
    "anterior",
    "right",
)
#: mm of depth that the network tells apart, and half the size of the space that it knows places in.
DEEPEST, HALF_HEAD = 20.0, 100.0


@dataclasses.dataclass(frozen=True)
class Inputs:
    """The channels of a region in cubes.

    Attributes:
        intensities: float32 ``(6, k, j, i)``, :data:`INTENSITIES`, in the region's scale.
        maps: int8 ``(12, k, j, i)``, :data:`MAPS`, -127..127 for -1..1.
    """

    intensities: np.ndarray
    maps: np.ndarray


def inputs_of(region: Region, base: np.ndarray, fills: IndependentFills, cubes: Cubes) -> Inputs:
    """Return the channels of a region.

    Args:
        region: to fill.
        base: its fill that the network corrects.
        fills: what it is made of.
        cubes: of the region.
    """
    other, there = _other_side(region, fills)
    atlas = np.where(region.hole, fills.others["atlas"], fills.fitted.values)
    patch = fills.others.get("patch", fills.smooth)
    images = [np.where(region.hole, base, region.values), fills.smooth, fills.others["mirror"], atlas, patch, other]
    places = fills.registration.places(region.place)
    average = head_maps()
    maps = [
        1.0 - 2.0 * region.hole,
        np.minimum(fills.depth / DEEPEST, 1.0),
        2.0 * there - 1.0,
        fills.alike,
        np.full(region.hole.shape, np.clip(fills.fitted.explained, 0.0, 1.0)),
        *(average.sample(each, places) for each in average.channels),
        *(each / HALF_HEAD for each in places),
    ]
    return Inputs(
        np.stack([cubes.cut(each) for each in images]),
        np.stack([np.rint(np.clip(cubes.cut(each), -1.0, 1.0) * 127.0).astype(np.int8) for each in maps]),
    )


def mirrored(inputs: Inputs) -> Inputs:
    """Return the inputs with left and right exchanged, the place in the head included."""
    maps = inputs.maps[..., ::-1].copy()
    right = MAPS.index("right")
    maps[right] = -maps[right]
    return Inputs(np.ascontiguousarray(inputs.intensities[..., ::-1]), maps)


def _other_side(region: Region, fills: IndependentFills) -> tuple[np.ndarray, np.ndarray]:
    """Return the mirror image in a region, the smooth fill where there is none; and, bool, where there is one."""
    if fills.compared is None:
        return fills.smooth, np.zeros(region.hole.shape, dtype=bool)
    image, usable = fills.compared.image(region.place, match=True)
    return np.where(usable, image, fills.smooth), usable
