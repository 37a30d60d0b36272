"""Parameters of a method: a frozen dataclass whose fields carry range, unit and help.

The command line's ``--set``, the panel's form and the documentation are made from it, so nothing is written twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from .errors import ParameterError

_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


@dataclasses.dataclass(frozen=True)
class ParameterInfo:
    """One parameter, as a form shows it.

    ``kind`` is ``"float"``, ``"int"``, ``"bool"``, ``"str"`` or ``"choice"``; ``minimum``, ``maximum`` are inclusive.
    """

    name: str
    kind: str
    default: Any
    help: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


def parameter(
    default: Any,
    *,
    help: str,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Return a dataclass field for a method's parameters.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Parameters:
    ...     thickness: float = parameter(3.0, unit="mm", minimum=0.1, maximum=50, help="Thickness of the shell.")
    >>> describe(Parameters)[0].unit
    'mm'
    """
    metadata = {"help": help, "unit": unit, "minimum": minimum, "maximum": maximum, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


def describe(parameters: type) -> list[ParameterInfo]:
    """Return the parameters of a method, in the order in which they are declared."""
    return [
        ParameterInfo(name=field.name, kind=_kind(field), default=field.default, **field.metadata)
        for field in dataclasses.fields(parameters)
    ]


def parse(parameters: type, values: Mapping[str, Any], *, method: str) -> Any:
    """Make an instance of ``parameters`` from names and values; values may be text, as on the command line.

    Raises:
        ParameterError: an unknown name, a value of the wrong kind, or one out of range.
    """
    known = {info.name: info for info in describe(parameters)}
    for name in values:
        if name not in known:
            offer = ", ".join(known) if known else "none"
            raise ParameterError(f"Method '{method}' has no parameter '{name}'; its parameters are: {offer}.")
    return parameters(**{name: _convert(known[name], value) for name, value in values.items()})


def _kind(field: dataclasses.Field) -> str:
    if field.metadata["choices"]:
        return "choice"
    return type(field.default).__name__


def _convert(info: ParameterInfo, value: Any) -> Any:
    message = f"Parameter '{info.name}' must be {_expected(info)}; found {value!r}."
    try:
        converted = _CONVERTERS[info.kind](value)
    except (TypeError, ValueError, OverflowError):
        raise ParameterError(message) from None
    if info.kind == "choice":
        inside = converted in info.choices
    elif info.kind in ("bool", "str"):
        inside = True
    else:
        above = info.minimum is None or converted >= info.minimum
        below = info.maximum is None or converted <= info.maximum
        inside = above and below  # NaN compares false, so it is refused too wherever there is a bound
    if not inside:
        raise ParameterError(message)
    return converted


def _expected(info: ParameterInfo) -> str:
    if info.kind == "choice":
        return "one of " + ", ".join(info.choices)
    if info.kind == "bool":
        return "true or false"
    noun = "a whole number" if info.kind == "int" else "a number"
    unit = f" {info.unit}" if info.unit else ""
    if info.minimum is not None and info.maximum is not None:
        return f"{noun} between {info.minimum:g} and {info.maximum:g}{unit}"
    if info.minimum is not None:
        return f"{noun} of at least {info.minimum:g}{unit}"
    return noun + unit


def _to_int(value: Any) -> int:
    number = float(value)
    if number != int(number):
        raise ValueError(value)
    return int(number)


def _to_bool(value: Any) -> bool:
    text = str(value).lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(value)


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "int": _to_int,
    "bool": _to_bool,
    "str": str,
    "choice": str,
}
