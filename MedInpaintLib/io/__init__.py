"""Readers and writers: they check what they read, keep headers, and refuse what they cannot keep.

:func:`read` and :func:`write` choose the module of the format; each format is one file.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from ..errors import ImageReadError, ParameterError
from ..files import check_path, real_path, replacing, special_kind
from ..files_of import detached_files
from ..volume import Volume
from . import itk, mgh, nifti, tiff
from .damage import check_header, check_whole
from .dicom import derived, segmentation, structures
from .dicom import series as dicom_series
from .dicom.meta import is_dicom
from .dicom.objects import STRUCTURES, class_of, is_mask, mask_of
from .formats import DICOM, MGH, NIFTI, NOT_READ, check_writable, unreadable
from .four_d import volumes_in
from .label_names import names_of
from .segments import Segments


def read(
    path: str | os.PathLike[str],
    *,
    series: str | None = None,
    allow_outside_data: bool = False,
    missing_slices: bool = False,
    volume: int | None = None,
) -> Volume:
    """Read an image file, or a folder with DICOM files.

    Args:
        path: of the file or folder.
        series: which of a folder's DICOM series: its number, its UID, or a part of its description.
        allow_outside_data: read voxels that a header (.mhd, .nhdr) takes from outside its own folder.
        missing_slices: also read a DICOM series that lacks slices; they are in the volume's ``missing``.
        volume: which volume of a 4-D NIfTI or MGH file, from 0.

    Raises:
        ImageReadError: nothing there, not an image, damaged, several series, 4-D, or several values per voxel.
        ParameterError: there is no such volume.
    """
    source = _existing(path)
    if series is not None and not (source.is_dir() or is_dicom(source)):
        raise ImageReadError(f"'{source}' is no folder with DICOM series; leave out --series (series=).")
    _check_can_choose(source, volume)
    image = _by_format(source, series, volume)
    if image is None:
        if not allow_outside_data:
            _check_inside(source)
        check_header(source)
        image = itk.read(source)
        check_whole(source, image)
        image = tiff.without_palette(source, image)
    if not missing_slices:
        _check_complete(source, image)
    return image


def read_mask(
    path: str | os.PathLike[str], image: Volume, *, allow_outside_data: bool = False, volume: int | None = None
) -> Volume | Segments:
    """Read a mask: one volume of values, or named segments that may overlap.

    Args:
        path: of the file or folder.
        image: that the mask belongs to; contours become voxels of its grid.
        allow_outside_data: as in :func:`read`.
        volume: which volume of a 4-D mask, from 0; a 3-D mask is read whole.

    Raises:
        ImageReadError: as in :func:`read`.
    """
    source = mask_of(_existing(path))
    if is_mask(source):
        if class_of(source) == STRUCTURES:
            return structures.read_structures(source, image)
        return segmentation.read_segmentation(source, image)
    mask: Volume | Segments | None = _by_format(source, volume=None if volumes_in(source) == 1 else volume)
    if mask is None:
        if not allow_outside_data:
            _check_inside(source)
        check_header(source)
        mask = itk.read_mask(source)
        check_whole(source, mask.grid if isinstance(mask, Segments) else mask)
    if isinstance(mask, Segments) or mask.label_names:
        return mask
    _check_complete(source, mask)
    return dataclasses.replace(mask, label_names=names_of(source))


def _existing(path: str | os.PathLike[str]) -> Path:
    check_path(path)
    source = Path(path)
    if not source.exists():
        raise ImageReadError(f"There is no file or folder '{source}'.")
    kind = special_kind(source)
    if kind is not None:
        raise ImageReadError(f"'{source}' is {kind}; give an image file, or a folder with DICOM files.")
    return source


def _check_complete(path: Path, volume: Volume) -> None:
    """Check that a DICOM series lacks no slice; a mask would mark nothing in it.

    Raises:
        ImageReadError: naming the slices.
    """
    if volume.missing:
        raise ImageReadError(f"{volume.header.lacks(repr(str(path)))}. Only the image of a fill may lack slices.")


def _check_can_choose(source: Path, volume: int | None) -> None:
    """Check that a volume is chosen only from formats whose volumes can be.

    Raises:
        ParameterError: of another format.
    """
    if volume is not None and (source.is_dir() or not source.name.lower().endswith((*nifti.ENDINGS, *mgh.ENDINGS))):
        raise ParameterError(
            f"A volume is chosen from 4-D NIfTI and MGH files, and '{source}' is none; leave out --volume (volume=)."
        )


def _by_format(source: Path, series: str | None = None, volume: int | None = None) -> Volume | None:
    """Read a format that has a reader of its own; return None for those that SimpleITK reads."""
    if source.is_dir():
        return dicom_series.read_series(source, series=series)
    if is_dicom(source):
        return dicom_series.read_file(source, series=series)
    if source.name.lower().endswith(mgh.ENDINGS):
        return mgh.read(source, volume)
    if source.name.lower().endswith(nifti.ENDINGS):
        return nifti.read(source, volume)
    if source.name.lower().endswith(tuple(NOT_READ)):
        raise unreadable(source)
    return None


def _check_inside(path: Path) -> None:
    """Check that a header takes its voxels from its own folder: another's header could name any file.

    Raises:
        ImageReadError: it does not; the message names the file.
    """
    # Of a header that is a link, both folders are its own; links beside it were made by the user, not by the header.
    folders = (Path(os.path.abspath(path.parent)), Path(os.path.realpath(path)).parent)
    for file in detached_files(path):
        place = Path(os.path.abspath(file))
        if not any(place.is_relative_to(folder) for folder in folders):
            raise ImageReadError(
                f"'{path}' takes its voxels from '{file}', outside its own folder. Put that file beside its "
                "header or, if you trust both, add --allow-outside-data (allow_outside_data=True)."
            )


def write(volume: Volume, path: str | os.PathLike[str], *, compress: bool = True) -> None:
    """Write to a file, atomically: the old file stays until the new one is whole.

    What would not come back as it was is refused (:data:`.formats.FORMATS`), except float16 (becomes float32) and bool
    (uint8).

    Args:
        volume: the image.
        path: its ending says the format; a folder, or a name that ends in "/", stands for a DICOM series derived from
            the one that was read. A symbolic link is followed: the file that it points to is replaced.
        compress: smaller and slower, where the format can: a 512 x 512 x 600 CT takes 8 s more.

    Raises:
        OutputPathError: the folder does not exist, or the format cannot be written or cannot hold this image.
        OutputError: the writing failed (disk full, no permission).
    """
    kind = check_writable(path, volume)
    if kind is DICOM:
        derived.write_series(volume, path)
        return
    target = real_path(path)
    with replacing(target) as temporary:
        if kind is MGH:
            mgh.write(volume, temporary, compress=compress)
        elif kind is NIFTI and nifti.available():
            nifti.write(volume, temporary, compress=compress)
        else:
            itk.write(volume, temporary, kind, name=str(path), compress=compress)
