"""The cases of masks.toml: a film, what is marked in it, and the outline."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from MedInpaintLib.documents import read_toml
from MedInpaintLib.errors import InputError

FILE = Path(__file__).with_name("masks.toml")
#: Kind of what is marked -> heading on the page.
KINDS = {
    "text": "Text and markers",
    "device": "Implanted devices",
    "line": "Catheters and leads",
    "object": "Objects on the body",
    "border": "Edges of the collimator",
}


@dataclasses.dataclass(frozen=True)
class MarkedCase:
    """A film with a hand-drawn mask.

    Attributes:
        image: name of the film, see :attr:`MedInpaintLib.manifest.Entry.name`.
        kind: of :data:`KINDS`.
        marked: what the mask covers, in words.
        seen: how the fills look, in words.
        grow: pixels by which the shapes grow.
        shapes: for :func:`.masks.draw_mask`.
    """

    image: str
    kind: str
    marked: str
    seen: str
    grow: int
    shapes: tuple[Mapping[str, Any], ...]

    @property
    def film(self) -> str:
        """The last part of the image's name."""
        return self.image.rsplit("/", 1)[-1]


def read_cases(path: Path = FILE) -> list[MarkedCase]:
    """Return the cases of a file, in its order.

    Raises:
        InputError: a case has other fields, or is of no known kind.
    """
    tables = read_toml(path, f"The file of masks '{path.name}'", InputError)["case"]
    try:
        cases = [MarkedCase(**{**table, "shapes": tuple(table["shapes"])}) for table in tables]
    except (KeyError, TypeError) as error:
        raise InputError(f"A case in '{path.name}' lacks a field or has one too many ({error}).") from None
    for case in cases:
        if case.kind not in KINDS:
            raise InputError(f"'{case.image}' is marked as '{case.kind}'; the kinds are: {', '.join(KINDS)}.")
    return cases
