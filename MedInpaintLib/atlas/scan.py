"""A scan on a coarser grid, with its place in the world, as the registration of the atlas sees it."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from ..registration import block_mean
from ..subject import Subject

#: SimpleITK's axes x, y, z point left, posterior, superior; the atlas counts superior, anterior, right.
_TO_ATLAS_AXES = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])


@dataclasses.dataclass(frozen=True)
class Scan:
    """Means over blocks of voxels of a 3-D image.

    Attributes:
        values: float32 ``(k, j, i)``, the mean of the known voxels of each block; 0 where none is known.
        weight: float32, 0..1: the share of each block that is known.
        matrix, offset: mm = matrix @ index + offset, in the order superior, anterior, right, by the header.
        spacing: mm between blocks.
        strides: voxels of a block along each axis.
    """

    values: np.ndarray
    weight: np.ndarray
    matrix: np.ndarray
    offset: np.ndarray
    spacing: tuple[float, ...]
    strides: tuple[int, ...]

    def index(self, mm: np.ndarray) -> np.ndarray:
        """Convert mm ``(3, n)`` to indices of the blocks."""
        return np.linalg.solve(self.matrix, mm - self.offset[:, np.newaxis])

    @functools.cached_property
    def slopes(self) -> tuple[np.ndarray, ...]:
        """Derivatives of the values along the axes of the grid, per block."""
        return tuple(each.astype(np.float32) for each in np.gradient(self.values))


def scan_at(subject: Subject, mm: float) -> Scan:
    """Return a subject's image as means over blocks of about ``mm``; blocks that the border cuts are left out."""
    known = (~subject.hole).astype(np.float32)
    return _scan(subject, np.clip(subject.values, 0.0, 1.5), known, mm)


def guides_at(subject: Subject, mm: float) -> tuple[Scan, ...]:
    """Return a subject's guides as :func:`scan_at` returns its image; they are known under the hole, too."""
    scans = []
    for guide, scaling in zip(subject.guides, subject.guide_scalings, strict=True):
        values = np.clip(subject.squeeze(scaling.forward(guide.array)), 0.0, 1.5)
        known = np.isfinite(values)
        scans.append(_scan(subject, np.where(known, values, 0.0), known.astype(np.float32), mm))
    return tuple(scans)


def _scan(subject: Subject, values: np.ndarray, known: np.ndarray, mm: float) -> Scan:
    shape = values.shape
    strides = tuple(max(1, min(round(mm / step), size // 2)) for step, size in zip(subject.spacing, shape, strict=True))
    weight = block_mean(known, strides)
    means = block_mean(values * known, strides) / np.maximum(weight, 1e-3)
    matrix, offset = voxels_to_mm(subject)
    offset = offset + matrix @ ((np.array(strides) - 1) / 2)
    spacing = tuple(step * stride for step, stride in zip(subject.spacing, strides, strict=True))
    return Scan(means.astype(np.float32), weight, matrix * np.array(strides), offset, spacing, strides)


def voxels_to_mm(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """Return matrix and offset from voxel indices to mm (superior, anterior, right), by the header."""
    image = subject.image
    direction = _TO_ATLAS_AXES @ np.reshape(image.direction, (3, 3))[:, ::-1]
    return direction * np.array(image.spacing), _TO_ATLAS_AXES @ np.array(image.origin)
