"""File names of BIDS: entities, suffix and ending, such as ``sub-01_ses-2_T1w.nii.gz``."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

#: The entities of BIDS 1.11 in the order in which a name has them: short name -> name in filter files.
ENTITIES = {
    "sub": "subject",
    "tpl": "template",
    "ses": "session",
    "cohort": "cohort",
    "sample": "sample",
    "task": "task",
    "tracksys": "tracksys",
    "acq": "acquisition",
    "nuc": "nucleus",
    "voi": "volume",
    "ce": "ceagent",
    "trc": "tracer",
    "stain": "stain",
    "rec": "reconstruction",
    "dir": "direction",
    "run": "run",
    "mod": "modality",
    "echo": "echo",
    "flip": "flip",
    "inv": "inversion",
    "mt": "mtransfer",
    "part": "part",
    "proc": "processing",
    "hemi": "hemisphere",
    "space": "space",
    "split": "split",
    "recording": "recording",
    "chunk": "chunk",
    "atlas": "atlas",
    "seg": "segmentation",
    "scale": "scale",
    "res": "resolution",
    "den": "density",
    "label": "label",
    "desc": "description",
}
#: Entities whose value is a number: ``run-1`` and ``run-01`` are the same run.
NUMBERS = frozenset({"run", "echo", "flip", "inv", "split", "chunk"})
_BEHIND_WORDS = ("label", "desc")
_LABEL, _WORD = re.compile(r"[0-9A-Za-z+]+"), re.compile(r"[0-9A-Za-z]+")


@dataclasses.dataclass(frozen=True)
class Name:
    """A file name.

    Attributes:
        entities: short name -> value.
        suffix: what the file holds, such as ``T1w`` or ``mask``.
        ending: from the first dot on.
        words: parts before the suffix that are no entities. BIDS has none; older masks do (``T1w``, ``lesion``).
    """

    entities: Mapping[str, str]
    suffix: str
    ending: str
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        ordered = [key for key in ENTITIES if key in self.entities]
        first = [f"{key}-{self.entities[key]}" for key in ordered if key not in _BEHIND_WORDS]
        last = [f"{key}-{self.entities[key]}" for key in ordered if key in _BEHIND_WORDS]
        return "_".join([*first, *self.words, *last, self.suffix]) + self.ending

    @property
    def is_image(self) -> bool:
        """Whether the file is an image by its ending."""
        return self.ending in (".nii", ".nii.gz")

    def agrees(self, other: Name, key: str) -> bool:
        """Return whether two names have the same value of an entity, or both have none."""
        return same_value(key, self.entities.get(key), other.entities.get(key))

    def having(self, suffix: str, ending: str, **entities: str) -> Name:
        """Return a name with another suffix and ending and with some entities replaced."""
        return Name({**self.entities, **entities}, suffix, ending)


def same_value(key: str, one: str | None, other: str | None) -> bool:
    """Return whether two values of an entity are the same.

    >>> same_value("run", "01", "1"), same_value("acq", "01", "1"), same_value("run", None, "1")
    (True, False, False)
    """
    if one is not None and other is not None and key in NUMBERS and one.isdecimal() and other.isdecimal():
        return int(one) == int(other)
    return one == other


def parse(name: str) -> Name | None:
    """Return the parts of a file name; None where it is no name of BIDS.

    >>> parse("sub-01_run-2_T1w.nii.gz").entities
    {'sub': '01', 'run': '2'}
    >>> str(parse("sub-01_T1w_label-lesion_roi.nii.gz"))
    'sub-01_T1w_label-lesion_roi.nii.gz'
    >>> parse("sub-01_color-red_T1w.nii.gz") is None
    True
    """
    stem, dot, ending = name.partition(".")
    *parts, suffix = stem.split("_")
    if not dot or not ending or not _WORD.fullmatch(suffix):
        return None
    entities: dict[str, str] = {}
    words: list[str] = []
    for part in parts:
        key, hyphen, value = part.partition("-")
        if not hyphen and _WORD.fullmatch(part):
            words.append(part)
        elif hyphen and key in ENTITIES and key not in entities and _LABEL.fullmatch(value):
            entities[key] = value
        else:
            return None
    return Name(entities, suffix, dot + ending, tuple(words))
