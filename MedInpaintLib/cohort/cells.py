"""Cells: how the text in a table, or after ``--with``, becomes a value of a job's field."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..errors import ParameterError
from .case import CaseKind

#: What stands between the entries of a cell that holds a list.
BETWEEN = ";"
#: Fields that no cell holds: the kind of job is one for all, and the runner shares out the cores.
_NOT_IN_CELLS = ("job", "workers")


@dataclasses.dataclass(frozen=True)
class Cell:
    """Where a cell's value belongs, and how it is read.

    Attributes:
        field: of the job; None: the user's own, for nothing.
        read: from its text.
        entry: the name of the value in a field that holds values by name; None: the value is the field's.
    """

    field: str | None
    read: Callable[[str], Any]
    entry: str | None = None

    @property
    def name(self) -> str | None:
        """What can be there only once."""
        return self.entry or self.field

    def put(self, value: Any, fields: dict[str, Any]) -> None:
        """Put a value where it belongs among the fields of a job."""
        assert self.field is not None
        if self.entry is None:
            fields[self.field] = value
        else:
            fields[self.field] = {**fields.get(self.field, {}), self.entry: value}


def fields_of(kind: CaseKind) -> dict[str, dataclasses.Field[Any]]:
    """Return the fields of a kind's jobs that a cell can hold, by their names."""
    return {field.name: field for field in dataclasses.fields(kind.job) if field.name not in _NOT_IN_CELLS}


def needed_fields(kind: CaseKind) -> list[str]:
    """Return the fields of a kind's jobs that have no default."""
    missing = dataclasses.MISSING
    return [name for name, field in fields_of(kind).items() if field.default is field.default_factory is missing]


def cell_of(heading: str, kind: CaseKind) -> Cell | None:
    """Return what a heading says of its cells: the name of a field or of its option on the command line, or an entry.

    >>> from .fill import Fill
    >>> cell_of("--dilate", Fill()).field, cell_of("metod", Fill())
    ('dilate_mm', None)
    """
    fields = fields_of(kind)
    names = {_plain(name): name for name in fields} | {
        _plain(field.metadata["flag"]): name for name, field in fields.items() if field.metadata.get("flag")
    }
    name = names.get(_plain(heading))
    if name is None:
        entry = kind.entry_of(heading)
        return None if entry is None else Cell(entry[0], str, entry[1])
    return Cell(name, kind.readers.get(name, _READ[str(fields[name].type).removesuffix(" | None")]))


def values_of(texts: Iterable[str], kind: CaseKind) -> dict[str, Any]:
    """Return the fields in texts such as ``"holes=spheres:20mm:6"``; relative paths are taken from this folder.

    Raises:
        ParameterError: a text is no FIELD=VALUE of this kind of job.
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        cell = cell_of(name, kind) if equals else None
        if cell is None:
            raise ParameterError(
                f"--with takes FIELD=VALUE; found '{text}'. The fields of {kind.job.KIND} are: "
                f"{', '.join(fields_of(kind))}."
            )
        try:
            cell.put(cell.read(value.strip()), values)
        except ValueError as error:
            raise ParameterError(f"--with {name.strip()}: {error}.") from None
    return kind.job.placed(values, Path.cwd())


def pairs(cell: str) -> dict[str, str]:
    """Return the values by name in a cell.

    >>> pairs("size=3; iterations=5")
    {'size': '3', 'iterations': '5'}

    Raises:
        ValueError: an entry is no NAME=VALUE.
    """
    values = {}
    for entry in _list(cell):
        name, equals, value = entry.partition("=")
        if not equals:
            raise ValueError(f"it must hold NAME=VALUE, with {BETWEEN} between several; found '{entry}'")
        values[name.strip()] = value.strip()
    return values


def _plain(name: str) -> str:
    """Return what a field and its option on the command line have in common."""
    return name.strip().lower().lstrip("-").replace("-", "_")


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise ValueError(f"it must be a number; found '{cell}'") from None


def _whole(cell: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", cell):
        raise ValueError(f"it must be a whole number; found '{cell}'")
    return int(cell)


def _truth(cell: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if cell.lower() not in words:
        raise ValueError(f"it must be true or false; found '{cell}'")
    return words[cell.lower()]


def _list(cell: str) -> list[str]:
    return [entry.strip() for entry in cell.split(BETWEEN) if entry.strip()]


def _label(cell: str) -> int | str:
    return int(cell) if cell.isdecimal() else cell


def _labels(cell: str) -> list[int | str]:
    return [_label(entry) for entry in _list(cell)]


#: How a cell is read, by the type of its field.
_READ: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": _whole,
    "float": _number,
    "bool": _truth,
    "int | str": _label,
    "list[int | str]": _labels,
    "list[str]": _list,
    "dict[str, Any]": pairs,
    "dict[str, str]": pairs,
}
