"""Damage that other readers pass over: files that end early, and compressed voxels with a wrong checksum.

Measured with SimpleITK 2.5: of files cut to 50, 95 and 99.9 %, TIFF stacks, BMP, JPEG, VTK and GIPL are read as if they
were whole; of compressed files with one flipped bit, all MetaImages and some NRRDs. What has no checksum, such as
uncompressed voxels, cannot be checked.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import ImageReadError
from ..files_of import detached_files
from ..volume import Volume
from . import gzipped

_BLOCK = 1 << 20
_LONGEST_HEADER = 1 << 22
#: By the code of a field's type, for those of more than one byte.
_TIFF_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


def check_whole(path: Path, volume: Volume) -> None:
    """Check that a file holds all of the volume that was read from it.

    Args:
        path: of the file.
        volume: as another library read it.

    Raises:
        ImageReadError: the file ends early, or its compressed voxels are damaged.
    """
    ending = path.suffix.lower()
    if ending not in _CHECKS:
        return
    signatures, check = _CHECKS[ending]
    with path.open("rb") as file:
        start = file.read(_LONGEST_SIGNATURE)
    # SimpleITK finds out the format from the content; the name says what to check.
    if not start.startswith(signatures):
        raise ImageReadError(f"'{path}' is no {ending[1:].upper()} file, whatever its name says. Rename it.")
    check(path, volume)


def check_sizes(path: Path) -> None:
    """Check that the sizes in an NRRD or MetaImage header can be, before memory is taken for them.

    Raises:
        ImageReadError: one is no positive number, or there are more voxels than the files can hold.
    """
    sign, field = (":", "sizes") if path.name.lower().endswith((".nrrd", ".nhdr")) else ("=", "dimsize")
    if not path.name.lower().endswith((".nrrd", ".nhdr", ".mha", ".mhd")):
        return
    fields, _ = _text_header(path, sign)
    words = fields.get(field, "").split()
    sizes = [int(word) for word in words if word.lstrip("-").isdigit()]
    if len(sizes) < len(words) or any(size < 1 for size in sizes):
        raise ImageReadError(
            f"'{path}' has a damaged header: {field} is '{fields[field]}', and must be positive whole numbers. Correct "
            "the header, or get the file again."
        )
    files = [path, *(file for file in detached_files(path) if file.is_file())]
    most = sum(file.stat().st_size for file in files) * gzipped.MOST
    if math.prod(sizes) > most:
        raise ImageReadError(f"'{path}' is cut off: its header promises more voxels than it can hold. Get it again.")


def _check_nrrd(path: Path, volume: Volume) -> None:
    fields, start = _text_header(path, ":")
    if fields.get("encoding", "").lower() in ("gzip", "gz"):
        for file in detached_files(path) or (path,):
            if file.is_file():
                _check_gzip(file, start if file == path else 0)


def _check_meta(path: Path, volume: Volume) -> None:
    fields, start = _text_header(path, "=")
    if fields.get("compresseddata", "").lower() in ("true", "1"):
        files = [file for file in detached_files(path) if file.is_file()] or [path]
        # One stream for all voxels, so only its last byte tells whether it is whole.
        _check_zlib(files[0], start if files[0] == path else 0)


def _check_gzip(path: Path, start: int) -> None:
    try:
        with path.open("rb") as file:
            file.seek(start)
            packed = gzipped.reading(file)
            while packed.read(_BLOCK):
                pass
    except EOFError:
        raise _cut_off(path) from None
    except gzipped.Damaged as error:
        raise _damaged(path, error) from None


def _check_zlib(path: Path, start: int) -> None:
    inflate = zlib.decompressobj()
    with path.open("rb") as file:
        file.seek(start)
        while not inflate.eof:
            block = inflate.unconsumed_tail or file.read(_BLOCK)
            if not block:
                raise _cut_off(path)
            try:
                inflate.decompress(block, 8 * _BLOCK)
            except zlib.error as error:
                raise _damaged(path, error) from None


def _check_tiff(path: Path, volume: Volume) -> None:
    """Check that every page, every field and every strip of it lies within the file."""
    size = path.stat().st_size
    pages = 0
    try:
        with path.open("rb") as file:
            for spans in _tiff_pages(file):
                pages += 1
                if any(start + count > size for start, count in spans):
                    raise _cut_off(path)
    except (struct.error, ValueError, OverflowError):  # the directory itself is cut off, or is none
        raise _cut_off(path) from None
    if volume.array.ndim == 3 and pages < len(volume.array):
        raise _cut_off(path)


def _tiff_pages(file) -> Iterator[list[tuple[int, int]]]:  # type: ignore[no-untyped-def]
    """Yield for each page where its fields and strips or tiles lie, and how long they are (TIFF 6.0; BigTIFF)."""

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
        values: dict[int, list[int]] = {}
        spans: list[tuple[int, int]] = []
        for _ in range(entries):
            tag, kind, number = take(entry)
            raw = file.read(inline)
            length = number * _TIFF_BYTES.get(kind, 1)
            if length > inline:
                (where,) = struct.unpack(order + offset, raw)
                spans.append((where, length))
            width = {3: "H", 4: "I", 16: "Q"}.get(kind)
            if tag not in (273, 279, 324, 325) or width is None:
                continue
            if length > inline:
                back = file.tell()
                file.seek(where)
                raw = file.read(length)
                file.seek(back)
            values[tag] = list(struct.unpack_from(f"{order}{number}{width}", raw))
        (page,) = take(offset)
        starts, lengths = values.get(273) or values.get(324) or [], values.get(279) or values.get(325) or []
        yield [*spans, *zip(starts, lengths, strict=False)]


def _check_jpeg(path: Path, volume: Volume) -> None:
    """Check for the marker at the end; some cameras write a little more behind it."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - (1 << 16), 0))
        if b"\xff\xd9" not in file.read():
            raise _cut_off(path)


def _check_bmp(path: Path, volume: Volume) -> None:
    with path.open("rb") as file:
        start = file.read(34)
    offset, width, height = struct.unpack_from("<i4xii", start, 10)
    bits, compression = struct.unpack_from("<hi", start, 28)
    rows = -(-width * bits // 32) * 4 * abs(height)
    if compression == 0 and path.stat().st_size < offset + rows:
        raise _cut_off(path)


def _check_gipl(path: Path, volume: Volume) -> None:
    _check_size(path, 256 + volume.array.nbytes)


def _check_vtk(path: Path, volume: Volume) -> None:
    with path.open("rb") as file:
        head = file.read(1 << 12)
    table = head.find(b"LOOKUP_TABLE")
    if b"BINARY" in head[: max(table, 0)]:
        _check_size(path, head.index(b"\n", table) + 1 + volume.array.nbytes)


def _check_size(path: Path, expected: int) -> None:
    if path.stat().st_size < expected:
        raise _cut_off(path)


def _text_header(path: Path, sign: str) -> tuple[dict[str, str], int]:
    """Return the fields of an NRRD or MetaImage header, keys in lower case, and where it ends."""
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        while file.tell() < _LONGEST_HEADER and (line := file.readline(_LONGEST_HEADER)):
            text = line.decode("utf-8", "replace").strip()
            key, found, value = text.partition(sign)
            if found:
                fields[key.strip().lower()] = value.strip()
            if not text or key.strip() == "ElementDataFile":
                break
        return fields, file.tell()


def _cut_off(path: Path) -> ImageReadError:
    return ImageReadError(f"'{path}' is cut off: it ends before its last voxel. Get it again.")


def _damaged(path: Path, error: Exception) -> ImageReadError:
    return ImageReadError(f"'{path}' is damaged: its compressed voxels cannot be inflated ({error}). Get it again.")


#: By ending: how such files begin, and the check. MetaImages may begin with any of their fields, GIPL with sizes.
_CHECKS: dict[str, tuple[tuple[bytes, ...], Callable[[Path, Volume], None]]] = {
    ".nrrd": ((b"NRRD",), _check_nrrd),
    ".nhdr": ((b"NRRD",), _check_nrrd),
    ".mha": ((b"",), _check_meta),
    ".mhd": ((b"",), _check_meta),
    ".tif": ((b"II", b"MM"), _check_tiff),
    ".tiff": ((b"II", b"MM"), _check_tiff),
    ".jpg": ((b"\xff\xd8",), _check_jpeg),
    ".jpeg": ((b"\xff\xd8",), _check_jpeg),
    ".bmp": ((b"BM",), _check_bmp),
    ".gipl": ((b"",), _check_gipl),
    ".vtk": ((b"# vtk",), _check_vtk),
}
_LONGEST_SIGNATURE = max(len(each) for signatures, _ in _CHECKS.values() for each in signatures)
