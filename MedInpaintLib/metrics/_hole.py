"""What all metrics share: checking their inputs and cutting out the part of the image that they need."""

from __future__ import annotations

import numpy as np

from ..errors import GeometryError, MaskError


def check(filled: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Check that the three arrays fit each other, and return the hole as a bool array.

    Raises:
        GeometryError: the shapes differ.
        MaskError: the hole is empty.
    """
    if not (filled.shape == truth.shape == hole.shape):
        raise GeometryError(
            f"Filled image, truth and hole must have one shape; found {filled.shape}, {truth.shape} and {hole.shape}."
        )
    hole = np.asarray(hole, dtype=bool)
    if not hole.any():
        raise MaskError("The hole is empty, so there is nothing to score; give a mask with at least one voxel to fill.")
    return hole


def inside(filled: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the hole's voxels of both images, 1-D float64 (so that uint8 differences do not wrap round)."""
    hole = check(filled, truth, hole)
    return filled[hole].astype(np.float64), truth[hole].astype(np.float64)


def bounding_box(hole: np.ndarray, margin: int = 0) -> tuple[slice, ...]:
    """Return the smallest box around the hole, ``margin`` voxels wider on every side, within the image."""
    box = []
    for axis, size in enumerate(hole.shape):
        other_axes = tuple(other for other in range(hole.ndim) if other != axis)
        touched = np.flatnonzero(hole.any(axis=other_axes))
        box.append(slice(max(int(touched[0]) - margin, 0), min(int(touched[-1]) + 1 + margin, size)))
    return tuple(box)


def composite(
    filled: np.ndarray, truth: np.ndarray, hole: np.ndarray, margin: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return composite (``filled`` in the hole, else ``truth``; float64), truth and hole in the box + ``margin``."""
    hole = check(filled, truth, hole)
    box = bounding_box(hole, margin)
    hole = hole[box]
    reference = truth[box].astype(np.float64)
    return np.where(hole, filled[box].astype(np.float64), reference), reference, hole


def ratio(numerator: float, denominator: float) -> float:
    """Return ``numerator / denominator`` of energies: 1 if both are 0, infinity for a denominator of 0, NaN for NaN."""
    if denominator == 0:
        if numerator == 0:
            return 1.0
        return float("inf") if numerator > 0 else float("nan")
    return numerator / denominator
