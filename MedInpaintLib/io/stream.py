"""Files as streams of bytes, gzip-compressed or not, that say when they are cut off or damaged.

Other readers stop where the voxels end, before the checksum, so that a flipped bit becomes a wrong voxel.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import ImageReadError
from . import gzipped

_BLOCK = 1 << 20


class Stream:
    """The bytes of a file, in order; :func:`opened` makes one.

    Attributes:
        path: of the file, for messages.
        most: how many bytes the file can hold at most, inflated.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.path = path
        packed = file.read(len(gzipped.MAGIC)) == gzipped.MAGIC
        file.seek(0)
        self.most = os.fstat(file.fileno()).st_size * (gzipped.MOST if packed else 1)
        self._bytes: Any = gzipped.reading(file) if packed else file

    def read(self, count: int) -> bytes:
        """Return the next bytes; errors as :meth:`read_array`."""
        return self.read_array(count).tobytes()

    def read_array(self, count: int) -> np.ndarray:
        """Return the next bytes as a uint8 array.

        Raises:
            ImageReadError: the file ends before, or is damaged.
        """
        if count > self.most:  # a header may promise more than there is memory
            raise self._cut_off(count)
        array = np.empty(count, dtype=np.uint8)
        view, done = array.data, 0
        while done < count:
            with self._checked():
                more = self._bytes.readinto(view[done : done + _BLOCK])  # gzip makes a copy of what it is asked for
            if not more:
                raise self._cut_off(count - done)
            done += more
        return array

    def rest(self, most: int = 1 << 16) -> bytes:
        """Read to the end, so that the last checksum is verified; return the first ``most`` bytes that were left."""
        kept = b""
        with self._checked():
            while block := self._bytes.read(_BLOCK):
                kept += block[: most - len(kept)]
        return kept

    def _cut_off(self, missing: int) -> ImageReadError:
        return ImageReadError(
            f"'{self.path}' is cut off: by its header it holds {missing} bytes more than are there. Get it again."
        )

    @contextlib.contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except EOFError:
            raise ImageReadError(f"'{self.path}' is cut off: its compressed data end early. Get it again.") from None
        except gzipped.Damaged as error:
            raise ImageReadError(
                f"'{self.path}' is damaged: its compressed data cannot be inflated ({error}). Get it again."
            ) from None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Stream]:
    """Open a file as a stream.

    Raises:
        ImageReadError: it cannot be opened or read.
    """
    try:
        with path.open("rb") as file:
            yield Stream(file, path)
    except OSError as error:
        raise ImageReadError(f"'{path}' cannot be read ({error.strerror or error}).") from None
