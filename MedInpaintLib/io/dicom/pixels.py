"""The voxels of DICOM slices in their unit: by SimpleITK; those of enhanced files by pydicom, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import ImageReadError
from .frame import Frame
from .objects import ENHANCED, read_dataset
from .tags import GDCM


def read_planes(frames: Sequence[Frame | None], fill: float | None) -> np.ndarray:
    """Read slices into one array, in the smallest dtype that holds all of them.

    Args:
        frames: one a slice; None where it is missing.
        fill: intensity of the missing slices; the lowest one when None.

    Raises:
        ImageReadError: a file is damaged, in colour, or compressed in a way that nothing here can read.
    """
    there = [frame for frame in frames if frame is not None]
    pixels: dict[Path, np.ndarray] = {}  # of enhanced files, each read once
    planes = [_plane(frame) if frame.sop_class not in ENHANCED else _enhanced_plane(frame, pixels) for frame in there]
    pixels.clear()
    dtype = np.result_type(*planes)
    lowest = min(plane.min() for plane in planes)
    array = np.empty((len(frames), *there[0].shape), dtype)
    planes.reverse()
    for k, frame in enumerate(frames):
        array[k] = planes.pop() if frame is not None else _within(lowest if fill is None else fill, dtype)
    return array


def _within(value: float, dtype: np.dtype) -> float:
    if dtype.kind == "f":
        return value
    limits = np.iinfo(dtype)
    return min(max(round(value), limits.min), limits.max)


def _plane(frame: Frame) -> np.ndarray:
    """Read a single-frame file by SimpleITK, which applies the scale; by pydicom where that cannot decode it."""
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(frame.path), imageIO=GDCM)
    except RuntimeError:  # for example 6 bits of 8, or inverted with a sign
        return rescaled(stored_pixels(frame.path)[0], frame)
    plane = sitk.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        plane = _grey(plane, frame.path)
    plane = plane.reshape(frame.shape)
    return _as_stored(plane, frame) if frame.inverted else plane


def _grey(plane: np.ndarray, path: Path) -> np.ndarray:
    if (plane == plane[..., :1]).all():
        return plane[..., 0]
    raise ImageReadError(
        f"'{path}' has {plane.shape[-1]} values per voxel (colour or vector image). "
        "Convert it to grey, or fill one channel at a time."
    )


def _as_stored(plane: np.ndarray, frame: Frame) -> np.ndarray:
    """Undo the inversion of a MONOCHROME1 image, which SimpleITK turns into MONOCHROME2: intensities stay as stored."""
    slope, intercept = frame.scale
    top = -1 if frame.signed else (1 << frame.bits) - 1
    stored = top - np.rint((plane.astype(np.float64) - intercept) / slope)
    return (stored * slope + intercept).astype(plane.dtype)


def _enhanced_plane(frame: Frame, pixels: dict[Path, np.ndarray]) -> np.ndarray:
    if frame.path not in pixels:
        pixels[frame.path] = stored_pixels(frame.path)
    return rescaled(pixels[frame.path][frame.number], frame)


def stored_pixels(path: Path) -> np.ndarray:
    """Return the stored values of a file, (frames, rows, columns), by pydicom.

    Raises:
        ImageReadError: they are damaged, or compressed in a way for which no decoder is installed.
    """
    dataset = read_dataset(path)
    try:
        return dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
    except (ValueError, AttributeError, RuntimeError, NotImplementedError) as error:
        raise ImageReadError(
            f"The pixels of '{path}' cannot be read ({' '.join(str(error).split())[:200]}); export it uncompressed."
        ) from None


def rescaled(stored: np.ndarray, frame: Frame) -> np.ndarray:
    """Return intensities: whole numbers where the scale is whole, else float64.

    The dtype follows from the range of what can be stored, not from the voxels.
    """
    slope, intercept = frame.scale
    if (slope, intercept) == (1.0, 0.0) or stored.dtype.kind == "f":
        return stored
    if not (slope.is_integer() and intercept.is_integer()):
        return stored.astype(np.float64) * slope + intercept
    ends = [int(end * slope + intercept) for end in frame.stored_range]
    dtype = np.result_type(np.min_scalar_type(min(ends)), np.min_scalar_type(max(ends)))
    return (stored.astype(np.int64) * int(slope) + int(intercept)).astype(dtype)
