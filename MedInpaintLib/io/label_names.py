"""Names of labels: from color tables in or beside a file, BIDS's tables beside it, or a table that the user names."""

from __future__ import annotations

import contextlib
import csv
import gzip
import os
import re
import struct
from pathlib import Path
from typing import BinaryIO

from ..documents import read_text
from ..errors import ParameterError

#: A line of a color table: number, name, red, green, blue and, mostly, transparency.
_LINE = re.compile(r"\s*(\d+)\s+(\S.*?)(?:\s+\d+){3,4}\s*$")
#: A line of ITK-SNAP's label descriptions: number, red, green, blue, opacity, two flags and the name.
_SNAP_LINE = re.compile(r'\s*(\d+)(?:\s+[\d.]+){6}\s+"(.*)"\s*$')
#: The columns with numbers and names in tables of BIDS, FastSurfer and Slicer, in small letters.
_NUMBER_COLUMNS, _NAME_COLUMNS = ("index", "id", "labelvalue", "label"), ("name", "labelname")
_TABLES = (".ctab", ".ctbl", ".lut", ".txt")
_ENDINGS = re.compile(r"(\.seg)?\.(nii\.gz|nii|mgz|mgh|nrrd|nhdr|mha|mhd|png|tiff?|img|hdr)$", re.IGNORECASE)
#: FreeSurfer's own table, which names the labels of its own files only.
_FREESURFER = "FreeSurferColorLUT.txt"
_LARGEST_TABLE = 10_000_000  # bytes; FreeSurfer's has 100,000


def names_of(path: str | os.PathLike[str]) -> dict[int, str]:
    """Return the names of the labels of a file, number -> name; empty where none are known.

    Looked for in the file (MGH, MGZ), in a table of the same name beside it (.ctab, .ctbl, .lut, .txt, .tsv), in a
    ``FreeSurferColorLUT.txt`` beside it and, for files of FreeSurfer, in ``$FREESURFER_HOME``.
    """
    source = Path(path)
    names = _embedded(source) if _is_of_freesurfer(source) else {}
    for table in tables_of(source):
        names = names or _from_table(table)
    return names


def read_table(path: str | os.PathLike[str]) -> dict[int, str]:
    """Return the names of labels in a table, number -> name.

    Args:
        path: a color table of FreeSurfer or Slicer, label descriptions of ITK-SNAP, or a table with columns such as
            ``index`` and ``name`` (.tsv or .csv), as BIDS, FastSurfer and Slicer have them.

    Raises:
        ParameterError: it cannot be read, or names no label.
    """
    table = Path(path)
    names = _names_in(read_text(table, f"The table '{table}'", ParameterError, _LARGEST_TABLE), table)
    if not names:
        raise ParameterError(
            f"The table '{table}' names no label. Give a color table (number, name, red, green, blue on each line), "
            "label descriptions of ITK-SNAP, or a .tsv or .csv file with the columns index and name."
        )
    return names


def tables_of(path: str | os.PathLike[str]) -> list[Path]:
    """Return the tables in which :func:`names_of` looks for the names of a file's labels; they need not be there."""
    source = Path(path)
    stem = _ENDINGS.sub("", source.name)
    tables = [source.with_name(stem + ending) for ending in (*_TABLES, ".tsv")] + [source.with_name(_FREESURFER)]
    home = os.environ.get("FREESURFER_HOME")
    if home and (_is_of_freesurfer(source) or re.search("aseg|aparc", stem)):
        tables.append(Path(home) / _FREESURFER)
    return tables


def _is_of_freesurfer(source: Path) -> bool:
    return source.name.lower().endswith((".mgz", ".mgh"))


def _from_table(path: Path) -> dict[int, str]:
    try:
        if path.stat().st_size > _LARGEST_TABLE:
            return {}
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return {}
    return _names_in(text, path)


def _names_in(text: str, path: Path) -> dict[int, str]:
    separator = {".tsv": "\t", ".csv": ","}.get(path.suffix.lower())
    return _lines_of(text) if separator is None else _rows_of(text, separator)


def _lines_of(text: str) -> dict[int, str]:
    matches = (_LINE.match(line) or _SNAP_LINE.match(line) for line in text.splitlines())
    return {int(match[1]): match[2].strip('" ') for match in matches if match and len(match[1]) < 10}


def _rows_of(text: str, separator: str) -> dict[int, str]:
    """Read a table with headings, such as BIDS's of a ``_dseg`` file."""
    names = {}
    for row in csv.DictReader(text.splitlines(), delimiter=separator):
        cells = {str(heading).strip().lower(): cell for heading, cell in row.items() if isinstance(cell, str)}
        number = next((cells[each].strip() for each in _NUMBER_COLUMNS if each in cells), "")
        name = next((cells[each].strip() for each in _NAME_COLUMNS if each in cells), "")
        if number.isdecimal() and len(number) < 10 and name:
            names[int(number)] = name
    return names


def _embedded(path: Path) -> dict[int, str]:
    """Read the color table at the end of an MGH file, where its optional tags lie."""
    with contextlib.suppress(OSError, EOFError, struct.error, ValueError), _opened(path) as file:
        version, *sizes, kind = struct.unpack(">6i", file.read(24))
        bytes_each = {0: 1, 1: 4, 3: 4, 4: 2, 10: 2}.get(kind)
        if version != 1 or bytes_each is None or min(sizes) < 1:
            return {}
        file.seek(284 + sizes[0] * sizes[1] * sizes[2] * sizes[3] * bytes_each + 20)  # 20: five scan parameters
        return _color_table(file)
    return {}


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _color_table(file: BinaryIO) -> dict[int, str]:
    """Go through the tags to the color table and return its names."""
    while True:
        (tag,) = struct.unpack(">i", file.read(4))
        if tag == 1:
            return _entries(file)
        (length,) = struct.unpack(">q", file.read(8))
        if tag in (0, 2, 20, 30) or not 0 <= length <= _LARGEST_TABLE:  # 2, 20 and 30 have no such length
            return {}
        file.seek(length, os.SEEK_CUR)


def _entries(file: BinaryIO) -> dict[int, str]:
    (version,) = struct.unpack(">i", file.read(4))
    numbered = version == -2  # else its own entries in order, whose count stands here
    count = version if not numbered else struct.unpack(">i", file.read(4))[0]
    _text(file)  # the name of the table's file
    if numbered:
        (count,) = struct.unpack(">i", file.read(4))
    if not 0 <= count <= 100_000:
        return {}
    names = {}
    for index in range(count):
        number = struct.unpack(">i", file.read(4))[0] if numbered else index
        names[number] = _text(file)
        struct.unpack(">4i", file.read(16))  # red, green, blue and transparency
    return {number: name for number, name in names.items() if name}


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack(">i", file.read(4))
    if not 0 <= length <= 10_000:
        raise ValueError
    content = file.read(length)
    if len(content) < length:
        raise EOFError
    return content.split(b"\0")[0].decode("utf-8", "replace").strip()
