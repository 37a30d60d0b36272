"""The intensity range R of an image, to which PSNR and SSIM are relative."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from .errors import ParameterError
from .intensity import foreground
from .modality import Modality


@dataclasses.dataclass(frozen=True)
class DataRange:
    """The range ``black .. black + width`` of an image's intensities, and its origin in words."""

    black: float
    width: float
    origin: str

    def __str__(self) -> str:
        return f"R = {self.width:.6g}, from {self.black:.6g} to {self.black + self.width:.6g} ({self.origin})"


def data_range_of(
    known: np.ndarray, modality: Modality, dtype: np.dtype, given: float | Sequence[float] | None = None
) -> DataRange:
    """Return an image's range: by default 400 HU around 40 HU for CT, 255 for 8-bit films, else from 0 to the
    foreground's 99.5 percentile. Only known voxels count: the truth under the hole must not set the range of its score.

    Args:
        known: sample of known voxels, 1-D.
        modality: of the image.
        dtype: of the image.
        given: R itself, or ``(low, high)``; the default range when None.
    """
    if isinstance(given, Sequence):
        low, high = _two(given)
        return DataRange(low, high - low, "given")
    if given is not None:
        width, origin = _positive(given), "given"
    elif modality.window is not None:
        width = modality.window[1] - modality.window[0]
        origin = ", ".join(filter(None, (modality.window_of, modality.units)))
    elif modality.fills_8_bits and dtype == np.uint8:
        width, origin = 255.0, "8-bit"
    else:
        black = _black(known)
        inside = known[foreground(known)]
        width = float(np.percentile(inside if inside.size else known, 99.5)) - black
        return DataRange(black, width if width > 0 else 1.0, "99.5 percentile of the known foreground")
    return DataRange(_black(known) if modality.window is None else _black_of_window(modality, width), width, origin)


def _black(known: np.ndarray) -> float:
    """Return 0, unless the image has more than a rim of negative intensities (interpolation leaves such rims)."""
    low, high = np.percentile(known, [0.5, 99.5])
    return float(low) if low < -0.05 * abs(high) else 0.0


def _black_of_window(modality: Modality, width: float) -> float:
    """Return the lower end of a window of another width around the same centre, within the modality's scale."""
    assert modality.window is not None
    black = sum(modality.window) / 2 - width / 2
    return black if modality.scale is None else max(black, modality.scale[0])


def _two(bounds: Sequence[float]) -> tuple[float, float]:
    if len(bounds) != 2 or not (math.isfinite(bounds[0]) and math.isfinite(bounds[1]) and bounds[0] < bounds[1]):
        raise ParameterError(f"The data range must be R or (low, high) with low < high; found {bounds!r}.")
    return float(bounds[0]), float(bounds[1])


def _positive(width: float) -> float:
    if not 1e-100 < width < 1e100:  # its square must be a number, too
        raise ParameterError(f"The data range must be a positive number or (low, high); found {width!r}.")
    return float(width)
