"""What all jobs share: fields that are read from a JSON file and checked."""

from __future__ import annotations

import dataclasses
import math
import numbers
import os
import reprlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from ..errors import ParameterError
from ..files import check_path
from ..progress import Progress
from ..report import Report

Kind = TypeVar("Kind", bound="JobFile")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def _whole(value: Any) -> int:
    # numbers.Integral: numpy's integers are welcome. True and False are integers to Python, but not to people.
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise ValueError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _label(value: Any) -> int | str:
    return _text(value) if isinstance(value, str) else _whole(value)


def _label_list(value: Any) -> list[int | str]:
    if not isinstance(value, (list, tuple)):
        raise ValueError
    return [_label(entry) for entry in value]


def _text_list(value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)):
        raise ValueError
    return [_text(entry) for entry in value]


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise ValueError
    return value


def _texts(value: Any) -> dict[str, str]:
    return {name: _text(each) for name, each in _object(value).items()}


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


#: For each type of field: how to say it, and a function that takes a value as that type or raises ValueError.
_KINDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "str": ("a text that is not empty", _text),
    "int": ("a whole number", _whole),
    "float": ("a finite number", _number),
    "bool": ("true or false", _truth),
    "int | str": ("a whole number or a name", _label),
    "list[int | str]": ("a list of whole numbers and names", _label_list),
    "list[str]": ("a list of texts that are not empty", _text_list),
    "dict[str, Any]": ("an object of names and values", _object),
    "dict[str, str]": ("an object of names and texts that are not empty", _texts),
}


@dataclasses.dataclass(frozen=True)
class JobFile:
    """One job. A subclass has the fields of the JSON file; those without a default must be there.

    Attributes:
        KIND: the value of the field ``job``.
        PATHS: the fields that hold a path, a list of paths, or paths by name. Relative ones are relative to the file.
        source: the file that the job was read from, or None; it is no field of the JSON file.
        job: the kind.
        output: the image to write, or several.
    """

    KIND: ClassVar[str]
    PATHS: ClassVar[tuple[str, ...]]
    source: ClassVar[Path | None] = None

    job: str
    output: str | list[str]

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is None and str(field.type).endswith("| None"):
                continue
            expected, convert = _KINDS[str(field.type).removesuffix(" | None")]
            try:
                object.__setattr__(self, field.name, convert(value))
            except (ValueError, OverflowError):
                described = "null" if value is None else reprlib.repr(value)
                raise ParameterError(f"The job's field '{field.name}' must be {expected}; found {described}.") from None
        for name in self.PATHS:
            for path in _paths(getattr(self, name)):
                check_path(path)

    @classmethod
    def of(cls: type[Kind], fields: Mapping[str, Any], folder: Path) -> Kind:
        """Make a job from the JSON file's content; relative paths are taken from ``folder``.

        Raises:
            ParameterError: fields are missing, unknown or of the wrong kind.
        """
        known = {field.name: field for field in dataclasses.fields(cls)}
        unknown = sorted(set(fields) - set(known))
        missing = [name for name, field in known.items() if name not in fields and _is_needed(field)]
        if unknown or missing:
            parts = [f"unknown fields: {', '.join(unknown)}"] if unknown else []
            parts += [f"missing: {', '.join(missing)}"] if missing else []
            raise ParameterError(f"The job file has {'; '.join(parts)}. Its fields are: {', '.join(known)}.")
        return cls(**cls.placed(fields, folder))

    @classmethod
    def placed(cls, fields: Mapping[str, Any], folder: Path) -> dict[str, Any]:
        """Return some of the fields with relative paths taken from ``folder``."""
        return {**fields, **{name: _placed(fields[name], folder) for name in cls.PATHS if name in fields}}

    def read_from(self: Kind, path: Path) -> Kind:
        """Remember the file that the job was read from, which no output may overwrite; return the job."""
        object.__setattr__(self, "source", path)
        return self

    def check_outputs(self, inputs: Mapping[str, str | None], outputs: Mapping[str, str | None]) -> None:
        """Check that no output overwrites an input, the job file included; those that are None are left out.

        Raises:
            OutputPathError: see :func:`.outputs.check_that_nothing_is_overwritten`.
        """
        from .outputs import check_that_nothing_is_overwritten

        inputs = {**inputs, "job file": None if self.source is None else str(self.source)}
        check_that_nothing_is_overwritten(
            {name: path for name, path in inputs.items() if path is not None},
            {name: path for name, path in outputs.items() if path is not None},
        )

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the job as a JSON file."""
        from ..files import write_json

        write_json(path, dataclasses.asdict(self))

    def run(self, progress: Progress | None = None) -> Report:
        """Run the job and write its files; return the report.

        Raises:
            MedInpaintError: nothing was written then.
        """
        raise NotImplementedError


def _is_needed(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _paths(value: Any) -> list[str]:
    """Return the paths in a field: one, a list, those by name, or none."""
    if isinstance(value, dict):
        return list(value.values())
    return [value] if isinstance(value, str) else value or []


def _placed(value: Any, folder: Path) -> Any:
    """Put relative paths into a folder; leave anything that is no path for the check of the fields."""
    if isinstance(value, list):
        return [_placed(each, folder) for each in value]
    if isinstance(value, dict):
        return {name: _placed(each, folder) for name, each in value.items()}
    if not (isinstance(value, str) and value):
        return value
    return os.path.join(folder, value)  # keeps the "/" at the end, which names a folder
