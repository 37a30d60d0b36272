"""Damage that other readers pass over: files that end early, and compressed voxels with a wrong checksum.

Measured with SimpleITK 2.5: of files cut to 50, 95 and 99.9 %, TIFF stacks, BMP, JPEG, VTK and GIPL are read as if they
were whole; of compressed files with one flipped bit, all MetaImages and some NRRDs. What has no checksum, such as
uncompressed voxels, cannot be checked.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from pathlib import Path

from ..errors import ImageReadError
from ..files_of import detached_files, meta_field
from ..volume import Volume
from . import gzipped, tiff

_BLOCK = 1 << 20
#: The kind of colors in a PNG header (PNG 11.2.2).
_GREY_WITH_OPACITY = b"\4"
_LONGEST_HEADER = 1 << 22


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


def check_header(path: Path) -> None:
    """Check what the header of an NRRD, MetaImage or PNG file says, before SimpleITK takes it.

    Raises:
        ImageReadError: a size is no positive number, or there are more voxels than the files can hold; or the picture
            is grey with opacity, which SimpleITK cannot read.
    """
    ending = path.suffix.lower()
    if ending == ".png":
        with path.open("rb") as file:
            if file.read(26)[25:] == _GREY_WITH_OPACITY:
                raise ImageReadError(f"'{path}' has 2 values per voxel (grey, opacity). Save it without opacity.")
    if ending not in (".nrrd", ".nhdr", ".mha", ".mhd"):
        return
    meta = ending in (".mha", ".mhd")
    field = "dimsize" if meta else "sizes"
    fields, _ = _text_header(path, meta=meta)
    if meta and not fields.get("elementdatafile"):  # what is not found here, SimpleITK might find anywhere
        raise ImageReadError(
            f"'{path}' has a damaged header: no line 'ElementDataFile = ...' says where the voxels are."
        )
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
    fields, start = _text_header(path)
    if fields.get("encoding", "").lower() in ("gzip", "gz"):
        for file in detached_files(path) or (path,):
            if file.is_file():
                _check_gzip(file, start if file == path else 0)


def _check_meta(path: Path, volume: Volume) -> None:
    fields, start = _text_header(path, meta=True)
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
    inflate = gzipped.inflater()
    with path.open("rb") as file:
        file.seek(start)
        while not inflate.eof:
            block = inflate.unconsumed_tail or file.read(_BLOCK)
            if not block:
                raise _cut_off(path)
            try:
                inflate.decompress(block, 8 * _BLOCK)
            except gzipped.Damaged as error:
                raise _damaged(path, error) from None


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


def _text_header(path: Path, *, meta: bool = False) -> tuple[dict[str, str], int]:
    """Return the fields of an NRRD or MetaImage header, keys in lower case, and where it ends."""
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        while file.tell() < _LONGEST_HEADER and (line := file.readline(_LONGEST_HEADER)):
            text = line.decode("utf-8", "replace").strip()
            key, value = meta_field(text) if meta else _nrrd_field(text)
            if value:
                fields[key.lower()] = value
            if key == "ElementDataFile" or not (text or meta):  # MetaIO passes over empty lines
                break
        return fields, file.tell()


def _nrrd_field(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key.strip(), value.strip()


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
    ".tif": ((b"II", b"MM"), tiff.check),
    ".tiff": ((b"II", b"MM"), tiff.check),
    ".jpg": ((b"\xff\xd8",), _check_jpeg),
    ".jpeg": ((b"\xff\xd8",), _check_jpeg),
    ".bmp": ((b"BM",), _check_bmp),
    ".gipl": ((b"",), _check_gipl),
    ".vtk": ((b"# vtk",), _check_vtk),
}
_LONGEST_SIGNATURE = max(len(each) for signatures, _ in _CHECKS.values() for each in signatures)
