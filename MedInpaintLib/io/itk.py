"""SimpleITK's share: conversion, resampling, and the formats that no other library of ours reads.

SimpleITK is imported on first use (50 ms).
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..dtypes import stored_dtype
from ..errors import ImageReadError, OutputError, OutputPathError, is_out_of_memory
from ..files import native
from ..temporary import NEW, temporary_folder
from ..volume import Volume
from .colors import drawing_of, grey_of
from .foreign_lines import foreign_lines
from .formats import DETACHED, NIFTI, NRRD, Format, instead, unreadable
from .segments import Segments, is_segmentation, slicer_segments

if TYPE_CHECKING:
    import SimpleITK

    Read = TypeVar("Read", bound=Volume | Segments)


def read(path: Path) -> Volume:
    """Read a file by SimpleITK.

    Raises:
        ImageReadError: not an image, 4-D, or several values per voxel.
    """
    image, lines = _image_in(path)
    return _with_remarks(from_sitk(image, name=str(path)), path, lines)


def read_mask(path: Path) -> Volume | Segments:
    """Read a mask by SimpleITK: values, Slicer's segments, or a drawing of a paint program.

    Raises:
        ImageReadError: not an image, 4-D, or a color image that is no drawing.
    """
    image, lines = _image_in(path)
    return _with_remarks(mask_from_sitk(image, name=str(path)), path, lines)


def _image_in(path: Path) -> tuple[SimpleITK.Image, list[str]]:
    """Return the image in a file, and what the reader printed about it."""
    import SimpleITK as sitk

    try:
        with foreign_lines() as lines:
            image = sitk.ReadImage(native(path))
    except RuntimeError as error:  # its words name positions in source code and formats that were not meant
        if is_out_of_memory(error):
            raise
        raise unreadable(path) from None
    return image, lines


def _with_remarks(volume: Read, path: Path, lines: Sequence[str]) -> Read:
    """Add to an image's warnings what the reader printed about its file."""
    remarks = tuple(f"The reader of '{path.name}' says: {line}" for line in lines)
    return dataclasses.replace(volume, warnings=volume.warnings + remarks)


def from_sitk(image: SimpleITK.Image, name: str = "The image") -> Volume:
    """Make a volume of a SimpleITK image; of a color image with equal channels, of one of them.

    Raises:
        ImageReadError: 4-D, or several values per voxel.
    """
    array = _array_of(image, name)
    channels = image.GetNumberOfComponentsPerPixel()
    grey = array if channels == 1 else grey_of(array)
    if grey is None:
        raise ImageReadError(
            f"{name} has {channels} values per voxel (colour or vector image). "
            "Convert it to grey, or fill one channel at a time."
        )
    return _volume_of(grey, image)


def mask_from_sitk(image: SimpleITK.Image, name: str = "The mask") -> Volume | Segments:
    """Make a mask of a SimpleITK image: values, Slicer's segments, or a drawing of a paint program.

    Raises:
        ImageReadError: 4-D, or several values per voxel that are no drawing.
    """
    array = _array_of(image, name)
    fields = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    if is_segmentation(fields):
        layers = array if image.GetNumberOfComponentsPerPixel() > 1 else array[..., np.newaxis]
        return slicer_segments(layers, fields, _volume_of(layers[..., 0], image))
    if image.GetNumberOfComponentsPerPixel() == 1:
        return _volume_of(array, image)
    drawing = drawing_of(array)
    if drawing is None:
        raise ImageReadError(
            f"{name} has {array.shape[-1]} values per voxel (colour or vector image) and is no drawing on an even "
            "background. Paint the hole white and all else black, or save one channel."
        )
    notes = (f"The mask has colors. {drawing.note}",) if drawing.note else ()
    return dataclasses.replace(_volume_of(drawing.values, image), label_names=drawing.names, warnings=notes)


def _array_of(image: SimpleITK.Image, name: str) -> np.ndarray:
    """Return the voxels of a 2-D or 3-D image, channels last."""
    import SimpleITK as sitk

    if image.GetDimension() > 3 and (image.GetDimension() > 4 or image.GetSize()[3] > 1):
        raise ImageReadError(
            f"{name} is {image.GetDimension()}-D with {image.GetSize()[3]} volumes in it. "
            "Convert it to NIfTI, whose volumes can all be filled, or split it into 3-D volumes (for example with "
            "SimpleITK: image[:, :, :, t])."
        )
    array = sitk.GetArrayFromImage(image)
    return array[0] if image.GetDimension() == 4 else array


def _volume_of(array: np.ndarray, image: SimpleITK.Image) -> Volume:
    """Return voxels on the grid of a 2-D or 3-D image, or of the one volume of a 4-D image."""
    if image.GetDimension() == 4:
        image = image[:, :, :, 0]
    return Volume(
        array=array,
        spacing=image.GetSpacing()[::-1],
        origin=image.GetOrigin(),
        direction=image.GetDirection(),
        metadata=_fields_of_the_image({key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}),
    )


def grid_of(path: Path, array: np.ndarray) -> Volume:
    """Put voxels on the grid that SimpleITK finds in a file's header.

    Raises:
        ImageReadError: SimpleITK does not take the header.
    """
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    try:
        with _out_of_the_shadow(path) as file, foreign_lines():
            reader.SetFileName(native(file))
            reader.ReadImageInformation()
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        raise unreadable(path) from None
    axes = array.ndim
    direction = np.reshape(reader.GetDirection(), (reader.GetDimension(),) * 2)[:axes, :axes]
    return Volume(array, reader.GetSpacing()[:axes][::-1], reader.GetOrigin()[:axes], tuple(direction.ravel().tolist()))


def to_sitk(volume: Volume) -> SimpleITK.Image:
    """Convert to a SimpleITK image (voxels are copied; bool becomes uint8, float16 becomes float32)."""
    import SimpleITK as sitk

    array = volume.array.astype(stored_dtype(volume.array.dtype), copy=False)
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(volume.spacing[::-1])
    image.SetOrigin(volume.origin)
    image.SetDirection(volume.direction)
    return image


def resample(volume: Volume, grid: Volume, *, linear: bool) -> Volume:
    """Sample a volume at the voxels of ``grid``, 0 outside: nearest neighbour, or linear in float32."""
    import SimpleITK as sitk

    image = sitk.Cast(to_sitk(volume), sitk.sitkFloat32) if linear else to_sitk(volume)
    how = sitk.sitkLinear if linear else sitk.sitkNearestNeighbor
    resampled = sitk.Resample(image, to_sitk(grid), sitk.Transform(), how, 0)
    return grid.with_array(sitk.GetArrayFromImage(resampled))


def write(volume: Volume, path: Path, kind: Format, *, name: str, compress: bool) -> None:
    """Write to a file by SimpleITK; messages call it ``name``.

    Raises:
        OutputError: the writing failed (disk full, no permission).
    """
    import SimpleITK as sitk

    if kind is NIFTI and volume.array.dtype.kind == "f" and not np.isfinite(volume.array).all():
        raise OutputPathError(
            f"Without the package nibabel, NIfTI files cannot hold NaN or infinity, which this image has; "
            f"{instead(path, NRRD)}."
        )
    image = to_sitk(volume)
    for key, value in volume.metadata.items():
        if kind is NRRD or not key.startswith("NRRD_"):
            image.SetMetaData(key, value)
    first = _header_path(volume, path)
    try:
        with foreign_lines():
            sitk.WriteImage(image, native(first), useCompression=compress)
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        raise OutputError(f"'{name}' could not be written ({last_line(error)}).") from None
    os.replace(first, path)
    # ITK's NIfTI writer says nothing when the disk is full: only reading back tells.
    if kind is NIFTI and not _came_back(path, volume.array):
        raise OutputError(f"'{name}' could not be written whole; the disk may be full.")


def _header_path(volume: Volume, path: Path) -> Path:
    """Return what to call a header while it is written, from which the writer makes the name of the voxels' file.

    That name depends on the voxels, so that the file of the old header's voxels stays whole until the new header
    takes the old one's place.
    """
    if path.suffix not in DETACHED:
        return path
    array = volume.array
    digest = hashlib.sha256(f"{path.name} {array.dtype} {array.shape}".encode("utf-8", "surrogateescape"))
    digest.update(np.ascontiguousarray(array).data)
    # Names may be 255 bytes long, and a letter four. Line breaks would end the header's line, and % means a pattern.
    stem = re.sub(r"[^\w.-]", "_", path.stem[:48])
    return path.with_name(f"{stem}-{digest.hexdigest()[:12]}{path.suffix}")


def last_line(error: Exception) -> str:
    """Return the last line of an ITK error: the lines before it are source positions."""
    return str(error).strip().splitlines()[-1].strip().rstrip(".")


def _fields_of_the_image(metadata: dict[str, str]) -> dict[str, str]:
    """Keep the fields that describe the image, and so an image made from it.

    Left out: DICOM tags (group|element), which name the patient and another acquisition; notes that ITK leaves for
    itself, some without a printable value; empty fields; and NIfTI's, which describe the file's layout and which the
    writer sets.
    """
    if "nifti_type" in metadata:
        return {}
    return {
        key: value
        for key, value in metadata.items()
        if value.strip() and "|" not in key and not key.startswith("ITK_") and "UNKNOWN_PRINT" not in value
    }


def _came_back(path: Path, array: np.ndarray) -> bool:
    import SimpleITK as sitk

    try:
        return np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(native(path))), array)
    except RuntimeError:
        return False


@contextlib.contextmanager
def _out_of_the_shadow(path: Path) -> Iterator[Path]:
    """Yield where to read this file from: for ``a.nii.gz``, ITK's NIfTI reader takes ``a.nii`` when there is one."""
    if not (path.name.endswith(".nii.gz") and path.with_suffix("").exists()):
        yield path
        return
    with temporary_folder(Path(tempfile.gettempdir())) as folder:
        alone = folder / NEW / path.name
        try:
            alone.symlink_to(path.absolute())
        except OSError:  # Windows lets not everybody make links
            shutil.copyfile(path, alone)
        yield alone
