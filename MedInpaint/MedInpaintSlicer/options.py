"""The engine's options of a fill under Slicer's names.

The name of an argument of ``MedInpaintLogic.inpaint`` and of a field of the parameter node is that of the field of
``FillOptions`` in camelCase: ``dilate_mm`` is ``dilateMm``. No option is listed here, so new ones need no change.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .nodes import arguments

if TYPE_CHECKING:
    from MedInpaintLib.options import FillOptions

#: Options that Slicer does not offer: users choose segments, the modality is guessed, Slicer reads the files, and
#: samples, which become a sequence, are asked for like the uncertainty.
NOT_OFFERED = ("labels", "modality", "samples", "series", "volume", "fill_missing_slices", "allow_outside_data")

#: Type of an option -> a function that takes its name and a value and returns the value in that type.
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "str": arguments.text,
    "float": arguments.number,
    "int": arguments.wholeNumber,
    "int | None": lambda name, value: None if value is None else arguments.wholeNumber(name, value),
    "bool": lambda name, value: bool(value),
    "dict[str, Any]": arguments.values,
}


def names() -> dict[str, str]:
    """Return the options that Slicer offers: field of ``FillOptions`` -> Slicer's name."""
    from MedInpaintLib.options import FillOptions

    fields = (field.name for field in dataclasses.fields(FillOptions))
    return {name: _camelCase(name) for name in fields if name not in NOT_OFFERED}


def fromArguments(values: Mapping[str, Any]) -> "FillOptions":
    """Return the options from arguments with Slicer's names; other names are ignored.

    Raises:
        MedInpaintLib.errors.ParameterError: a value is of the wrong type.
    """
    from MedInpaintLib.options import FillOptions

    types = {field.name: str(field.type) for field in dataclasses.fields(FillOptions)}
    return FillOptions(
        **{field: _CHECKS[types[field]](name, values[name]) for field, name in names().items() if name in values}
    )


def toArguments(options: "FillOptions") -> dict[str, Any]:
    """Return the options as arguments of ``MedInpaintLogic.inpaint``."""
    return {name: getattr(options, field) for field, name in names().items()}


def workersBesideSlicer() -> int:
    """Return the ``workers`` for fills that a panel starts: one core stays free for Slicer's views."""
    from MedInpaintLib.together import cores

    return max(1, cores() - 1)


def _camelCase(name: str) -> str:
    first, *words = name.split("_")
    return first + "".join(word.capitalize() for word in words)
