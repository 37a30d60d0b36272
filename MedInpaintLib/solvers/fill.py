"""Fill a hole with the solution of Laplace's, Poisson's or the biharmonic equation.

The hole's voxels are the unknowns, the known voxels around it the Dirichlet data, the border of the array is Neumann,
and so is that of voxels without data.
Any shape, 2-D or 3-D, any spacing. Parts of the hole that do not touch are independent systems:

- a full box (Laplace, Poisson) is solved directly by sine transforms;
- small parts are solved by factors of their matrix, many of them packed into one batch of boxes of equal shape;
- everything else by conjugate gradients with a multigrid V-cycle as preconditioner, matrix-free.

Known voxels are brought to the range -0.5..0.5 first, so ``accuracy`` is a share of their range and no scale of the
input is too large or too small. ``Testing/Benchmarks/preconditioner.py`` has the measured reason for the one iterative
solver: scipy's conjugate gradients on an assembled matrix take 1.3 to 7 times as long from 30,000 unknowns on (and a
third below 5,000), algebraic multigrid (pyamg) 3 to 12 times.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import MaskError
from ..mask import Box, clusters, grow, relative
from ..no_data import nearest
from ..progress import Progress
from .box import solve_box
from .conjugate_gradients import conjugate_gradients
from .direct import DENSE, Solver, factorized, solve_block
from .laplacian import HoleLaplacian, axis_weights
from .multigrid import VCycle

#: Parts whose box, with the known voxels that the equations need, has at most this many voxels are solved by factors.
#: Up to 4096 = 16^3 the biharmonic equation takes 1.5 instead of 10 ms for a ball of 171 voxels and 10 instead of 18
#: for one of 515, in 2-D 1 instead of 20 ms for a disc of 81 pixels and 15 instead of 74 for one of 2377; Laplace's
#: takes half the time or less. Full cubes of 12^3 take 45 instead of 34 ms: in larger boxes, factors fill up.
SMALL = 4096
#: Kinds of parts whose factors are kept for others of the same shape: of 300 equal holes of 171 voxels, each takes 0.6
#: instead of 1.15 ms. Only small ones are, so that they take 12 MB at most.
KINDS = 16
#: A batch holds at most this many voxels, which bounds its memory to about 200 MB.
BATCH = 2_000_000
#: Shapes of batched boxes are rounded up to multiples of this, so that a batch holds many.
ROUND_TO = 4
#: Share of an iterative solution's time until the first iteration: 8 to 11 % in the largest lesions.
SETUP = 0.08
#: Known voxels that an equation of order 2 (biharmonic) can reach; used for both, since the second layer costs nothing.
REACH = 2


#: Largest error that a fill may have, as a share of the known range: 1e-5 of 12 bits is 0.04 of a grey level.
ACCURACY = 1e-5
MAX_ITERATIONS = 1000


@dataclasses.dataclass(frozen=True)
class Solution:
    """The result of a solver.

    Attributes:
        values: float64, the known values with the hole filled.
        residual: the largest relative residual ``|b - A x| / |b|`` of all solves; small parts share one solve.
        iterations: the largest number of iterations; 0 when all was solved directly.
        parts: of how many independent parts the hole consists.
    """

    values: np.ndarray
    residual: float
    iterations: int
    parts: int


def solve_laplace(
    values: np.ndarray,
    hole: np.ndarray,
    spacing: Sequence[float],
    *,
    no_data: np.ndarray | None = None,
    accuracy: float = ACCURACY,
    max_iterations: int = MAX_ITERATIONS,
    progress: Progress | None = None,
) -> Solution:
    """Fill the hole with ``laplace u = 0``: the smoothest membrane through the known voxels around it.

    Args:
        values: ``(k, j, i)`` or ``(j, i)``, real; what lies under the hole does not matter.
        hole: bool, the same shape, True = unknown.
        spacing: mm, in the order of the axes.
        no_data: bool, the same shape: voxels that have no value. They are outside of the equation's domain, as what
            lies beyond the array's border, and keep their content. Parts of the hole that touch no known voxel get the
            value of the nearest one.
        accuracy: largest error, as a share of the range of the known values.
        max_iterations: give up after so many.
        progress: reports and cancels.

    Raises:
        MaskError: nothing is known.
        ConvergenceError: ``accuracy`` was not reached.
    """
    return _solve(values, hole, None, _Equation(1, tuple(spacing), accuracy, max_iterations), no_data, progress)


def solve_poisson(
    values: np.ndarray,
    hole: np.ndarray,
    source: np.ndarray,
    spacing: Sequence[float],
    *,
    no_data: np.ndarray | None = None,
    accuracy: float = ACCURACY,
    max_iterations: int = MAX_ITERATIONS,
    progress: Progress | None = None,
) -> Solution:
    """Fill the hole with ``laplace u = source`` (intensity per mm^2, same shape); else as :func:`solve_laplace`."""
    # The operators are h_min^2 times the Laplacian in mm^-2.
    scaled = np.asarray(source, dtype=np.float64) * min(spacing) ** 2
    return _solve(values, hole, scaled, _Equation(1, tuple(spacing), accuracy, max_iterations), no_data, progress)


def solve_biharmonic(
    values: np.ndarray,
    hole: np.ndarray,
    spacing: Sequence[float],
    *,
    no_data: np.ndarray | None = None,
    accuracy: float = ACCURACY,
    max_iterations: int = MAX_ITERATIONS,
    progress: Progress | None = None,
) -> Solution:
    """Fill the hole with ``laplace laplace u = 0``: a thin plate that also continues the slopes at the hole's edge.

    As ``skimage.restoration.inpaint_biharmonic`` away from the border, with spacing; arguments: :func:`solve_laplace`.
    """
    return _solve(values, hole, None, _Equation(2, tuple(spacing), accuracy, max_iterations), no_data, progress)


@dataclasses.dataclass(frozen=True)
class _Equation:
    """An equation and its accuracy: order 1 is Laplace's or Poisson's equation, order 2 the biharmonic one."""

    order: int
    spacing: tuple[float, ...]
    accuracy: float
    max_iterations: int

    @property
    def weights(self) -> tuple[float, ...]:
        return axis_weights(self.spacing)


@dataclasses.dataclass(frozen=True)
class _Data:
    """The known values (0 elsewhere) and the right-hand side, scaled to the known range; where there is no data."""

    known: np.ndarray
    source: np.ndarray | None
    no_data: np.ndarray | None

    def lacks(self, box: Box) -> bool:
        """Return whether there is no data somewhere in a box."""
        return self.no_data is not None and bool(self.no_data[box].any())


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
        return relative(self.box, self.outer)


def _solve(
    values: np.ndarray,
    hole: np.ndarray,
    source: np.ndarray | None,
    equation: _Equation,
    no_data: np.ndarray | None,
    progress: Progress | None,
) -> Solution:
    progress = progress or Progress()
    unknown = hole if no_data is None else hole | no_data
    if unknown.all():
        raise MaskError("The hole leaves no known voxel: nothing is there to fill it from.")
    filled = np.array(values, dtype=np.float64)
    if no_data is not None:
        cut_off = _cut_off(hole, ~unknown)
        if cut_off.any():
            filled[cut_off] = nearest(filled, unknown, equation.spacing)[cut_off]
            hole, no_data = hole & ~cut_off, no_data | cut_off
    total = int(np.count_nonzero(hole))
    center, width = _range_of(values[~unknown], source)
    scaled = np.where(unknown, 0.0, (values - center) / width)
    data = _Data(scaled, None if source is None else source / width, no_data)
    done, residual, iterations, parts = 0, 0.0, 0, 0
    for batch in _batches(hole):
        unknowns = sum(int(np.count_nonzero(part.own)) for part in batch)
        share = progress.part(done / total, (done + unknowns) / total)
        share.update(0.0, "Solving")
        if equation.order == 1 and len(batch) == 1 and batch[0].own.all() and not data.lacks(batch[0].outer):
            solutions = [_solve_directly(batch[0], data, equation)]
        else:
            solutions, reached, needed = _solve_together(batch, data, equation, share)
            residual, iterations = max(residual, reached), max(iterations, needed)
        for part, solution in zip(batch, solutions, strict=True):
            filled[part.box][part.own] = solution[part.own] * width + center
        done += unknowns
        parts += len(batch)
    progress.update(1.0, "Solving")
    return Solution(filled, residual, iterations, parts)


def _cut_off(hole: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mark the parts of the hole that touch no known voxel."""
    from scipy import ndimage

    labels, count = ndimage.label(hole)
    touching = np.zeros(count + 1, dtype=bool)
    touching[labels[ndimage.binary_dilation(known)]] = True
    return hole & ~touching[labels]


def _range_of(known: np.ndarray, source: np.ndarray | None) -> tuple[float, float]:
    """Return center and width of the known values; where they are all alike, the source sets the scale."""
    low, high = float(known.min()), float(known.max())
    width = high - low
    if width == 0.0 and source is not None:
        width = float(np.abs(source).max())
    return low + (high - low) / 2, width if width > 0.0 else 1.0


def _batches(hole: np.ndarray) -> Iterator[list[_Part]]:
    """Yield the hole's independent parts: large ones alone, small ones in batches of like shape."""
    reach = (REACH,) * hole.ndim
    waiting: dict[tuple[int, ...], list[_Part]] = {}
    for box, own in clusters(hole, reach):
        part = _Part(box, own, grow(box, reach, hole.shape))
        if not _is_small(part):
            yield [part]
            continue
        shape = _padded_shape(part.outer_shape, ROUND_TO)
        batch = waiting.setdefault(shape, [])
        batch.append(part)
        if len(batch) * math.prod(shape) >= BATCH:
            yield waiting.pop(shape)
    yield from waiting.values()


def _is_small(part: _Part) -> bool:
    return math.prod(part.outer_shape) <= SMALL


def _padded_shape(shape: Sequence[int], multiple: int) -> tuple[int, ...]:
    """Return the shape with one layer of padding at the end of each axis (HoleLaplacian needs it), rounded up."""
    return tuple(-(-(size + 1) // multiple) * multiple for size in shape)


def _solve_directly(part: _Part, data: _Data, equation: _Equation) -> np.ndarray:
    b = np.zeros(part.own.shape) if data.source is None else -data.source[part.box]
    sides = []
    for axis, (weight, extent, size) in enumerate(zip(equation.weights, part.box, data.known.shape, strict=True)):
        for position, edge in ((extent.start - 1, 0), (extent.stop, -1)):
            if 0 <= position < size:
                face = (*part.box[:axis], position, *part.box[axis + 1 :])
                b[(slice(None),) * axis + (edge,)] += weight * data.known[face]
        sides.append((extent.start == 0, extent.stop == size))
    return solve_box(b, equation.weights, sides)


def _solve_together(
    parts: list[_Part], data: _Data, equation: _Equation, progress: Progress
) -> tuple[list[np.ndarray], float, int]:
    """Return the solution in each part's box, the relative residual and the number of iterations."""
    system = _System.of(parts, data, equation)
    # A plate among voxels without data may hardly be determined, which iterations tell: in a disc of which 30 % have
    # none, factors err by 8.8, and the membrane that is taken where iterations do not converge by 2.9.
    determined = equation.order == 1 or not any(data.lacks(part.outer) for part in parts)
    if determined and _is_small(parts[0]):
        solved = _solve_by_factors(system, equation, progress)
        if solved is not None:
            return (*solved, 0)
    return _solve_iteratively(system, equation, progress)


@dataclasses.dataclass(frozen=True)
class _System:
    """The equations of a batch of parts.

    Attributes:
        parts: of the hole.
        operator: on the parts' boxes, padded to one shape.
        b: flat right-hand side of the operator's shape.
    """

    parts: list[_Part]
    operator: HoleLaplacian
    b: np.ndarray

    @classmethod
    def of(cls, parts: list[_Part], data: _Data, equation: _Equation) -> _System:
        """Set up the equations."""
        multiple = ROUND_TO if len(parts) > 1 else 1
        shape = (len(parts), *_padded_shape(np.max([part.outer_shape for part in parts], axis=0), multiple))
        unknown, inside = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        known, source = np.zeros(shape), np.zeros(shape)
        for number, part in enumerate(parts):
            unknown[number][part.within] = part.own
            outer_part = tuple(slice(0, size) for size in part.outer_shape)
            inside[number][outer_part] = True
            known[number][outer_part] = data.known[part.outer]
            if data.no_data is not None:
                inside[number][outer_part] = ~data.no_data[part.outer]
            if data.source is not None:
                source[number][outer_part] = data.source[part.outer]
        operator = HoleLaplacian(unknown, inside, equation.weights)
        b = operator.known_side(known.ravel(), equation.order)
        b -= (source * unknown).ravel()
        return cls(parts, operator, b)

    def boxes(self, x: np.ndarray) -> list[np.ndarray]:
        """Return a flat solution as an array for each part's box."""
        solved = x.reshape(self.operator.shape)
        return [solved[number][part.within] for number, part in enumerate(self.parts)]


def _solve_by_factors(
    system: _System, equation: _Equation, progress: Progress
) -> tuple[list[np.ndarray], float] | None:
    """Return the solution in each part's box and the relative residual; None where rounding spoils the accuracy."""
    operator, at = system.operator, np.flatnonzero(system.operator.unknown)
    b, values = system.b[at], np.empty(at.size)
    if len(system.parts) == 1 and at.size <= DENSE:
        kind = operator.shape, operator.unknown.tobytes(), operator.inside.tobytes()
        matrix, alone = _factored(equation.order, equation.weights, *kind)
    else:
        matrix, alone = operator.assemble(equation.order), None
    stop = 0
    for number, part in enumerate(system.parts):
        start, stop = stop, stop + int(np.count_nonzero(part.own))
        block = _block(matrix, start, stop) if alone is None else matrix
        values[start:stop], error = solve_block(block, b[start:stop], alone or factorized(block))
        if not error <= equation.accuracy:  # written so that NaN does not pass
            return None
        progress.update((number + 1) / len(system.parts), "Solving")
    x = np.zeros_like(system.b)
    x[at] = values
    size = float(np.linalg.norm(b))
    return system.boxes(x), float(np.linalg.norm(b - matrix @ values)) / size if size > 0 else 0.0


@functools.lru_cache(maxsize=KINDS)
def _factored(
    order: int, weights: tuple[float, ...], shape: tuple[int, ...], unknown: bytes, inside: bytes
) -> tuple[Any, Solver | None]:
    """Return the matrix of one part's equations and its factor, which parts of one shape in like surroundings share.

    Args:
        order: of the equation.
        weights, shape: of the operator.
        unknown, inside: its arguments, as bytes.
    """
    hole, image = (np.frombuffer(each, dtype=bool).reshape(shape) for each in (unknown, inside))
    matrix = HoleLaplacian(hole, image, weights).assemble(order)
    return matrix, factorized(matrix)


def _block(matrix: Any, start: int, stop: int) -> Any:
    """Return a block on the diagonal of a block-diagonal ``csc_array``."""
    first, last = matrix.indptr[start], matrix.indptr[stop]
    parts = matrix.data[first:last], matrix.indices[first:last] - start, matrix.indptr[start : stop + 1] - first
    return type(matrix)(parts, shape=(stop - start, stop - start))


def _solve_iteratively(system: _System, equation: _Equation, progress: Progress) -> tuple[list[np.ndarray], float, int]:
    """Return the solution in each part's box, the relative residual and the number of iterations."""
    cycle = VCycle(system.operator)
    progress.update(SETUP, "Solving")
    x, residual, iterations = conjugate_gradients(
        system.operator.apply if equation.order == 1 else system.operator.apply_squared,
        system.b,
        cycle.apply if equation.order == 1 else cycle.apply_twice,
        accuracy=equation.accuracy,
        max_iterations=equation.max_iterations,
        each=lambda share: progress.update(SETUP + (1 - SETUP) * share, "Solving"),
    )
    return system.boxes(x), residual, iterations
