"""The JSON file beside each image that is written: what it was made of, how, and how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..documents import read_json
from ..errors import InputError
from ..report import FillReport
from .derivative import PROGRAM, generated_by

#: What a sidecar repeats of the report: all that does not differ from run to run.
_ALL = (
    *("status", "method", "reason", "parameters", "blend", "seed", "grain", "modality", "trust", "warnings"),
    *("guides", "guides_left_out", "image", "mask", "hole", "parts", "self_check", "uncertainty", "notes"),
)
#: Of a raw image's metadata, what does not hold for the filled one, or is written again.
_OF_SOURCE = frozenset({"Description", "Sources", "RawSources", "SpatialReference", "GeneratedBy", "SkullStripped"})


class BidsReport(FillReport):
    """The report of a fill in a BIDS dataset.

    status: as of a case; guides: names of those that were used; guides_left_out: name -> why.
    """

    status: str
    guides: list[str]
    guides_left_out: dict[str, str]


def read_metadata(files: Sequence[str]) -> dict[str, Any]:
    """Return the metadata of an image from its JSON files; later ones come before earlier ones.

    Raises:
        InputError: one cannot be read.
    """
    merged: dict[str, Any] = {}
    for file in files:
        document = read_json(Path(file), f"The metadata '{file}'", InputError)
        if not isinstance(document, dict):
            raise InputError(f"The metadata '{file}' must be a JSON object.")
        merged |= document
    return merged


def sidecar_of_image(report: BidsReport, sources: Sequence[str], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sidecar of a filled image; metadata of the acquisition hold for it, too.

    Args:
        report: of the fill.
        sources: BIDS URIs, the image's first.
        metadata: of the image.
    """
    done = "Image whose lesions were filled: the voxels in them are synthetic."
    nothing = "Copy of an image whose lesion mask is empty: nothing was filled."
    return {
        **{key: value for key, value in metadata.items() if key not in _OF_SOURCE},
        "Description": done if report["hole"]["voxels"] else nothing,
        **_common(sources),
        "SkullStripped": is_stripped(metadata),
        PROGRAM: _facts(report, _ALL),
    }


def sidecar_of_mask(report: BidsReport, sources: Sequence[str]) -> dict[str, Any]:
    """Return the sidecar of the mask of the filled voxels."""
    return {
        "Description": "Voxels that were filled, after growing and resampling the lesion mask: 1 is synthetic.",
        "Type": "Lesion",
        **_common(sources),
        PROGRAM: _facts(report, ("status", "mask", "hole")),
    }


def sidecar_of_uncertainty(report: BidsReport, sources: Sequence[str], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sidecar of the uncertainty."""
    return {
        "Description": "Standard deviation of the error of each filled voxel, in the image's units; 0 elsewhere.",
        **_common(sources),
        "Units": metadata.get("Units", "arbitrary"),
        "SkullStripped": is_stripped(metadata),
        PROGRAM: _facts(report, ("status", "method", "seed", "uncertainty")),
    }


def is_stripped(metadata: Mapping[str, Any]) -> bool:
    """Return what an image's metadata say of its skull; raw images of BIDS have one unless they say otherwise."""
    return metadata.get("SkullStripped") is True


def _common(sources: Sequence[str]) -> dict[str, Any]:
    return {"Sources": list(sources), "SpatialReference": sources[0], "GeneratedBy": generated_by()}


def _facts(report: BidsReport, keys: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in report.items() if key in keys}
