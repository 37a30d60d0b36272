"""Grids from the affine matrices of NIfTI and MGH headers, which are in RAS."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import ImageReadError
from ..volume import GRID_TOLERANCE, Volume

#: Voxels by which straightening may move a corner without a word: float32 headers of 512 voxels stay below it.
_ROUNDING = 1e-3
#: Voxel sizes that a matrix and a header give agree to this share when they mean the same number.
_SAME = 1e-6


def grid_of(affine: np.ndarray, zooms: Sequence[float], shape: Sequence[int], path: Path) -> dict:
    """Return the grid of an affine matrix as arguments of :class:`.Volume`: spacing, origin, direction and warnings.

    Axes that are not at right angles are straightened when that moves no corner by more than
    :data:`.GRID_TOLERANCE`: headers that were rounded to a few digits.

    Args:
        affine: 4 x 4, from voxels (i, j, k) to mm in RAS.
        zooms: voxel sizes that the header gives, mm.
        shape: voxels along i, j(, k).
        path: of the file, for messages.

    Raises:
        ImageReadError: the matrix cannot be inverted, or its axes are not at right angles.
    """
    steps = np.diag([-1.0, -1.0, 1.0]) @ np.asarray(affine, dtype=np.float64)[:3, :3]
    start = np.array([-1.0, -1.0, 1.0]) * np.asarray(affine, dtype=np.float64)[:3, 3]
    if len(shape) == 2:
        steps, start = _in_plane(steps), start[:2]
    if not (np.isfinite(steps).all() and np.isfinite(start).all()) or abs(np.linalg.det(steps)) < 1e-12:
        raise ImageReadError(
            f"'{path}' does not say where its voxels lie: the matrix in its header cannot be inverted. Correct the "
            "header (sform or qform)."
        )
    spacing = np.linalg.norm(steps, axis=0)
    # The header's own numbers have no noise of a product, unless they mean something else.
    stated = np.asarray(zooms, dtype=np.float64)[: len(spacing)]
    spacing = np.where(np.abs(stated - spacing) <= _SAME * spacing, stated, spacing)
    left, _, right = np.linalg.svd(steps / np.linalg.norm(steps, axis=0))
    direction = np.round(left @ right, 14) + 0.0
    warnings: tuple[str, ...] = ()
    moved = _moved(steps, direction * spacing, shape)
    if moved > GRID_TOLERANCE:
        angle = _skew(steps)
        raise ImageReadError(
            f"The axes of '{path}' are not at right angles: they are off by {angle:.2g} degrees, which moves voxels by "
            f"up to {moved:.2g} of their size. Resample the image to a straight grid first."
        )
    if moved > _ROUNDING:
        warnings = (
            f"The axes of '{path.name}' are off right angles by {_skew(steps):.2g} degrees (a rounded header?); they "
            f"were straightened, which moves no voxel by more than {moved:.2g} of its size.",
        )
    middle = (np.asarray(shape) - 1) / 2
    origin = steps @ middle + start - (direction * spacing) @ middle if warnings else start
    return {
        "spacing": tuple(spacing[::-1].tolist()),
        "origin": tuple(origin.tolist()),
        "direction": tuple(direction.ravel().tolist()),
        "warnings": warnings,
    }


def affine_of(volume: Volume) -> np.ndarray:
    """Return the 4 x 4 matrix from voxels (i, j, k) to mm in RAS; a 2-D image lies in the plane z = 0."""
    steps, start = volume.ijk_to_lps()
    affine = np.eye(4)
    dimensions = len(start)
    affine[:dimensions, :dimensions], affine[:dimensions, 3] = steps, start
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def _in_plane(steps: np.ndarray) -> np.ndarray:
    """Return the steps of a 2-D image in its own plane: those along x and y, or straight ones for another plane."""
    plane = steps[:2, :2]
    if abs(np.linalg.det(plane)) > 1e-6:
        return plane
    return np.diag(np.linalg.norm(steps[:, :2], axis=0))


def _moved(steps: np.ndarray, straight: np.ndarray, shape: Sequence[int]) -> float:
    """Return by how many voxels at most a corner moves when the axes are straightened around the middle."""
    corners = np.array(list(itertools.product(*((-size / 2, size / 2) for size in shape)))).T
    return float(np.abs(np.linalg.solve(straight, (steps - straight) @ corners)).max())


def _skew(steps: np.ndarray) -> float:
    """Return by how many degrees two axes are off a right angle, for the worst pair."""
    axes = steps / np.linalg.norm(steps, axis=0)
    cosines = (axes.T @ axes)[np.triu_indices(len(axes), 1)]
    return float(np.degrees(np.arcsin(np.clip(np.abs(cosines).max(), 0.0, 1.0))))
