"""Which files an image consists of, read from its header: names that look alike prove nothing."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

#: Bytes of a header that are read; the list of a series' files may be long.
_LONGEST = 1 << 22
#: Files that a pattern may stand for; more are not looked for.
_MOST = 100_000
#: A name with a number in it, then the first number, the last and the step (and, in NRRD, the dimension of a file).
_SERIES = re.compile(
    r"(?P<before>.*)(?P<number>%0?\d{0,3}d)(?P<after>.*?)\s+(-?\d{1,9})\s+(-?\d{1,9})\s+(-?\d{1,9})(\s+\d+)?"
)
#: The header and the voxels of an Analyze or NIfTI pair.
_PAIRS = {".hdr": (".img", ".img.gz"), ".img": (".hdr", ".hdr.gz"), ".hdr.gz": (".img.gz",), ".img.gz": (".hdr.gz",)}
#: The index of a DICOM disc, whose images lie in subfolders.
_INDEX = "DICOMDIR"
#: What a header may be called that names files with voxels.
_HEADERS = (".mhd", ".mha", ".nhdr", ".nrrd")


def files_of(path: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Return the files that an image, or a folder with one, consists of; the path itself is the first.

    >>> files_of("scan.nii.gz") == (Path("scan.nii.gz"),)
    True
    """
    source = Path(path)
    if source.name == _INDEX or (source / _INDEX).is_file():
        folder = source.parent if source.name == _INDEX else source
        return (source, *sorted(each for each in folder.rglob("*") if not each.is_dir()))
    if source.is_dir():
        return (source, *sorted(each for each in source.iterdir() if not each.is_dir()))
    return (source, *detached_files(source), *_partners(source))


def detached_files(path: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Return the files with voxels that the header of a MetaImage or NRRD file names; they need not be there."""
    source = Path(path)
    if not source.name.lower().endswith(_HEADERS) or not source.is_file():
        return ()
    lines = _lines(source)
    names = list(_of_nrrd(lines) if source.name.lower().endswith((".nhdr", ".nrrd")) else _of_meta(lines))
    # Names are relative to the header, where a link to it lies in the eyes of some readers.
    folders = dict.fromkeys([source.parent, Path(os.path.realpath(source)).parent])
    return tuple(dict.fromkeys(folder / name for folder in folders for name in names))


def meta_field(line: str) -> tuple[str, str]:
    """Return the key and the value in a line of a MetaImage header; MetaIO takes a colon for an equals sign.

    >>> meta_field("DimSize = 4 4"), meta_field("ElementDataFile := a.raw")
    (('DimSize', '4 4'), ('ElementDataFile', 'a.raw'))
    """
    key, *value = re.split("[=:]", line, maxsplit=1)
    return key.strip(), value[0].lstrip("=: \t").strip() if value else ""


def named_by_another(file: Path, header: Path) -> bool:
    """Return whether a header beside this one names the file, too."""
    others = (each for each in header.parent.iterdir() if each.name.lower().endswith(_HEADERS) and each != header)
    real = os.path.realpath(file)
    return any(os.path.realpath(name) == real for other in others for name in detached_files(other))


def _lines(header: Path) -> Iterator[str]:
    """Yield the header's lines without their ends; what follows an attached header is no text."""
    try:
        with header.open("rb") as file:
            left = _LONGEST
            while left > 0 and (line := file.readline(left)):
                left -= len(line)
                yield line.decode("utf-8", "surrogateescape").strip()
    except OSError:  # whoever reads the image says what is wrong with it
        return


def _of_meta(lines: Iterator[str]) -> Iterator[str]:
    """Yield the names after ``ElementDataFile``, which is always the last key."""
    for line in lines:
        key, value = meta_field(line)
        if key == "ElementDataFile":
            if value.upper().split(" ")[0] == "LIST":
                yield from _names(lines)
            elif value.upper() != "LOCAL":
                yield from _series(value)
            return


def _of_nrrd(lines: Iterator[str]) -> Iterator[str]:
    """Yield the names after ``data file``; the header ends at an empty line, the list of files with the file."""
    if not next(lines, "").startswith("NRRD"):
        return
    for line in itertools.takewhile(bool, lines):
        key, colon, value = line.partition(":")
        if colon and key.strip().lower() in ("data file", "datafile"):
            value = value.strip()
            if value.upper().split(" ")[0] == "LIST":
                yield from _names(lines)
                return
            yield from _series(value)


def _names(lines: Iterable[str]) -> Iterator[str]:
    return itertools.islice((line for line in lines if line), _MOST)


def _series(value: str) -> list[str]:
    """Return the names that a pattern with its first number, last number and step stands for, or the one name."""
    series = _SERIES.fullmatch(value)
    first, last, step = (int(each) for each in series.groups()[3:6]) if series else (0, 0, 0)
    if series is None or step == 0:
        return [value]
    numbers = range(first, last + (1 if step > 0 else -1), step)[:_MOST]
    return [f"{series['before']}{series['number'] % number}{series['after']}" for number in numbers]


def _partners(source: Path) -> list[Path]:
    """Return the other file of an Analyze or NIfTI pair, where it is there."""
    name = source.name.lower()
    ending = max((each for each in _PAIRS if name.endswith(each)), key=len, default=None)
    if ending is None:
        return []
    stem = source.name[: -len(ending)]
    candidates = (source.with_name(stem + case(other)) for other in _PAIRS[ending] for case in (str.lower, str.upper))
    return [each for each in candidates if each.is_file()]
