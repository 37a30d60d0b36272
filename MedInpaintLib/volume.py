"""Volumes: arrays with their place in the patient, read and written by SimpleITK (imported on first use, 50 ms)."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import numbers
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import GeometryError, ImageReadError, OutputError, OutputPathError, is_out_of_memory
from .files import check_path, native, real_path, replacing
from .formats import NIFTI, NRRD, check_writable, instead, stored_dtype

if TYPE_CHECKING:
    import SimpleITK

#: Smallest and largest voxel size, mm, and largest ratio of two of them: from a nanometre to a kilometre, and sections
#: of 10 mm with pixels of a micrometre. Beyond, the header is damaged, and registrations do not end.
LEAST_MM, MOST_MM, MOST_RATIO = 1e-6, 1e6, 10_000
#: Two grids are one when no corner of theirs lies further apart than this share of a voxel. Headers in float32, or with
#: numbers rounded to 4 digits, stay below it; a mask that is drawn one voxel off, or half a one, does not.
GRID_TOLERANCE = 0.05


@dataclasses.dataclass(frozen=True, eq=False)
class Volume:
    """A scalar image in 2-D or 3-D.

    Attributes:
        array: ``(k, j, i)`` = (slice, row, column) or ``(j, i)``, any real dtype of up to 8 bytes.
        spacing: voxel size in mm, in the order of the array's axes; one number stands for all of them.
        origin: position of voxel 0 in mm, LPS, in the order x, y(, z). Zeros by default.
        direction: columns are the unit vectors of the axes i, j(, k) in LPS, row by row as a flat tuple, as in
            SimpleITK. Identity by default.
        metadata: other header fields of the image, such as an NRRD file's key/value pairs; kept when a result is
            written. DICOM tags, and fields that describe the file (all of NIfTI's), are left out.
    """

    array: np.ndarray
    spacing: tuple[float, ...]
    origin: tuple[float, ...] = ()
    direction: tuple[float, ...] = ()
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.array, np.ndarray):
            raise ImageReadError(
                f"A Volume is made of a numpy array; found {type(self.array).__name__}. "
                "Use Volume.of, which takes other things too."
            )
        dimensions = self.array.ndim
        if dimensions not in (2, 3):
            raise ImageReadError(
                f"An image must have 2 or 3 axes; found {dimensions} (shape {self.array.shape}). "
                "Give one time point or one channel at a time, for example array[0]."
            )
        if self.array.size == 0:
            raise ImageReadError(f"An image must have at least one voxel; found shape {self.array.shape}.")
        if self.array.dtype.kind not in "biuf":
            raise ImageReadError(f"Voxels must be integers or real numbers; found dtype {self.array.dtype}.")
        if self.array.dtype.itemsize > 8:
            raise ImageReadError(
                f"Voxels of more than 8 bytes cannot be kept in any file; found dtype {self.array.dtype}. "
                "Convert them with array.astype('float64')."
            )
        for name, expected in (
            (
                "spacing",
                f"{dimensions} positive numbers in mm ({LEAST_MM:g} to {MOST_MM:g}, none {MOST_RATIO:,} times another)",
            ),
            ("origin", f"{dimensions} numbers in mm"),
            ("direction", f"{dimensions} x {dimensions} numbers of a matrix that can be inverted"),
        ):
            value = getattr(self, name)
            entries = _numbers(value)
            if entries is not None and name == "spacing" and np.ndim(value) == 0:
                entries *= dimensions  # one number stands for all
            if entries is None or not self._fits(name, entries):
                raise GeometryError(f"The {name} must be {expected}; found {value!r}.")
            object.__setattr__(self, name, entries or self._default(name))

    def _fits(self, name: str, entries: tuple[float, ...]) -> bool:
        """Return whether these finite numbers can be the spacing, origin or direction; the last two may be missing."""
        dimensions = self.array.ndim
        if name == "spacing":
            least, most = min(entries, default=0), max(entries, default=0)
            return len(entries) == dimensions and LEAST_MM <= least <= most <= min(MOST_MM, MOST_RATIO * least)
        if name == "origin":
            return len(entries) in (0, dimensions)
        if len(entries) == dimensions**2:
            return abs(np.linalg.det(np.reshape(entries, (dimensions, dimensions)))) > 1e-6
        return not entries

    def _default(self, name: str) -> tuple[float, ...]:
        dimensions = self.array.ndim
        return (0.0,) * dimensions if name == "origin" else tuple(np.eye(dimensions).ravel().tolist())

    @classmethod
    def of(cls, source: Any, spacing: Sequence[float] | float | None = None) -> Volume:
        """Make a volume from any kind of image.

        Args:
            source: a path (file, or folder with one DICOM series), a SimpleITK image, a Volume, an array, or what numpy
                makes one of, such as lists of lists.
            spacing: for arrays only: mm in the order of the axes, or one number for all. Default 1 mm.

        Raises:
            ImageReadError: it cannot be read, or is of a kind that is not supported.
        """
        if isinstance(source, Volume):
            return source
        if isinstance(source, (str, os.PathLike)):
            return cls.read(source)
        if type(source).__module__.startswith("SimpleITK"):
            return cls.from_sitk(source)
        try:
            array = np.asarray(source)
        except (TypeError, ValueError) as error:
            raise ImageReadError(f"No array can be made of this {type(source).__name__} ({error}).") from None
        return cls(array, 1.0 if spacing is None else spacing)  # type: ignore[arg-type]  # one number stands for all

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Volume:
        """Read an image file, or a folder that holds one DICOM series.

        Raises:
            ImageReadError: nothing there, not an image, several series, 4-D, or several values per voxel.
        """
        import SimpleITK as sitk

        source = Path(path)
        check_path(source)
        if not source.exists():
            raise ImageReadError(f"There is no file or folder '{source}'.")
        if source.is_dir():
            return cls.from_sitk(_read_dicom_series(source), name=str(source))
        try:
            with _out_of_the_shadow(source) as file:
                return cls.from_sitk(sitk.ReadImage(native(file)), name=str(source))
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            raise ImageReadError(
                f"'{source}' cannot be read as an image ({_last_words(error)}). "
                "Supported are NRRD, NIfTI, MetaImage, DICOM, TIFF, PNG and what else SimpleITK reads."
            ) from None

    @classmethod
    def from_sitk(cls, image: SimpleITK.Image, name: str = "The image") -> Volume:
        """Make a volume of a SimpleITK image.

        Raises:
            ImageReadError: 4-D, or several values per voxel.
        """
        import SimpleITK as sitk

        channels = image.GetNumberOfComponentsPerPixel()
        if channels > 1:
            raise ImageReadError(
                f"{name} has {channels} values per voxel (colour or vector image). "
                "Convert it to grey, or fill one channel at a time."
            )
        if image.GetDimension() == 4 and image.GetSize()[3] == 1:
            image = image[:, :, :, 0]
        if image.GetDimension() > 3:
            raise ImageReadError(
                f"{name} is {image.GetDimension()}-D with {image.GetSize()[3]} volumes in it. "
                "Split it into 3-D volumes (for example with SimpleITK: image[:, :, :, t]) and fill one at a time."
            )
        return cls(
            array=sitk.GetArrayFromImage(image),
            spacing=image.GetSpacing()[::-1],
            origin=image.GetOrigin(),
            direction=image.GetDirection(),
            metadata=_fields_of_the_image({key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}),
        )

    def to_sitk(self) -> SimpleITK.Image:
        """Convert to a SimpleITK image (voxels are copied; bool becomes uint8, float16 becomes float32)."""
        import SimpleITK as sitk

        array = self.array.astype(stored_dtype(self.array.dtype), copy=False)
        image = sitk.GetImageFromArray(np.ascontiguousarray(array))
        image.SetSpacing(self.spacing[::-1])
        image.SetOrigin(self.origin)
        image.SetDirection(self.direction)
        return image

    def with_array(self, array: np.ndarray) -> Volume:
        """Return a volume with another array on the same grid."""
        if array.shape != self.array.shape:
            raise GeometryError(f"The array must have the grid's shape {self.array.shape}; found {array.shape}.")
        return dataclasses.replace(self, array=array)

    def crop(self, box: tuple[slice, ...]) -> Volume:
        """Cut out a box, at its place in space; the array is a view."""
        steps, start = self.ijk_to_lps()
        corner = steps @ [part.start for part in reversed(box)] + start
        return dataclasses.replace(self, array=self.array[box], origin=tuple(corner.tolist()))

    def grid_difference(self, other: Volume) -> str:
        """Describe what distinguishes this grid from another one; empty when they agree to :data:`GRID_TOLERANCE`.

        Positions are compared in voxels of this grid: a tolerance in mm would be too coarse for micrometres, and one
        relative to the origin too coarse for a table position of 1500 mm.
        """
        if self.array.shape != other.array.shape:
            return f"shape {other.array.shape} instead of {self.array.shape}"
        distance = self._distance_in_voxels(other)
        if distance <= GRID_TOLERANCE:
            return ""
        # Name the one that moves the corners most.
        alone = {
            what: self._distance_in_voxels(dataclasses.replace(self, **{what: getattr(other, what)}))
            for what in ("spacing", "origin", "direction")
        }
        what = max(alone, key=lambda name: alone[name])
        mine, theirs = _short(getattr(self, what)), _short(getattr(other, what))
        return f"{what} {theirs} instead of {mine}, up to {distance:.2g} voxels away"

    def _distance_in_voxels(self, other: Volume) -> float:
        """Return how far the corners of another grid of the same shape lie from this one's, along the worst axis."""
        steps, start = self.ijk_to_lps()
        other_steps, other_start = other.ijk_to_lps()
        sizes = self.array.shape[::-1]
        # The outer corners of the corner voxels: centres would not show how thick a single slice is.
        corners = np.array(list(itertools.product(*((-0.5, size - 0.5) for size in sizes)))).T
        apart = (other_steps - steps) @ corners + (other_start - start)[:, np.newaxis]
        return float(np.abs(np.linalg.solve(steps, apart)).max())

    def ijk_to_lps(self) -> tuple[np.ndarray, np.ndarray]:
        """Return ``steps`` and ``start`` of ``position = steps @ (i, j, k) + start``, mm in LPS."""
        dimensions = self.array.ndim
        return np.reshape(self.direction, (dimensions, dimensions)) * self.spacing[::-1], np.array(self.origin)

    def resampled_onto(self, grid: Volume, *, linear: bool = False) -> Volume:
        """Sample this volume at the voxels of ``grid``, 0 outside: nearest neighbour, or linear in float32."""
        import SimpleITK as sitk

        image = sitk.Cast(self.to_sitk(), sitk.sitkFloat32) if linear else self.to_sitk()
        how = sitk.sitkLinear if linear else sitk.sitkNearestNeighbor
        resampled = sitk.Resample(image, grid.to_sitk(), sitk.Transform(), how, 0)
        return grid.with_array(sitk.GetArrayFromImage(resampled))

    def write(self, path: str | os.PathLike[str], *, compress: bool = True) -> None:
        """Write to a file, atomically: the old file stays until the new one is whole.

        What would not come back as it was is refused (:data:`FORMATS`), except float16 (becomes float32) and bool
        (uint8).

        Args:
            path: its ending says the format. A symbolic link is followed: the file that it points to is replaced.
            compress: smaller and slower, where the format can: a 512 x 512 x 600 CT takes 8 s more.

        Raises:
            OutputPathError: the folder does not exist, or the format cannot be written or cannot hold this image.
            OutputError: the writing failed (disk full, no permission).
        """
        import SimpleITK as sitk

        target = real_path(path)
        kind = check_writable(target, self)
        if kind.finite and self.array.dtype.kind == "f" and not np.isfinite(self.array).all():
            raise OutputPathError(
                f"{kind.name} cannot hold NaN or infinity, which this image has; {instead(target, NRRD)}."
            )
        image = self.to_sitk()
        for key, value in self.metadata.items():
            if kind is NRRD or not key.startswith("NRRD_"):
                image.SetMetaData(key, value)
        with replacing(target) as temporary:
            try:
                sitk.WriteImage(image, native(temporary), useCompression=compress)
            except RuntimeError as error:
                raise OutputError(f"'{path}' could not be written ({_last_words(error)}).") from None
            # ITK's NIfTI writer says nothing when the disk is full: only reading back tells.
            if kind is NIFTI and not _came_back(temporary, self.array):
                raise OutputError(f"'{path}' could not be written whole; the disk may be full.")


def _numbers(values: Any) -> tuple[float, ...] | None:
    """Return a flat tuple of finite floats, or None when these are something else."""
    flat = np.asarray(values, dtype=object).ravel().tolist()
    if not all(isinstance(value, numbers.Real) and math.isfinite(value) for value in flat):
        return None
    return tuple(float(value) for value in flat)


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
    with tempfile.TemporaryDirectory(prefix="medinpaint-") as folder:
        alone = Path(folder) / path.name
        try:
            alone.symlink_to(path.absolute())
        except OSError:  # Windows lets not everybody make links
            shutil.copyfile(path, alone)
        yield alone


def _read_dicom_series(folder: Path) -> SimpleITK.Image:
    import SimpleITK as sitk

    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(native(folder))
    if len(series) == 0:
        raise ImageReadError(f"The folder '{folder}' holds no DICOM series.")
    if len(series) > 1:
        raise ImageReadError(
            f"The folder '{folder}' holds {len(series)} DICOM series; put the one to use into a folder of its own."
        )
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(native(folder), series[0]))
    try:
        return reader.Execute()
    except RuntimeError as error:
        raise ImageReadError(f"The DICOM series in '{folder}' cannot be read ({_last_words(error)}).") from None


def _last_words(error: Exception) -> str:
    """Return the last line of an ITK error: the lines before it are source positions."""
    return str(error).strip().splitlines()[-1].strip().rstrip(".")


def _short(numbers: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{number:.7g}" for number in numbers) + ")"
