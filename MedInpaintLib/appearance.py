"""What an image shows of its own kind: intensities, size, place and frame, for :meth:`.modality.Modality.guess`."""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from .intensity import FOREGROUND_SHARE, sample_known
from .mask import Hole
from .volume import Volume

#: Pixels along the longer side of the thinned image whose frame is looked at, and the share of a side that is border.
_FRAME, _BORDER = 256, 0.03


@dataclasses.dataclass(frozen=True, eq=False)
class Appearance:
    """What is known of an image before it is filled; nothing of it comes from hidden voxels.

    Attributes:
        known: sample of the known voxels that are numbers, 1-D.
        sizes, spacing: voxels, and mm a voxel, along the axes that have several voxels.
        has_place: whether the header tells a voxel size or position; those of PNG files and bare arrays tell none.
        is_slice: whether it is one slice of a volume, with a thickness or a position of its own.
        dtype: of the voxels.
        fills_frame: how far a flat image reaches its borders: bright share of its border less twice the dark share of
            all of it, -2..1. 0 for volumes.
        header: the modality in DICOM's words (``"MR"``, ``"CR"``); empty where the header does not tell.
    """

    known: np.ndarray
    sizes: tuple[int, ...]
    spacing: tuple[float, ...]
    has_place: bool = False
    is_slice: bool = False
    dtype: np.dtype = np.dtype(np.float32)
    fills_frame: float = 0.0
    header: str = ""

    @classmethod
    def of(cls, image: Volume, hole: Hole | None = None, no_data: np.ndarray | None = None) -> Appearance:
        """Look at an image, outside a hole and where it has data (bool, True = none), where these are given."""
        voxels, box = (None, None) if hole is None else (hole.voxels, hole.box)
        known = sample_known(image.array, voxels, box, no_data)
        axes = [axis for axis, size in enumerate(image.array.shape) if size > 1]
        identity = tuple(np.eye(image.array.ndim).ravel())
        placed = any(image.origin) or image.direction != identity
        has_place = placed or not (set(image.spacing) == {1.0} or _is_dots_per_inch(image))
        across = [mm for axis, mm in enumerate(image.spacing) if axis not in axes]
        return cls(
            known=known[np.isfinite(known)],
            sizes=tuple(image.array.shape[axis] for axis in axes),
            spacing=tuple(image.spacing[axis] for axis in axes),
            has_place=has_place,
            # A film read as a stack of one slice has a "thickness" of 1 mm and no place.
            is_slice=len(axes) == 2 and bool(across) and (across != [1.0] or any(image.origin)),
            dtype=image.array.dtype,
            fills_frame=_fills_frame(image.array, hole, no_data) if len(axes) == 2 else 0.0,
            header=getattr(getattr(image, "header", None), "modality", None) or "",
        )

    @property
    def dimensions(self) -> int:
        """The number of axes along which the image has several voxels."""
        return len(self.sizes)

    @property
    def shortest_mm(self) -> float:
        """The image's extent along its shortest axis."""
        return min((size * mm for size, mm in zip(self.sizes, self.spacing, strict=True)), default=0.0)

    @functools.cached_property
    def measured(self) -> np.ndarray:
        """The known values without padding: a lowest value below that of air in Hounsfield units that many voxels have.

        Scanners write -2000 or -3024, say, outside of what they reconstruct.
        """
        values = self.known
        if values.size == 0 or values.min() >= -1100:
            return values
        lowest = values == values.min()
        return values[~lowest] if 0.001 < lowest.mean() < 1 else values

    def share(self, low: float, high: float, above: float = -math.inf) -> float:
        """Return the share of values in ``low <= value < high`` among those of at least ``above``; 0 without any."""
        values = self.measured[self.measured >= above]
        return float(((values >= low) & (values < high)).mean()) if values.size else 0.0

    def quantiles(self, *shares: float) -> tuple[float, ...]:
        """Return the values below which these shares of all values are; zeros without any."""
        values = self.measured
        return tuple(np.quantile(values, shares).tolist()) if values.size else (0.0,) * len(shares)


def _is_dots_per_inch(image: Volume) -> bool:
    """Return whether a pixel size is that of a print: JPEG and TIFF files have 72 dots per inch, whatever they show."""
    dots = 25.4 / image.spacing[0]
    grey = image.array.ndim == 2 and image.array.dtype == np.uint8
    return grey and np.ptp(image.spacing) < 1e-6 and abs(dots - round(dots)) < 1e-3


def _fills_frame(array: np.ndarray, hole: Hole | None, no_data: np.ndarray | None) -> float:
    step = max(1, max(array.shape) // _FRAME)
    every = tuple(slice(None, None, step if size > 1 else 1) for size in array.shape)
    flat = array[every].astype(np.float64)
    hidden = np.zeros(flat.shape, dtype=bool) if hole is None else hole.full()[every]
    if no_data is not None:
        hidden = hidden | no_data[every]
    flat = np.where(hidden, np.nan, flat).squeeze()
    flat[np.isinf(flat)] = np.nan
    if flat.ndim != 2 or np.isnan(flat).all():
        return 0.0
    low, high = np.nanpercentile(flat, [0.5, 99.5])
    known = np.isfinite(flat)
    dark = known & (flat <= low + FOREGROUND_SHARE * (high - low))
    border = np.ones(flat.shape, dtype=bool)
    rim = max(1, round(_BORDER * min(flat.shape)))
    border[rim:-rim, rim:-rim] = False
    if not known[border].any():
        return 0.0
    return float(1 - dark[border].sum() / known[border].sum() - 2 * dark.sum() / known.sum())
