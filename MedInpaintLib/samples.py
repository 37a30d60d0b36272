"""The sample images that come with MedInpaint; licences and citations are in their index."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from .errors import ImageReadError, ParameterError
from .resources import resource_folders


@dataclasses.dataclass(frozen=True)
class Sample:
    """One sample image with a hole.

    Attributes:
        name, title: for programs and for people.
        image, mask: files.
        truth_known: whether the image holds the truth under the mask (a synthetic hole), so that a fill can be scored.
        modality, split, subject, licence, source, citation: as in the manifest that it was taken from.
    """

    name: str
    title: str
    image: Path
    mask: Path
    truth_known: bool
    modality: str
    split: str
    subject: str
    licence: str
    source: str
    citation: str


def samples() -> dict[str, Sample]:
    """Return all samples by name.

    Raises:
        ImageReadError: the folder with the samples is missing.
    """
    folder = next((each for each in resource_folders("SampleData") if (each / "index.json").is_file()), None)
    if folder is None:
        raise ImageReadError("The sample data are missing from this installation; install MedInpaint again.")
    entries = json.loads((folder / "index.json").read_text(encoding="utf-8"))["samples"]
    return {
        entry["name"]: Sample(**{**entry, "image": folder / entry["image"], "mask": folder / entry["mask"]})
        for entry in entries
    }


def sample(name: str) -> Sample:
    """Return the sample called ``name``.

    Raises:
        ParameterError: there is none; the message lists those there are.
    """
    known = samples()
    if name not in known:
        raise ParameterError(f"There is no sample '{name}'; the samples are: {', '.join(known)}.")
    return known[name]
