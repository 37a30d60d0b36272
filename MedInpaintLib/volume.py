"""Volumes: an array with its place in the patient, read from and written to files.

The one place where SimpleITK is used (imported when the first file is touched: it costs 50 ms).
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import GeometryError, ImageReadError, OutputError, OutputPathError
from .files import check_folder, replacing

if TYPE_CHECKING:
    import SimpleITK

#: Above this relative or absolute (mm) difference two grids are different. Headers in float32 differ by about 1e-6.
GRID_TOLERANCE = 1e-3

#: Formats that can be written, by how the file's name ends.
WRITABLE = (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd", ".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")


@dataclasses.dataclass(frozen=True, eq=False)
class Volume:
    """A scalar image in 2-D or 3-D.

    Attributes:
        array: ``(k, j, i)`` = (slice, row, column) or ``(j, i)``, any real dtype.
        spacing: voxel size in mm, in the order of the array's axes.
        origin: position of voxel 0 in mm, LPS, in the order x, y(, z). Zeros by default.
        direction: columns are the unit vectors of the axes i, j(, k) in LPS, row by row as a flat tuple, as in
            SimpleITK. Identity by default.
        metadata: the header's other fields, kept when a result is written (DICOM tags are not).
    """

    array: np.ndarray
    spacing: tuple[float, ...]
    origin: tuple[float, ...] = ()
    direction: tuple[float, ...] = ()
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        dimensions = self.array.ndim
        if dimensions not in (2, 3):
            raise ImageReadError(
                f"An image must have 2 or 3 axes; found {dimensions} (shape {self.array.shape}). "
                "Give one time point or one channel at a time, for example array[0]."
            )
        if self.array.dtype.kind not in "biuf":
            raise ImageReadError(f"Voxels must be integers or real numbers; found dtype {self.array.dtype}.")
        spacing = tuple(float(mm) for mm in self.spacing)
        if len(spacing) != dimensions or not all(math.isfinite(mm) and mm > 0 for mm in spacing):
            raise GeometryError(f"Spacing must be {dimensions} positive numbers in mm; found {self.spacing!r}.")
        object.__setattr__(self, "spacing", spacing)
        object.__setattr__(self, "origin", tuple(self.origin) or (0.0,) * dimensions)
        object.__setattr__(self, "direction", tuple(self.direction) or tuple(np.eye(dimensions).ravel().tolist()))

    @classmethod
    def of(cls, source: Any, spacing: Sequence[float] | float | None = None) -> Volume:
        """A volume from whatever the user has.

        Args:
            source: a path (file, or folder with one DICOM series), a SimpleITK image, a Volume, or an array.
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
        array = np.asarray(source)
        if spacing is None or isinstance(spacing, (int, float)):
            spacing = (1.0 if spacing is None else spacing,) * array.ndim
        return cls(array, tuple(spacing))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Volume:
        """Read an image file, or a folder that holds one DICOM series.

        Raises:
            ImageReadError: nothing there, not an image, several series, 4-D, or several values per voxel.
        """
        import SimpleITK as sitk

        place = Path(path)
        if not place.exists():
            raise ImageReadError(f"There is no file or folder '{place}'.")
        if place.is_dir():
            return cls.from_sitk(_read_dicom_series(place), name=str(place))
        try:
            return cls.from_sitk(sitk.ReadImage(str(place)), name=str(place))
        except RuntimeError as error:
            raise ImageReadError(
                f"'{place}' cannot be read as an image ({_last_words(error)}). "
                "Supported are NRRD, NIfTI, MetaImage, DICOM, TIFF, PNG and what else SimpleITK reads."
            ) from None

    @classmethod
    def from_sitk(cls, image: SimpleITK.Image, name: str = "The image") -> Volume:
        """From a SimpleITK image.

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
            # DICOM tags (group|element) stay behind: they name the patient, and the filled image is not that
            # acquisition.
            metadata={key: image.GetMetaData(key) for key in image.GetMetaDataKeys() if "|" not in key},
        )

    def to_sitk(self) -> SimpleITK.Image:
        """As a SimpleITK image (voxels are copied; bool becomes uint8)."""
        import SimpleITK as sitk

        array = self.array
        if array.dtype == bool:
            array = array.astype(np.uint8)
        elif array.dtype == np.float16:
            array = array.astype(np.float32)
        image = sitk.GetImageFromArray(np.ascontiguousarray(array))
        image.SetSpacing(self.spacing[::-1])
        image.SetOrigin(self.origin)
        image.SetDirection(self.direction)
        return image

    def with_array(self, array: np.ndarray) -> Volume:
        """Another array on the same grid."""
        if array.shape != self.array.shape:
            raise GeometryError(f"The array must have the grid's shape {self.array.shape}; found {array.shape}.")
        return dataclasses.replace(self, array=array)

    def grid_difference(self, other: Volume) -> str:
        """What distinguishes this grid from another one, in words; empty when they agree to :data:`GRID_TOLERANCE`."""
        if self.array.shape != other.array.shape:
            return f"shape {other.array.shape} instead of {self.array.shape}"
        for what in ("spacing", "origin", "direction"):
            mine, theirs = getattr(self, what), getattr(other, what)
            if not np.allclose(mine, theirs, rtol=GRID_TOLERANCE, atol=GRID_TOLERANCE):
                return f"{what} {_short(theirs)} instead of {_short(mine)}"
        return ""

    def resampled_onto(self, grid: Volume) -> Volume:
        """This volume at the voxels of ``grid``, nearest neighbour, 0 outside."""
        import SimpleITK as sitk

        resampled = sitk.Resample(self.to_sitk(), grid.to_sitk(), sitk.Transform(), sitk.sitkNearestNeighbor, 0)
        return grid.with_array(sitk.GetArrayFromImage(resampled))

    def write(self, path: str | os.PathLike[str], *, compress: bool = True) -> None:
        """Write to a file, atomically: the old file stays until the new one is whole.

        Args:
            path: its ending says the format.
            compress: smaller and slower, where the format can: a 512 x 512 x 600 CT takes 8 s more.

        Raises:
            OutputPathError: the folder does not exist, or the format cannot be written.
            OutputError: the writing failed (disk full, no permission, values that the format cannot hold).
        """
        import SimpleITK as sitk

        check_writable(path)
        image = self.to_sitk()
        for key, value in self.metadata.items():
            image.SetMetaData(key, value)
        with replacing(path) as temporary:
            try:
                sitk.WriteImage(image, str(temporary), useCompression=compress)
                if str(path).lower().endswith((".nii", ".nii.gz")):
                    # ITK's NIfTI writer says nothing when the disk is full: only reading back tells.
                    whole = np.array_equal(
                        sitk.GetArrayFromImage(sitk.ReadImage(str(temporary))), self.array, equal_nan=True
                    )
                    if not whole:
                        raise OutputError(f"'{path}' could not be written whole; the disk may be full.")
            except RuntimeError as error:
                raise OutputError(f"'{path}' could not be written ({_last_words(error)}). Is the disk full?") from None


def check_writable(path: str | os.PathLike[str]) -> None:
    """Find out before the work, not after it, that an image cannot be written there.

    Raises:
        OutputPathError: with the reason.
    """
    place = Path(path)
    if not place.name.lower().endswith(WRITABLE):
        raise OutputPathError(
            f"'{place.name}' does not say in which format to write; end it in one of {', '.join(WRITABLE)} "
            "(a DICOM series can be read but not written)."
        )
    check_folder(place)


def _read_dicom_series(folder: Path) -> SimpleITK.Image:
    import SimpleITK as sitk

    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if len(series) == 0:
        raise ImageReadError(f"The folder '{folder}' holds no DICOM series.")
    if len(series) > 1:
        raise ImageReadError(
            f"The folder '{folder}' holds {len(series)} DICOM series; put the one to use into a folder of its own."
        )
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series[0]))
    try:
        return reader.Execute()
    except RuntimeError as error:
        raise ImageReadError(f"The DICOM series in '{folder}' cannot be read ({_last_words(error)}).") from None


def _last_words(error: Exception) -> str:
    """The last line of an ITK error: the lines before it are source positions."""
    return str(error).strip().splitlines()[-1].strip().rstrip(".")


def _short(numbers: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{number:.4g}" for number in numbers) + ")"
