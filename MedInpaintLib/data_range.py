"""The intensity range R of an image: what PSNR and SSIM are relative to."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from .errors import ParameterError
from .intensity import foreground

#: HU; the usual soft-tissue window. R = 80 (brain) or 4095 (all a scanner gives) are the other customs.
SOFT_TISSUE = 400.0
_WINDOW_LEVEL = 40.0  # HU; where windows for soft tissue and brain are centred
_AIR = -1024.0


@dataclasses.dataclass(frozen=True)
class DataRange:
    """``black .. black + width`` in the image's intensities, and in words where they come from."""

    black: float
    width: float
    origin: str

    def __str__(self) -> str:
        return f"R = {self.width:.6g}, from {self.black:.6g} to {self.black + self.width:.6g} ({self.origin})"


def data_range_of(
    known: np.ndarray, modality: str, dtype: np.dtype, given: float | Sequence[float] | None = None
) -> DataRange:
    """The range of an image.

    By default: 400 HU around 40 HU for CT; 255 for 8-bit films; else from 0 to the robust maximum, which is the 99.5
    percentile of the foreground. Only known voxels are looked at: the truth under the hole must not set its own
    yardstick.

    Args:
        known: sample of known voxels, 1-D.
        modality: ``"MR"``, ``"CT"`` or ``"film"``.
        dtype: the image's.
        given: R itself, or ``(low, high)``.
    """
    if isinstance(given, Sequence):
        low, high = _two(given)
        return DataRange(low, high - low, "given")
    if given is not None:
        width, origin = _positive(given), "given"
    elif modality == "CT":
        width, origin = SOFT_TISSUE, "soft tissue, HU"
    elif modality == "film" and dtype == np.uint8:
        width, origin = 255.0, "8-bit"
    else:
        black = _black(known)
        inside = known[foreground(known)]
        width = float(np.percentile(inside if inside.size else known, 99.5)) - black
        return DataRange(black, width if width > 0 else 1.0, "99.5 percentile of the known foreground")
    return DataRange(_black_of_ct(width) if modality == "CT" else _black(known), width, origin)


def _black(known: np.ndarray) -> float:
    """0, unless the image has more than a rim of negative intensities (interpolation leaves such rims)."""
    low, high = np.percentile(known, [0.5, 99.5])
    return float(low) if low < -0.05 * abs(high) else 0.0


def _black_of_ct(width: float) -> float:
    """Windows lie around soft tissue as long as they end above air."""
    return max(_WINDOW_LEVEL - width / 2, _AIR)


def _two(given: Sequence[float]) -> tuple[float, float]:
    if len(given) != 2 or not (math.isfinite(given[0]) and math.isfinite(given[1]) and given[0] < given[1]):
        raise ParameterError(f"The data range must be R or (low, high) with low < high; found {given!r}.")
    return float(given[0]), float(given[1])


def _positive(given: float) -> float:
    if not (math.isfinite(given) and given > 0):
        raise ParameterError(f"The data range must be a positive number or (low, high); found {given!r}.")
    return float(given)
