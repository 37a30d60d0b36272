"""Which lesion mask belongs to an image, told from file names and from the sidecars of masks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..documents import read_json
from ..errors import InputError
from .layout import BidsFile
from .names import Name, parse

#: Suffixes of masks, of today and of the draft that fMRIPrep's documentation follows.
SUFFIXES = ("mask", "roi")
#: How a name says that a mask marks lesions: ``label-lesion``, ``desc-lesion``, or the bare word.
LESION = "lesion"
#: Values of ``space`` that mean the image's own space, besides its suffix.
OWN = frozenset({"orig", "scanner"})
#: Entities that say nothing of which scan a mask was drawn on.
_ABOUT_MASK = frozenset({"sub", "ses", "space", "label", "desc", "res", "den", "seg", "atlas", "mod"})


@dataclasses.dataclass(frozen=True)
class Match:
    """The mask of an image.

    Attributes:
        mask: None where there is none that can be used.
        refusal: why a mask that is there cannot be used, and what to do; empty otherwise.
    """

    mask: BidsFile | None = None
    refusal: str = ""


def is_lesion_mask(name: Name) -> bool:
    """Return whether a name is one of a lesion mask.

    >>> from .names import parse
    >>> [is_lesion_mask(parse(f"sub-01_{rest}.nii")) for rest in ("label-lesion_mask", "lesion_roi", "desc-brain_mask")]
    [True, True, False]
    """
    marks = (name.entities.get("label"), name.entities.get("desc"), *name.words)
    return name.is_image and name.suffix in SUFFIXES and LESION in [mark.lower() for mark in marks if mark]


def fits(mask: Name, image: Name) -> bool:
    """Return whether nothing in a mask's name speaks against an image: entities that it leaves out fit any."""
    contrasts = {word for word in mask.words if word.lower() != LESION} | {mask.entities.get("mod", image.suffix)}
    return contrasts <= {image.suffix} and all(
        mask.agrees(image, key) for key in mask.entities if key not in _ABOUT_MASK
    )


def find_mask(image: BidsFile, images: Sequence[BidsFile], masks: Sequence[BidsFile]) -> Match:
    """Return the mask that belongs to an image.

    Args:
        image: to be filled.
        images: all images of its contrast in the same visit, itself included.
        masks: the lesion masks of the visit.
    """
    fitting = [mask for mask in masks if fits(mask.name, image.name)]
    here = [mask for mask in fitting if is_in_space_of(mask, image)]
    if not fitting:
        return Match()
    if not here:
        return Match(refusal=_of_another_space(fitting[0], image))
    if len(here) > 1:
        names = ", ".join(f"'{mask.dataset.name}:{mask.inside}'" for mask in here)
        return Match(
            refusal=f"{len(here)} lesion masks fit it: {names}. Choose one, by --masks or by 'mask' in "
            "--bids-filter-file, or merge them."
        )
    others = [
        each.text
        for each in images
        if each != image and fits(here[0].name, each.name) and is_in_space_of(here[0], each)
    ]
    if others:
        return Match(
            refusal=f"The lesion mask '{here[0].text}' also fits '{others[0]}', and may lie on one of them alone; name "
            "the scan in the mask's name (acq, run, ...), or choose images by --bids-filter-file."
        )
    return Match(here[0])


def is_in_space_of(mask: BidsFile, image: BidsFile) -> bool:
    """Return whether a mask is in an image's own space: its name or else its sidecar tells no other."""
    space = mask.name.entities.get("space")
    if space in OWN or space == image.name.suffix:
        return True
    reference = parse(_reference(mask))
    if reference is None:
        return space is None
    return (
        reference.suffix == image.name.suffix
        and "space" not in reference.entities
        and all(reference.agrees(image.name, key) for key in reference.entities if key != "desc")
    )


def _reference(mask: BidsFile) -> str:
    """Return the name of the file that a mask's sidecar calls its spatial reference; empty without one."""
    sidecar = Path(mask.path.removesuffix(mask.name.ending) + ".json")
    try:
        document: Any = read_json(sidecar, f"The sidecar '{sidecar}'", InputError)
    except InputError:
        return ""
    reference = document.get("SpatialReference") if isinstance(document, dict) else None
    return reference.rpartition("/")[2] if isinstance(reference, str) else ""


def _of_another_space(mask: BidsFile, image: BidsFile) -> str:
    space = mask.name.entities.get("space") or _reference(mask)
    suffix = image.name.suffix
    return (
        f"Its lesion mask '{mask.dataset.name}:{mask.inside}' is in the space '{space}', not in that of the image. "
        f"Transform it onto the image (for example with antsApplyTransforms, nearest neighbor, and the transform to "
        f"{suffix} that fMRIPrep writes) and name it space-{suffix}."
    )
