"""gzip by the library isal: it inflates twice and deflates ten times as fast as Python's own, which steps in for it.

Measured on a 512 x 512 x 300 CT of int16: read in 0.41 s of CPU (SimpleITK 0.62 s, Python 0.97 s), deflated in 1.2 s
(SimpleITK 4.7 s, Python 13 s), 4 % larger.
"""

from __future__ import annotations

import gzip
import zlib
from typing import Any, BinaryIO

MAGIC = b"\x1f\x8b"
#: Deflate cannot make data smaller by more than this factor.
MOST = 1032
#: What readers raise on damaged data; cut off data raise EOFError.
Damaged: tuple[type[Exception], ...] = (gzip.BadGzipFile, zlib.error)

try:
    from isal import igzip, isal_zlib
except ImportError:
    _kind: Any = gzip.GzipFile
    _inflater: Any = zlib.decompressobj
    _usual, _quick = 6, 1
else:
    _kind = igzip.IGzipFile
    _inflater = isal_zlib.decompressobj
    _usual, _quick = 3, 1
    Damaged = (*Damaged, isal_zlib.error)  # type: ignore[arg-type]  # its stubs take the class for an instance


def reading(file: BinaryIO) -> Any:
    """Return a stream of the inflated bytes; every checksum is verified on the way to the end."""
    return _kind(fileobj=file, mode="rb")


def inflater() -> Any:
    """Return an object that inflates zlib's format block by block, as :func:`zlib.decompressobj` does."""
    return _inflater()


def writing(file: BinaryIO, *, quick: bool = False) -> Any:
    """Return a stream that deflates into ``file``, without name and time: the same bytes give the same file."""
    return _kind("", "wb", _quick if quick else _usual, file, mtime=0)
