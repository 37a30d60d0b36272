"""Voxels without data: where nothing was measured, so that a value there is no intensity.

Three kinds: NaN and infinity; what the file declares (a padding value, slices that it lacks); and undeclared codes,
such as the -2000 or -3024 that CT scanners write outside the circle that they reconstruct, the -32768 or -999 of
programs, and fill values such as 1e30. A code is recognised by four signs together: an extreme value that many voxels
share, some of them at the image's border, far from all other values. Zero is never a code: it is the background of a
stripped head, and known; so is the -1000 or -1024 HU of air around soft tissue in a CT. Images of 8 bits have no codes.

No hidden voxel is looked at, and where all voxels hold data there is no array of the image's size.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .errors import MaskError
from .intensity import sample_known
from .mask import Box, Hole, bounding_box, clusters, grow, relative, shift
from .volume import Volume

#: At least this share of the voxels holds a code, and at least so many of the sample: fewer may be outliers.
SHARE, FEWEST = 0.001, 8
#: A code below 0 lies so many robust ranges of the other values below them. Scanners measure no less than -1024 HU, so
#: below that a quarter suffices: the -2000 of a CT lies half a range below air.
APART, APART_BELOW_AIR, LOWEST_AIR = 1.0, 0.25, -1024.0
#: A code above is one of the largest numbers of 15 or 16 bits, or a negative one that lost its sign (-2000 as 63536).
#: It is further away: saturated voxels and burnt-in letters are bright, too.
APART_ABOVE, LEAST_ABOVE = 4.0, 32767.0
#: Air is at most that, HU. Around it, in a CT most values above lung lie within so many HU of water, and over a range
#: of so many, as noise alone does: a map of fractions has a smaller one.
HIGHEST_AIR, SOFT_ABOVE, SOFT_HU, LEAST_HU = -976.0, -300.0, 150.0, 10.0
#: Noise of air, HU. From a code up to this far below -1024 there are only mixtures, which an interpolation made.
NOISE = 76.0
#: Elsewhere, values within this share of the way from a code to the others are mixtures with it.
MIXED = 0.9
#: In label maps and drawings any value may be far from the others: they have fewer different values than this.
VARIED = 32
#: No intensity is as large as this, and so many times larger than the others of its image.
ABSURD, ABSURDLY = 1e15, 1e6

_KEPT = "They are neither used nor, unless marked, filled; they stay as they are."


@dataclasses.dataclass(frozen=True)
class _Kind:
    """Intensities between two that stand for no data, and what a remark says of their voxels."""

    low: float
    high: float
    words: str

    def holds(self, plane: np.ndarray) -> np.ndarray:
        """Mark the voxels of this kind; those of value 0 are known, also if the file declares them to be padding."""
        held = self._between(plane)
        return held & (plane != 0) if self.low <= 0 <= self.high else held

    def _between(self, plane: np.ndarray) -> np.ndarray:
        if plane.dtype.kind == "f":
            return (plane >= self.low) & (plane <= self.high)
        # Integers are compared with integers: with a float, numpy would convert each voxel first.
        limits = np.iinfo(np.uint8 if plane.dtype.kind == "b" else plane.dtype)
        low, high = max(_whole(self.low, math.ceil), limits.min), min(_whole(self.high, math.floor), limits.max)
        if low > high:
            return np.zeros(plane.shape, dtype=bool)
        below = np.less_equal(plane, plane.dtype.type(high))
        return below if low == limits.min else below & np.greater_equal(plane, plane.dtype.type(low))


def find(image: Volume, hole: Hole | None = None, marked: Hole | None = None) -> tuple[np.ndarray | None, list[str]]:
    """Find the voxels without data.

    Args:
        image: to look at.
        hole: its voxels do not take part in finding out what stands for no data.
        marked: these voxels are filled whatever they hold, so they are left out.

    Returns:
        bool of the image's shape, True = no data, or None where there are none; and a remark on each kind.
    """
    planes = _as_planes(image.array)
    missing = frozenset(image.missing if image.array.ndim == 3 else ())
    kinds = _kinds(image, hole)
    floating = image.array.dtype.kind == "f"
    if not (kinds or missing or floating):
        return None, []
    absurd = _absurd(image.array, hole) if floating else math.inf
    no_data: np.ndarray | None = None
    counts: dict[str, int] = {}
    for number, plane in enumerate(planes):
        left_out = _in_plane(marked, number)
        for voxels, words in _of_plane(plane, kinds, absurd, number in missing):
            if left_out is not None:
                voxels[left_out[0]] &= ~left_out[1]
            count = int(np.count_nonzero(voxels))
            if count:
                no_data = np.zeros(planes.shape, dtype=bool) if no_data is None else no_data
                no_data[number] |= voxels
                counts[words] = counts.get(words, 0) + count
    if no_data is None:
        return None, []
    remarks = [
        f"No data in {count} voxel{'s' if count > 1 else ''}: {words}. {_KEPT}" for words, count in counts.items()
    ]
    return no_data.reshape(image.array.shape), remarks


def settle(image: Volume, hole: Hole, marked: Hole | None) -> tuple[Hole, np.ndarray | None, list[str]]:
    """Decide the state of every voxel: to fill, without data, or known.

    Args:
        image: to fill.
        hole: from the mask, grown and resampled.
        marked: its voxels that the user marked themselves; None when they are all grown or resampled.

    Returns:
        The hole without voxels that hold no data and were not marked; the voxels without data, bool of the image's
        shape or None; and remarks.

    Raises:
        MaskError: there is nothing to fill, or nothing to fill it from.
    """
    no_data, remarks = find(image, hole, marked)
    if no_data is None:
        return hole, None, []
    without = hole.voxels & no_data[hole.box]
    count = int(np.count_nonzero(without))
    if count:
        left = hole.voxels & ~without
        inner = bounding_box(left)
        if inner is None:
            raise MaskError(
                f"All {count} voxels of the hole hold no data, and the mask is on another grid: only a mask on the "
                "image's own grid can say that such voxels are to be filled. Draw it on the image itself."
            )
        hole = dataclasses.replace(hole, voxels=np.ascontiguousarray(left[inner]), box=shift(inner, hole.box))
        remarks.append(
            f"{count} voxels that growing or resampling the mask had added hold no data; they were not filled."
        )
    if hole.count() + int(np.count_nonzero(no_data)) == no_data.size:
        raise MaskError("Outside the hole no voxel of the image holds data: there is nothing to fill it from.")
    return hole, no_data, remarks


def without_gaps(image: Volume, no_data: np.ndarray) -> Volume:
    """Return an image whose voxels without data hold the lowest of its intensities: mostly those of the background."""
    known = image.array[~no_data]
    lowest = known.min() if known.size else image.array.dtype.type(0)
    return image.with_array(np.where(no_data, lowest, image.array))


def nearest(values: np.ndarray, unknown: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return values in which each unknown voxel has that of the voxel nearest in mm that is not; one must exist."""
    from scipy import ndimage

    near = values.copy()
    for box, own in clusters(unknown, [1] * unknown.ndim):
        # What is nearest touches the cluster: a line to it meets no known voxel before. Only that box is searched.
        outer = grow(box, [1] * unknown.ndim, unknown.shape)
        hidden = unknown[outer]
        if hidden.all():  # the cluster fills the array from border to border
            outer, hidden = tuple(slice(0, size) for size in unknown.shape), unknown
        indices = ndimage.distance_transform_edt(hidden, sampling=spacing, return_distances=False, return_indices=True)
        near[box][own] = values[outer][tuple(indices)][relative(box, outer)][own]
    return near


def _of_plane(
    plane: np.ndarray, kinds: Sequence[_Kind], absurd: float, is_missing: bool
) -> Iterator[tuple[np.ndarray, str]]:
    """Yield the voxels of each kind, and what to say of them; no voxel is of two kinds."""
    if is_missing:
        yield np.ones(plane.shape, dtype=bool), "slices that the series lacks"
        return
    # Minimum and maximum pass NaN on, and comparing with it is false.
    if plane.dtype.kind == "f" and not (-absurd < plane.min() and plane.max() < absurd):
        finite = np.isfinite(plane)
        yield ~finite, "NaN or infinity"
        yield finite & (np.abs(plane) >= absurd), f"numbers beyond {absurd:.0e}"
    for kind in kinds:
        yield kind.holds(plane), kind.words


def _kinds(image: Volume, hole: Hole | None) -> list[_Kind]:
    """Return the ranges of intensities that stand for no data: those that the file declares, then the codes."""
    kinds = []
    if image.padding is not None:
        low, high = image.padding
        words = f"the padding value {_span(low, high)} that the file declares"
        kinds.append(_Kind(low, high, words))
    if image.array.dtype.itemsize == 1:
        return kinds
    sample = _sample(image.array, hole)
    for kind in kinds:
        sample = sample[(sample < kind.low) | (sample > kind.high)]
    for sign in (1.0, -1.0):
        while (code := _code(sign * sample, APART_ABOVE if sign < 0 else None)) is not None:
            value, limit = sign * code[0], sign * code[1]
            if _is_air(value, sample) or not _touches_border(image.array, hole, value):
                break
            words = f"the value {value:g}, far from all others, as outside of a scanner's field of view"
            kinds.append(_Kind(min(value, limit), max(value, limit), words))
            sample = sample[(sample < kinds[-1].low) | (sample > kinds[-1].high)]
    return kinds


def _code(sample: np.ndarray, apart: float | None) -> tuple[float, float] | None:
    """Return a code at the lower end of a sample, and up to which value voxels are mixtures with it; None without one.

    Args:
        sample: float64, finite; for a code at the upper end, with the other sign.
        apart: robust ranges between the code and the other values at least; None for what holds below 0.
    """
    if not sample.size:
        return None
    code = float(sample.min())
    if code >= 0 or (apart is not None and code > -LEAST_ABOVE):
        return None
    others = sample[sample > code]
    count = sample.size - others.size
    if count < max(FEWEST, SHARE * sample.size) or others.size < FEWEST:
        return None
    bulk = float(np.percentile(others, 5))
    low, high = np.percentile(others[others > (code + bulk) / 2], [0.5, 99.5])
    gap, width = float(low) - code, float(high - low)
    is_ct = apart is None and code < LOWEST_AIR <= bulk + NOISE
    limit = LOWEST_AIR - NOISE if is_ct else code + MIXED * gap
    if np.count_nonzero(others <= limit) > count / 2:
        return None  # clipped: other values come up to it
    varied = len(np.unique(others[:: max(1, others.size // 10_000)])) >= VARIED
    far = varied and gap >= (APART if apart is None else apart) * width
    below_air = apart is None and code < LOWEST_AIR and gap >= APART_BELOW_AIR * width
    return (code, limit) if far or below_air else None


def _is_air(code: float, sample: np.ndarray) -> bool:
    """Return whether a value is the air of a CT: programs set it to one number where they cut out a body or a table."""
    others = sample[sample > max(code, SOFT_ABOVE)]
    if not (LOWEST_AIR <= code <= HIGHEST_AIR) or not others.size:
        return False
    low, high = np.percentile(others, [5, 95])
    return bool(high - low > LEAST_HU and np.mean(np.abs(others) <= SOFT_HU) > 0.65)


def _absurd(array: np.ndarray, hole: Hole | None) -> float:
    """Return the size from which numbers are no intensities; infinity where the dtype holds none so large."""
    sample = np.abs(_sample(array, hole))
    absurd = max(ABSURD, ABSURDLY * float(np.percentile(sample, 99.5) if sample.size else 0.0))
    return absurd if absurd < float(np.finfo(array.dtype).max) else math.inf


def _sample(array: np.ndarray, hole: Hole | None) -> np.ndarray:
    """Return a sample of the voxels outside the hole, float64, finite, without absurd numbers if these are few."""
    sample = sample_known(array, None if hole is None else hole.voxels, None if hole is None else hole.box)
    sample = sample[np.isfinite(sample)].astype(np.float64)
    usual = sample[np.abs(sample) < ABSURD]
    return usual if 2 * usual.size > sample.size else sample


def _touches_border(array: np.ndarray, hole: Hole | None, code: float) -> bool:
    """Return whether a voxel at the image's border, outside the hole, holds a code."""
    for axis, size in enumerate(array.shape):
        for at in (0, size - 1) if size > 1 else ():
            face: Box = tuple(
                slice(at, at + 1) if other == axis else slice(0, n) for other, n in enumerate(array.shape)
            )
            held = array[face] == code
            if hole is not None:
                held &= ~hole.crop(face)
            if held.any():
                return True
    return False


def _span(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _whole(value: float, rounded: Callable[[float], int]) -> int:
    return rounded(min(max(value, -1e30), 1e30))


def _as_planes(array: np.ndarray) -> np.ndarray:
    return array if array.ndim == 3 else array[np.newaxis]


def _in_plane(hole: Hole | None, number: int) -> tuple[Box, np.ndarray] | None:
    """Return where in a plane of the image the hole lies, and its voxels there; None where there are none."""
    if hole is None:
        return None
    if len(hole.box) == 2:
        return hole.box, hole.voxels
    first, *rest = hole.box
    return (tuple(rest), hole.voxels[number - first.start]) if first.start <= number < first.stop else None
