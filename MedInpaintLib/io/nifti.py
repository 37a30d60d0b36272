"""NIfTI-1 and NIfTI-2: checked on reading, written with the header of the image that was read.

nibabel says what a header means; the voxels are read here, once, with every checksum. Without nibabel (inside Slicer)
SimpleITK says where the voxels lie, and headers are new.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..dtypes import stored_dtype
from ..errors import ImageReadError, MissingDependencyError
from ..volume import Volume
from . import gzipped, itk
from .affine import affine_of, grid_of
from .formats import unreadable
from .nifti_layout import SIZES, Layout
from .storage import Storage
from .stream import Stream, opened
from .volumes import chosen

ENDINGS = (".nii", ".nii.gz", ".hdr", ".img", ".hdr.gz", ".img.gz")
#: mm in a unit of length, by its code in xyzt_units; of other codes it is 1.
_UNITS = {1: 1000.0, 3: 0.001}
#: mm: larger voxels are not meant, whatever the unit says; some programs write metres and mean mm.
_LARGEST = 100.0
#: Most voxels along an axis in NIfTI-1, whose sizes are 16-bit numbers.
_LONGEST = 32767


@dataclasses.dataclass(frozen=True, eq=False)
class NiftiHeader:
    """The header of a file that was read, for writing.

    Attributes:
        content: all bytes before the voxels of a single file: header, extensions and padding.
        version: 1 or 2.
        storage: of the voxels.
        grid: on which the image was read; its voxels do not matter and take no memory.
    """

    content: bytes
    version: int
    storage: Storage
    grid: Volume
    #: There is nothing behind the voxels.
    tail: ClassVar[bytes] = b""

    @property
    def tells_position(self) -> bool:
        """Whether sform or qform is in use; otherwise the header tells no more than voxel sizes, not even the left."""
        header = _parsed(self.content, self.version)
        return bool(header["sform_code"] > 0 or header["qform_code"] > 0)

    def fits(self, volume: Volume) -> bool:
        """Return whether a volume lies on this header's grid, number for number."""
        return self.grid.same_grid(volume)

    def plain(self) -> NiftiHeader:
        """Return the header for another quantity on the same grid: without scaling, display range and intent."""
        header = _parsed(self.content, self.version)
        for name in ("scl_inter", "cal_max", "cal_min", "intent_code", "intent_p1", "intent_p2", "intent_p3"):
            header[name] = 0
        header["scl_slope"], header["intent_name"] = 1, b""
        storage = Storage.of(self.storage.dtype)
        return dataclasses.replace(self, content=_patched(self.content, header), storage=storage)

    def storing(self, dtype: np.dtype) -> NiftiHeader:
        """Return the header for voxels of another dtype."""
        plain = self.plain()
        header = _parsed(plain.content, self.version)
        header.set_data_dtype(dtype)
        stored = dtype.newbyteorder(header.endianness)
        return dataclasses.replace(plain, content=_patched(plain.content, header), storage=Storage.of(stored))


def read(path: Path, number: int | None = None) -> Volume:
    """Read a NIfTI file, single or in two parts (.hdr and .img).

    Args:
        path: of the file.
        number: of the volume to read from a 4-D file, from 0.

    Raises:
        ImageReadError: it is no NIfTI, damaged, cut off, or of a kind that is not supported.
    """
    with _opened(path) as file:
        number = chosen(number, file.layout.volumes, path)
        file.skip(number)
        array, storage = file.voxels()
        file.skip(file.layout.volumes - number - 1)
        remarks = file.remarks()
    return _volume(file, array, storage, remarks)


def volumes(path: Path) -> Iterator[Volume]:
    """Yield the volumes of a 4-D file one after the other, so that no more than one is in memory.

    Raises:
        ImageReadError: as :func:`read`.
    """
    with _opened(path) as file:
        for _ in range(file.layout.volumes):
            yield _kept(_volume(file, *file.voxels(), ()), path)
        file.remarks()


def whole(path: Path) -> tuple[int, NiftiHeader]:
    """Read a file to its end to check it; return the number of its volumes and the header of all of them together.

    The grid of that header is the one of each volume.

    Raises:
        ImageReadError: as :func:`read`.
    """
    with _opened(path) as file:
        array, storage = file.voxels()
        # A later volume that cannot be written back bit by bit is refused now, not after the fills of those before it.
        # 200 scaled volumes of 64 x 64 x 30 take 0.8 s instead of 0.2 s (.nii.gz); unscaled ones take no longer.
        storages = [storage, *(file.voxels()[1] for _ in range(file.layout.volumes - 1))]
        remarks = file.remarks()
    if not available():
        raise MissingDependencyError(
            f"Filling all volumes of '{path}' needs the package nibabel; install it with: pip install nibabel"
        )
    header = _kept(_volume(file, array, storage if all(storages) else None, remarks), path).header
    grid = dataclasses.replace(header.grid, warnings=(*header.grid.warnings, *remarks))
    content = _as_single(file.content, file.layout)
    return file.layout.volumes, dataclasses.replace(header, content=content, grid=grid)


def count(path: Path) -> int:
    """Return how many volumes a file has by its header.

    Raises:
        ImageReadError: as :func:`read`.
    """
    with _opened(path) as file:
        return file.layout.volumes


@dataclasses.dataclass
class _File:
    """A file at its first voxel."""

    path: Path
    layout: Layout
    content: bytes
    stream: Stream

    def voxels(self) -> tuple[np.ndarray, Storage | None]:
        """Read the next volume."""
        return self.layout.storage.read(self.stream, self.layout.shape)

    def skip(self, count: int) -> None:
        """Read volumes that are not needed, for the checksum behind them."""
        for _ in range(count):
            self.stream.read_array(math.prod(self.layout.shape) * self.layout.storage.dtype.itemsize)

    def remarks(self) -> tuple[str, ...]:
        """Read to the end, with the last checksum; return what is odd there."""
        if not self.stream.rest():
            return ()
        return (f"'{self.path.name}' goes on behind its last voxel; the rest was ignored.",)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[_File]:
    """Open a file, and read up to its first voxel."""
    header_path, voxels_path = _two_files(path)
    with opened(header_path) as stream:
        parsed = Layout.read(stream)
        if parsed is None:
            raise unreadable(path)
        layout, content = parsed
        if layout.single:
            content += stream.read(layout.offset - len(content))
            yield _File(path, layout, content, stream)
            return
        content += stream.rest(most=1 << 24)
    with opened(voxels_path) as stream:
        stream.read(layout.offset)
        yield _File(path, layout, content, stream)


def read_grid(path: Path) -> Volume:
    """Return the grid of a file from its header alone; its voxels are 0 and take no memory.

    Raises:
        ImageReadError: it is no NIfTI, or its header is damaged.
    """
    with opened(_two_files(path)[0]) as stream:
        parsed = Layout.read(stream)
    if parsed is None:
        raise unreadable(path)
    layout, content = parsed
    shape = layout.shape[:3]
    mm = _unit(content, layout)
    affine = np.diag([mm, mm, mm, 1.0]) @ _affine(content, layout, path)
    grid = grid_of(affine, [mm * zoom for zoom in layout.zooms], shape[::-1], path)
    return Volume(np.broadcast_to(np.uint8(0), shape), **grid)


def write(volume: Volume, path: Path, *, compress: bool) -> None:
    """Write a volume to a single NIfTI file, with the header that it was read with where the grid is still the same.

    Args:
        volume: with axes at right angles.
        path: ending in .nii or .nii.gz.
        compress: .nii.gz as small as is usual, or quickly.
    """
    header = _header_for(volume)
    with path.open("wb") as file:
        if not path.name.endswith(".gz"):
            _write(volume.array, header, file)
            return
        with gzipped.writing(file, quick=not compress) as packed:
            _write(volume.array, header, packed)


def available() -> bool:
    """Return whether nibabel is installed."""
    import importlib.util

    return importlib.util.find_spec("nibabel") is not None


def _write(array: np.ndarray, header: NiftiHeader, file: Any) -> None:
    file.write(header.content)
    for block in header.storage.blocks(array):
        file.write(block)


def _header_for(volume: Volume) -> NiftiHeader:
    """Return the header to write a volume with."""
    header, dtype = volume.header, stored_dtype(volume.array.dtype)
    if not isinstance(header, NiftiHeader) or not header.fits(volume):
        return _new_header(volume, dtype)
    return header if header.storage.intensities == dtype else header.storing(dtype)


def _new_header(volume: Volume, dtype: np.dtype) -> NiftiHeader:
    """Return the header of an image that was not read from NIfTI: sform and qform alike, in scanner coordinates."""
    import nibabel

    version = 2 if max(volume.array.shape) > _LONGEST else 1
    header = nibabel.Nifti2Header() if version == 2 else nibabel.Nifti1Header()
    header.set_data_shape(volume.array.shape[::-1])
    header.set_data_dtype(dtype)
    header.set_xyzt_units("mm")
    affine = affine_of(volume)
    header.set_qform(affine, code=1)
    header.set_sform(affine, code=1)
    header["magic"] = _magic(version)
    header["vox_offset"], header["scl_slope"], header["scl_inter"] = SIZES[version] + 4, 1, 0
    return NiftiHeader(header.binaryblock + bytes(4), version, Storage.of(dtype), volume)


def _volume(file: _File, array: np.ndarray, storage: Storage | None, remarks: tuple[str, ...]) -> Volume:
    """Put the voxels where the header says; the header of one volume of several is that of a 3-D image."""
    path, layout, content = file.path, file.layout, file.content
    if len(layout.shape) > min(len(layout.zooms), 3):
        array = _grey(array, path)
    if not available():
        return dataclasses.replace(itk.grid_of(path, array), warnings=remarks)
    mm = _unit(content, layout)
    affine = np.diag([mm, mm, mm, 1.0]) @ _affine(content, layout, path)
    grid = grid_of(affine, [mm * zoom for zoom in layout.zooms], array.shape[::-1], path)
    volume = Volume(array, **{**grid, "warnings": (*grid["warnings"], *remarks)})
    if storage is None or array.ndim != len(layout.shape):
        return volume
    empty = volume.with_array(np.broadcast_to(array.dtype.type(0), array.shape))
    header = NiftiHeader(_as_one(_as_single(content, layout), layout), layout.version, storage, empty)
    return dataclasses.replace(volume, header=header)


def _kept(volume: Volume, path: Path) -> Volume:
    """Return a volume whose voxels the header writes back bit by bit.

    Raises:
        ImageReadError: it does not.
    """
    if volume.header is None:
        raise ImageReadError(
            f"The scaling of '{path}' (scl_slope, scl_inter) cannot be undone without rounding. Convert it to float64, "
            "or fill one volume at a time with --volume."
        )
    return volume


def _unit(content: bytes, layout: Layout) -> float:
    """Return the mm in the header's unit of length, which nibabel leaves to its callers."""
    mm = _UNITS.get(int(_parsed(content, layout.version)["xyzt_units"]) & 7, 1.0)
    return mm if mm * max(layout.zooms) <= _LARGEST else 1.0


def _affine(content: bytes, layout: Layout, path: Path) -> np.ndarray:
    """Return nibabel's affine of a header.

    Raises:
        ImageReadError: sform or qform hold no numbers.
    """
    header = _parsed(content, layout.version)
    for axis, mm in enumerate(layout.zooms, start=1):
        header["pixdim"][axis] = mm  # of axes of one voxel it may be 0
    for name, fields in (
        ("sform", ("srow_x", "srow_y", "srow_z")),
        ("qform", ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")),
    ):
        if header[f"{name}_code"] > 0 and not all(np.isfinite(header[field]).all() for field in fields):
            raise ImageReadError(
                f"'{path}' has a damaged header: its {name} holds NaN or infinity. Correct the header."
            )
    try:
        return header.get_best_affine()
    except Exception as error:  # nibabel has several kinds for a quaternion that is none
        raise ImageReadError(f"'{path}' has a damaged header: {error}. Correct sform or qform.") from None


def _parsed(content: bytes, version: int) -> Any:
    """Return nibabel's view of the header's bytes."""
    import nibabel

    kind = nibabel.Nifti2Header if version == 2 else nibabel.Nifti1Header
    return kind(content[: SIZES[version]], check=False)


def _patched(content: bytes, header: Any) -> bytes:
    return header.binaryblock + content[len(header.binaryblock) :]


def _magic(version: int) -> bytes:
    return b"n+1\0" if version == 1 else b"n+2\0\r\n\x1a\n"


def _as_single(content: bytes, layout: Layout) -> bytes:
    """Return the bytes before the voxels of a single file, from the header of a file in two parts."""
    if layout.single:
        return content
    padded = content if len(content) > SIZES[layout.version] else content + bytes(4)
    padded += bytes(-len(padded) % 16)
    header = _parsed(padded, layout.version)
    header["magic"], header["vox_offset"] = _magic(layout.version), len(padded)
    return _patched(padded, header)


def _as_one(content: bytes, layout: Layout) -> bytes:
    """Return the header of a 4-D image as that of a single volume of it."""
    if layout.volumes == 1:
        return content
    header = _parsed(content, layout.version)
    header["dim"][0], header["dim"][4] = 3, 1
    return _patched(content, header)


def _two_files(path: Path) -> tuple[Path, Path]:
    """Return the file with the header and the one with the voxels; the same one for a single file."""
    name = path.name.removesuffix(".gz")
    if not name.lower().endswith((".hdr", ".img")):
        return path, path
    stem = str(path)[: -len(path.name)] + name[:-4]
    tail = path.name[len(name) :]
    pair = []
    for ending in (".hdr", ".img"):
        candidates = [Path(stem + each + zipped) for each in (ending, ending.upper()) for zipped in (tail, "", ".gz")]
        found = next((each for each in candidates if each.is_file()), None)
        if found is None:
            raise ImageReadError(f"'{path}' is one half of an image; the file '{candidates[0]}' is missing beside it.")
        pair.append(found)
    return pair[0], pair[1]


def _grey(array: np.ndarray, path: Path) -> np.ndarray:
    """Return the one channel of a grey image that is stored in colour."""
    if (array == array[..., :1]).all():
        return np.ascontiguousarray(array[..., 0])
    raise ImageReadError(
        f"'{path}' has {array.shape[-1]} values per voxel (colour or vector image). Convert it to grey, or fill one "
        "channel at a time."
    )
