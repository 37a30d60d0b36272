"""Registration of an image with its own mirror image.

With numpy and scipy alone: small Gauss-Newton systems over a coarse grid take a second where a general registration
takes fifteen, and no threads or random samples change the result.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from .progress import Progress
from .subject import Subject

#: mm between the samples of the search, of the plane's refinement and of the affine one.
COARSE, MIDDLE, FINE = 8.0, 4.0, 2.5
#: Mean and contrast within about this many mm are divided out before intensities are compared: scans have bias fields.
NEIGHBOURHOOD = 12.0
#: Fewer samples in the body than FEWEST cannot show a symmetry; more than MOST do not make it more exact.
FEWEST, MOST = 200, 40_000
#: Samples by which the hundreds of first guesses of a plane are compared, and how many of each axis are compared by all
#: samples: the choice of all by all in 21 images of train and val, in 0.4 of the time (in a CT of 17 slices 0.15).
QUICK, FINALISTS = 800, 10
#: In images smaller than this many mm the grids are finer in proportion: mice have a midline too.
FULL_SIZE = 160.0
#: A body that is thinner along an axis than this share of its largest extent has no two sides there, only slices.
THIN = 0.35
#: Tilts of the first guesses of the plane, degrees; Gauss-Newton does the rest.
TILTS = (-24.0, -12.0, 0.0, 12.0, 24.0)
#: The least share of the known body whose mirrored place must be known, too.
LEAST_PAIRS = 0.15
#: How much more symmetric another plane must be than the left-right plane of the header.
HEADER_BONUS = 0.05
#: A left-right plane of the header that is this symmetric is not compared with those of other axes. In 13 heads of
#: train and val left-right planes had 0.52..0.75, others 0.13..0.36; those of smooth phantoms have up to 0.52.
CLEAR = 0.6


@dataclasses.dataclass(frozen=True)
class Symmetry:
    """A reflection with an affine correction: voxel ``x`` has its mirror at ``matrix @ x + offset``.

    Attributes:
        matrix: ``(d, d)``, indices to indices.
        offset: ``(d,)``, in voxels.
        normal: ``(d,)``, unit vector across the mid-sagittal plane, in the frame of :func:`frame`.
        distance: mm of the plane from that frame's origin, along the normal.
        similarity: correlation of what is known on both sides after local normalisation, times the square root of the
            share of the body, hole included, that has its mirrored place in the body; -1..1.
    """

    matrix: np.ndarray
    offset: np.ndarray
    normal: np.ndarray
    distance: float
    similarity: float

    def mirror(self, points: np.ndarray) -> np.ndarray:
        """Return the voxel indices of the mirrors of ``(d, ...)`` voxel indices."""
        return np.tensordot(self.matrix, points, 1) + self.offset.reshape(-1, *(1,) * (points.ndim - 1))


def frame(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """Return ``steps`` and the left-right axis: mm = steps @ index, isometric also for oblique and sheared grids.

    In 2-D the left-right axis is projected onto the slice: shorter than 1, about 0 in a sagittal slice.
    """
    directions = np.reshape(subject.image.direction, (subject.image.array.ndim,) * 2)[:, ::-1][:, list(subject.axes)]
    basis, inner = np.linalg.qr(directions)
    return inner * np.array(subject.spacing), basis[0]


@dataclasses.dataclass(frozen=True)
class _Level:
    """The image on a coarser grid.

    Attributes:
        values: float32, locally normalised, 0 where nothing is known.
        weight: float32, 0..1: the share of each voxel that is known and in the body.
        body: float32, 1 in the body, the hole included, else 0.
        steps: mm = steps @ index.
        start: mm of index 0.
        most: samples.
    """

    values: np.ndarray
    weight: np.ndarray
    body: np.ndarray
    steps: np.ndarray
    start: np.ndarray
    most: int = MOST

    @functools.cached_property
    def samples(self) -> tuple[np.ndarray, np.ndarray]:
        """mm ``(d, n)`` and values ``(n,)`` of evenly spread samples of the known body."""
        where, points = self._spread(self.weight)
        return points, self.values[where]

    @functools.cached_property
    def outline(self) -> np.ndarray:
        """mm ``(d, n)`` of evenly spread samples of the body, known or not."""
        return self._spread(self.body)[1]

    def _spread(self, weight: np.ndarray) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        where = np.array(np.nonzero(weight > 0.5))
        where = where[:, :: max(1, -(-where.shape[1] // self.most))]
        return tuple(where), self.steps @ where + self.start[:, np.newaxis]

    def index(self, points: np.ndarray) -> np.ndarray:
        return np.linalg.inv(self.steps) @ (points - self.start[:, np.newaxis])

    @functools.cached_property
    def slopes(self) -> np.ndarray:
        """The derivatives of the values, ``(d, *shape)``, per mm."""
        along = np.array(np.gradient(self.values))
        return np.tensordot(np.linalg.inv(self.steps).T, along, 1).astype(np.float32)


def block_mean(array: np.ndarray, strides: Sequence[int]) -> np.ndarray:
    """Return means over blocks; incomplete blocks at the far borders are dropped."""
    for axis, stride in enumerate(strides):
        if stride == 1:
            continue
        count = array.shape[axis] // stride
        kept = array[(slice(None),) * axis + (slice(0, count * stride),)]
        array = kept.reshape(*array.shape[:axis], count, stride, *array.shape[axis + 1 :]).mean(axis + 1)
    return array


def normalised(values: np.ndarray, weight: np.ndarray, sigma: Sequence[float], floor: float) -> np.ndarray:
    """Remove mean and contrast within a Gaussian neighbourhood; 0 where ``weight`` is 0.

    Args:
        values: real.
        weight: float, the same shape; what it leaves out does not count.
        sigma: of the neighbourhood, voxels an axis.
        floor: of the contrast; what varies less is noise.
    """
    from scipy import ndimage

    def smooth(array: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(array, sigma, mode="constant", truncate=3.0)

    total = np.maximum(smooth(weight), 1e-6)
    centred = values - smooth(values * weight) / total
    contrast = np.sqrt(np.maximum(smooth(centred**2 * weight) / total, 0.0))
    return np.where(weight > 0, centred / np.maximum(contrast, floor), 0.0).astype(np.float32)


def level(subject: Subject, mm: float) -> _Level:
    """Return the image at about ``mm`` between samples, normalised, with its body as the weight."""
    steps, _ = frame(subject)
    mm *= min(1.0, _longest(subject) / FULL_SIZE)
    strides = [
        max(1, min(round(mm / step), size)) for step, size in zip(subject.spacing, subject.values.shape, strict=True)
    ]
    known = block_mean((~subject.hole).astype(np.float32), strides)
    values = block_mean(contrasted(subject), strides) / np.maximum(known, 1e-3)
    hidden = ~(known > 0.5) if subject.no_data is None else block_mean(_under_the_hole(subject), strides) >= 0.5
    inside = _body(values, hidden)
    weight = np.where(inside & (known > 0.5), known, 0.0).astype(np.float32)
    reach = NEIGHBOURHOOD * min(1.0, _longest(subject) / FULL_SIZE)
    sigma = [reach / (step * stride) for step, stride in zip(subject.spacing, strides, strict=True)]
    return _Level(
        normalised(values, weight, sigma, 0.05),
        weight,
        inside.astype(np.float32),
        steps * np.array(strides),
        steps @ ((np.array(strides) - 1) / 2),
    )


def _under_the_hole(subject: Subject) -> np.ndarray:
    """Return 1 where voxels are to be filled, float32: there may be body, unlike where there is no data."""
    return subject.squeeze(subject.whole.full()).astype(np.float32)


def _longest(subject: Subject) -> float:
    return max(size * mm for size, mm in zip(subject.values.shape, subject.spacing, strict=True))


def contrasted(subject: Subject) -> np.ndarray:
    """Return ``subject.values``, a CT's registration window as 0..1; background and hole are 0."""
    values = subject.values
    if subject.modality.registration_window is not None:
        low, high = subject.scaling.forward(np.array(subject.modality.registration_window))
        values = (values - low) / (high - low)
    return np.where(subject.hole, 0.0, np.clip(values, 0.0, 1.5)).astype(np.float32)


def _body(values: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Return the largest part that is brighter than the background or hidden, its gaps filled."""
    from scipy import ndimage

    bright = values > 0.05
    labels, count = ndimage.label(bright | hidden)
    if count == 0:
        return bright
    largest = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    return ndimage.binary_fill_holes(largest)


def find_symmetry(subject: Subject, progress: Progress | None = None) -> Symmetry | None:
    """Find the plane of most symmetry, comparing neither hole nor its mirror image, and refine it to an affine map.

    Returns:
        None when the image is too small.

    Source: Nachev et al., Enantiomorphic normalization of focally lesioned brains, NeuroImage 39:1215, 2008.
    """
    progress = progress or Progress()
    _, left = frame(subject)
    coarse = level(subject, COARSE)
    middle = level(subject, MIDDLE)
    if np.count_nonzero(middle.weight > 0.5) < FEWEST or min(*coarse.values.shape, *middle.values.shape) < 2:
        return None
    plane = _find_plane(coarse, middle, left, progress.part(0.1, 0.6))
    if plane is None:
        return None
    progress.update(0.6, "Finding the midline")
    matrix, shift = reflection(plane)
    fine = level(subject, FINE)
    for step, at in enumerate([middle] if fine.values.shape == middle.values.shape else [middle, fine]):
        matrix, shift = _fit_affine(at, matrix, shift)
        progress.update(0.7 + 0.15 * step, FITTING)
    steps, _ = frame(subject)
    inverse = np.linalg.inv(steps)
    return Symmetry(
        inverse @ matrix @ steps,
        inverse @ shift,
        plane[:-1],
        float(plane[-1]),
        _similarity(middle, matrix, shift),
    )


def reflection(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ``matrix`` and ``shift`` (mm) of the reflection about ``(*normal, distance)``."""
    normal, distance = plane[:-1], plane[-1]
    return np.eye(len(normal)) - 2 * np.outer(normal, normal), 2 * distance * normal


def _find_plane(coarse: _Level, middle: _Level, left: np.ndarray, progress: Progress) -> np.ndarray | None:
    """Return the best plane near the header's left-right axis or near an axis of the grid; None without a body."""
    points, _ = coarse.samples
    if points.shape[1] < 10:
        return None
    centre, radius = points.mean(axis=1), points.std(axis=1).max()
    axes = [(left / np.linalg.norm(left), HEADER_BONUS)] if np.linalg.norm(left) > 0.5 else []
    grid = [axis / np.linalg.norm(axis) for axis in coarse.steps.T]
    # The planes near the header's axis need not be looked at twice.
    axes += [(axis, 0.0) for axis in grid if not any(abs(axis @ other) > 0.98 for other, _ in axes)]
    axes = [(axis, bonus) for axis, bonus in axes if np.std(axis @ points) > THIN * radius]
    quick = dataclasses.replace(coarse, most=QUICK)
    best, highest = None, -np.inf
    for number, (axis, bonus) in enumerate(axes):
        progress.update(number / len(axes), "Finding the midline")
        guesses = sorted(_planes(axis, centre, radius), key=lambda plane: _similarity(quick, *reflection(plane)))
        guess = max(guesses[-FINALISTS:], key=lambda plane: _similarity(coarse, *reflection(plane)))
        plane = _fit_plane(middle, guess)
        similarity = _similarity(middle, *reflection(plane))
        if similarity + bonus > highest:
            best, highest = plane, similarity + bonus
        if bonus and similarity >= CLEAR:
            break
    return best


def _planes(axis: np.ndarray, centre: np.ndarray, radius: float) -> Iterator[np.ndarray]:
    """Yield planes roughly across ``axis``: tilted both ways, through the centre of the body and beside it."""
    across = np.linalg.svd(axis[np.newaxis])[2][1:]
    for tilts in itertools.product(np.tan(np.radians(TILTS)), repeat=len(across)):
        normal = axis + np.dot(tilts, across)
        normal = normal / np.linalg.norm(normal)
        for offset in np.linspace(-0.6, 0.6, 9) * radius:
            yield np.append(normal, normal @ centre + offset)


def sample(array: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Interpolate an array linearly at indices ``(d, ...)``; 0 outside of it."""
    from scipy import ndimage

    return ndimage.map_coordinates(array, index, order=1, mode="constant", cval=0.0, prefilter=False)


def _similarity(at: _Level, matrix: np.ndarray, shift: np.ndarray) -> float:
    """Return the correlation over pairs of known voxels, times the square root of the share of the body on the body.

    Planes at the rim of the body compare few voxels, which may fit by chance, so the second factor; a large hole leaves
    few pairs at the right plane, too, so its voxels count as body there, known or not.
    """
    points, own = at.samples
    mirrored = at.index(matrix @ points + shift[:, np.newaxis])
    both = sample(at.weight, mirrored) > 0.5
    on_body = sample(at.body, at.index(matrix @ at.outline + shift[:, np.newaxis])) > 0.5
    if np.count_nonzero(both) < max(LEAST_PAIRS * own.size, 10):
        return -1.0
    a, b = own[both], sample(at.values, mirrored[:, both])
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size * float(np.sqrt(on_body.mean())) if size > 0 else -1.0


def _fit_plane(at: _Level, plane: np.ndarray, iterations: int = 8) -> np.ndarray:
    """Fit tilt and distance of the plane by Gauss-Newton."""
    normal, distance = plane[:-1], float(plane[-1])
    points, _ = at.samples
    for _ in range(iterations):
        across = np.linalg.svd(normal[np.newaxis])[2][1:]
        matrix, shift = reflection(np.append(normal, distance))
        centre = points.mean(axis=1, keepdims=True)
        # mirrored = x - 2 (n x - c) n; about the body's centre, where tilt and distance hardly depend on each other
        behind = normal @ points - distance
        moves = [-2 * (np.outer(normal, one @ (points - centre)) + np.outer(one, behind)) for one in across] + [
            np.repeat(2 * normal[:, np.newaxis], points.shape[1], axis=1)
        ]
        step = _gauss_newton(at, matrix, shift, moves)
        pivot = normal @ centre[:, 0] - distance
        normal = normal + step[:-1] @ across
        normal = normal / np.linalg.norm(normal)
        distance = float(normal @ centre[:, 0] - pivot + step[-1])
        if np.abs(step).max() < 1e-4:
            break
    return np.append(normal, distance)


def _fit_affine(
    at: _Level, matrix: np.ndarray, shift: np.ndarray, iterations: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a whole affine map by Gauss-Newton, in mm."""
    points, _ = at.samples
    size = len(points)
    scale = points.std()
    for _ in range(iterations):
        centre = points.mean(axis=1, keepdims=True)
        centred = (points - centre) / scale
        ones = np.eye(size)
        moves = [np.outer(ones[to], centred[of]) for to in range(size) for of in range(size)]
        moves += [np.repeat(ones[to][:, np.newaxis], points.shape[1], axis=1) for to in range(size)]
        step = _gauss_newton(at, matrix, shift, moves)
        turn = step[: size * size].reshape(size, size) / scale
        matrix = matrix + turn
        shift = shift + step[size * size :] - turn @ centre[:, 0]
        if np.abs(step).max() < 0.02:
            break
    return matrix, shift


def _gauss_newton(at: _Level, matrix: np.ndarray, shift: np.ndarray, moves: Sequence[np.ndarray]) -> np.ndarray:
    """Return the step of the parameters that brings the image under ``matrix @ x + shift`` nearest to the image at x.

    Args:
        moves: for each parameter, the mm by which it moves each mirrored point: ``(d, n)``.
    """
    points, own = at.samples
    mirrored = at.index(matrix @ points + shift[:, np.newaxis])
    opposite, weight = sample(at.values, mirrored), sample(at.weight, mirrored)
    slopes = np.array([sample(slope, mirrored) for slope in at.slopes])
    residual = own - opposite
    # Differences above twice the median are lesions or one-sided anatomy and weigh little (Cauchy's weights).
    usual = 2 * np.median(np.abs(residual[weight > 0.5])) if (weight > 0.5).any() else 1.0
    weight = np.where(weight > 0.5, weight, 0.0) / (1 + (residual / max(usual, 1e-6)) ** 2)
    columns = np.array([(slopes * move).sum(axis=0) for move in moves])
    normal_matrix = (columns * weight) @ columns.T
    right = (columns * weight) @ residual
    ridge = 1e-6 * max(float(np.trace(normal_matrix)), 1e-12) / len(moves)
    return np.linalg.solve(normal_matrix + ridge * np.eye(len(moves)), right)


#: Local fit, coarse to fine: mm between samples, sigma in mm of the window, iterations. Windows of 3.5 mm fit the shell
#: better and the hole worse (correlation of detail in the hole 0.31 instead of 0.33; 30 lateral spheres of 20 mm); a
#: third level of 1 mm gave 0.35 at best, in six times the time.
LOCAL = ((3.0, 8.0, 6), (2.0, 5.0, 6))
#: The largest move of a window in one iteration, mm.
FARTHEST = 3.0
#: Texture known within the first window, as a share of the usual, up to which the local fit is dropped, and from which
#: on it is kept. In 20 mm balls it gains (10 balls each in two heads: +1.8 and +1.2 dB of the mirror image over
#: the affine map alone); in a stroke of 140 ml, whose rim alone decides, it loses 1.8 dB, within these bounds none.
SUPPORT = (0.3, 0.5)


#: What users are told that is done.
FITTING = "Fitting the mirror image"


def fit_locally(
    fixed: np.ndarray,
    known: np.ndarray,
    moving: np.ndarray,
    usable: np.ndarray,
    spacing: Sequence[float],
    progress: Progress | None = None,
) -> np.ndarray:
    """Return the shift in mm from each voxel of ``fixed`` to the same anatomy in ``moving``.

    Lucas and Kanade's windows (An iterative image registration technique, IJCAI 1981), Gaussian, coarse to fine. Voxels
    that are not known have no weight, so inside a hole the surroundings decide; deep in a large one, where they say
    little (:data:`SUPPORT`), the shift is 0.

    Args:
        fixed, moving: float, on one grid.
        known, usable: bool, the voxels of ``fixed`` and of ``moving`` that count.
        spacing: mm, in the order of the axes.
        progress: reports and cancels.

    Returns:
        float32 ``(d, *shape)``, mm.
    """
    from scipy import ndimage

    aside = np.zeros((fixed.ndim, *fixed.shape), dtype=np.float32)
    trusted = None
    progress = progress or Progress()
    # A step's time follows its samples.
    shares = progress.remaining(*(iterations / mm**fixed.ndim for mm, _, iterations in LOCAL))
    for share, (mm, window, iterations) in zip(shares, LOCAL, strict=True):
        strides = [max(1, min(round(mm / step), size // 2)) for step, size in zip(spacing, fixed.shape, strict=True)]
        steps = [step * stride for step, stride in zip(spacing, strides, strict=True)]
        fixed_means, fixed_known = _thinned(fixed, known, strides, steps)
        moving_means, moving_known = _thinned(moving, usable, strides, steps)
        shift = np.array([block_mean(part, strides) for part in aside])
        trust = _support(fixed_means, fixed_known * moving_known, [window / step for step in steps])
        for step_number in range(iterations):
            share.update(step_number / iterations, FITTING)
            shift = shift + _window_step(fixed_means, fixed_known, moving_means, moving_known, shift, steps, window)
            soft = [window / 4 / step for step in steps]
            shift = np.array([ndimage.gaussian_filter(part, soft, mode="nearest") for part in shift])
        aside = np.array([_refined(part, strides, fixed.shape) for part in shift])
        trusted = _refined(trust, strides, fixed.shape) if trusted is None else trusted
    return aside if trusted is None else aside * trusted


def _support(values: np.ndarray, weight: np.ndarray, sigma: Sequence[float]) -> np.ndarray:
    """Return how far to trust the local fit, 0..1, by the texture (1 on average) that is known in each window."""
    from scipy import ndimage

    # A single bright edge is no better evidence than two usual voxels.
    texture = weight * np.minimum(values**2, 2.0)
    low, high = SUPPORT
    known = ndimage.gaussian_filter(texture, sigma, mode="nearest", truncate=3.0)
    return np.clip((known - low) / (high - low), 0.0, 1.0)


def _refined(array: np.ndarray, strides: Sequence[int], shape: Sequence[int]) -> np.ndarray:
    """Return block means interpolated linearly, axis by axis, to the grid of ``shape`` that they were made from."""
    for axis, (stride, size) in enumerate(zip(strides, shape, strict=True)):
        at = np.clip((np.arange(size) + 0.5) / stride - 0.5, 0, array.shape[axis] - 1)
        low = np.minimum(at.astype(int), max(array.shape[axis] - 2, 0))
        share = (at - low).astype(np.float32).reshape(-1, *(1,) * (array.ndim - axis - 1))
        high = np.minimum(low + 1, array.shape[axis] - 1)
        array = array.take(low, axis) * (1 - share) + array.take(high, axis) * share
    return array


def _thinned(
    values: np.ndarray, known: np.ndarray, strides: Sequence[int], steps: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    share = block_mean(known.astype(np.float32), strides)
    means = block_mean(np.where(known, values, 0.0), strides) / np.maximum(share, 0.1)
    weight = (share > 0.6).astype(np.float32)
    return normalised(means, weight, [10.0 / step for step in steps], 0.03), weight


def _window_step(
    fixed: np.ndarray,
    known: np.ndarray,
    moving: np.ndarray,
    usable: np.ndarray,
    shift: np.ndarray,
    steps: Sequence[float],
    window: float,
) -> np.ndarray:
    """Return one Gauss-Newton step of every window, mm."""
    from scipy import ndimage

    size = fixed.ndim
    at = np.indices(fixed.shape) + shift / np.reshape(steps, (-1, *(1,) * size))
    moved = sample(moving, at).astype(np.float32)
    weight = known * (sample(usable, at) > 0.9)
    slopes = (np.array(np.gradient(moved, *steps)) + np.array(np.gradient(fixed, *steps))) / 2
    residual = (fixed - moved) * weight
    usual = 2 * np.median(np.abs(residual[weight > 0])) if weight.any() else 1.0
    weight = weight / (1 + (residual / max(usual, 1e-6)) ** 2)
    sigma = [window / step for step in steps]

    def mean(array: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(array, sigma, mode="nearest", truncate=3.0)

    # Divided by the weight in the window: in the middle of a hole only few voxels are known.
    total = np.maximum(mean(weight), 1e-4)
    tensor = np.empty((size, size, *fixed.shape), dtype=np.float32)
    right = np.empty((size, *fixed.shape), dtype=np.float32)
    for row in range(size):
        for column in range(row, size):
            tensor[row, column] = tensor[column, row] = mean(weight * slopes[row] * slopes[column]) / total
        right[row] = mean(weight * slopes[row] * residual) / total
    diagonal = np.arange(size)
    tensor[diagonal, diagonal] += 0.03 * np.median(tensor[diagonal, diagonal].sum(axis=0)) + 1e-6
    step = _solved(tensor, right)
    length = np.sqrt((step**2).sum(axis=0))
    return step * np.minimum(1.0, FARTHEST / np.maximum(length, 1e-6))


def _solved(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve one small positive definite system a voxel; changes both arguments.

    By elimination over whole arrays; ``numpy.linalg.solve`` on stacked matrices took a sixth of the local fit's time.

    Args:
        matrix: ``(d, d, *shape)``.
        right: ``(d, *shape)``.
    """
    size = len(right)
    for row in range(size):
        for below in range(row + 1, size):
            factor = matrix[below, row] / matrix[row, row]
            matrix[below, row:] -= factor * matrix[row, row:]
            right[below] -= factor * right[row]
    for row in reversed(range(size)):
        for after in range(row + 1, size):
            right[row] -= matrix[row, after] * right[after]
        right[row] /= matrix[row, row]
    return right
