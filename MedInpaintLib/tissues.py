"""White matter, found in the image itself: where it lies, how bright it is there, and its noise; in any contrast of MR.

The search works on blocks of about 2 mm, and the image is read slab by slab: 300 x 512 x 512 voxels need no float copy
of the image. It runs once an image; what it costs does not depend on the holes.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np

from .foreground import body
from .mask import Box, bounding_box, grow
from .modality import Modality
from .no_data import nearest
from .progress import Progress
from .region import Region, crop
from .subject import Subject

#: mm across a block: means of blocks are cheap, and have less noise.
BLOCK = 2.0
#: Share of the greatest depth below the surface of the head, or of the brain where the skull was removed, below which
#: there is hardly any cortex.
DEEP = 0.4
#: Share of the deep blocks, the smoothest, in which white matter is the largest tissue.
SMOOTH = 1 / 3
#: Deviations from the peak of white matter to its ends, at most: towards another tissue, and where there is none (in T1
#: nothing is brighter, and white matter itself differs by a third from place to place).
NEAR, FAR = 2.5, 4.0
#: mm around the white matter in which the other tissues are looked for: this does not reach the scalp.
AROUND = 8.0
#: Each hemisphere may be a part of its own: parts with this share of the deep blocks of the largest one count.
PART = 0.1
#: mm, standard deviation of the neighbourhood over which the level of white matter is averaged: it follows the bias
#: field, and no anatomy.
FIELD = 15.0
#: mm across the neighbourhood whose mean must look like white matter: this leaves out voxels that touch other tissue.
WITHIN = 3.0
#: mm, standard deviations of the Gaussians whose sum weights white matter by its distance: the small one follows what
#: lies beside a hole, the large ones reach into the middle of large holes.
SCALES = (1.0, 2.0, 4.0, 8.0)
#: Neighbours in a block differ by noise, and not by anatomy, if their mean square is at most so many times its median
#: over all blocks. Without a limit, 205 voxels of grey matter among 55,000 made the noise 1.4 times too large; with 8
#: it is right within 10 % there. With 4, fills are 0.71 to 0.95 times as rough as the white matter of six heads.
CALM = 8.0
#: Fewer blocks, or voxels, than this are no white matter.
LEAST = 20

#: Voxels of a slab, about: its float copies take 16 MB each.
SLAB = 2**22

_STAGE = "Finding white matter"
_BINS = 64
_ROUNDS = 4
_STEPS = 50
_LITTLE = 1e-6
#: The least ratio of squared differences that weights (a, 1, a) can give, with a = 0.62.
_LEAST_RATIO = (3 - math.sqrt(5)) / 2


@dataclasses.dataclass(frozen=True)
class WhiteMatter:
    """The white matter around each block of an image.

    Attributes:
        mean, deviation: of the white matter around a block, weighted by distance; float32, scaled as
            :attr:`.Subject.values`. The deviation holds anatomy, too.
        noise: standard deviation of the noise around a block, float32, scaled likewise.
        distance: mm from a block to the nearest one that holds white matter.
        correlation: of the noise of voxels that are neighbours along each axis.
        steps: voxels of a block along each axis.
    """

    mean: np.ndarray
    deviation: np.ndarray
    noise: np.ndarray
    distance: np.ndarray
    correlation: tuple[float, ...]
    steps: tuple[int, ...]

    def at(self, blocks: np.ndarray, voxels: np.ndarray, place: Box) -> np.ndarray:
        """Return an array of blocks at some voxels, interpolated linearly.

        Args:
            blocks: one of this object's arrays.
            voxels: bool array of a box of the subject's arrays, True = wanted.
            place: the box.

        Returns:
            1-D, in C order.
        """
        from scipy import ndimage

        inside = np.nonzero(voxels)
        at = [
            (index + side.start - (step - 1) / 2) / step
            for index, side, step in zip(inside, place, self.steps, strict=True)
        ]
        return ndimage.map_coordinates(blocks, at, order=1, mode="nearest")


def white_matter(subject: Subject, progress: Progress | None = None) -> WhiteMatter | None:
    """Return the white matter of an MR image, measured once an image; None where there is none.

    White matter is the largest tissue deep in a brain and the smoothest, whatever the contrast. So it is the highest
    peak of the intensities of the smoothest third of all deep blocks, and of what has such intensities the connected
    parts that reach deep: fat of the scalp can be as bright, but is not connected with them.

    Args:
        subject: the image.
        progress: reports and cancels.
    """
    return subject.cached(white_matter, lambda: _measure(subject, progress or Progress()))


@dataclasses.dataclass(frozen=True)
class _Tract:
    """Where white matter may lie.

    Attributes:
        level: of white matter in each block, float32.
        blocks: bool, True = may hold white matter.
        ends: range of the means that white matter has, relative to the level.
    """

    level: np.ndarray
    blocks: np.ndarray
    ends: tuple[float, float]


def _measure(subject: Subject, progress: Progress) -> WhiteMatter | None:
    """Measure mean and noise of the white voxels."""
    from scipy import ndimage

    steps = tuple(
        max(1, min(round(BLOCK / mm), size)) for mm, size in zip(subject.spacing, _shape(subject), strict=True)
    )
    spacing = tuple(mm * step for mm, step in zip(subject.spacing, steps, strict=True))
    means, known = _block_means(subject, steps, progress.part(0.0, 0.2))
    tract = _find(means, known, subject.modality, spacing, progress.part(0.2, 0.5))
    if tract is None:
        return None
    sums = _sum_up(subject, tract, steps, progress.part(0.5, 1.0))
    if sums.white.sum(dtype=np.float64) * math.prod(steps) < LEAST:
        return None
    weights, first, second = (_weighted(each, spacing) for each in (sums.white, sums.first, sums.second))
    overall = float(sums.second.sum(dtype=np.float64) / sums.white.sum(dtype=np.float64))
    mean = first / (weights + _LITTLE)
    variance = (second + _LITTLE * overall) / (weights + _LITTLE) - mean**2
    calm = _calm(sums)
    pairs, squares = (np.where(calm, array, 0) for array in (sums.pairs, sums.squares))
    noise, correlation = _noise(_total(pairs, steps), _total(squares, steps), overall)
    return WhiteMatter(
        tract.level + mean,
        np.sqrt(np.maximum(variance, 0)),
        np.sqrt(noise * _relative(squares[:, 0].sum(axis=0), pairs[:, 0].sum(axis=0), spacing)),
        ndimage.distance_transform_edt(sums.white == 0, sampling=spacing),
        correlation,
        steps,
    )


def _block_means(subject: Subject, steps: Sequence[int], progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of the known voxels of each block, and the share of voxels that are known; both float32."""
    counts = [size // step for size, step in zip(_shape(subject), steps, strict=True)]
    sums, known = np.empty(counts, dtype=np.float32), np.empty(counts, dtype=np.float32)
    for blocks, done in _slabs(tuple(slice(0, count) for count in counts), steps):
        progress.update(done, _STAGE)
        region = _cut(subject, _voxels_of(blocks, steps))
        # Values are 0 where they are not known.
        sums[blocks] = _means(region.values, steps)
        known[blocks] = 1 - _means(region.hole, steps) if region.hole.any() else 1
    return sums / np.maximum(known, _LITTLE), known


def _find(
    means: np.ndarray, known: np.ndarray, modality: Modality, spacing: Sequence[float], progress: Progress
) -> _Tract | None:
    """Find the blocks in which white matter may lie; None where there are too few.

    Args:
        means: of the known voxels of each block.
        known: share of the voxels of each block that are known.
        modality: of the image.
        spacing: mm, of the blocks.
        progress: reports and cancels.
    """
    from scipy import ndimage

    if not known.any():
        return None
    means = nearest(means, known == 0, spacing)
    head = body(means, modality)
    inside = head & (known >= 0.5)
    deep = inside & _is_deep(head, spacing)
    if np.count_nonzero(deep) < LEAST:
        return None
    roughness = _roughness(means)
    smooth = deep & (roughness <= np.quantile(roughness[deep], SMOOTH))
    level, near = (
        np.zeros_like(means),
        inside,
    )
    for number in range(_ROUNDS):
        progress.update(number / _ROUNDS, _STAGE)
        apart = means - level
        low, high = _ends(apart[near], *_peak(apart[smooth]))
        white = _connected(inside & (apart >= low) & (apart <= high), deep)
        if np.count_nonzero(white) < LEAST:
            return None
        near = inside & (ndimage.distance_transform_edt(~white, sampling=spacing) <= AROUND)
        level = _field(means, white, spacing)
    # The ends belong to the last but one level, which differs little.
    return _Tract(level, ndimage.binary_dilation(white), (low, high))


@dataclasses.dataclass(frozen=True)
class _Sums:
    """What is known of white voxels, as means over the voxels of each block (float32).

    Attributes:
        white: share of the voxels that are white matter.
        first, second: values less the level, and their squares; 0 where there is no white matter.
        pairs: ``(axes, 2, *blocks)``: of white voxels that lie one and two voxels apart along an axis, a voxel.
        squares: of the differences of these pairs, of the same shape.
    """

    white: np.ndarray
    first: np.ndarray
    second: np.ndarray
    pairs: np.ndarray
    squares: np.ndarray

    @classmethod
    def zeros(cls, shape: Sequence[int]) -> _Sums:
        """Return sums over nothing, for so many blocks along each axis."""
        white, first, second = np.zeros((3, *shape), dtype=np.float32)
        pairs, squares = np.zeros((2, len(shape), 2, *shape), dtype=np.float32)
        return cls(white, first, second, pairs, squares)


def _sum_up(subject: Subject, tract: _Tract, steps: Sequence[int], progress: Progress) -> _Sums:
    """Sum up the white voxels and the differences between them."""
    sums = _Sums.zeros(tract.level.shape)
    box = bounding_box(tract.blocks)
    assert box is not None  # there is white matter
    for blocks, done in _slabs(box, steps):
        progress.update(done, _STAGE)
        if not tract.blocks[blocks].any():
            continue
        own = _voxels_of(blocks, steps)
        values, white = _white_voxels(subject, tract, own, steps)
        inside = tuple(slice(0, side.stop - side.start) for side in own)
        apart = np.where(white[inside], values[inside] - _spread_out(tract.level, own, steps), np.float32(0))
        sums.white[blocks] = _means(white[inside], steps)
        # Less the level, so that squares keep their digits.
        sums.first[blocks] = _means(apart, steps)
        sums.second[blocks] = _means(apart**2, steps)
        for axis in range(apart.ndim):
            for lag in (1, 2):
                both, square = _differences(values, white, apart.shape, axis, lag)
                sums.pairs[axis, lag - 1][blocks] = _means(both, steps)
                sums.squares[axis, lag - 1][blocks] = _means(square, steps)
    return sums


def _white_voxels(subject: Subject, tract: _Tract, own: Box, steps: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a box and the mask of its white voxels, with two voxels more at the far end of each axis.

    A known voxel is white if those around it are so on average. Single voxels are not judged by their own values: their
    noise stays as it is, and does not shift the mean.
    """
    from scipy import ndimage

    sizes = [max(1, round((WITHIN / mm - 1) / 2) * 2 + 1) for mm in subject.spacing]
    shape = _shape(subject)
    outer = grow(own, [size // 2 + 2 for size in sizes], shape)
    region = _cut(subject, outer)
    # Values are 0 where they are not known.
    apart = ndimage.uniform_filter(region.values, sizes)
    if region.hole.any():
        apart /= np.maximum(ndimage.uniform_filter((~region.hole).astype(np.float32), sizes), _LITTLE)
    apart -= _spread_out(tract.level, outer, steps)
    low, high = tract.ends
    white = _spread_out(tract.blocks, outer, steps) & (apart >= low) & (apart <= high) & ~region.hole
    inner = tuple(
        slice(side.start - wide.start, min(side.stop + 2, size) - wide.start)
        for side, wide, size in zip(own, outer, shape, strict=True)
    )
    return region.values[inner], white[inner]


def _differences(
    values: np.ndarray, white: np.ndarray, shape: Sequence[int], axis: int, lag: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return which voxels have a white partner at their far side, and the squared differences of these pairs.

    Args:
        values, white: of a box.
        shape: of its first voxels, whose pairs are returned; the others are only partners.
        axis, lag: where the partner lies, and how many voxels away.

    Returns:
        arrays of ``shape``, bool and float32.
    """
    pairs, squares = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=np.float32)
    count = min(shape[axis], values.shape[axis] - lag)
    if count > 0:
        first, second = (
            tuple(slice(start, start + count) if other == axis else slice(0, size) for other, size in enumerate(shape))
            for start in (0, lag)
        )
        pairs[first] = white[first] & white[second]
        squares[first] = np.where(pairs[first], values[second] - values[first], np.float32(0)) ** 2
    return pairs, squares


def _total(means: np.ndarray, steps: Sequence[int]) -> np.ndarray:
    """Return float64 ``(axes, 2)``: sums over all voxels of means over the voxels of each block."""
    return means.sum(axis=tuple(range(2, means.ndim)), dtype=np.float64) * math.prod(steps)


def _calm(sums: _Sums) -> np.ndarray:
    """Mark the blocks whose neighbours differ as noise does; a few that hold other tissue would add much to it."""
    pairs, squares = sums.pairs[:, 0].sum(axis=0), sums.squares[:, 0].sum(axis=0)
    some = pairs > 0
    if not some.any():
        return some
    return some & (squares <= CALM * np.median(squares[some] / pairs[some]) * pairs)


def _noise(pairs: np.ndarray, squares: np.ndarray, otherwise: float) -> tuple[float, tuple[float, ...]]:
    """Return the variance of the noise, and the correlation of neighbours along each axis.

    Half the mean squared difference of voxels at a distance is the variance times 1 - c, c their correlation, and holds
    hardly any bias field or anatomy. Noise that was white before it was weighted by (a, 1, a) has

        c = 2 a / (1 + 2 a^2)  one voxel apart,  a^2 / (1 + 2 a^2)  two voxels apart,

    so the ratio r of the two differences is (1 - 2 a + 2 a^2) / (1 + a^2), and a = (1 - r) / (1 + sqrt(1 - (2 - r)
    (1 - r))). Anatomy can only add to differences, and slices that are thick hold most: the variance is that of the
    axis on which it is smallest, and the correlations follow from it, so that the neighbours along each axis differ as
    they do in the image.

    Args:
        pairs: float ``(axes, 2)``, number of pairs that lie one and two voxels apart along an axis.
        squares: of the same shape, the sums of their squared differences.
        otherwise: the variance where too few voxels lie beside each other.
    """
    enough = pairs >= LEAST
    halves = squares / np.maximum(2 * pairs, 1)
    variances = []
    for one, two in halves[enough.all(axis=1) & (halves[:, 1] > 0)]:
        r = min(max(one / two, _LEAST_RATIO), 2.0)
        a = (1 - r) / (1 + math.sqrt(max(1 - (2 - r) * (1 - r), 0)))
        variances.append(float(one * (1 + 2 * a**2) / (1 - 2 * a + 2 * a**2)))
    variance = min(variances, default=otherwise)
    if variance == 0:
        return 0.0, (0.0,) * len(pairs)
    correlations = np.where(enough[:, 0], 1 - halves[:, 0] / variance, 0.0)
    return variance, tuple(map(float, correlations))


def _relative(squares: np.ndarray, pairs: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return the mean squared difference around each block over that of the image; 1 far from all white matter.

    It is averaged as widely as the bias field: noise changes slowly, and what is rough in a small place is anatomy.
    """
    overall = squares.sum(dtype=np.float64) / max(pairs.sum(dtype=np.float64), _LITTLE)
    if overall == 0:
        return np.ones_like(squares)
    total, weights = (_gaussian(each, FIELD, spacing) for each in (squares / overall, pairs))
    return (total + 1e-4) / (weights + 1e-4)


def _shape(subject: Subject) -> list[int]:
    """Return the shape of the subject's arrays."""
    return [subject.image.array.shape[axis] for axis in subject.axes]


def _cut(subject: Subject, box: Box) -> Region:
    """Cut a box of the subject's arrays out of the image."""
    whole = [slice(0, size) for size in subject.image.array.shape]
    for axis, side in zip(subject.axes, box, strict=True):
        whole[axis] = side
    return crop(subject, tuple(whole))


def _slabs(box: Box, steps: Sequence[int]) -> Iterator[tuple[Box, float]]:
    """Yield slabs of a box of blocks, each with the share that was done before."""
    first, *rest = box
    layer = math.prod(steps) * math.prod(side.stop - side.start for side in rest)
    thick = max(1, SLAB // layer)
    for start in range(first.start, first.stop, thick):
        done = (start - first.start) / (first.stop - first.start)
        yield (slice(start, min(start + thick, first.stop)), *rest), done


def _voxels_of(blocks: Box, steps: Sequence[int]) -> Box:
    """Return the box of the voxels of a box of blocks."""
    return tuple(slice(side.start * step, side.stop * step) for side, step in zip(blocks, steps, strict=True))


def _means(array: np.ndarray, steps: Sequence[int]) -> np.ndarray:
    """Return the means of blocks, float32."""
    # Axis by axis, from the first: numpy adds whole planes 5 times as fast as it adds up small blocks.
    for axis, step in enumerate(steps):
        split = array.reshape(*array.shape[:axis], -1, step, *array.shape[axis + 1 :])
        array = split.mean(axis=axis + 1, dtype=np.float32)
    return array


def _spread_out(blocks: np.ndarray, box: Box, steps: Sequence[int]) -> np.ndarray:
    """Return for each voxel of a box the value of its block; at the far ends, that of the last block."""
    at = [
        np.minimum(np.arange(side.start, side.stop) // step, count - 1)
        for side, step, count in zip(box, steps, blocks.shape, strict=True)
    ]
    return blocks[np.ix_(*at)]


def _is_deep(head: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Mark the blocks deep inside the head; all, where nothing around it tells how deep a block lies."""
    from scipy import ndimage

    if head.all():
        return head
    depth = ndimage.distance_transform_edt(head, sampling=spacing)
    return depth >= DEEP * depth.max()


def _roughness(means: np.ndarray) -> np.ndarray:
    """Return the variance of each block and its neighbours."""
    from scipy import ndimage

    centred = means - means.mean()
    return ndimage.uniform_filter(centred**2, 3) - ndimage.uniform_filter(centred, 3) ** 2


def _peak(values: np.ndarray) -> tuple[float, float]:
    """Return the highest peak of a histogram and its standard deviation, from the width of its steeper side.

    On the other side there may be a tissue that is hardly brighter or darker.
    """
    from scipy import ndimage

    low, high = np.quantile(values, [0.005, 0.995])
    if high <= low:
        return float(low), 0.0
    counts, edges = np.histogram(values, _BINS, (low, high))
    # Of few values the histogram is rough, and the peak would end at the first gap by chance: of 182 blocks with a
    # deviation of 0.018, as in a slice, after a width of 0.003.
    width = max(1.0, _BINS / (2 * len(values) ** (1 / 3)))
    heights = ndimage.gaussian_filter1d(counts.astype(np.float64), width, mode="constant")
    top = int(np.argmax(heights))
    lower = heights < heights[top] / 2
    below = int(np.argmax(lower[top::-1])) if lower[: top + 1].any() else top + 1
    above = int(np.argmax(lower[top:])) if lower[top:].any() else _BINS - top
    deviation = min(below, above) * (edges[1] - edges[0]) / np.sqrt(2 * np.log(2))
    return float(edges[top] + edges[top + 1]) / 2, float(deviation)


def _ends(values: np.ndarray, peak: float, deviation: float) -> tuple[float, float]:
    """Return the range of the tissue around a peak: towards another tissue half the way or less, else far.

    Args:
        values: of the blocks around the white matter, in which there are three tissues.
        peak, deviation: of the white matter.
    """
    tissues = _three_means(values)
    own = int(np.argmin(np.abs(tissues - peak)))
    low, high = peak - FAR * deviation, peak + FAR * deviation
    if own > 0:
        low = max(peak - NEAR * deviation, (tissues[own - 1] + tissues[own]) / 2)
    if own < 2:
        high = min(peak + NEAR * deviation, (tissues[own] + tissues[own + 1]) / 2)
    return min(low, peak), max(high, peak)


def _three_means(values: np.ndarray) -> np.ndarray:
    """Return the means of three tissues, in ascending order: k-means on a histogram."""
    low, high = np.quantile(values, [0.005, 0.995])
    counts, edges = np.histogram(values, 4 * _BINS, (low, high + 1e-6))
    centres = (edges[1:] + edges[:-1]) / 2
    means = low + (high - low) * np.array([0.2, 0.5, 0.8])
    for _ in range(_STEPS):
        own = np.digitize(centres, (means[1:] + means[:-1]) / 2)
        weights = np.bincount(own, counts, minlength=3)
        means = np.where(weights > 0, np.bincount(own, counts * centres, minlength=3) / np.maximum(weights, 1), means)
    return means


def _connected(tissue: np.ndarray, deep: np.ndarray) -> np.ndarray:
    """Return the connected parts of a tissue that reach deepest; thin bridges do not connect."""
    from scipy import ndimage

    labels, count = ndimage.label(ndimage.binary_opening(tissue))
    if count == 0:
        return np.zeros_like(tissue)
    sizes = np.bincount(labels[deep], minlength=count + 1)
    sizes[0] = 0
    return ndimage.binary_dilation((sizes >= PART * sizes.max())[labels] & (labels > 0)) & tissue


def _field(means: np.ndarray, white: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return the mean of the white blocks around each block; far from all, the mean of all."""
    weights, total = (_gaussian(each, FIELD, spacing) for each in (white, np.where(white, means, 0)))
    overall = means[white].mean()
    return (total + 1e-4 * overall) / (weights + 1e-4)


def _weighted(blocks: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return the sum of all blocks, weighted by their distance from each block."""
    return sum((_gaussian(blocks, scale, spacing) / scale for scale in SCALES), start=np.zeros_like(blocks))


def _gaussian(blocks: np.ndarray, mm: float, spacing: Sequence[float]) -> np.ndarray:
    from scipy import ndimage

    return ndimage.gaussian_filter(blocks.astype(np.float32), [mm / each for each in spacing], mode="constant")
