"""Names of outputs that the user does not name one by one."""

from __future__ import annotations

from typing import Any

from ..io.formats import split_ending

#: What may be written beside an output, by its field -> what its name gets.
BESIDE = {"report": "", "uncertainty": "-uncertainty", "filled_mask": "-filled-mask", "page": ""}
#: Endings of those that are no images.
TEXTS = {"report": ".json", "page": ".html"}


def add_outputs(fields: dict[str, Any], which: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of a job with the paths of further outputs beside its output, where it has none.

    >>> add_outputs({"output": "out/t1.nii.gz"}, ("report", "filled_mask"))["filled_mask"]
    'out/t1-filled-mask.nii.gz'

    Of several outputs each gets its own, but the mask is one for all, beside the first.
    """
    output = fields.get("output")
    if not which:
        return fields
    if isinstance(output, str):
        return {**{name: path_beside(output, name) for name in which}, **fields}
    if isinstance(output, list) and output:
        of_each = {name: [path_beside(each, name) for each in output] for name in which if name != "filled_mask"}
        of_all = {"filled_mask": path_beside(output[0], "filled_mask")} if "filled_mask" in which else {}
        return {**of_each, **of_all, **fields}
    return fields


def path_beside(output: str, name: str) -> str:
    """Return the path beside an output for what a field of a job names.

    >>> path_beside("out/t1.nii.gz", "report"), path_beside("out/t1.nii.gz", "uncertainty")
    ('out/t1.json', 'out/t1-uncertainty.nii.gz')
    """
    stem, ending = split_ending(output)
    return f"{stem}{BESIDE[name]}{TEXTS.get(name, ending)}"
