"""Kinds of images: all that the engine knows about MR, CT and film; a further kind is one object.

Functions such as :func:`.intensity.fit_scaling` and :func:`.foreground.body` read what they need from a
:class:`Modality`; none compares names. Options, job files, recipes, bundles and reports hold the names.

>>> register(Modality(name="ultrasound", air=0.0, fills_8_bits=True))
>>> Modality.of("ultrasound").air
0.0
>>> del MODALITIES["ultrasound"]
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from .errors import ParameterError

if TYPE_CHECKING:
    import numpy as np


def _never(known: np.ndarray, dimensions: int) -> bool:
    return False


def _always(known: np.ndarray, dimensions: int) -> bool:
    return True


def _in_hounsfield_units(known: np.ndarray, dimensions: int) -> bool:
    """Return whether there is air near -1000 HU; no other modality of this field goes below -500."""
    return bool(known.size and known.min() < -500)


def _flat_and_not_ct(known: np.ndarray, dimensions: int) -> bool:
    return dimensions == 2 and not _in_hounsfield_units(known, dimensions)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Modality:
    """A kind of image: its scale, its body, its customary range, and which methods suit it.

    Attributes:
        name: in options, job files, manifests, recipes, reports and bundles, whose models fit images of it.
        looks_like: whether an image is of this kind, by its known voxels and its number of dimensions; a function of a
            module, since processes that make training cases get a copy.
        units: of the intensities, in words; empty where they have none.
        scale: intensities that are scaled to 0 and 1; when None, the known foreground's 0.5 and 99.5 percentiles.
        air: intensity above which voxels may belong to the body; when None, 10 % of the robust range.
        window, window_of: customary black and white, and of what: the range of PSNR and SSIM; else the foreground's.
        registration_window: intensities between which images are compared for a registration; all when None.
        fills_8_bits: images that are stored in 8 bits use all of them.
        is_projection: images are no sections: they have no plane, and their dark parts belong to the body.
        is_smooth: a thin plate suits holes of all sizes.
        patches_suit_volumes: in a large hole of a volume, patches err less than a thin plate.
        has_two_sides: volumes show both sides of a head, so the other side can fill a large hole.
    """

    name: str
    looks_like: Callable[[np.ndarray, int], bool] = _never
    units: str = ""
    scale: tuple[float, float] | None = None
    air: float | None = None
    window: tuple[float, float] | None = None
    window_of: str = ""
    registration_window: tuple[float, float] | None = None
    fills_8_bits: bool = False
    is_projection: bool = False
    is_smooth: bool = False
    patches_suit_volumes: bool = True
    has_two_sides: bool = False

    @classmethod
    def of(cls, name: str) -> Modality:
        """Return the modality of this name.

        Raises:
            ParameterError: there is none.
        """
        if name not in MODALITIES:
            raise ParameterError(f"There is no modality '{name}'; choose one of {', '.join(MODALITIES)}.")
        return MODALITIES[name]

    @classmethod
    def guess(cls, known: np.ndarray, dimensions: int) -> Modality:
        """Guess an image's modality from intensities and shape; the last one registered is asked first, MR at the end.

        Args:
            known: sample of known voxels, 1-D.
            dimensions: along which the image has several voxels.
        """
        return next(each for each in reversed(MODALITIES.values()) if each.looks_like(known, dimensions))


MR = Modality(name="MR", looks_like=_always, has_two_sides=True)
CT = Modality(
    name="CT",
    looks_like=_in_hounsfield_units,
    units="HU",
    scale=(-1024.0, 3071.0),  # the range of 12-bit scanners
    air=-300.0,  # skin and fat are above, air and most of the lung below
    # 400 HU around 40 HU, as for soft tissue and brain. R = 80 (brain) or 4095 (all a scanner gives) is also used.
    window=(-160.0, 240.0),
    window_of="soft tissue",
    registration_window=(-200.0, 300.0),  # all of the scale would leave no contrast but bone
    patches_suit_volumes=False,
)
FILM = Modality(name="film", looks_like=_flat_and_not_ct, fills_8_bits=True, is_projection=True, is_smooth=True)

#: Name -> modality.
MODALITIES: dict[str, Modality] = {each.name: each for each in (MR, CT, FILM)}


def register(modality: Modality) -> None:
    """Make a modality known by its name.

    Raises:
        ParameterError: there is one of this name.
    """
    if modality.name in MODALITIES:
        raise ParameterError(f"There is a modality '{modality.name}' already; choose another name.")
    MODALITIES[modality.name] = modality
