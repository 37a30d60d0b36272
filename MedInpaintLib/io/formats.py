"""File formats that can be written, and what each keeps exactly: measured on every dtype with SimpleITK 2.5."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..dtypes import stored_dtype
from ..errors import ImageReadError, OutputPathError
from ..files import check_folder, check_kind, real_path

if TYPE_CHECKING:
    from ..volume import Volume

_WHOLE = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_REAL = frozenset({"float32", "float64"})


@dataclasses.dataclass(frozen=True)
class Format:
    """A file format, and what it keeps exactly.

    Attributes:
        name: for messages.
        dimensions: of the images that it holds.
        dtypes: of their voxels, by numpy's name.
        rigid: whether the axes must be at right angles (NIfTI's header holds a rotation, so sheared axes are bent).
    """

    name: str
    dimensions: tuple[int, ...]
    dtypes: frozenset[str]
    rigid: bool = False


NRRD = Format("NRRD", (2, 3), _WHOLE | _REAL)
NIFTI = Format("NIfTI", (2, 3), _WHOLE | _REAL, rigid=True)
MGH = Format("MGH", (3,), frozenset({"uint8", "uint16", "int16", "int32", "float32"}), rigid=True)
META = Format("MetaImage", (2, 3), _WHOLE | _REAL)
PNG = Format("PNG", (2,), frozenset({"uint8", "uint16"}))
DICOM = Format("DICOM", (2, 3), _WHOLE | _REAL)
TIFF = Format("TIFF", (2,), (_WHOLE - {"int64", "uint64"}) | {"float32"})

#: By the file name's ending. PNG and TIFF keep only the pixel size, so a stack of slices would lose its position. Left
#: out: JPEG, which changes pixels, and BMP, which comes back in colour.
FORMATS = {
    ".nrrd": NRRD,
    ".nhdr": NRRD,
    ".nii": NIFTI,
    ".nii.gz": NIFTI,
    ".mgz": MGH,
    ".mgh": MGH,
    ".mha": META,
    ".mhd": META,
    ".png": PNG,
    ".tif": TIFF,
    ".tiff": TIFF,
}
WRITABLE = tuple(FORMATS)
#: Endings of headers, whose voxels lie in a file beside them.
DETACHED = (".mhd", ".nhdr")
#: What a folder of scans is searched for, besides folders with DICOM files.
READABLE = (*WRITABLE, ".dcm", ".hdr", ".jpg", ".jpeg", ".bmp")
#: Formats that are not read, by the ending of their files. Of MINC, SimpleITK 2.5 reads some, mirrored: it takes the
#: positions, which are in RAS, for LPS.
NOT_READ = {
    ".mnc": "MINC",
    ".par": "Philips PAR",
    ".rec": "Philips REC",
    ".head": "AFNI",
    ".brik": "AFNI",
    ".brik.gz": "AFNI",
    ".v": "ECAT",
    ".gii": "GIFTI",
    ".trk": "TrackVis",
    ".tck": "MRtrix",
}


def unreadable(path: Path) -> ImageReadError:
    """Return the error for a file that no reader takes."""
    kind = next((kind for ending, kind in NOT_READ.items() if path.name.lower().endswith(ending)), None)
    what = "it is damaged, or no image of a known format" if kind is None else f"{kind} files are not supported"
    return ImageReadError(
        f"'{path}' cannot be read as an image: {what}. Supported are DICOM, NIfTI, MGH, NRRD, MetaImage, TIFF, PNG, "
        "JPEG, BMP, VTK and GIPL; convert it to one of them."
    )


def check_writable(path: str | os.PathLike[str], image: Volume | None = None) -> Format:
    """Check before the work that an image can be written there.

    Args:
        path: of the file to write.
        image: the image, or one of its dtype, number of axes and grid; its voxels do not matter.

    Returns:
        Format: of that file.

    Raises:
        OutputPathError: with the reason, and a format that would do.
    """
    if names_folder(path):
        from .dicom.derived import check_series_folder

        check_series_folder(path, image)
        return DICOM
    check_kind(path)
    target = real_path(path)
    kind = format_of(target)
    check_folder(target)
    if image is not None:
        _check_holds(kind, image, target)
    return kind


def format_of(target: Path) -> Format:
    """Return the format that the ending of a file to write says.

    Raises:
        OutputPathError: none, or not in lower case.
    """
    ending = next((ending for ending in FORMATS if target.name.lower().endswith(ending)), None)
    if ending is None:
        raise OutputPathError(
            f"'{target.name}' does not say in which format to write; end it in one of {', '.join(WRITABLE)} "
            "(or in / for a folder with a DICOM series)."
        )
    if not target.name.endswith(ending):
        raise OutputPathError(
            f"'{target.name}' must end in {ending} in lower case: not every program reads it otherwise."
        )
    return FORMATS[ending]


def split_ending(path: str) -> tuple[str, str]:
    """Split a path before the ending of its format; that of a folder with DICOM files is ``.nrrd``.

    >>> split_ending("out/t1.nii.gz"), split_ending("series/")
    (('out/t1', '.nii.gz'), ('series', '.nrrd'))
    """
    if path.endswith(("/", "\\")):
        return path.rstrip("/\\"), ".nrrd"
    ending = max((each for each in WRITABLE if path.lower().endswith(each)), key=len, default="")
    return path[: len(path) - len(ending)], ending


def names_folder(path: str | os.PathLike[str]) -> bool:
    """Return whether a path says by its end that it is a folder, or is one and has no ending of a format."""
    name = os.fspath(path)
    return name.endswith(("/", os.sep)) or (os.path.isdir(name) and not name.lower().endswith(WRITABLE))


def _check_holds(kind: Format, image: Volume, place: Path) -> None:
    dtype = stored_dtype(image.array.dtype).name
    if image.array.ndim not in kind.dimensions or dtype not in kind.dtypes:
        raise OutputPathError(
            f"{kind.name} files hold {_listed(f'{n}-D' for n in kind.dimensions)} images of "
            f"{_listed(sorted(kind.dtypes))} voxels; this one is {image.array.ndim}-D {dtype}. "
            f"To keep every voxel as it is, {instead(place, NRRD)}."
        )
    if kind.rigid:
        bent = image.ijk_to_lps()[0] / image.spacing[::-1]
        left, _, right = np.linalg.svd(bent)
        straight = dataclasses.replace(image, direction=tuple((left @ right).ravel().tolist()))
        if image.grid_difference(straight):
            raise OutputPathError(
                f"{kind.name} files hold axes at right angles only, and this image's are sheared (a tilted gantry?); "
                f"{instead(place, META)}."
            )


def instead(place: Path, kind: Format) -> str:
    """Say which ending to use instead."""
    ending = next(ending for ending, other in FORMATS.items() if other is kind)
    return f"end '{place.name}' in {ending} instead"


def _listed(words: Iterable[str]) -> str:
    """Join names as ``"a, b or c"``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
