"""FreeSurfer's MGH and MGZ, with all that stands behind the voxels: scan parameters and colour tables."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..dtypes import stored_dtype
from ..errors import ImageReadError, MissingDependencyError
from ..volume import Volume
from . import gzipped
from .affine import affine_of, grid_of
from .storage import Storage
from .stream import Stream, opened
from .volumes import chosen

ENDINGS = (".mgh", ".mgz")
#: Bytes before the voxels, and of the scan parameters behind them.
_SIZE, _PARAMETERS = 284, 20
_DTYPES = {0: ">u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}
#: Version, width, height, depth, frames, type, degrees of freedom, good-RAS flag, voxel sizes, direction, centre.
_FIELDS = struct.Struct(">7ih3f9f3f")
#: Where the number of frames stands, and the type.
_FRAMES_AT, _TYPE_AT = 16, 20


@dataclasses.dataclass(frozen=True, eq=False)
class MghHeader:
    """The header of a file that was read, for writing.

    Attributes:
        content: the bytes before the voxels.
        tail: the bytes behind them.
        storage: of the voxels.
        grid: on which the image was read; its voxels do not matter and take no memory.
    """

    content: bytes
    tail: bytes
    storage: Storage
    grid: Volume

    def plain(self) -> MghHeader:
        """Return the header for another quantity on the same grid: without colour table and history."""
        return dataclasses.replace(self, tail=self.tail[:_PARAMETERS])

    def storing(self, dtype: np.dtype) -> MghHeader:
        """Return the header for voxels of another dtype."""
        code = next(code for code, name in _DTYPES.items() if np.dtype(name).newbyteorder("=") == dtype)
        content = self.content[:_TYPE_AT] + struct.pack(">i", code) + self.content[_TYPE_AT + 4 :]
        return dataclasses.replace(self.plain(), content=content, storage=Storage.of(np.dtype(_DTYPES[code])))


def read(path: Path, number: int | None = None) -> Volume:
    """Read an MGH or MGZ file.

    Args:
        path: of the file.
        number: of the volume (frame) to read from a 4-D file, from 0.

    Raises:
        ImageReadError: it is damaged, cut off, or of a kind that is not supported.
    """
    with _opened(path) as file:
        number = chosen(number, file.frames, path)
        file.skip(number)
        array, _ = file.storage.read(file.stream, file.shape)
        file.skip(file.frames - number - 1)
        tail = file.stream.rest(most=1 << 24)
    return _volume(file, array, tail)


def volumes(path: Path) -> Iterator[Volume]:
    """Yield the volumes of a 4-D file one after the other, so that no more than one is in memory.

    Raises:
        ImageReadError: as :func:`read`.
    """
    with _opened(path) as file:
        for _ in range(file.frames):
            yield _volume(file, file.storage.read(file.stream, file.shape)[0], bytes(_PARAMETERS))
        file.stream.rest()


def whole(path: Path) -> tuple[int, MghHeader]:
    """Read a file to its end to check it; return the number of its volumes and the header of all of them together.

    The grid of that header is the one of each volume.

    Raises:
        ImageReadError: as :func:`read`.
    """
    first = read(path, 0)
    with _opened(path) as file:
        return file.frames, dataclasses.replace(first.header, content=file.content)


def count(path: Path) -> int:
    """Return how many volumes a file has by its header.

    Raises:
        ImageReadError: as :func:`read`.
    """
    with _opened(path) as file:
        return file.frames


@dataclasses.dataclass
class _File:
    """A file at its first voxel."""

    path: Path
    content: bytes
    shape: tuple[int, ...]
    frames: int
    storage: Storage
    stream: Stream

    def skip(self, count: int) -> None:
        """Read volumes that are not needed, for the checksum behind them."""
        for _ in range(count):
            self.stream.read_array(math.prod(self.shape) * self.storage.dtype.itemsize)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[_File]:
    """Open a file, and read up to its first voxel."""
    with opened(path) as stream:
        content = stream.read(_SIZE)
        yield _File(path, content, *_checked(content, path), stream)


def _volume(file: _File, array: np.ndarray, tail: bytes) -> Volume:
    """Put the voxels where the header says; the header of one volume of several is that of a 3-D image."""
    affine, zooms = _affine(file.content, file.path)
    volume = Volume(array, **grid_of(affine, zooms, file.shape[::-1], file.path))
    empty = volume.with_array(np.broadcast_to(array.dtype.type(0), array.shape))
    content = file.content[:_FRAMES_AT] + struct.pack(">i", 1) + file.content[_FRAMES_AT + 4 :]
    return dataclasses.replace(volume, header=MghHeader(content, tail, file.storage, empty))


def write(volume: Volume, path: Path, *, compress: bool) -> None:
    """Write a volume, with the header that it was read with where the grid is still the same.

    Args:
        volume: 3-D, with axes at right angles.
        path: ending in .mgh, or in .mgz for a compressed file.
        compress: as small as is usual, or quickly.
    """
    header, dtype = volume.header, stored_dtype(volume.array.dtype)
    if not isinstance(header, MghHeader) or not header.grid.same_grid(volume):
        header = _new_header(volume, dtype)
    elif header.storage.intensities != dtype:
        header = header.storing(dtype)
    with path.open("wb") as file:
        if not path.name.endswith(".mgz"):
            _write(volume.array, header, file)
            return
        with gzipped.writing(file, quick=not compress) as packed:
            _write(volume.array, header, packed)


def _write(array: np.ndarray, header: MghHeader, file: Any) -> None:
    file.write(header.content)
    for block in header.storage.blocks(array):
        file.write(block)
    file.write(header.tail)


def _checked(content: bytes, path: Path) -> tuple[tuple[int, ...], int, Storage]:
    """Return the shape of a volume, how many there are, and the storage of the voxels.

    Raises:
        ImageReadError: a field is absurd; the message names it.
    """
    version, *sizes, frames, code, _, good = _FIELDS.unpack_from(content)[:8]
    numbers = _FIELDS.unpack_from(content)[8:]
    if version != 1:
        raise ImageReadError(f"'{path}' is no MGH file: its version is {version}, and must be 1.")
    if min(*sizes, frames) < 1:
        raise ImageReadError(f"'{path}' has a damaged header: its sizes are {(*sizes, frames)}. Get the file again.")
    if code not in _DTYPES:
        raise ImageReadError(f"'{path}' holds voxels of an unknown kind (type {code}). Convert it first.")
    if good and not (all(map(math.isfinite, numbers)) and min(numbers[:3]) > 0):
        raise ImageReadError(
            f"'{path}' has a damaged header: voxel sizes, direction and centre are {numbers}. Correct the header."
        )
    return tuple(sizes[::-1]), frames, Storage.of(np.dtype(_DTYPES[code]))


def _affine(content: bytes, path: Path) -> tuple[np.ndarray, tuple[float, ...]]:
    """Return nibabel's affine of a header, and the voxel sizes."""
    header = _nibabel(path).MGHImage.header_class()
    _, *sizes, _, _, _, good, x, y, z, a, b, c, d, e, f, g, h, i, r, p, s = _FIELDS.unpack_from(content)
    header["dims"] = [*sizes, 1]
    if good:  # otherwise FreeSurfer's default: coronal slices of 1 mm
        header["delta"], header["Pxyz_c"] = (x, y, z), (r, p, s)
        header["Mdc"] = [[a, b, c], [d, e, f], [g, h, i]]
    return header.get_affine(), tuple(header.get_zooms()[:3])


def _new_header(volume: Volume, dtype: np.dtype) -> MghHeader:
    """Return the header of an image that was not read from MGH."""
    image = _nibabel(None).MGHImage(np.broadcast_to(dtype.type(0), volume.array.shape[::-1]), affine_of(volume))
    file = io.BytesIO()
    image.header.writehdr_to(file)
    content = file.getvalue().ljust(_SIZE, b"\0")[:_SIZE]
    return MghHeader(content, bytes(_PARAMETERS), Storage.of(dtype.newbyteorder(">")), volume)


def _nibabel(path: Path | None) -> Any:
    try:
        import nibabel
    except ImportError:
        what = f"Reading '{path}'" if path else "Writing MGH files"
        raise MissingDependencyError(
            f"{what} needs the package nibabel; install it with: pip install nibabel"
        ) from None
    return nibabel
