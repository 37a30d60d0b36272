"""One multigrid V-cycle for the Laplacian on a hole: with it the iteration count hardly depends on the hole's size.

Vertex-centred: a coarse voxel is every second voxel along each strongly coupled axis (semi-coarsening where the spacing
is anisotropic), unknown where that voxel is. Linear interpolation and its transpose; each level has its own discretized
operator; smoothing is the degree-2 Chebyshev polynomial of Jacobi, before and after, which keeps the cycle symmetric as
conjugate gradients need it. Where the coarse problem differs from the fine one by a voxel along the hole's edge,
conjugate gradients correct it (after McAdams, Sifakis, Teran: A parallel multigrid Poisson solver for fluids simulation
on large grids, SCA 2010).
"""

from __future__ import annotations

import math

import numpy as np

from .laplacian import HoleLaplacian

#: Of the axes that can still be coarsened, those are whose weight is at least this share of the largest.
STRONG = 0.3
#: Jacobi-scaled eigenvalues above this are the smoother's work, those below the coarse grid's (3-D coarsening: 1/3).
SMOOTH_FROM, SMOOTH_TO = 1 / 3, 2.0


def _chebyshev_steps() -> tuple[float, float]:
    center, half = (SMOOTH_TO + SMOOTH_FROM) / 2, (SMOOTH_TO - SMOOTH_FROM) / 2
    return 1 / (center + half * math.cos(math.pi / 4)), 1 / (center - half * math.cos(math.pi / 4))


class VCycle:
    """``apply(b)`` returns an approximation of ``A^-1 b``; linear, symmetric and positive."""

    def __init__(self, operator: HoleLaplacian) -> None:
        # float32 is enough for a preconditioner and halves the memory traffic, which is all the time there is.
        self.levels = [HoleLaplacian(operator.unknown, operator.inside, operator.weights, np.float32)]
        self.transfers: list[_Transfer] = []
        while (axes := _axes_to_coarsen(self.levels[-1])) and (coarser := _coarsened(self.levels[-1], axes)):
            self.transfers.append(_Transfer(self.levels[-1], coarser, axes))
            self.levels.append(coarser)

    def apply(self, b: np.ndarray) -> np.ndarray:
        """Run one V-cycle from a zero start on ``b``: flat, of the finest level, 0 where nothing is unknown."""
        return self._cycle(b.astype(np.float32), 0).astype(np.float64)

    def apply_twice(self, b: np.ndarray) -> np.ndarray:
        """Approximate ``A^-2 b``: the preconditioner of the biharmonic operator."""
        return self._cycle(self._cycle(b.astype(np.float32), 0), 0).astype(np.float64)

    def _cycle(self, b: np.ndarray, depth: int) -> np.ndarray:
        level = self.levels[depth]
        first, second = _chebyshev_steps()
        x = level.inverse_degree * b
        x *= first
        level.relax(x, b, second)
        if depth < len(self.transfers):
            residual = level.residual(x, b)
            x += self.transfers[depth].prolong(self._cycle(self.transfers[depth].restrict(residual), depth + 1))
        level.relax(x, b, second)
        level.relax(x, b, first)
        return x


def _axes_to_coarsen(fine: HoleLaplacian) -> tuple[int, ...]:
    """Return the strongly coupled axes of those longer than one voxel; none when all is a few voxels long."""
    sizes = [size - 1 for size in fine.shape[1:]]  # without the padding
    if max(sizes) < 3:
        return ()
    weights = {axis: w for axis, (w, size) in enumerate(zip(fine.weights, sizes, strict=True), start=1) if size > 1}
    strongest = max(weights.values())
    return tuple(axis for axis, weight in weights.items() if weight >= STRONG * strongest)


def _coarsened(fine: HoleLaplacian, axes: tuple[int, ...]) -> HoleLaplacian | None:
    """Take every second voxel along ``axes``; None when nothing is unknown there."""
    pick = tuple(slice(None, -1, 2) if axis in axes else slice(None) for axis in range(len(fine.shape)))
    unknown = fine.unknown[pick]
    if not unknown.any():
        return None
    pad = [(0, 1) if axis in axes else (0, 0) for axis in range(len(fine.shape))]
    weights = [w / 4 if axis in axes else w for axis, w in enumerate(fine.weights, start=1)]
    return HoleLaplacian(np.pad(unknown, pad), np.pad(fine.inside[pick], pad), weights, np.float32)


class _Transfer:
    """Linear interpolation from a coarse level to a fine one, and full weighting (1/4, 1/2, 1/4) back: its transpose
    up to the factor ``2^len(axes)``.

    At the end of the image the last fine voxel can lie beyond the last coarse one and takes its value: without this the
    correction there is half of what it should be, and a slab of a few slices takes ten times as many iterations.
    """

    def __init__(self, fine: HoleLaplacian, coarse: HoleLaplacian, axes: tuple[int, ...]) -> None:
        self._fine, self._coarse = fine, coarse
        self._beyond = {axis: _last_inside(coarse, axis) for axis in axes}

    def restrict(self, fine: np.ndarray) -> np.ndarray:
        """Reduce a flat fine residual to a flat coarse one."""
        values = fine.reshape(self._fine.shape)
        for axis, beyond in self._beyond.items():
            size = self._coarse.shape[axis] - 1
            coarse = np.zeros((*values.shape[:axis], size + 1, *values.shape[axis + 1 :]), values.dtype)
            odd = 0.25 * _axis(values, axis, slice(1, 2 * size, 2))
            count = odd.shape[axis]
            np.multiply(_axis(values, axis, slice(0, 2 * size, 2)), 0.5, out=_axis(coarse, axis, slice(0, size)))
            left = _axis(coarse, axis, slice(0, count))
            left += odd
            after = min(count, size - 1)
            right = _axis(coarse, axis, slice(1, 1 + after))
            right += _axis(odd, axis, slice(0, after))
            if beyond is not None:
                left += odd * _axis(beyond, axis, slice(0, count))
            values = coarse
        values *= self._coarse.unknown
        return values.ravel()

    def prolong(self, coarse: np.ndarray) -> np.ndarray:
        """Interpolate a flat coarse correction to a flat fine one."""
        values = coarse.reshape(self._coarse.shape)
        for axis, beyond in self._beyond.items():
            size = self._fine.shape[axis] - 1
            evens, odds = (size + 1) // 2, size // 2
            fine = np.zeros((*values.shape[:axis], size + 1, *values.shape[axis + 1 :]), values.dtype)
            _axis(fine, axis, slice(0, size, 2))[...] = _axis(values, axis, slice(0, evens))
            between = _axis(fine, axis, slice(1, size, 2))
            left = _axis(values, axis, slice(0, odds))
            np.add(left, _axis(values, axis, slice(1, odds + 1)), out=between)
            if beyond is not None:
                between += left * _axis(beyond, axis, slice(0, odds))
            between *= 0.5
            values = fine
        values *= self._fine.unknown
        return values.ravel()


def _last_inside(level: HoleLaplacian, axis: int) -> np.ndarray | None:
    """Mark the image's last voxel along an axis with 1, the rest with 0; None where nothing is unknown there."""
    # To be broadcast: one row for each box of the batch, whose images end at different voxels.
    other_axes = tuple(other for other in range(1, len(level.shape)) if other != axis)
    inside = np.asarray(level.inside.any(axis=other_axes))
    last = inside.copy()
    last[:, :-1] &= ~inside[:, 1:]
    shape = [size if number in (0, axis) else 1 for number, size in enumerate(level.shape)]
    last = last.reshape(shape)
    return np.asarray(last, dtype=np.float32) if (level.unknown & last).any() else None


def _axis(array: np.ndarray, axis: int, part: slice) -> np.ndarray:
    return array[(slice(None),) * axis + (part,)]
