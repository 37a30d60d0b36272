"""What the user chooses: participants, sessions, contrasts, and images by a filter file as of fMRIPrep."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..documents import read_json
from ..errors import ParameterError
from .layout import ANATOMY
from .names import ENTITIES, Name, same_value

#: Names of entities in filter files -> short names. Both kinds are understood, as pybids mixes them, too.
_KEYS = {**{long: short for short, long in ENTITIES.items()}, **{short: short for short in ENTITIES}}
#: Queries that choose masks; fMRIPrep calls its lesion masks ``roi``.
MASKS = ("roi", "mask")
#: Longest part of a file name made from labels.
_LONGEST = 60

#: What a name must have: entity, ``suffix`` or ``extension`` -> allowed values; None means that it must be absent.
Filter = Mapping[str, "tuple[str, ...] | None"]


@dataclasses.dataclass(frozen=True)
class Selection:
    """What is chosen of a dataset.

    Attributes:
        participants, sessions: labels without ``sub-`` and ``ses-``; all when empty.
        contrasts: suffixes of the images to fill.
        filters: of images by their suffix in lower case, and of masks by :data:`MASKS`.
    """

    participants: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    contrasts: tuple[str, ...] = ("T1w",)
    filters: Mapping[str, Filter] = dataclasses.field(default_factory=dict)

    def wants(self, subject: str, session: str | None) -> bool:
        """Return whether a visit is chosen; the session None stands for the participant as a whole."""
        return (not self.participants or subject in self.participants) and (
            not self.sessions or session is None or session in self.sessions
        )

    def wants_image(self, name: Name) -> bool:
        """Return whether an image is to be filled: a raw image of a chosen contrast that the filters let through."""
        return (
            name.is_image
            and name.suffix in self.contrasts
            and not name.words
            and not {"space", "desc", "label", "res"} & set(name.entities)
            and not (self.sessions and name.entities.get("ses") not in self.sessions)
            and passes(name, self.filters.get(name.suffix.lower(), {}))
        )

    def wants_mask(self, name: Name) -> bool:
        """Return whether the filters let a mask through."""
        return all(passes(name, self.filters.get(query, {})) for query in MASKS)

    @property
    def label(self) -> str:
        """A short name of the chosen participants and sessions for files about this run; empty for all."""
        labels = [*(f"sub-{each}" for each in self.participants), *(f"ses-{each}" for each in self.sessions)]
        text = "_".join(sorted(labels))
        if len(text) > _LONGEST:
            digest = hashlib.sha256(text.encode()).hexdigest()[:8]
            return f"{len(labels)}-labels-{digest}"
        return text


def labels_of(texts: Sequence[str] | None, prefix: str) -> tuple[str, ...]:
    """Return labels without their prefix, each once.

    >>> labels_of(["sub-01", "02", "01"], "sub")
    ('01', '02')
    """
    return tuple(dict.fromkeys(text.removeprefix(f"{prefix}-") for text in texts or ()))


def passes(name: Name, rules: Filter) -> bool:
    """Return whether a name has what a filter asks for."""
    return all(_has(name, key, values) for key, values in rules.items())


def _has(name: Name, key: str, values: tuple[str, ...] | None) -> bool:
    found = {"suffix": name.suffix, "extension": name.ending, "datatype": ANATOMY}.get(key, name.entities.get(key))
    if values is None:
        return found is None
    return any(same_value(key, found, value) for value in values)


def read_filters(path: str | os.PathLike[str]) -> dict[str, Filter]:
    """Read a filter file as of fMRIPrep: query -> entity -> a value, a list of values, or null for none.

    Queries that are about nothing here, such as ``bold``, are left alone, so that apps can share a file.

    Raises:
        ParameterError: it cannot be read, or holds what has no meaning here.
    """
    what = f"The filter file '{path}'"
    document = read_json(Path(path), what, ParameterError)
    if not isinstance(document, dict) or not all(isinstance(each, dict) for each in document.values()):
        raise ParameterError(f'{what} must hold an object of queries, such as {{"t1w": {{"session": "01"}}}}.')
    return {query.lower(): _filter(rules, f"{what}, query '{query}'") for query, rules in document.items()}


def _filter(rules: Mapping[str, Any], where: str) -> Filter:
    chosen: dict[str, tuple[str, ...] | None] = {}
    for key, value in rules.items():
        if key not in _KEYS and key not in ("suffix", "extension", "datatype"):
            raise ParameterError(
                f"{where}: there is no '{key}'; there are suffix, extension, datatype, {', '.join(ENTITIES.values())}."
            )
        chosen[_KEYS.get(key, key)] = None if value is None else _values(value, f"{where}, '{key}'")
    return chosen


def _values(value: Any, where: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(each, (str, int)) and not isinstance(each, bool) for each in values):
        raise ParameterError(f"{where} must be a text, a number, a list of them, or null for none; found {value!r}.")
    return tuple(str(each) for each in values)
