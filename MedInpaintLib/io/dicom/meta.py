"""What stands at the start of a DICOM file: its class and encoding, and whether the file is whole.

The file meta information is always explicit little endian, so a few lines read it, without any library, and before any
library sees a damaged file: GDCM takes all memory for a deflated file that is cut.
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from pathlib import Path

from ...errors import ImageReadError

_PREAMBLE, _MAGIC = 128, b"DICM"
#: Names of files that claim to be DICOM.
ENDINGS = (".dcm", ".dicom", ".ima")
_LONG = (b"OB", b"OW", b"OF", b"SQ", b"UT", b"UN")
_DEFLATED = "1.2.840.10008.1.2.1.99"
#: Native encodings; every other one keeps the pixels in items of compressed data.
_NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", _DEFLATED)
_PIXELS = b"\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff"
_BLOCK = 1 << 20
_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"


@dataclasses.dataclass(frozen=True)
class Meta:
    """The file meta information.

    Attributes:
        sop_class: UID of the kind of object.
        encoding: UID of the transfer syntax.
        end: where the dataset begins, in bytes.
    """

    sop_class: str
    encoding: str
    end: int


def is_dicom(path: Path) -> bool:
    """Return whether a file is DICOM by its content, or claims it by its name."""
    return path.name.lower().endswith(ENDINGS) or read_meta(path) is not None


def read_meta(path: Path) -> Meta | None:
    """Return the file meta information; None when the file has none.

    Raises:
        ImageReadError: the file cannot be opened.
    """
    head = read_bytes(path, _PREAMBLE + 8192)
    if head[_PREAMBLE : _PREAMBLE + len(_MAGIC)] != _MAGIC:
        return None
    values, at = {}, _PREAMBLE + len(_MAGIC)
    while head[at : at + 2] == b"\x02\x00" and at + 12 <= len(head):
        element = struct.unpack_from("<H", head, at + 2)[0]
        long = head[at + 4 : at + 6] in _LONG
        length = struct.unpack_from("<I", head, at + 8)[0] if long else struct.unpack_from("<H", head, at + 6)[0]
        start = at + (12 if long else 8)
        values[element] = head[start : start + length]
        at = start + length
    return Meta(_uid(values.get(2, b"")), _uid(values.get(16, b"")), at)


def check_whole(path: Path, meta: Meta | None) -> None:
    """Check that the compressed data of a file reach their end; native pixels are checked when they are read.

    Raises:
        ImageReadError: the file is cut or damaged.
    """
    if meta is None or not meta.encoding or (meta.encoding in _NATIVE and meta.encoding != _DEFLATED):
        return
    content = read_bytes(path)
    whole = _inflates(content[meta.end :]) if meta.encoding == _DEFLATED else _items_end(content)
    if not whole:
        raise damaged(path, "its compressed data break off")


def read_bytes(path: Path, most: int = -1) -> bytes:
    """Read a file, or at most so many bytes of it.

    Raises:
        ImageReadError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise ImageReadError(f"'{path}' cannot be read ({error.strerror or error}).") from None


def damaged(path: Path, reason: str) -> ImageReadError:
    """Return the error for a DICOM file that cannot be read."""
    return ImageReadError(f"The DICOM file '{path}' is damaged or incomplete ({reason}); copy or export it again.")


def _inflates(data: bytes) -> bool:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        while data and not stream.eof:
            stream.decompress(data, _BLOCK)
            data = stream.unconsumed_tail
    except zlib.error:
        return False
    return stream.eof


def _items_end(content: bytes) -> bool:
    """Return whether the items of the pixel data end in their delimiter; True where there are no such items."""
    at = content.rfind(_PIXELS)
    if at < 0:
        return True
    at += len(_PIXELS)
    while content[at : at + 4] == _ITEM and at + 8 <= len(content):
        at += 8 + struct.unpack_from("<I", content, at + 4)[0]
    return content[at : at + 4] == _END


def _uid(value: bytes) -> str:
    return value.decode("ascii", "replace").strip("\0 ")
