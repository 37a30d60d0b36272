"""Names of outputs that the user does not name one by one."""

from __future__ import annotations

from typing import Any

#: What may be written beside an output, by its field -> what its name gets.
BESIDE = {"report": "", "uncertainty": "-uncertainty", "filled_mask": "-filled-mask", "page": ""}
#: Endings of those that are no images.
TEXTS = {"report": ".json", "page": ".html"}


def add_outputs(fields: dict[str, Any], which: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of a job with the paths of further outputs beside its output, where it has none.

    >>> add_outputs({"output": "out/t1.nii.gz"}, ("report", "filled_mask"))["filled_mask"]
    'out/t1-filled-mask.nii.gz'
    """
    output = fields.get("output")
    if not isinstance(output, str) or not which:
        return fields
    stem, ending = split_ending(output)
    paths = {name: f"{stem}{BESIDE[name]}{TEXTS.get(name, ending)}" for name in which}
    return {**paths, **fields}


def split_ending(path: str) -> tuple[str, str]:
    """Split a path before the ending of its format; that of a folder with DICOM files is ``.nrrd``."""
    from ..io.formats import WRITABLE

    if path.endswith(("/", "\\")):
        return path.rstrip("/\\"), ".nrrd"
    ending = max((each for each in WRITABLE if path.lower().endswith(each)), key=len, default="")
    return path[: len(path) - len(ending)], ending
