"""Command-line options made from a dataclass of options, so that nothing about an option is written twice."""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Optional, Union, get_args, get_origin, get_type_hints

import typer

from ..errors import ParameterError


def with_options(options: type, **defaults: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate a command: its ``**keywords`` become an option for each field of a dataclass.

    Args:
        options: a dataclass of :func:`MedInpaintLib.options.option` fields.
        defaults: of fields whose default is another one for this command; what is on can be turned off by ``--no-...``.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True)
        hints = get_type_hints(options)
        kept = [each for each in own.parameters.values() if each.kind is not each.VAR_KEYWORD]
        additions = [_parameter(field, hints[field.name], defaults) for field in dataclasses.fields(options)]
        command.__signature__ = own.replace(parameters=[*kept, *additions])  # type: ignore[attr-defined]
        return command

    return decorate


def assignments(texts: list[str]) -> dict[str, str]:
    """Split NAME=VALUE pairs.

    Raises:
        ParameterError: one has no equals sign.
    """
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"--set takes NAME=VALUE; found '{text}'.")
        pairs[name.strip()] = value.strip()
    return pairs


def labels_of(texts: list[str] | None) -> list[int | str] | None:
    """Return labels as numbers and names; None where none was given."""
    return [int(text) if text.strip().isdecimal() else text for text in texts] if texts else None


def _parameter(field: dataclasses.Field, hint: Any, defaults: Mapping[str, Any]) -> inspect.Parameter:
    kind, default = _typer_type(hint), defaults.get(field.name, field.default)
    if default is dataclasses.MISSING:  # a factory: the command line has no text for its value
        default = None
    flag = field.metadata["flag"] or "--" + field.name.replace("_", "-")
    if default is True:
        flag += f"/--no-{flag[2:]}"
    declaration = typer.Option(flag, metavar=field.metadata["metavar"] or None, help=field.metadata["help"])
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, declaration]
    )


def _typer_type(hint: Any) -> Any:
    """Return a type as typer understands it: ``X | None`` as Optional, an object of values as its assignments."""
    if get_origin(hint) in (types.UnionType, Union):
        (inner,) = (each for each in get_args(hint) if each is not type(None))
        # Labels are numbers or names: on the command line, both are texts.
        return Optional[list[str] if get_origin(inner) is list else inner]  # noqa: UP045
    return Optional[list[str]] if get_origin(hint) is dict else hint  # noqa: UP045 - as above
