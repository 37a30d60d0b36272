"""Holes as text, the same in Python and on the command line: ``spheres:20mm:6``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import ParameterError
from .blobs import Blobs
from .length import Length
from .lesions import Lesions
from .shape import ALL_SLICES, Shape
from .spheres import Spheres
from .squares import Squares
from .strips import ORIENTATIONS, Strips
from .strokes import PUBLISHED_LENGTH, PUBLISHED_VERTICES, Strokes

#: All that follows is a path, colons included.
_SOURCE = ":from="


def parse(spec: str) -> Shape:
    """Return the shape that ``spec`` describes; see :func:`grammar`.

    >>> parse("strips:16px:2:vertical")
    Strips(width=Length(value=16.0, unit='px'), count=2, orientation='vertical', slab=None)

    Raises:
        ParameterError: it describes none; the message shows the grammar.
    """
    described, source, file = spec.strip().partition(_SOURCE)
    name, *parts = described.split(":")
    try:
        if name not in _SHAPES:
            raise ParameterError(f"there is no shape '{name}'.")
        if not parts:
            raise ParameterError("the size is missing.")
        size, *parts = parts
        count = _count(parts.pop(0)) if parts and parts[0].isdigit() else 1
        return _SHAPES[name](size, count, _options([*parts, source[1:] + file] if source else parts))
    except ParameterError as error:
        raise ParameterError(f"'{spec}' does not describe holes: {error}\n{grammar()}") from None


def is_spec(text: str) -> bool:
    """Return whether ``text`` begins with the name of a shape, so describes holes and does not name a file."""
    return text.strip().partition(":")[0] in _SHAPES


def taken_from(spec: str, folder: Path) -> str:
    """Prepend a folder to the file that a description of holes names, if any.

    >>> taken_from("spheres:20mm", Path("data"))
    'spheres:20mm'
    """
    described, source, file = spec.partition(_SOURCE)
    return f"{described}{source}{folder / file}" if file else spec


def file_of(holes: str) -> str | None:
    """Return the mask that a description of holes names, or that is given in place of one; None without a mask.

    >>> file_of("lesions:5ml:3:from=mine.nii.gz"), file_of("mine.nii.gz"), file_of("spheres:20mm")
    ('mine.nii.gz', 'mine.nii.gz', None)
    """
    return holes.partition(_SOURCE)[2] or None if is_spec(holes) else holes


def grammar() -> str:
    """Return the grammar of hole descriptions, as a text to print."""
    shapes = (Spheres, Squares, Strips, Strokes, Blobs, Lesions)
    lines = [f"  {shape.GRAMMAR}\n      {shape.HELP}" for shape in shapes]
    return "\n".join(
        [
            "Holes are written SHAPE:SIZE[:COUNT][:OPTION...]:",
            *lines,
            "Lengths need a unit: mm, px (voxels) or % of a slice's shorter side (1/8 = 12.5%). COUNT is 1 by default.",
            "In volumes squares, strips and strokes lie on one slice each; slab=5mm, 3px or all makes them thicker.",
            "Lesions are multiple sclerosis lesions; from=FILE, written last, takes those that a mask of yours marks.",
        ]
    )


def _spheres(size: str, count: int, options: dict[str, str]) -> Shape:
    _none_left(options)
    return Spheres(Length.parse(size), count)


def _squares(size: str, count: int, options: dict[str, str]) -> Shape:
    slab = _slab(options)
    _none_left(options)
    return Squares(Length.parse(size), count, slab)


def _strips(size: str, count: int, options: dict[str, str]) -> Shape:
    chosen = [orientation for orientation in ORIENTATIONS if options.pop(orientation, None) is not None]
    if len(chosen) > 1:
        raise ParameterError(f"only one of {', '.join(chosen)} can be meant.")
    slab = _slab(options)
    _none_left(options)
    return Strips(Length.parse(size), count, chosen[0] if chosen else ORIENTATIONS[0], slab)


def _strokes(size: str, count: int, options: dict[str, str]) -> Shape:
    low, dash, high = size.partition("-")
    thickest = Length.parse(high if dash else low)
    thinnest = Length.parse(low + thickest.unit if dash and low.replace(".", "").isdigit() else low)
    if thinnest.unit != thickest.unit or thinnest.value > thickest.value:
        raise ParameterError(f"the widths '{size}' must be written as thinnest-thickest with one unit, as in 10-24px.")
    length = Length.parse(options.pop("length", str(PUBLISHED_LENGTH)))
    vertices = _count(options.pop("vertices", str(PUBLISHED_VERTICES)))
    slab = _slab(options)
    _none_left(options)
    return Strokes(thinnest, thickest, count, length, vertices, slab)


def _blobs(size: str, count: int, options: dict[str, str]) -> Shape:
    _none_left(options)
    return Blobs(Length.parse(size), count)


def _lesions(size: str, count: int, options: dict[str, str]) -> Shape:
    source = options.pop("from", None)
    if source == "":
        raise ParameterError("after from= the file of a mask is missing.")
    _none_left(options)
    return Lesions(Length.parse(size), count, source)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise ParameterError(f"'{text}' is not a number of things; write a whole number of at least 1.")
    return int(text)


def _options(parts: list[str]) -> dict[str, str]:
    """Parse ``["vertical", "slab=5mm"]`` into ``{"vertical": "", "slab": "5mm"}``."""
    options: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        if name in options:
            raise ParameterError(f"'{name}' is given twice.")
        options[name] = value
    return options


def _slab(options: dict[str, str]) -> Length | str | None:
    text = options.pop("slab", None)
    if text is None or text == ALL_SLICES:
        return text
    return Length.parse(text)


def _none_left(options: dict[str, str]) -> None:
    if options:
        raise ParameterError(f"it has no option '{next(iter(options))}'.")


_SHAPES: dict[str, Callable[[str, int, dict[str, str]], Shape]] = {
    "spheres": _spheres,
    "squares": _squares,
    "strips": _strips,
    "strokes": _strokes,
    "blobs": _blobs,
    "lesions": _lesions,
}
