"""The fields of ``bundle.json``, and messages for values that do not fit."""

from __future__ import annotations

import dataclasses
import re
import reprlib
from collections.abc import Callable
from typing import Any, Protocol

#: The version of the format that this MedInpaint writes, and the only one that it reads.
FORMAT = 1

#: Largest side of a frame, pixels, and largest file of weights: 500 million numbers in float32.
MOST_PIXELS, MOST_WEIGHTS = 4096, 2 * 10**9 + (1 << 20)

#: The dtypes in which floating weights may be stored.
DTYPES = ("float16", "bfloat16", "float32")


class _Wanted(Protocol):
    def misfit(self, value: Any, name: str) -> str | None: ...


@dataclasses.dataclass(frozen=True)
class _Kind:
    """A single value: the description for messages, and the check."""

    words: str
    fits: Callable[[Any], bool]

    def misfit(self, value: Any, name: str) -> str | None:
        if self.fits(value):
            return None
        return f"its field '{name}' must be {self.words}; found {'null' if value is None else reprlib.repr(value)}"


@dataclasses.dataclass(frozen=True)
class _Record:
    """An object with these fields and any of the optional ones; it may have others."""

    fields: dict[str, _Wanted]
    optional: dict[str, _Wanted] = dataclasses.field(default_factory=dict)

    def misfit(self, value: Any, name: str) -> str | None:
        wrong = _OBJECT.misfit(value, name)
        if wrong:
            return wrong if name else "it must hold one JSON object"
        for field, kind in self.fields.items():
            path = f"{name}.{field}" if name else field
            wrong = kind.misfit(value[field], path) if field in value else f"its field '{path}' is missing"
            if wrong:
                return wrong
        faults = (
            kind.misfit(value[field], f"{name}.{field}") for field, kind in self.optional.items() if field in value
        )
        return next((wrong for wrong in faults if wrong), None)


@dataclasses.dataclass(frozen=True)
class _Rows:
    """A list, perhaps empty, of entries of one kind."""

    row: _Wanted

    def misfit(self, value: Any, name: str) -> str | None:
        wrong = _LIST.misfit(value, name)
        if wrong:
            return wrong
        faults = (self.row.misfit(entry, f"{name}[{index}]") for index, entry in enumerate(value))
        return next((wrong for wrong in faults if wrong), None)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_whole(value: Any) -> bool:
    # Python counts True and False as integers.
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    # By comparison: math.isfinite refuses integers beyond the floats.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -1e300 < value < 1e300


def _is_within(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: _is_number(value) and low <= value <= high


def _is_name(value: Any) -> bool:
    """Return whether a text can be a model's name: also the name of its folder, on every file system."""
    return _matches("[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")(value) and not _is_reserved(value)


def _is_file_name(value: Any) -> bool:
    return _matches(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.safetensors")(value) and not _is_reserved(value)


def _is_reserved(name: str) -> bool:
    """Return whether a name, with any ending, is that of a device on Windows, or has a meaning of its own here."""
    stem = name.lower().partition(".")[0]
    return name == "auto" or re.fullmatch("con|prn|aux|nul|com[0-9]|lpt[0-9]", stem) is not None


def _matches(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


_OBJECT = _Kind("an object of names and values", lambda value: isinstance(value, dict))
_LIST = _Kind("a list", lambda value: isinstance(value, list))
_TEXT = _Kind("a text that is not empty", _is_text)
_TEXTS = _Kind(
    "a list of one or more texts", lambda value: isinstance(value, list) and bool(value) and all(map(_is_text, value))
)
_NUMBER = _Kind("a finite number", _is_number)
_POSITIVE = _Kind("a number above 0", lambda value: _is_number(value) and value > 0)
_MM = _Kind("a number of mm, 0.001 to 1000", _is_within(1e-3, 1e3))
#: For frames and layers; 4096 pixels are more than any slice has.
_FEW = _Kind(f"a whole number, 1 to {MOST_PIXELS}", lambda value: _is_whole(value) and 1 <= value <= MOST_PIXELS)
_TRUTH = _Kind("true or false", lambda value: isinstance(value, bool))
_WHOLE = _Kind("a whole number, 0 or more", lambda value: _is_whole(value) and value >= 0)
_COUNT = _Kind("a whole number, 1 or more", lambda value: _is_whole(value) and value >= 1)
NAME = _Kind(
    "up to 64 small letters, digits, dots, dashes and underscores, with a letter or digit first and last, and no "
    "reserved name such as 'auto' or 'con'",
    _is_name,
)
#: A plain name: a bundle never refers to files outside its folder.
_FILE = _Kind("the plain name of a .safetensors file", _is_file_name)
_SHA256 = _Kind("64 small hexadecimal digits", _matches("[0-9a-f]{64}"))
_BYTES = _Kind(f"a whole number, 1 to {MOST_WEIGHTS}", lambda value: _is_whole(value) and 1 <= value <= MOST_WEIGHTS)
_DTYPE = _Kind(f"one of {', '.join(DTYPES)}", lambda value: value in DTYPES)
_PLANES = ("axial", "coronal", "sagittal")
_PLANE = _Kind(f"one of {', '.join(_PLANES)}", lambda value: value in _PLANES)
_STRING = _Kind("a text", lambda value: isinstance(value, str))

_BUNDLE = _Record(
    {
        "format": _Kind(str(FORMAT), lambda value: _is_whole(value) and value == FORMAT),
        "name": NAME,
        "title": _TEXT,
        "architecture": _TEXT,
        "arguments": _Record(
            {},
            optional={
                "pixels": _FEW,
                "slices": _FEW,
                "contrasts": _FEW,
                "hint": _TRUTH,
                "other_side": _TRUTH,
                "relative": _TRUTH,
            },
        ),
        "modality": _TEXT,
        "contrasts": _TEXTS,
        "normalisation": _Record({"centre": _NUMBER, "half_width": _POSITIVE}),
        "input": _Record(
            {"pixels": _FEW, "pixel_mm": _MM, "plane": _PLANE},
            optional={"also": _Rows(_PLANE), "slice_mm": _MM, "hint": _STRING, "across": _WHOLE},
        ),
        "training": _Record(
            {
                "recipe": _TEXT,
                "steps": _WHOLE,
                "seed": _WHOLE,
                "data": _Rows(_Record({"dataset": _TEXT, "licence": _TEXT, "citation": _TEXT, "subjects": _COUNT})),
            }
        ),
        "scores": _Rows(_OBJECT),
        "weights": _Record({"file": _FILE, "sha256": _SHA256, "bytes": _BYTES, "dtype": _DTYPE}),
    }
)


def misfit(fields: Any) -> str | None:
    """Return the first fault in the content of a ``bundle.json``, or None.

    Unknown fields are ignored, so that later versions of MedInpaint may add some.
    """
    return _BUNDLE.misfit(fields, "")
