"""TIFF: what SimpleITK passes over. It reads cut off stacks as shorter ones, and misreads opacity and palettes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import ImageReadError
from ..volume import Volume

ENDINGS = (".tif", ".tiff")
#: Codes of fields: kind of colors, values a pixel, where strips or tiles begin and how long they are.
_PHOTOMETRIC, _SAMPLES, _STARTS, _LENGTHS = 262, 277, (273, 324), (279, 325)
_PALETTE = 3
#: By the code of a field's type, for those of more than one byte.
_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NUMBERS = {3: "H", 4: "I", 16: "Q"}


class _CutOff(Exception):
    """The directory of a page is not whole."""


def check(path: Path, volume: Volume) -> None:
    """Check that every page, every field and every strip of it lies within the file.

    Raises:
        ImageReadError: the file ends early, or holds grey with opacity, which SimpleITK takes for twice as many pixels.
    """
    size, pages = path.stat().st_size, 0
    try:
        with path.open("rb") as file:
            for fields, spans in _pages(file):
                pages += 1
                if fields.get(_SAMPLES) == [2]:
                    raise ImageReadError(f"'{path}' has 2 values per voxel (grey, opacity). Save it without opacity.")
                if any(start + count > size for start, count in spans):
                    raise _CutOff
    except ImageReadError:
        raise
    except (_CutOff, struct.error, KeyError, ValueError, OverflowError):
        raise ImageReadError(f"'{path}' is cut off: it ends before its last pixel. Get it again.") from None
    if volume.array.ndim == 3 and pages < len(volume.array):
        raise ImageReadError(f"'{path}' is cut off: {pages} of its {len(volume.array)} pages are there. Get it again.")


def without_palette(path: Path, volume: Volume) -> Volume:
    """Return the grey levels of a picture with a palette, of which SimpleITK gives the 16-bit entries, in 8 bits."""
    if not path.name.lower().endswith(ENDINGS) or volume.array.dtype != np.uint16:
        return volume
    with path.open("rb") as file:
        fields, _ = next(_pages(file))
    if fields.get(_PHOTOMETRIC) != [_PALETTE]:
        return volume
    return volume.with_array((volume.array >> 8).astype(np.uint8))


def _pages(file: BinaryIO) -> Iterator[tuple[dict[int, list[int]], list[tuple[int, int]]]]:
    """Yield for each page its fields of whole numbers, and where its fields and strips or tiles lie (TIFF 6.0)."""

    def take(kind: str) -> tuple:
        return struct.unpack(order + kind, file.read(struct.calcsize(order + kind)))

    order = {b"II": "<", b"MM": ">"}[file.read(2)]
    big = take("H")[0] == 43
    if big:
        take("HH")
    entry, count, offset, inline = ("HHQ", "Q", "Q", 8) if big else ("HHI", "H", "I", 4)
    seen: set[int] = set()
    (page,) = take(offset)
    while page and page not in seen:
        seen.add(page)
        file.seek(page)
        (entries,) = take(count)
        fields: dict[int, list[int]] = {}
        spans: list[tuple[int, int]] = []
        for _ in range(entries):
            tag, kind, number = take(entry)
            raw = file.read(inline)
            length = number * _BYTES.get(kind, 1)
            if length > inline:
                (where,) = struct.unpack(order + offset, raw)
                spans.append((where, length))
            if kind not in _NUMBERS or (length > inline and tag not in (*_STARTS, *_LENGTHS)):
                continue
            if length > inline:
                back = file.tell()
                file.seek(where)
                raw = file.read(length)
                file.seek(back)
            fields[tag] = list(struct.unpack_from(f"{order}{number}{_NUMBERS[kind]}", raw))
        (page,) = take(offset)
        starts, lengths = (next((fields[tag] for tag in tags if tag in fields), []) for tags in (_STARTS, _LENGTHS))
        yield fields, [*spans, *zip(starts, lengths, strict=False)]
