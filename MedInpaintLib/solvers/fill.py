"""Fill a hole with the solution of Laplace's, Poisson's or the biharmonic equation.

The hole's voxels are the unknowns, the known voxels around it the Dirichlet data, the border of the array is Neumann.
Any shape, 2-D or 3-D, any spacing. Parts of the hole that do not touch are independent systems:

- a full box (Laplace, Poisson) is solved directly by sine transforms;
- many small parts are packed into one batch of boxes of equal shape and solved in one go;
- everything else by conjugate gradients with a multigrid V-cycle as preconditioner, matrix-free.

Measured on 2 cores: plain conjugate gradients need 50 to 460 iterations where the preconditioned ones need 5 to 11
and a quarter of the time, from 4,000 unknowns on; so there is no second code path for small holes.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np

from ..mask import Box, clusters, grow
from ..progress import Progress
from .box import solve_box
from .conjugate_gradients import conjugate_gradients
from .laplacian import HoleLaplacian, axis_weights
from .multigrid import VCycle

#: Parts whose box has at most this many voxels are solved together. 4096 = 16^3: there the time is all call overhead.
SMALL = 4096
#: A batch holds at most this many voxels, which bounds its memory to about 200 MB.
BATCH = 2_000_000
#: Shapes of batched boxes are rounded up to multiples of this, so that a batch holds many.
ROUND_TO = 4
#: Known voxels that an equation of order 2 (biharmonic) can reach; used for both, since the second layer costs nothing.
REACH = 2


@dataclasses.dataclass(frozen=True)
class Solution:
    """What a solver returns.

    Attributes:
        values: float64, the known values with the hole filled.
        residual: the largest relative residual ``|b - A x| / |b|`` of all systems.
        iterations: the largest number of iterations; 0 when all was solved directly.
        systems: how many linear systems were solved.
    """

    values: np.ndarray
    residual: float
    iterations: int
    systems: int


def solve_laplace(
    values: np.ndarray,
    hole: np.ndarray,
    spacing: Sequence[float],
    *,
    rtol: float = 1e-6,
    max_iterations: int = 500,
    progress: Progress | None = None,
) -> Solution:
    """Fill the hole with ``laplace u = 0``: the smoothest membrane through the known voxels around it.

    Args:
        values: ``(k, j, i)`` or ``(j, i)``, real; what lies under the hole does not matter.
        hole: bool, the same shape, True = unknown. At least one voxel must be known.
        spacing: mm, in the order of the axes.
        rtol: relative residual to reach. 1e-6 leaves an error below 1e-5 of the intensity range.
        max_iterations: give up after so many.
        progress: reports and cancels.

    Raises:
        ConvergenceError: ``rtol`` was not reached.
    """
    return _solve(values, hole, None, spacing, 1, rtol, max_iterations, progress)


def solve_poisson(
    values: np.ndarray,
    hole: np.ndarray,
    source: np.ndarray,
    spacing: Sequence[float],
    *,
    rtol: float = 1e-6,
    max_iterations: int = 500,
    progress: Progress | None = None,
) -> Solution:
    """Fill the hole with ``laplace u = source``; ``source`` in intensity per mm^2, of the shape of ``values``.

    The other arguments are those of :func:`solve_laplace`.
    """
    return _solve(values, hole, source, spacing, 1, rtol, max_iterations, progress)


def solve_biharmonic(
    values: np.ndarray,
    hole: np.ndarray,
    spacing: Sequence[float],
    *,
    rtol: float = 1e-6,
    max_iterations: int = 2000,
    progress: Progress | None = None,
) -> Solution:
    """Fill the hole with ``laplace laplace u = 0``: a thin plate that also continues the slopes at the hole's edge.

    The same equation as ``skimage.restoration.inpaint_biharmonic`` away from the image's border, with spacing. The
    arguments are those of :func:`solve_laplace`.
    """
    return _solve(values, hole, None, spacing, 2, rtol, max_iterations, progress)


@dataclasses.dataclass(frozen=True)
class _Part:
    """One independent part of the hole.

    Attributes:
        box: the smallest box around it.
        own: bool, of the shape of ``box``: the part's own voxels.
        outer: ``box`` with the known voxels that the equations need.
    """

    box: Box
    own: np.ndarray
    outer: Box

    @property
    def outer_shape(self) -> tuple[int, ...]:
        return tuple(side.stop - side.start for side in self.outer)

    @property
    def within(self) -> Box:
        """``box`` in the coordinates of ``outer``."""
        return tuple(
            slice(inner.start - outer.start, inner.stop - outer.start)
            for inner, outer in zip(self.box, self.outer, strict=True)
        )


def _solve(
    values: np.ndarray,
    hole: np.ndarray,
    source: np.ndarray | None,
    spacing: Sequence[float],
    order: int,
    rtol: float,
    max_iterations: int,
    progress: Progress | None,
) -> Solution:
    progress = progress or Progress()
    weights = axis_weights(spacing)
    known = np.where(hole, 0.0, values)
    # The operators are h_min^2 times the Laplacian in mm^-2.
    scaled_source = None if source is None else np.asarray(source, dtype=np.float64) * min(spacing) ** 2
    filled = known.copy()
    total = int(np.count_nonzero(hole))
    done, residual, iterations, systems = 0, 0.0, 0, 0
    for parts in _batches(hole):
        unknowns = sum(int(np.count_nonzero(part.own)) for part in parts)
        share = progress.part(done / total, (done + unknowns) / total)
        share.update(0.0, "Solving")
        if order == 1 and len(parts) == 1 and parts[0].own.all():
            _solve_directly(parts[0], known, scaled_source, weights, filled)
        else:
            reached, needed = _solve_iteratively(
                parts, known, scaled_source, weights, order, rtol, max_iterations, share, filled
            )
            residual, iterations = max(residual, reached), max(iterations, needed)
        done += unknowns
        systems += len(parts)
    progress.update(1.0, "Solving")
    return Solution(filled, residual, iterations, systems)


def _batches(hole: np.ndarray) -> Iterator[list[_Part]]:
    """The hole's independent parts: large ones alone, small ones in batches of like shape."""
    reach = (REACH,) * hole.ndim
    waiting: dict[tuple[int, ...], list[_Part]] = {}
    for box, own in clusters(hole, reach):
        part = _Part(box, own, grow(box, reach, hole.shape))
        if math.prod(part.outer_shape) > SMALL:
            yield [part]
            continue
        shape = _padded_shape(part.outer_shape, ROUND_TO)
        batch = waiting.setdefault(shape, [])
        batch.append(part)
        if len(batch) * math.prod(shape) >= BATCH:
            yield waiting.pop(shape)
    yield from waiting.values()


def _padded_shape(shape: Sequence[int], multiple: int) -> tuple[int, ...]:
    """Room for one layer of padding at the end of each axis (HoleLaplacian needs it), rounded up."""
    return tuple(-(-(size + 1) // multiple) * multiple for size in shape)


def _solve_directly(
    part: _Part, known: np.ndarray, source: np.ndarray | None, weights: Sequence[float], filled: np.ndarray
) -> None:
    box = part.box
    b = np.zeros([p.stop - p.start for p in box]) if source is None else -source[box]
    sides = []
    for axis, (weight, extent, size) in enumerate(zip(weights, box, known.shape, strict=True)):
        for position, edge in ((extent.start - 1, 0), (extent.stop, -1)):
            if 0 <= position < size:
                face = (*box[:axis], position, *box[axis + 1 :])
                b[(slice(None),) * axis + (edge,)] += weight * known[face]
        sides.append((extent.start == 0, extent.stop == size))
    filled[box] = solve_box(b, weights, sides)


def _solve_iteratively(
    parts: list[_Part],
    known: np.ndarray,
    source: np.ndarray | None,
    weights: Sequence[float],
    order: int,
    rtol: float,
    max_iterations: int,
    progress: Progress,
    filled: np.ndarray,
) -> tuple[float, int]:
    multiple = ROUND_TO if len(parts) > 1 else 1
    shape = (len(parts), *_padded_shape(np.max([part.outer_shape for part in parts], axis=0), multiple))
    unknown, inside = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    g, f = np.zeros(shape), np.zeros(shape)
    for number, part in enumerate(parts):
        unknown[number][part.within] = part.own
        place = tuple(slice(0, size) for size in part.outer_shape)
        inside[number][place] = True
        g[number][place] = known[part.outer]
        if source is not None:
            f[number][place] = source[part.outer]
    operator = HoleLaplacian(unknown, inside, weights)
    cycle = VCycle(operator)
    b = operator.known_side(g.ravel(), order)
    if source is not None:
        b -= (f * unknown).ravel()
    start = math.log(rtol)
    x, residual, iterations = conjugate_gradients(
        operator.apply if order == 1 else operator.apply_squared,
        b,
        cycle.apply if order == 1 else cycle.apply_twice,
        rtol=rtol,
        max_iterations=max_iterations,
        each=lambda reached: progress.update(min(max(math.log(max(reached, rtol)) / start, 0.0), 1.0), "Solving"),
    )
    solved = x.reshape(shape)
    for number, part in enumerate(parts):
        filled[part.box][part.own] = solved[number][part.within][part.own]
    return residual, iterations
