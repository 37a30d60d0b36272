"""Numberings: what the labels of known programs mean, recognized where that is certain."""

from __future__ import annotations

import csv
import dataclasses
import functools
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from ..errors import ParameterError
from .sides import LEFT, RIGHT, side_of

#: Left and right labels of one structure on a line, from FreeSurfer's public color table (FreeSurferColorLUT.txt):
#: what FreeSurfer, FastSurfer, SynthSeg and SAMSEG write, with the cortex and its white matter by Desikan and Killiany
#: (also DKT) and the cortex by Destrieux.
_FREESURFER = Path(__file__).with_name("freesurfer.tsv")
FREESURFER, FAST, NONE, AUTO = "freesurfer", "fast", "none", "auto"
#: No choice, but what names labels of no numbering, see :mod:`.by_atlas`.
ATLAS = "atlas"
#: What a user can choose.
CHOICES = (AUTO, FREESURFER, FAST, NONE)
_FAST_NAMES = {1: "CSF", 2: "Gray-Matter", 3: "White-Matter"}
#: FAST's label maps by the ends of their names. fMRIPrep's have the same numbers in another order, and BraTS's mean
#: parts of tumors, so the numbers alone tell nothing.
_FAST_FILE = re.compile(r"_(pve)?seg\.(nii|nii\.gz|hdr|img)$", re.IGNORECASE)
#: So many structures must be there on both sides: numberings that count from 1 have 1 and 9 too, which FreeSurfer's has
#: not.
_PAIRS, _BELOW = 3, 100


@dataclasses.dataclass(frozen=True)
class Numbering:
    """What labels mean.

    Attributes:
        name: :data:`FREESURFER`, :data:`FAST`, ``"table"``, :data:`ATLAS` or :data:`NONE`.
        reason: why it was chosen.
        names: label -> name.
    """

    name: str
    reason: str
    names: Mapping[int, str]

    def lesion_label(self) -> int | None:
        """Return the label that is named "lesion", or None."""
        return next((label for label, name in sorted(self.names.items()) if name.strip().lower() == "lesion"), None)

    def lesion_labels_of_sides(self) -> dict[str, int]:
        """Return the lesion's label on each side; empty where there are not two."""
        sides = {side_of(name): label for label, name in sorted(self.names.items(), reverse=True) if _is_lesion(name)}
        return {side: sides[side] for side in (LEFT, RIGHT)} if {LEFT, RIGHT} <= sides.keys() else {}

    def is_lesion(self, label: int) -> bool:
        """Return whether a label's name says that it is a lesion."""
        return "lesion" in self.names.get(label, "").lower()


def numbering_of(
    labels: Collection[int], names: Mapping[int, str], *, choice: str = AUTO, file_name: str = ""
) -> Numbering:
    """Return what the labels of a segmentation mean.

    Args:
        labels: those that it has, without 0.
        names: of labels, from a table; they come before those of a numbering that is known.
        choice: one of :data:`CHOICES`.
        file_name: of the segmentation.

    Raises:
        ParameterError: no such choice.
    """
    check_choice(choice)
    name, reason = (choice, "chosen by you") if choice != AUTO else _recognized(labels, file_name)
    known = {FREESURFER: freesurfer(), FAST: _FAST_NAMES}.get(name, {})
    if names and name == NONE and choice == AUTO:
        name, reason = "table", "names come from a table"
    return Numbering(name, reason, {**known, **names})


def check_choice(choice: str) -> None:
    """Check that a numbering can be chosen.

    Raises:
        ParameterError: it is none of :data:`CHOICES`.
    """
    if choice not in CHOICES:
        raise ParameterError(f"There is no numbering '{choice}'; choose {', '.join(CHOICES[:-1])} or {CHOICES[-1]}.")


def _recognized(labels: Collection[int], file_name: str) -> tuple[str, str]:
    """Return the numbering of labels, and why."""
    low = {label for label in labels if label < _BELOW}
    pairs = sum(left in low and right in low for left, right in _pairs())
    if low <= freesurfer().keys() and pairs >= _PAIRS:
        return FREESURFER, f"{pairs} structures have FreeSurfer's numbers on both sides"
    if set(labels) == set(_FAST_NAMES) and _FAST_FILE.search(file_name):
        return FAST, "labels 1 to 3, and a file named as FAST names its own"
    return NONE, "the labels are of no numbering that is known"


@functools.lru_cache(1)
def freesurfer() -> dict[int, str]:
    """Return FreeSurfer's names of labels.

    >>> [freesurfer()[label] for label in (17, 57, 2035)]
    ['Left-Hippocampus', 'Right-Lesion', 'ctx-rh-insula']
    """
    names = {}
    for row in _rows():
        for side, label in ((LEFT, row["left"]), (RIGHT, row["right"])):
            if label:
                names[int(label)] = row["name"].format(Side=side.capitalize(), hemi=f"{side[0]}h")
    return names


def _pairs() -> list[tuple[int, int]]:
    return [(int(row["left"]), int(row["right"])) for row in _rows() if row["right"]]


@functools.lru_cache(1)
def _rows() -> list[dict[str, str]]:
    with _FREESURFER.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _is_lesion(name: str) -> bool:
    return re.findall(r"[^\W_]+", name.lower())[-1:] == ["lesion"]
