"""White matter, found in the image itself: where it lies, how bright it is there, and its noise; in any contrast of MR.

All is computed in blocks of about 2 mm, once an image; what it costs does not depend on the holes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from .foreground import body
from .mask import Box
from .no_data import nearest
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
#: Fewer blocks, or voxels, than this are no white matter.
LEAST = 20

_BINS = 64
_ROUNDS = 4
_STEPS = 50
_LITTLE = 1e-6


@dataclasses.dataclass(frozen=True)
class WhiteMatter:
    """The white matter around each block of an image.

    Attributes:
        mean, deviation: of the white matter around a block, weighted by distance; scaled as :attr:`.Subject.values`.
        distance: mm from a block to the nearest one that holds white matter.
        correlation: of white voxels that are neighbours along each axis.
        steps: voxels of a block along each axis.
    """

    mean: np.ndarray
    deviation: np.ndarray
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


def white_matter(subject: Subject) -> WhiteMatter | None:
    """Return the white matter of an MR image, found once an image; None where there is none.

    White matter is the largest tissue deep in a brain and the smoothest, whatever the contrast. So it is the highest
    peak of the intensities of the smoothest third of all deep blocks, and of what has such intensities the connected
    parts that reach deep: fat of the scalp can be as bright, but is not connected with them.
    """
    return subject.cached(white_matter, lambda: _measure(subject))


def _measure(subject: Subject) -> WhiteMatter | None:
    """Measure mean and noise of the white voxels."""
    from scipy import ndimage

    steps = tuple(
        max(1, min(round(BLOCK / mm), size)) for mm, size in zip(subject.spacing, subject.hole.shape, strict=True)
    )
    spacing = tuple(mm * step for mm, step in zip(subject.spacing, steps, strict=True))
    found = _find(subject, steps, spacing)
    if found is None:
        return None
    white = _voxels(subject, *found, steps)
    share = _means(white.astype(np.float32), steps)
    if np.count_nonzero(white) < LEAST or not share.any():
        return None
    level = found[0]
    # Less the level, so that squares keep their digits.
    apart = np.where(white, subject.values - _spread_out(level, white.shape, steps), 0)
    weights, first, second = (
        _weighted(each, spacing) for each in (share, _means(apart, steps), _means(apart**2, steps))
    )
    overall = float((apart**2).sum() / np.count_nonzero(white))
    mean = first / (weights + _LITTLE)
    variance = (second + _LITTLE * overall) / (weights + _LITTLE) - mean**2
    return WhiteMatter(
        level + mean,
        np.sqrt(np.maximum(variance, 0)),
        ndimage.distance_transform_edt(share == 0, sampling=spacing),
        tuple(_correlation(subject.values, white, axis) for axis in range(white.ndim)),
        steps,
    )


def _find(
    subject: Subject, steps: Sequence[int], spacing: Sequence[float]
) -> tuple[np.ndarray, np.ndarray, tuple[float, float]] | None:
    """Return the level of white matter in each block, the blocks in which it may lie, and the range of its means.

    The range is relative to the level.
    """
    from scipy import ndimage

    share = _means((~subject.hole).astype(np.float32), steps)
    if not share.any():
        return None
    means = nearest(_means(subject.values, steps) / np.maximum(share, _LITTLE), share == 0, spacing)
    inside = body(means, subject.modality) & (share >= 0.5)
    deep = inside & _is_deep(body(means, subject.modality), spacing)
    if np.count_nonzero(deep) < LEAST:
        return None
    roughness = _roughness(means)
    smooth = deep & (roughness <= np.quantile(roughness[deep], SMOOTH))
    level, near = np.zeros_like(means), deep
    for _ in range(_ROUNDS):
        apart = means - level
        low, high = _ends(apart[near], *_peak(apart[smooth]))
        white = _connected(inside & (apart >= low) & (apart <= high), deep)
        if np.count_nonzero(white) < LEAST:
            return None
        near = inside & (ndimage.distance_transform_edt(~white, sampling=spacing) <= AROUND)
        level = _field(means, white, spacing)
    # The ends belong to the last but one level, which differs little.
    return level, ndimage.binary_dilation(white), (low, high)


def _voxels(
    subject: Subject, level: np.ndarray, tract: np.ndarray, ends: tuple[float, float], steps: Sequence[int]
) -> np.ndarray:
    """Mark the known voxels that are white matter, as are those around them.

    Single voxels are not judged by their own values: their noise stays as it is, and does not shift the mean.
    """
    from scipy import ndimage

    known = ~subject.hole
    sizes = [max(1, round((WITHIN / mm - 1) / 2) * 2 + 1) for mm in subject.spacing]
    share = ndimage.uniform_filter(known.astype(np.float32), sizes)
    # Values are 0 where they are not known.
    apart = ndimage.uniform_filter(subject.values, sizes) / np.maximum(share, _LITTLE)
    apart -= _spread_out(level, known.shape, steps)
    return known & _spread_out(tract, known.shape, steps) & (apart >= ends[0]) & (apart <= ends[1])


def _means(array: np.ndarray, steps: Sequence[int]) -> np.ndarray:
    """Return the means of blocks, float32; what is left over at the far ends is left out."""
    counts = [size // step for size, step in zip(array.shape, steps, strict=True)]
    whole = array[tuple(slice(count * step) for count, step in zip(counts, steps, strict=True))]
    shape = [length for pair in zip(counts, steps, strict=True) for length in pair]
    return whole.reshape(shape).mean(axis=tuple(range(1, 2 * array.ndim, 2)), dtype=np.float32)


def _spread_out(blocks: np.ndarray, shape: Sequence[int], steps: Sequence[int]) -> np.ndarray:
    """Return for each voxel the value of its block; at the far ends, that of the last block."""
    at = [
        np.minimum(np.arange(size) // step, count - 1)
        for size, step, count in zip(shape, steps, blocks.shape, strict=True)
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
    heights = ndimage.gaussian_filter1d(counts.astype(np.float64), 1.0, mode="constant")
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


def _correlation(values: np.ndarray, white: np.ndarray, axis: int) -> float:
    """Return the correlation of neighbours along an axis, both white; from their differences, which hold no field.

    The variance of a difference is 2 (1 - c) times that of one voxel.
    """
    values, white = np.moveaxis(values, axis, 0), np.moveaxis(white, axis, 0)
    both = white[1:] & white[:-1]
    if np.count_nonzero(both) < LEAST:
        return 0.0
    first, second = values[1:][both], values[:-1][both]
    variance = (first.var(dtype=np.float64) + second.var(dtype=np.float64)) / 2
    return float(1 - (first - second).var(dtype=np.float64) / (2 * variance)) if variance > 0 else 0.0
