"""Local regression: learn from the tissue around a hole how such tissue continues, and continue it so.

A hole's *ring* is the known tissue a few millimetres around it. The stencil of ring and hole is laid over thousands of
nearby places where everything is known, and a linear map from ring to hole is fitted to those whose ring looks most
like the hole's. The map starts from the smooth continuation (a thin-plate spline, which needs no examples) and learns
only its error, so with nothing to learn the result is that spline.

With ``x`` the ring's values, ``y`` the hole's, both less the ring's mean, ``S`` the spline and ``w`` the weights of the
examples, the fill is ``S x + B x``, with ``B`` the minimum of ``sum_n w_n |y_n - S x_n - B x_n|^2 + l |B|^2`` (ridge
regression). ``l`` is what predicts best in blocks of examples that were left out, and the error there is the reported
spread. (Leaving out one at a time would flatter: its neighbours show nearly the same tissue. In 20 mm holes it chose
strengths that lost 2 dB against the spline.) Values of guides, known in the hole too, are further entries of ``x``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from ..mask import Box, bounding_box, clusters, grow
from ..progress import Progress

#: Ridge strengths to try, as shares of the mean variance of the features.
STRENGTHS = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 1e3)
#: How much a difference in mean brightness counts beside one in shape when rings are compared.
BRIGHTNESS = 0.5
#: With fewer examples nothing is learned.
FEWEST = 20
#: float32 numbers of examples that are held at once: 50 MB.
ROOM = 12_000_000
#: Places to read at once: their indices take more memory than the values there.
AT_ONCE = 1000
#: Voxels that a ring is wide at most, and that the window reaches at most: 2 and 17 mm are thousands of a micro-CT.
WIDEST, FARTHEST = 3, 40
#: Voxels that a ring is wide at least, along the finest axis. In 375 specks of a head with voxels of 2 mm the error is
#: 3.5 times as large with one voxel, and twice that of biharmonic.
THINNEST = 2
#: Examples to read for each voxel of the ring: a single voxel needs no 10,000. In 42 lesions of 4 and 7 mm in 3 heads
#: of val, 80 and 20,000 took a third longer for 0.0 dB, and 25 lose 0.1 dB; 2000 nearest ones lose 0.2 dB.
ENOUGH = 40
#: Voxels of a ring at most: the spline takes their number cubed, and there is little to learn about holes so large
#: (in 20 mm holes, with rings of 3000 voxels, the gain over a thin plate was 0.2 dB, in 10 mm holes 1.8 dB).
MOST = 4000
#: Principal directions of the examples that are learned from.
DIRECTIONS = 300
#: At most so many outputs take part in the choice of the ridge strength.
FEW = 50


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to learn.

    Attributes:
        ring: mm of known surroundings that the fill is predicted from.
        window: mm around the hole in which examples lie.
        examples: places to read.
        nearest: how many are learned from: those whose ring looks most like the hole's.
    """

    ring: float = 2.0
    window: float = 17.0
    examples: int = 10_000
    nearest: int = 4000


@dataclasses.dataclass(frozen=True)
class Regression:
    """What was learned to fill in; arrays of the hole's shape.

    Attributes:
        values: float32; outside ``filled`` the input.
        spread: float32, the standard deviation of the values; 0 outside ``filled``.
        filled: bool; the hole without its parts that are too large.
    """

    values: np.ndarray
    spread: np.ndarray
    filled: np.ndarray


@dataclasses.dataclass(frozen=True)
class _Stencil:
    """A part of the hole with its ring: where it lies, and which of its box's voxels are which.

    Attributes:
        box: of the image; may reach beyond it by the ring's width.
        shape: of the box.
        hole, ring: indices into the flat box.
    """

    box: Box
    shape: tuple[int, ...]
    hole: np.ndarray
    ring: np.ndarray


def regress(
    channels: np.ndarray,
    hole: np.ndarray,
    spacing: Sequence[float],
    settings: Settings,
    rng: np.random.Generator,
    *,
    others: Sequence[np.ndarray] = (),
    progress: Progress | None = None,
) -> Regression:
    """Fill the hole part by part, but for parts with rings of more than :data:`MOST` voxels (a ball of 25 mm at 1 mm).

    Args:
        channels: float32 ``(1 + guides, *shape)``: the image, NaN where nothing may be learned, then its guides, which
            are known everywhere.
        hole: bool ``shape``, True = fill.
        spacing: mm, in the order of the axes.
        settings: how to learn.
        rng: draws the examples' places.
        others: more such stacks of channels to take examples from, on the same grid; NaN where they know nothing.
        progress: reports and cancels.
    """
    progress = progress or Progress()
    values, spread, done = channels[0].copy(), np.zeros(hole.shape, np.float32), np.zeros(hole.shape, bool)
    voided = np.array(channels)
    voided[0][hole] = np.nan
    unknown = np.isnan(voided[0])
    reach, ring = _width(settings, spacing)
    parts = list(clusters(hole, reach))
    for number, (box, own) in enumerate(parts):
        progress.update(number / len(parts), "Learning from the surroundings")
        stencil = _stencil(box, own, reach, unknown, spacing, ring)
        if 0 < len(stencil.ring) <= MOST:
            filled, deviation = _fill_part(stencil, [voided, *others], spacing, settings, rng)
            values[box][own], spread[box][own], done[box][own] = filled, deviation, True
    return Regression(values, spread, done)


def can_learn(hole: np.ndarray, spacing: Sequence[float], settings: Settings) -> bool:
    """Return whether :func:`regress` fills all parts of a hole: thin but wide ones have too much around them."""
    reach, ring = _width(settings, spacing)
    whole = bounding_box(hole)
    if whole is None or _most_around(whole, reach) <= MOST:
        return True
    for box, own in clusters(hole, reach):
        if _most_around(box, reach) <= MOST:
            continue  # there may be thousands
        if len(_stencil(box, own, reach, hole, spacing, ring).ring) > MOST:
            return False
    return True


def _most_around(box: Box, reach: Sequence[int]) -> int:
    """Return a bound of the voxels of the rings around all parts in a box: those of the box with its surroundings."""
    return math.prod(side.stop - side.start + 2 * far for side, far in zip(box, reach, strict=True))


def _width(settings: Settings, spacing: Sequence[float]) -> tuple[list[int], float]:
    """Return how far a ring reaches along each axis, in voxels, and in all directions, in mm."""
    ring = min(max(settings.ring, THINNEST * min(spacing)), WIDEST * min(spacing))
    return [int(np.clip(ring / mm, 1, WIDEST)) for mm in spacing], ring


def _stencil(
    box: Box, own: np.ndarray, reach: Sequence[int], unknown: np.ndarray, spacing: Sequence[float], ring_mm: float
) -> _Stencil:
    from scipy import ndimage

    outer = tuple(slice(side.start - far, side.stop + far) for side, far in zip(box, reach, strict=True))
    inside = np.pad(own, [(far, far) for far in reach])
    distance = ndimage.distance_transform_edt(~inside, sampling=spacing)
    # Thick slices may be further apart than the ring is wide; the next voxel along each axis always belongs to it.
    near = ((distance <= ring_mm * (1 + 1e-6)) | ndimage.binary_dilation(inside)) & ~inside
    near &= ~_cut(unknown, outer, True)  # neither other parts of the hole nor what lies beyond the image is known
    return _Stencil(outer, inside.shape, np.flatnonzero(inside), np.flatnonzero(near))


def _fill_part(
    stencil: _Stencil,
    sources: Sequence[np.ndarray],
    spacing: Sequence[float],
    settings: Settings,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return values and standard deviation of the part's voxels."""
    channels = np.array([_cut(channel, stencil.box, np.nan).ravel() for channel in sources[0]])
    nowhere = np.zeros(1, dtype=np.intp)
    query = _look(channels, nowhere, stencil.ring, stencil.hole, nowhere)
    examples = _examples(stencil, sources, spacing, settings, rng)
    spline = _spline(stencil, spacing)
    ring = len(stencil.ring)
    smooth = query.features[0, :ring] @ spline
    if examples is None or len(examples.level) < FEWEST:
        return smooth + query.level[0], np.full(len(smooth), query.features[0, :ring].std())
    chosen, weights = _alike(query, examples, settings.nearest)
    examples = examples.take(chosen)
    errors = examples.targets - examples.features[:, :ring] @ spline
    learned = _ridge(examples.features, errors, weights, examples.fold, query.features[0])
    return smooth + learned.prediction + query.level[0], learned.deviation


@dataclasses.dataclass(frozen=True)
class _Seen:
    """The stencil at ``n`` places.

    Attributes:
        features: ``(n, features)``: the ring less its mean, and the guides' ring and hole less the mean of their ring.
        level: ``(n,)``: the ring's mean.
        targets: ``(n, voxels)``: the hole less the ring's mean.
        fold: ``(n,)``: places that share tissue are in one fold, mostly.
    """

    features: np.ndarray
    level: np.ndarray
    targets: np.ndarray
    fold: np.ndarray

    def take(self, which: np.ndarray) -> _Seen:
        """Select some of the places."""
        return _Seen(*(getattr(self, field.name)[which] for field in dataclasses.fields(self)))

    @staticmethod
    def join(parts: Sequence[_Seen]) -> _Seen:
        """Join all places of all parts."""
        return _Seen(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in dataclasses.fields(_Seen)))


def _look(channels: np.ndarray, places: np.ndarray, ring: np.ndarray, hole: np.ndarray, fold: np.ndarray) -> _Seen:
    """Read the stencil at flat indices ``places`` of flat channels; ``ring`` and ``hole`` are flat offsets."""
    image, *guides = channels
    around, inside = places[:, np.newaxis] + ring, places[:, np.newaxis] + hole
    values = image.take(around)
    level = values.mean(axis=1, keepdims=True)
    features = [values - level]
    for guide in guides:
        values = guide.take(around)
        mean = values.mean(axis=1, keepdims=True)
        features += [values - mean, guide.take(inside) - mean]
    return _Seen(np.concatenate(features, axis=1), level[:, 0], image.take(inside) - level, fold)


def _examples(
    stencil: _Stencil,
    sources: Sequence[np.ndarray],
    spacing: Sequence[float],
    settings: Settings,
    rng: np.random.Generator,
) -> _Seen | None:
    """Read the stencil at random places of the window at which all of it is known; None where it has no room."""
    guides = len(sources[0]) - 1
    numbers = (1 + guides) * (len(stencil.ring) + len(stencil.hole))
    most = min(settings.examples, ROOM // numbers, ENOUGH * len(stencil.ring)) // len(sources) + 1
    reach = [min(round(settings.window / mm), FARTHEST) for mm in spacing]
    area = [slice(side.start - far, side.stop + far) for side, far in zip(stencil.box, reach, strict=True)]
    examples = []
    for source in sources:
        # Beyond the image nothing is known, so no places there are read.
        inner = tuple(
            slice(max(side.start, 0), min(side.stop, size)) for side, size in zip(area, source.shape[1:], strict=True)
        )
        shape = tuple(side.stop - side.start for side in inner)
        free = [size - wide + 1 for size, wide in zip(shape, stencil.shape, strict=True)]
        if min(free) < 1:
            continue
        count = math.prod(free)
        drawn = rng.choice(count, min(most, count), replace=False)
        corners = np.unravel_index(drawn, free)
        places = np.asarray(np.ravel_multi_index(corners, shape))
        # Blocks of the stencil's size are distributed over four folds, so that neighbouring blocks are in other folds.
        blocks = [at // wide for at, wide in zip(corners, stencil.shape, strict=True)]
        fold = np.asarray(np.arange(1, len(blocks) + 1) @ np.array(blocks)) % 4
        ring, hole = (
            np.ravel_multi_index(np.unravel_index(which, stencil.shape), shape)
            for which in (stencil.ring, stencil.hole)
        )
        flat = source[(slice(None), *inner)].reshape(len(source), -1)
        for start in range(0, len(places), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            seen = _look(flat, places[part], ring, hole, fold[part])
            whole = np.isfinite(seen.features.sum(axis=1)) & np.isfinite(seen.targets.sum(axis=1))
            examples.append(seen.take(whole))
    return _Seen.join(examples) if examples else None


def _alike(query: _Seen, examples: _Seen, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the examples that look most like the query, and their weights."""
    apart = ((examples.features - query.features) ** 2).mean(axis=1) + BRIGHTNESS * (examples.level - query.level) ** 2
    nearest = np.argpartition(apart, most)[:most] if most < len(apart) else np.arange(len(apart))
    apart = apart[nearest]
    return nearest, np.exp(-apart / max(float(np.median(apart)), 1e-12)).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class _Learned:
    prediction: np.ndarray
    deviation: np.ndarray


def _ridge(
    features: np.ndarray, targets: np.ndarray, weights: np.ndarray, folds: np.ndarray, query: np.ndarray
) -> _Learned:
    """Evaluate ridge regression of ``targets`` on ``features`` at ``query``, as strong as is best on left-out folds."""
    root = np.sqrt(weights)[:, np.newaxis]
    x, y = features * root, targets * root
    if x.shape[1] > min(DIRECTIONS, x.shape[0]):  # else all directions are kept, and ridge regression knows no axes
        axes = _principal_axes(x)
        x, query = x @ axes, query @ axes
    parts = [(x[own], y[own]) for own in (folds == fold for fold in np.unique(folds))]
    products = [(own_x.T @ own_x, own_x.T @ own_y) for own_x, own_y in parts]
    gram, cross = sum(own for own, _ in products), sum(own for _, own in products)
    unit = float(np.trace(gram)) / features.shape[1] + 1e-12
    left_out = []
    for (own_x, own_y), (own_gram, own_cross) in zip(parts, products, strict=True):
        variance, turn = np.linalg.eigh(gram - own_gram)
        left_out.append(_LeftOut(own_x @ turn, own_y, turn.T @ (cross - own_cross), variance))
    few = slice(None, None, -(-y.shape[1] // FEW))
    best = min(STRENGTHS, key=lambda strength: sum(each.squares(strength * unit, few).sum() for each in left_out))
    everything = slice(None)
    deviation = np.sqrt(sum(each.squares(best * unit, everything) for each in left_out) / weights.sum())
    coefficients = np.linalg.solve(gram + best * unit * np.eye(len(gram), dtype=gram.dtype), cross)
    return _Learned(query @ coefficients, deviation)


@dataclasses.dataclass(frozen=True)
class _LeftOut:
    """One fold, seen along the principal axes of all others: scores, targets, and the others' cross products."""

    scores: np.ndarray
    targets: np.ndarray
    cross: np.ndarray
    variance: np.ndarray

    def squares(self, ridge: float, which: slice) -> np.ndarray:
        """Return the sum of squared errors of each target in ``which``."""
        shrunk = np.maximum(self.variance, 0) + ridge
        errors = self.targets[:, which] - self.scores @ (self.cross[:, which] / shrunk[:, np.newaxis])
        return (errors**2).sum(axis=0)


def _principal_axes(x: np.ndarray) -> np.ndarray:
    """Return the ``(features, n)`` directions in which examples vary most, at most :data:`DIRECTIONS`."""
    from scipy.linalg import eigh

    dual = x.shape[0] < x.shape[1]
    gram = x @ x.T if dual else x.T @ x
    first = max(0, len(gram) - DIRECTIONS)
    variance, axes = eigh(gram, subset_by_index=(first, len(gram) - 1), check_finite=False)
    if not dual:
        return axes
    kept = variance > 1e-6 * variance[-1]
    return (x.T @ axes[:, kept]) / np.sqrt(variance[kept])


def _spline(stencil: _Stencil, spacing: Sequence[float]) -> np.ndarray:
    """Return the polyharmonic spline from ring to hole, float32 ``(ring, hole)``: a thin plate's Green's function.

    With the kernel ``K`` among the ring's voxels and the polynomials ``P`` there, the weights ``W`` of a place with
    kernel ``k`` and polynomials ``p`` solve ``[K P; P' 0] [W; V] = [k; p]``. One solution a voxel of the hole takes a
    quarter of the time of ``scipy.interpolate.RBFInterpolator``, which needs one for each voxel of the ring.
    """
    from scipy.linalg import solve
    from scipy.spatial.distance import cdist

    ring, hole = (
        np.stack(np.unravel_index(which, stencil.shape), axis=1) * spacing for which in (stencil.ring, stencil.hole)
    )
    middle = ring.mean(axis=0)
    ring, hole = ring - middle, hole - middle
    scale = np.abs(ring).max() or 1.0
    ring, hole = ring / scale, hole / scale
    # The ring may lie in a plane, or on a line in 2-D: then no slope across it can be known.
    flat = np.linalg.matrix_rank(ring) < ring.shape[1]
    kernel = _distance if flat or ring.shape[1] == 3 else _plate

    def polynomials(points: np.ndarray) -> np.ndarray:
        ones = np.ones((len(points), 1))
        return ones if flat else np.concatenate([ones, points], axis=1)

    known, unknown = polynomials(ring), polynomials(hole)
    terms = known.shape[1]
    system = np.block([[kernel(cdist(ring, ring)), known], [known.T, np.zeros((terms, terms))]])
    right = np.concatenate([kernel(cdist(ring, hole)), unknown.T])
    weights = solve(system, right, assume_a="gen", overwrite_a=True, overwrite_b=True, check_finite=False)
    return np.asarray(weights[: len(ring)], dtype=np.float32)


def _distance(r: np.ndarray) -> np.ndarray:
    """Return ``-|r|``, which solves the biharmonic equation in 3-D."""
    return -r


def _plate(r: np.ndarray) -> np.ndarray:
    """Return ``r^2 log r``, which solves the biharmonic equation in 2-D."""
    return r**2 * np.log(np.maximum(r, 1e-300))


def _cut(array: np.ndarray, box: Box, outside: float) -> np.ndarray:
    """Copy a box that may reach beyond the array."""
    inner = grow(box, [0] * array.ndim, array.shape)
    padding = [(i.start - b.start, b.stop - i.stop) for i, b in zip(inner, box, strict=True)]
    return np.pad(array[inner], padding, constant_values=outside)
