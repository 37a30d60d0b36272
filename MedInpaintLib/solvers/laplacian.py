"""The Laplacian on a grid, restricted to a hole, as a few shifted additions.

Discretization: second differences along each axis, weighted by the squared ratio of the smallest spacing to that
axis' spacing (so the operator is ``h_min^2`` times the Laplacian in mm^-2 and its entries are of order 1). At the
border of the array the normal derivative is zero (Neumann): a neighbour that does not exist is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

#: Voxels that are computed at once: with 256 kB of float32 all passes over them stay in the cache. In a box of 100^3
#: voxels that takes half the time of passes over all of it, in one of 40^3 the same.
BLOCK = 65_536


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
        self._scratch = np.empty(min(BLOCK, unknown.size), dtype)

    def apply(self, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Compute ``out = A x``."""
        for block in self._blocks():
            self._negative_laplacian(x, out, block)
            out[block] *= self._mask[block]
        return out

    def residual(self, x: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return ``b - A x``."""
        out = np.empty_like(x)
        for block in self._blocks():
            self._negative_laplacian(x, out, block)
            out[block] *= self._mask[block]
            np.subtract(b[block], out[block], out=out[block])
        return out

    def relax(self, x: np.ndarray, b: np.ndarray, step: float) -> None:
        """Take a step of Jacobi's method in place: ``x += step D^-1 (b - A x)``, with ``D`` the diagonal of ``A``."""
        change = np.empty_like(x)
        for block in self._blocks():
            self._negative_laplacian(x, change, block)
            np.subtract(b[block], change[block], out=change[block])
            change[block] *= self.inverse_degree[block]
            change[block] *= step
        x += change

    def apply_squared(self, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Compute ``out = R L L R^T x``, the biharmonic operator; ``inside`` must hold the hole's neighbours too."""
        middle = self._inside_laplacian(x)
        for block in self._blocks():
            self._negative_laplacian(middle, out, block)
            out[block] *= self._mask[block]
        return out

    def known_side(self, g: np.ndarray, order: int) -> np.ndarray:
        """Return the right-hand side of known values: ``R L g`` or, for order 2, ``-R L L g``; g = 0 at unknowns."""
        b = np.empty_like(g)
        if order == 2:
            g = self._inside_laplacian(g)
        for block in self._blocks():
            self._negative_laplacian(g, b, block)
            b[block] *= -self._mask[block]
        return b

    def assemble(self, order: int) -> Any:
        """Return the operator as a ``scipy.sparse.csc_array``: ``A``, or for order 2 ``R L L R^T``.

        Rows and columns are the unknown voxels in their flat order, so each box of the batch is a block.
        """
        from scipy.sparse import csc_array

        at = np.flatnonzero(self.unknown)
        steps = np.array([0, *(step for stride in self.strides for step in (-stride, stride))])
        rows = at[:, np.newaxis] + steps  # a negative index reaches the padding at the end
        entries = np.empty(rows.shape)
        entries[:, 0] = self.degree[at]
        entries[:, 1:] = -np.repeat(self.weights, 2)
        kept = (self.unknown if order == 1 else self.inside).ravel()[rows]
        starts = np.concatenate([[0], np.cumsum(np.count_nonzero(kept, axis=1))])
        if order == 1:
            number = np.empty(self.unknown.size, dtype=np.intp)
            number[at] = np.arange(at.size)
            return csc_array((entries[kept], number[rows[kept]], starts), shape=(at.size, at.size))
        spread = csc_array((entries[kept], rows[kept], starts), shape=(self.unknown.size, at.size))
        return (spread.T @ spread).tocsc()  # spread is -L R^T, and L is symmetric

    def _inside_laplacian(self, x: np.ndarray) -> np.ndarray:
        """Return ``-L x`` at the voxels of the image."""
        out = np.empty_like(x)
        for block in self._blocks():
            self._negative_laplacian(x, out, block)
            out[block] *= self._inside[block]
        return out

    def _blocks(self) -> Iterator[slice]:
        size = self._mask.size
        return (slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK))

    def _negative_laplacian(self, x: np.ndarray, out: np.ndarray, block: slice) -> None:
        """Write ``-L x`` into one block of ``out``, mask aside."""
        start, stop = block.start, block.stop
        here = np.multiply(self.degree[block], x[block], out=out[block])
        for weight, stride in zip(self.weights, self.strides, strict=True):
            before = x[max(start - stride, 0) : max(stop - stride, 0)]
            after = x[start + stride : stop + stride]
            for neighbor, part in ((before, here[here.size - before.size :]), (after, here[: after.size])):
                part -= neighbor if weight == 1.0 else np.multiply(neighbor, weight, out=self._scratch[: part.size])
