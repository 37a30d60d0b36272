"""Random placement of holes of any shape in an image."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from ..errors import GeometryError, MaskError, ParameterError
from .grammar import parse
from .grid import Grid
from .shape import Shape

#: Random places to try for one hole, and how often to start over when a hole does not fit.
_TRIES, _RESTARTS = 2000, 4
_REDRAW = 50  # after this many places a new stencil is drawn: one that sticks out everywhere must not use up all tries


def place(
    holes: str | Shape,
    shape: Sequence[int],
    *,
    spacing: Sequence[float] | None = None,
    foreground: np.ndarray | None = None,
    avoid: np.ndarray | None = None,
    margin_mm: float = 4.0,
    seed: int | Sequence[int] = 0,
) -> np.ndarray:
    """Place holes at random, each with a label of its own.

    Args:
        holes: a description such as ``"spheres:20mm:6"`` (see :func:`.grammar.grammar`), or a shape.
        shape: of the image, ``(k, j, i)`` or ``(j, i)``; axes of one voxel do not count as dimensions.
        spacing: mm an axis; 1 by default.
        foreground: bool, where holes lie entirely, strips and strokes with a documented share. Everywhere by default.
        avoid: bool, where no voxel of any hole may lie, e.g. lesions.
        margin_mm: least distance between two holes; none for strokes and strips in both orientations, which may cross.
        seed: same seed, same holes; may be several numbers, such as a training's seed and a sample's number.

    Returns:
        int32 label image: 0 = known, 1, 2, ... = the holes. Where holes may cross, those that touch have one label.

    Raises:
        ParameterError: the description cannot be understood.
        MaskError: the holes do not fit.

    >>> labels = place("squares:4px:3", (32, 32), seed=1)
    >>> np.bincount(labels.ravel()).tolist()
    [976, 16, 16, 16]
    """
    described = holes if isinstance(holes, str) else repr(holes)
    drawn = parse(holes) if isinstance(holes, str) else holes
    shape = tuple(int(size) for size in shape)
    kept = [axis for axis, size in enumerate(shape) if size > 1]
    if len(kept) not in (2, 3):
        raise GeometryError(f"Holes can be put into images of 2 or 3 dimensions; found the shape {shape}.")
    steps = (1.0,) * len(shape) if spacing is None else tuple(float(mm) for mm in spacing)
    if len(steps) != len(shape):
        raise GeometryError(f"The spacing must have one number for each of the {len(shape)} axes; found {steps}.")
    if not (math.isfinite(margin_mm) and margin_mm >= 0):
        raise ParameterError(f"The margin between holes must be 0 mm or more; found {margin_mm!r}.")
    grid = Grid(tuple(shape[axis] for axis in kept), tuple(steps[axis] for axis in kept))
    body = _on_grid(foreground, shape, grid, "foreground")
    forbidden = _on_grid(avoid, shape, grid, "mask to avoid")
    if body is not None and not body.any():
        raise MaskError("The foreground is empty, so there is no place for a hole.")

    rng = np.random.default_rng(seed)
    most = 0
    for _ in range(_RESTARTS):
        labels, placed = _attempt(drawn, grid, body, forbidden, margin_mm, rng)
        if placed == drawn.count:
            return labels.reshape(shape)
        most = max(most, placed)
    raise MaskError(
        f"Only {most} of the {drawn.count} holes '{described}' fit into the "
        f"{'image' if body is None else 'foreground'} (image of {_size(grid)}) with {margin_mm:g} mm between them, "
        f"after {_TRIES} tries for each. Ask for fewer or smaller holes, or for a smaller margin."
    )


def _attempt(
    drawn: Shape,
    grid: Grid,
    foreground: np.ndarray | None,
    avoid: np.ndarray | None,
    margin_mm: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, int]:
    """Return labels and the number of holes placed; stop at the first that does not fit."""
    labels = np.zeros(grid.shape, dtype=np.int32)
    taken = np.zeros(grid.shape, dtype=bool) if avoid is None else avoid.copy()
    for number in range(1, drawn.count + 1):
        spot = _find_place(drawn, number, grid, foreground, taken, rng)
        if spot is None:
            return labels, number - 1
        corner, stencil = spot
        labels[_box(corner, stencil)][stencil] = number
        if not drawn.crossing:
            _take(taken, corner, stencil, grid.spacing, margin_mm)
    if drawn.crossing:
        from scipy import ndimage

        ndimage.label(labels > 0, structure=np.ones((3,) * labels.ndim), output=labels)
    return labels, drawn.count


def _find_place(
    drawn: Shape,
    number: int,
    grid: Grid,
    foreground: np.ndarray | None,
    taken: np.ndarray,
    rng: np.random.Generator,
) -> tuple[tuple[int, ...], np.ndarray] | None:
    points = _random_points(grid.shape, foreground, rng)
    for tried in range(_TRIES):
        if tried % _REDRAW == 0:
            stencil = drawn.draw(grid, rng, number)
            room = np.subtract(grid.shape, stencil.shape)
        corner = next(points) - np.array(stencil.shape) // 2
        if drawn.INSIDE < 1:
            # Long shapes rarely fit around a random point: they are moved in from the edge.
            corner = np.clip(corner, 0, np.maximum(room, 0))
        if (corner < 0).any() or (corner > room).any():
            continue
        box = _box(corner, stencil)
        if foreground is not None and foreground[box][stencil].mean() < drawn.INSIDE:
            continue
        if not taken[box][stencil].any():
            return tuple(int(c) for c in corner), stencil
    return None


def _random_points(
    shape: tuple[int, ...], foreground: np.ndarray | None, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield uniformly random voxels of the foreground, without listing all: 8 bytes each would outweigh the image."""
    low, high = np.zeros(len(shape), dtype=int), np.array(shape)
    if foreground is not None:
        for axis in range(len(shape)):
            other_axes = tuple(other for other in range(len(shape)) if other != axis)
            used = np.flatnonzero(foreground.any(axis=other_axes))
            low[axis], high[axis] = used[0], used[-1] + 1
    while True:
        batch = rng.integers(low, high, size=(256, len(shape)))
        if foreground is not None:
            batch = batch[foreground[tuple(batch.T)]]
        yield from batch


def _take(
    taken: np.ndarray, corner: Sequence[int], stencil: np.ndarray, spacing: Sequence[float], margin_mm: float
) -> None:
    """Mark a hole's voxels, and all that are nearer to it than the margin, as taken."""
    from scipy import ndimage

    reach = [math.floor(margin_mm / mm) + 1 for mm in spacing]
    padded = np.pad(stencil, [(far, far) for far in reach])
    near = ndimage.distance_transform_edt(~padded, sampling=spacing) < max(margin_mm, min(spacing))
    source, target = [], []
    for start, far, length, size in zip(corner, reach, padded.shape, taken.shape, strict=True):
        first, last = max(start - far, 0), min(start - far + length, size)
        target.append(slice(first, last))
        source.append(slice(first - (start - far), last - (start - far)))
    taken[tuple(target)] |= near[tuple(source)]


def _box(corner: Sequence[int], stencil: np.ndarray) -> tuple[slice, ...]:
    return tuple(slice(int(start), int(start) + size) for start, size in zip(corner, stencil.shape, strict=True))


def _on_grid(mask: np.ndarray | None, shape: tuple[int, ...], grid: Grid, name: str) -> np.ndarray | None:
    if mask is None:
        return None
    if mask.shape != shape:
        raise GeometryError(f"The {name} must have the image's shape {shape}; found {mask.shape}.")
    return np.asarray(mask, dtype=bool).reshape(grid.shape)


def _size(grid: Grid) -> str:
    return " x ".join(f"{size * mm:.4g}" for size, mm in zip(grid.shape, grid.spacing, strict=True)) + " mm"
