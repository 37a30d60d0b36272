"""Intensities: the scale in which methods work, and back.

Only known voxels count, and of those a regular sample of at most about 300,000, so the cost does not grow
with the volume (percentiles of 10^5 samples are good to 0.1 %).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from .modality import Modality

FOREGROUND_SHARE = 0.1
_SAMPLES = 300_000


@dataclasses.dataclass(frozen=True)
class Scaling:
    """``scaled = (intensity - offset) / width``; inside the pipeline intensities lie about 0..1.

    >>> Scaling(offset=-1024.0, width=4095.0).forward(np.array([-1024, 3071], dtype=np.int16))
    array([0., 1.], dtype=float32)
    """

    offset: float
    width: float

    def forward(self, intensities: np.ndarray) -> np.ndarray:
        """Return a scaled float32 copy, computed in float64: large integers lose nothing before they are scaled."""
        return ((intensities.astype(np.float64) - self.offset) / self.width).astype(np.float32)

    def inverse(self, scaled: np.ndarray) -> np.ndarray:
        """Return the image's intensities, float64."""
        return scaled.astype(np.float64) * self.width + self.offset


def sample_known(image: np.ndarray, hole: np.ndarray | None, box: tuple[slice, ...] | None) -> np.ndarray:
    """Return a regular sample of the image's known voxels, 1-D.

    Args:
        image: the whole image.
        hole: bool array of the shape of ``box``, True = hidden; None when nothing is hidden.
        box: the box of the image that ``hole`` covers.
    """
    step = max(1, round((image.size / _SAMPLES) ** (1 / sum(size > 1 for size in image.shape))))
    every = tuple(slice(None, None, step if size > 1 else 1) for size in image.shape)
    sample = image[every]
    known = np.ones(sample.shape, dtype=bool)
    if hole is not None and box is not None:
        # The first point of the sample's lattice inside the box, in coordinates of the lattice and of the box.
        first = [-(-part.start // (s.step or 1)) for part, s in zip(box, every, strict=True)]
        inside = hole[
            tuple(slice(f * s.step - part.start, None, s.step) for f, part, s in zip(first, box, every, strict=True))
        ]
        known[tuple(slice(f, f + n) for f, n in zip(first, inside.shape, strict=True))] = ~inside
    return sample[known] if sample.dtype.kind != "b" else sample[known].astype(np.uint8)


def foreground(known: np.ndarray) -> np.ndarray:
    """Mark the values of the body, not the background: those above 10 % of the robust range.

    Args:
        known: real values, any shape.

    Returns:
        bool array of the same shape.
    """
    low, high = np.percentile(known, [0.5, 99.5])
    return known > low + FOREGROUND_SHARE * (high - low)


def fit_scaling(known: np.ndarray, modality: Modality) -> Scaling:
    """Return an image's scaling: its modality's fixed scale, else the known foreground's 0.5..99.5 percentiles.

    Args:
        known: sample of known voxels, 1-D.
        modality: of the image.
    """
    if modality.scale is not None:
        low, high = modality.scale
        return Scaling(offset=low, width=high - low)
    inside = known[foreground(known)] if known.size else known
    if inside.size == 0:
        inside = known
    low, high = np.percentile(inside.astype(np.float64), [0.5, 99.5]) if inside.size else (0.0, 1.0)
    width = high - low
    # A constant image has no range: any width is right, and 1 keeps the numbers readable.
    return Scaling(offset=float(low), width=float(width) if width > 0 else 1.0)
