"""Volumes: arrays with their place in the patient. :mod:`.io` reads and writes them."""

from __future__ import annotations

import dataclasses
import itertools
import math
import numbers
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import GeometryError, ImageReadError

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
        header: of the file that the image was read from, for a writer of the same format; an object of :mod:`.io`
            that knows the grid to which it belongs, and whose ``plain()`` is the header of another quantity.
        warnings: of the reader, for the report.
        padding: lowest and highest of the intensities that the file declares to mean "no data"; None when it does not.
        label_names: of the labels of a mask, number -> name, where the file or a table beside it has them.
        missing: indices k of slices that the file lacks; their voxels hold no data.

    >>> Volume.of(np.zeros((3, 4, 5)), spacing=(2.5, 1.0, 1.0)).to_sitk().GetSpacing()
    (1.0, 1.0, 2.5)
    """

    array: np.ndarray
    spacing: tuple[float, ...]
    origin: tuple[float, ...] = ()
    direction: tuple[float, ...] = ()
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    header: Any = None
    warnings: tuple[str, ...] = ()
    padding: tuple[float, float] | None = None
    label_names: dict[int, str] = dataclasses.field(default_factory=dict)
    missing: tuple[int, ...] = ()

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
        if type(source).__module__.startswith("nibabel"):
            raise ImageReadError(
                "Images of nibabel are not taken; give the path of the file, or the array with its voxels' size: "
                "image.get_fdata().T with spacing=image.header.get_zooms()[::-1]."
            )
        try:
            array = np.asarray(source)
        except (TypeError, ValueError) as error:
            raise ImageReadError(f"No array can be made of this {type(source).__name__} ({error}).") from None
        return cls(array, 1.0 if spacing is None else spacing)  # type: ignore[arg-type]  # one number stands for all

    @classmethod
    def read(cls, path: str | os.PathLike[str], **options: Any) -> Volume:
        """Read an image file, or a folder with DICOM files; arguments and errors as :func:`.io.read`."""
        from . import io

        return io.read(path, **options)

    @classmethod
    def from_sitk(cls, image: SimpleITK.Image, name: str = "The image") -> Volume:
        """Make a volume of a SimpleITK image; errors as :func:`.io.itk.from_sitk`."""
        from .io import itk

        return itk.from_sitk(image, name)

    def to_sitk(self) -> SimpleITK.Image:
        """Convert to a SimpleITK image (voxels are copied; bool becomes uint8, float16 becomes float32)."""
        from .io import itk

        return itk.to_sitk(self)

    def with_array(self, array: np.ndarray) -> Volume:
        """Return a volume with another array on the same grid."""
        if array.shape != self.array.shape:
            raise GeometryError(f"The array must have the grid's shape {self.array.shape}; found {array.shape}.")
        return dataclasses.replace(self, array=array)

    def of_another_quantity(self, array: np.ndarray) -> Volume:
        """Return a volume of something else than intensities on the same grid, such as a mask or an uncertainty."""
        plain = None if self.header is None else self.header.plain()
        return dataclasses.replace(self.with_array(array), header=plain, warnings=(), padding=None, missing=())

    @property
    def has_position(self) -> bool:
        """Whether the grid tells where the image lies: pictures (PNG, TIFF) and bare arrays lie at the origin."""
        return any(self.origin) or self.direction != tuple(np.eye(self.array.ndim).ravel())

    @property
    def has_place(self) -> bool:
        """Whether the grid tells anything, be it only the size of a voxel other than 1 mm."""
        return set(self.spacing) != {1.0} or self.has_position

    def on_grid_of(self, other: Volume) -> Volume:
        """Return this array on the grid of a volume of the same shape."""
        return dataclasses.replace(self, spacing=other.spacing, origin=other.origin, direction=other.direction)

    def same_grid(self, other: Volume) -> bool:
        """Return whether two grids agree in every number; :meth:`grid_difference` tolerates rounding."""
        return (self.array.shape, self.spacing, self.origin, self.direction) == (
            other.array.shape,
            other.spacing,
            other.origin,
            other.direction,
        )

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
        return f"{what} {theirs} instead of {mine}, up to {distance:.3g} voxels away"

    def lies_on(self, other: Volume) -> bool:
        """Return whether each voxel here is one of another grid, or would be if that were larger, turned or flipped."""
        if self.array.ndim != other.array.ndim:
            return False
        steps, start = self.ijk_to_lps()
        other_steps, other_start = other.ijk_to_lps()
        turn = np.linalg.solve(other_steps, steps)
        shift = np.linalg.solve(other_steps, start - other_start)
        whole = np.rint(turn)
        off = np.abs(turn - whole) @ self.array.shape[::-1] + np.abs(shift - np.rint(shift))
        axis_to_axis = (np.abs(whole).sum(axis=0) == 1).all() and (np.abs(whole).sum(axis=1) == 1).all()
        return bool(axis_to_axis and off.max() <= GRID_TOLERANCE)

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
        from .io import itk

        return itk.resample(self, grid, linear=linear)

    def write(self, path: str | os.PathLike[str], *, compress: bool = True) -> None:
        """Write to a file, atomically; arguments and errors as :func:`.io.write`."""
        from . import io

        io.write(self, path, compress=compress)


def _numbers(values: Any) -> tuple[float, ...] | None:
    """Return a flat tuple of finite floats, or None when these are something else."""
    flat = np.asarray(values, dtype=object).ravel().tolist()
    if not all(isinstance(value, numbers.Real) and math.isfinite(value) for value in flat):
        return None
    return tuple(float(value) for value in flat)


def _short(numbers: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{number:.7g}" for number in numbers) + ")"
