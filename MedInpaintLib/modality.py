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
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from .errors import ParameterError

if TYPE_CHECKING:
    from .appearance import Appearance


#: Scores this close do not tell two modalities apart: the guess is unsure.
MARGIN = 0.2


class Clue(NamedTuple):
    """How much speaks for an image being of a modality: a score (0: impossible, 1: certain) and the reason in words."""

    score: float
    reason: str


class Guess(NamedTuple):
    """A guessed modality, the reason in words, warnings (without any, the guess is sure), and what else it may be."""

    modality: Modality
    reason: str
    warnings: tuple[str, ...] = ()
    may_be: tuple[Modality, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Modality:
    """A kind of image: its scale, its body, its customary range, and which methods suit it.

    Attributes:
        name: in options, job files, manifests, recipes, reports and bundles, whose models fit images of it.
        looks_like: what speaks for an image being of this kind; a function of a module, since processes that make
            training cases get a copy. None: only what the user or a DICOM header says.
        dimensions: numbers of axes along which such images have several voxels.
        dicom: what DICOM headers call it.
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
        has_tissues: white matter can be found in such images.
        has_atlas: heads in such images can be compared with the average head.
        network_gain: dB that a network gains over the methods that need no packages, on validation images; None where
            there is no model for such images.
    """

    name: str
    looks_like: Callable[[Appearance], Clue] | None = None
    dimensions: tuple[int, ...] = (2, 3)
    dicom: tuple[str, ...] = ()
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
    has_tissues: bool = False
    has_atlas: bool = False
    network_gain: float | None = None

    @classmethod
    def of(cls, name: str) -> Modality:
        """Return the modality of this name, in capitals or not.

        Raises:
            ParameterError: there is none.

        >>> Modality.of("mr").name
        'MR'
        """
        for known, modality in MODALITIES.items():
            if known.lower() == name.lower():
                return modality
        raise ParameterError(f"There is no modality '{name}'; choose one of {', '.join(MODALITIES)}.")

    @classmethod
    def guess(cls, image: Appearance) -> Guess:
        """Guess an image's modality: what its DICOM header says, else the kind for which most speaks.

        The last one registered wins a tie. ``Testing/Benchmarks/modality.py`` measures how often this is right.
        """
        code = image.header
        named = next((each for each in MODALITIES.values() if code and code in each.dicom), None)
        if named is not None:
            return Guess(named, f"its DICOM header says {code}")
        clues = {name: _clue(each, image) for name, each in reversed(MODALITIES.items())}
        first, *rest = sorted(clues, key=lambda name: -clues[name].score)
        modality = MODALITIES[first]
        close = [name for name in rest if clues[first].score - clues[name].score < MARGIN]
        # The fallback has no reason of its own but that the others do not fit.
        against = [clues[name].reason for name in rest if name not in close and clues[name].reason]
        reason = clues[first].reason or " and ".join(against) or "no other kind fits clearly"
        if code:
            return Guess(modality, reason, (_unsure(first, reason, f"its DICOM header says {code}", "another kind"),))
        doubts = "; ".join(clues[name].reason for name in close)
        warnings = (_unsure(first, reason, doubts, " or ".join(close)),) if close else ()
        return Guess(modality, reason, warnings, tuple(MODALITIES[name] for name in close))

    @classmethod
    def possible(cls, dimensions: int) -> set[str]:
        """Return the names of those that an image with several voxels along so many axes may be guessed to be."""
        return {each.name for each in MODALITIES.values() if each.looks_like and dimensions in each.dimensions}


def _clue(modality: Modality, image: Appearance) -> Clue:
    if modality.looks_like is None:
        return Clue(0.0, "")
    if image.dimensions not in modality.dimensions:
        return Clue(0.0, f"it is no {modality.name}: it has several slices")
    return modality.looks_like(image)


def _mr(image: Appearance) -> Clue:
    """Give the score that others must exceed: MR has no scale of its own, so it is what nothing else fits."""
    return Clue(0.5, "")


def _hounsfield(image: Appearance) -> Clue:
    """Look for Hounsfield units: CT has air at -1000 HU, nothing below it, and most of the rest near 0 HU.

    In 60 training and validation scans 17 to 51 % of the values are air, and 66 to 97 % of those above -300 HU lie
    within 150 HU of 0. In a phase-sensitive MR with values from -1920 to 2240, 4 % lie below air.
    """
    air, below = image.share(-1100, -850), image.share(-math.inf, -1100)
    if below < 0.002 and air > 0.02 and image.share(-150, 150, above=-300) > 0.65:
        return Clue(1.0, "it has air near -1000 HU and soft tissue near 0 HU")
    low, high = image.quantiles(0.01, 0.95)
    if below < 0.002 and image.dtype.kind == "i" and image.dtype.itemsize > 1 and low < -20 and high < 1500:
        return Clue(0.4, "its values may be HU inside a body")
    if _is_stored_ct(image):
        return Clue(0.4, "its values may be the numbers that CT scanners store, 1024 above HU; then subtract 1024")
    if image.dimensions == 2 and image.dtype == "uint8" and not image.has_place:
        return Clue(0.4, "if it is a picture of a CT slice, its values are no longer HU")
    return Clue(0.0, "it is no CT: there is no air near -1000 HU with soft tissue near 0 HU")


def _is_stored_ct(image: Appearance) -> bool:
    """Return whether values look like HU + 1024: air at 0, most of the rest near 1024, bone above."""
    return (
        image.share(-math.inf, 0) < 0.001
        and image.share(0, 150) > 0.1
        and image.share(874, 1174, above=724) > 0.7
        and image.share(1224, math.inf) > 0.002
    )


def _projection(image: Appearance) -> Clue:
    """Tell a film from a section: a film is large and fills its frame, a section is a body on dark ground.

    Of 894 chest films of training and validation, 83 % reach a :attr:`.Appearance.fills_frame` of 0.3; of 1203 MR and
    CT slices, cropped as tightly as they can be, none exceeds 0.27.
    """
    if image.fills_frame < 0:
        return Clue(0.1, "it is no film: it shows a body on a dark ground")
    if image.is_slice:
        return Clue(0.1, "it is no film: it is a slice of a volume")
    if image.has_place and image.shortest_mm < 250 and min(image.spacing) > 0.25:
        return Clue(0.1, f"it is no film: it is {image.shortest_mm:.0f} mm wide, pixels {min(image.spacing):.2g} mm")
    if image.fills_frame < 0.3:
        return Clue(0.4, "films reach the borders of their frame on most sides, as it does on some")
    if image.shortest_mm < 250 if image.has_place else min(image.sizes) < 200:
        return Clue(0.4, "it fills its frame to the borders like a film, but is small for one")
    return Clue(0.75, "it fills a large frame to its borders")


def _unsure(name: str, reason: str, doubt: str, other: str) -> str:
    because = f" because {reason}" if reason else ""
    return f"The image is treated as {name}{because}. This is unsure: {doubt}. If it is {other}, say so (--modality)."


MR = Modality(
    name="MR",
    looks_like=_mr,
    dicom=("MR",),
    has_two_sides=True,
    has_tissues=True,
    has_atlas=True,
    network_gain=0.4,  # in parts of heads that are deeper than 2.6 mm
)
CT = Modality(
    name="CT",
    looks_like=_hounsfield,
    dicom=("CT",),
    units="HU",
    scale=(-1024.0, 3071.0),  # the range of 12-bit scanners
    air=-300.0,  # skin and fat are above, air and most of the lung below
    # 400 HU around 40 HU, as for soft tissue and brain. R = 80 (brain) or 4095 (all a scanner gives) is also used.
    window=(-160.0, 240.0),
    window_of="soft tissue",
    registration_window=(-200.0, 300.0),  # all of the scale would leave no contrast but bone
    patches_suit_volumes=False,
    network_gain=1.4,  # in squares and strips in slices
)
FILM = Modality(
    name="film",
    looks_like=_projection,
    dimensions=(2,),
    dicom=("CR", "DX", "MG", "RG", "PX", "IO"),
    fills_8_bits=True,
    is_projection=True,
    is_smooth=True,
    network_gain=1.7,  # in squares and strips
)

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
