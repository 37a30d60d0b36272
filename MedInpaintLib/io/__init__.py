"""Readers and writers: they check what they read, keep headers, and refuse what they cannot keep.

:func:`read` and :func:`write` choose the module of the format; each format is one file.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np

from ..errors import ImageReadError, OutputPathError
from ..files import real_path, replacing
from ..volume import Volume
from . import itk
from .formats import NRRD, check_writable, instead
from .label_names import names_of
from .segments import Segments


def read(path: str | os.PathLike[str], *, series: str | None = None, allow_outside_data: bool = False) -> Volume:
    """Read an image file, or a folder with DICOM files.

    Args:
        path: of the file or folder.
        series: which of a folder's DICOM series: its number in the list that the error shows, its UID, or a part of
            its description.
        allow_outside_data: read voxels that a header (.mhd, .nhdr) takes from outside its own folder.

    Raises:
        ImageReadError: nothing there, not an image, damaged, several series, 4-D, or several values per voxel.
    """
    source = Path(path)
    if not source.exists():
        raise ImageReadError(f"There is no file or folder '{source}'.")
    if source.is_dir():
        return itk.read_dicom_series(source)
    return itk.read(source)


def read_mask(path: str | os.PathLike[str], image: Volume, *, allow_outside_data: bool = False) -> Volume | Segments:
    """Read a mask: one volume of values, or named segments that may overlap.

    Args:
        path: of the file or folder.
        image: that the mask belongs to; contours become voxels of its grid.
        allow_outside_data: as in :func:`read`.

    Raises:
        ImageReadError: as in :func:`read`.
    """
    source = Path(path)
    if source.is_file() and not source.name.lower().endswith((".nii", ".nii.gz", ".mgh", ".mgz")):
        mask = itk.read_mask(source)
    else:
        mask = read(source, allow_outside_data=allow_outside_data)
    if isinstance(mask, Segments) or mask.label_names:
        return mask
    return dataclasses.replace(mask, label_names=names_of(source))


def write(volume: Volume, path: str | os.PathLike[str], *, compress: bool = True) -> None:
    """Write to a file, atomically: the old file stays until the new one is whole.

    What would not come back as it was is refused (:data:`.formats.FORMATS`), except float16 (becomes float32) and bool
    (uint8).

    Args:
        volume: the image.
        path: its ending says the format. A symbolic link is followed: the file that it points to is replaced.
        compress: smaller and slower, where the format can: a 512 x 512 x 600 CT takes 8 s more.

    Raises:
        OutputPathError: the folder does not exist, or the format cannot be written or cannot hold this image.
        OutputError: the writing failed (disk full, no permission).
    """
    target = real_path(path)
    kind = check_writable(target, volume)
    if kind.finite and volume.array.dtype.kind == "f" and not np.isfinite(volume.array).all():
        raise OutputPathError(
            f"{kind.name} cannot hold NaN or infinity, which this image has; {instead(target, NRRD)}."
        )
    with replacing(target) as temporary:
        itk.write(volume, temporary, kind, name=str(path), compress=compress)
