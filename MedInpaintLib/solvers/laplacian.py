"""The Laplacian on a grid, restricted to a hole, as a few shifted additions.

Discretization: second differences along each axis, weighted by the squared ratio of the smallest spacing to that
axis' spacing (so the operator is ``h_min^2`` times the Laplacian in mm^-2 and its entries are of order 1). At the
border of the array the normal derivative is zero (Neumann): a neighbour that does not exist is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike


def axis_weights(spacing: Sequence[float]) -> tuple[float, ...]:
    """Return ``(h_min / h_a)^2`` for each axis a."""
    smallest = min(spacing)
    return tuple((smallest / mm) ** 2 for mm in spacing)


class HoleLaplacian:
    """The negative Laplacian on the unknown voxels of a batch of boxes: symmetric and positive.

    ``A = -R L R^T`` where ``R`` picks the unknown voxels and ``L`` is the Laplacian above. Vectors are flat arrays of
    the padded batch with 0 at every voxel that is not unknown. Each box has one layer of padding at the end of each
    axis, so that a neighbour is a constant shift of the flat array and no shift reaches a row, plane or box that it
    should not: one application is ``3 d + 2`` contiguous passes, and no index array exists.
    """

    def __init__(
        self, unknown: np.ndarray, inside: np.ndarray, weights: Sequence[float], dtype: DTypeLike = np.float64
    ) -> None:
        """Set up the operator.

        Args:
            unknown: bool ``(batch, *padded box)``, False in the padding.
            inside: bool, the same shape: voxels of the image, False in the padding.
            weights: from :func:`axis_weights`.
            dtype: of the vectors.
        """
        self.shape = unknown.shape
        self.weights = tuple(weights)
        self.unknown = unknown
        self.inside = inside
        strides = np.cumprod((1, *unknown.shape[:0:-1]))[-2::-1] if unknown.ndim > 1 else ()
        self.strides = tuple(int(stride) for stride in strides)
        self._mask = unknown.ravel().astype(dtype)
        self._inside = inside.ravel().astype(dtype)
        degree = np.zeros(unknown.size, dtype)
        for weight, stride in zip(self.weights, self.strides, strict=True):
            degree[stride:] += weight * self._inside[:-stride]
            degree[:-stride] += weight * self._inside[stride:]
        self.degree = degree * self._inside
        self.inverse_degree = np.divide(self._mask, self.degree, where=self.degree > 0, out=np.zeros_like(degree))
        self._scratch = np.empty(unknown.size, dtype)

    def apply(self, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Compute ``out = A x``."""
        self._negative_laplacian(x, out)
        out *= self._mask
        return out

    def apply_squared(self, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Compute ``out = R L L R^T x``, the biharmonic operator; ``inside`` must hold the hole's neighbours too."""
        middle = self._negative_laplacian(x, np.empty_like(x))
        middle *= self._inside
        self._negative_laplacian(middle, out)
        out *= self._mask
        return out

    def known_side(self, g: np.ndarray, order: int) -> np.ndarray:
        """Return the right-hand side of known values: ``R L g`` or, for order 2, ``-R L L g``; g = 0 at unknowns."""
        b = self._negative_laplacian(g, np.empty_like(g))
        if order == 2:
            b *= self._inside
            b = self._negative_laplacian(b, np.empty_like(g))
        b *= -self._mask
        return b

    def _negative_laplacian(self, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        np.multiply(self.degree, x, out=out)
        for weight, stride in zip(self.weights, self.strides, strict=True):
            scaled = np.multiply(x, weight, out=self._scratch) if weight != 1.0 else x
            out[stride:] -= scaled[:-stride]
            out[:-stride] -= scaled[stride:]
        return out
