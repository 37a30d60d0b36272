"""Text files that people write: JSON, TOML and plain text, read within limits."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any, NoReturn

from .errors import InputError, MissingDependencyError

#: Largest file, bytes, deepest nesting, and longest whole number, digits. Those that MedInpaint writes have 100 kB,
#: 6 levels and 20 digits.
MOST_BYTES, MOST_DEPTH, MOST_DIGITS = 4 << 20, 64, 30


def read_text(path: Path, what: str, error: type[InputError], most_bytes: int = MOST_BYTES) -> str:
    """Read a text file in UTF-8; a byte order mark (of Windows' Notepad) is left out.

    Args:
        path: of the file.
        what: it is, with its name, for messages.
        error: the class to raise.
        most_bytes: larger files are refused.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except (OSError, ValueError) as reason:  # ValueError: a NUL character in the path
        raise error(f"{what} cannot be read ({getattr(reason, 'strerror', None) or reason}).") from None
    if len(content) > most_bytes:
        raise error(f"{what} is larger than {most_bytes / 1e6:.0f} MB; is it the right file?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        raise error(f"{what} is no text in UTF-8 ({reason.reason} at byte {reason.start}); save it as UTF-8.") from None


def read_json(path: Path, what: str, error: type[InputError]) -> Any:
    """Read a JSON file; arguments as in :func:`read_text`."""
    return parse_json(read_text(path, what, error), what, error)


def parse_json(text: str, what: str, error: type[InputError]) -> Any:
    """Parse JSON strictly: no name twice in an object, no NaN, no number or nesting beyond all use."""
    try:
        return _bounded(json.loads(text, parse_constant=_refuse, parse_int=_whole, object_pairs_hook=_object))
    except RecursionError:
        raise error(f"{what} is not JSON that can be used (it is nested too deeply).") from None
    except ValueError as reason:
        raise error(f"{what} is not JSON that can be used ({reason}).") from None


def read_toml(path: Path, what: str, error: type[InputError]) -> dict[str, Any]:
    """Read a TOML file; arguments as in :func:`read_text`.

    Raises:
        MissingDependencyError: Python is older than 3.11 and tomli is not installed.
    """
    text, toml = read_text(path, what, error), _toml()
    try:
        return _bounded(toml.loads(text))
    except RecursionError:
        raise error(f"{what} cannot be read as TOML (it is nested too deeply).") from None
    except ValueError as reason:
        raise error(f"{what} cannot be read as TOML ({reason}).") from None


def _toml() -> Any:
    if sys.version_info >= (3, 11):
        import tomllib

        return tomllib
    try:
        import tomli
    except ImportError:
        raise MissingDependencyError("Recipes need tomli on Python 3.10: pip install tomli") from None
    return tomli


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"'{twice}' is there twice")
    return fields


def _bounded(document: Any) -> Any:
    """Return the document unless it has a number or nesting beyond all use; level by level, without recursion."""
    level = [document]
    for _ in range(MOST_DEPTH):
        for value in level:
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError("a number that is not finite")
            if isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:
                raise ValueError(f"a number of more than {MOST_DIGITS} digits")
        level = [
            entry
            for value in level
            if isinstance(value, (dict, list))
            for entry in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return document
    raise ValueError(f"it is nested more than {MOST_DEPTH} levels deep")
