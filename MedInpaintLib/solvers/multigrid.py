"""One multigrid V-cycle for the Laplacian on a hole: the preconditioner that makes the iteration count almost
independent of the hole's size.

Vertex-centred: a coarse voxel is every second voxel along each strongly coupled axis (semi-coarsening where the
spacing is anisotropic), unknown where that voxel is. Linear interpolation and its transpose; the operator is
discretized anew on each level; smoothing is the degree-2 Chebyshev polynomial of Jacobi, before and after, which
keeps the cycle symmetric as conjugate gradients need it. The coarse problem may differ from the fine one by a voxel
along the hole's edge: that is for conjugate gradients to repair (after McAdams, Sifakis, Teran: A parallel multigrid
Poisson solver for fluids simulation on large grids, SCA 2010).
"""

from __future__ import annotations

import math

import numpy as np

from .laplacian import HoleLaplacian

#: An axis is coarsened when its weight is at least this share of the largest.
STRONG = 0.3
#: Jacobi-scaled eigenvalues above this are the smoother's work, those below it the coarse grid's (3-D full
#: coarsening: 1/3).
SMOOTH_FROM, SMOOTH_TO = 1 / 3, 2.0
COARSEST = 4


def _chebyshev_steps() -> tuple[float, float]:
    center, half = (SMOOTH_TO + SMOOTH_FROM) / 2, (SMOOTH_TO - SMOOTH_FROM) / 2
    return 1 / (center + half * math.cos(math.pi / 4)), 1 / (center - half * math.cos(math.pi / 4))


class VCycle:
    """``apply(b)`` returns an approximation of ``A^-1 b``; linear, symmetric and positive."""

    def __init__(self, operator: HoleLaplacian) -> None:
        # float32 is enough for a preconditioner and halves the memory traffic, which is all the time there is.
        self.levels = [HoleLaplacian(operator.unknown, operator.inside, operator.weights, np.float32)]
        self.axes: list[tuple[int, ...]] = []
        while True:
            coarser = _coarsen(self.levels[-1])
            if coarser is None:
                break
            axes, level = coarser
            self.axes.append(axes)
            self.levels.append(level)

    def apply(self, b: np.ndarray) -> np.ndarray:
        """One V-cycle from a zero start.

        Args:
            b: flat right-hand side of the finest level, 0 where nothing is unknown.
        """
        return self._cycle(b.astype(np.float32), 0).astype(np.float64)

    def apply_twice(self, b: np.ndarray) -> np.ndarray:
        """An approximation of ``A^-2 b``: the preconditioner of the biharmonic operator."""
        return self._cycle(self._cycle(b.astype(np.float32), 0), 0).astype(np.float64)

    def _cycle(self, b: np.ndarray, depth: int) -> np.ndarray:
        level = self.levels[depth]
        first, second = _chebyshev_steps()
        x = level.inverse_degree * b
        x *= first
        self._jacobi(level, x, b, second)
        if depth + 1 < len(self.levels):
            coarser, axes = self.levels[depth + 1], self.axes[depth]
            residual = b - level.apply(x, np.empty_like(x))
            coarse_b = _restrict(residual.reshape(level.shape), axes, coarser.shape)
            coarse_b *= coarser.unknown
            coarse_x = self._cycle(coarse_b.ravel(), depth + 1).reshape(coarser.shape)
            correction = _prolong(coarse_x, axes, level.shape)
            correction *= level.unknown
            x += correction.ravel()
        self._jacobi(level, x, b, second)
        self._jacobi(level, x, b, first)
        return x

    @staticmethod
    def _jacobi(level: HoleLaplacian, x: np.ndarray, b: np.ndarray, step: float) -> None:
        residual = level.apply(x, np.empty_like(x))
        np.subtract(b, residual, out=residual)
        residual *= level.inverse_degree
        residual *= step
        x += residual


def _coarsen(fine: HoleLaplacian) -> tuple[tuple[int, ...], HoleLaplacian] | None:
    strongest = max(fine.weights)
    axes = tuple(axis for axis, weight in enumerate(fine.weights, start=1) if weight >= STRONG * strongest)
    pick = tuple(slice(None, -1, 2) if axis in axes else slice(None) for axis in range(len(fine.shape)))
    unknown = fine.unknown[pick]
    if min(unknown.shape[axis] for axis in axes) < COARSEST or not unknown.any():
        return None
    pad = [(0, 1) if axis in axes else (0, 0) for axis in range(len(fine.shape))]
    weights = [w / 4 if axis in axes else w for axis, w in enumerate(fine.weights, start=1)]
    return axes, HoleLaplacian(np.pad(unknown, pad), np.pad(fine.inside[pick], pad), weights, np.float32)


def _axis(array: np.ndarray, axis: int, part: slice) -> np.ndarray:
    return array[(slice(None),) * axis + (part,)]


def _restrict(fine: np.ndarray, axes: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Full weighting (1/4, 1/2, 1/4) along ``axes``; both arrays are padded by one zero at the end of each axis."""
    for axis in axes:
        size = shape[axis] - 1
        coarse = np.zeros((*fine.shape[:axis], size + 1, *fine.shape[axis + 1 :]), fine.dtype)
        inner = _axis(coarse, axis, slice(0, size))
        even = _axis(fine, axis, slice(0, 2 * size, 2))
        odd = _axis(fine, axis, slice(1, 2 * size, 2))
        np.multiply(even, 0.5, out=inner)
        count = odd.shape[axis]
        odd = 0.25 * odd
        _axis(coarse, axis, slice(0, count))[...] += odd
        behind = min(count, size - 1)
        _axis(coarse, axis, slice(1, 1 + behind))[...] += _axis(odd, axis, slice(0, behind))
        fine = coarse
    return fine


def _prolong(coarse: np.ndarray, axes: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Linear interpolation along ``axes``; the transpose of :func:`_restrict` up to the factor ``2^len(axes)``."""
    for axis in axes:
        size = shape[axis] - 1
        fine = np.zeros((*coarse.shape[:axis], size + 1, *coarse.shape[axis + 1 :]), coarse.dtype)
        evens, odds = (size + 1) // 2, size // 2
        _axis(fine, axis, slice(0, size, 2))[...] = _axis(coarse, axis, slice(0, evens))
        between = _axis(fine, axis, slice(1, size, 2))
        np.add(_axis(coarse, axis, slice(0, odds)), _axis(coarse, axis, slice(1, odds + 1)), out=between)
        between *= 0.5
        coarse = fine
    return coarse
