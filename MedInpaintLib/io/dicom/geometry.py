"""The grid of a stack of slices, from their positions; whatever is irregular is refused by name.

Headers other than position and orientation are not trusted: a spacing between slices is often wrong, and says nothing
of a slice that is missing.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ...errors import ImageReadError
from ...volume import GRID_TOLERANCE
from .frame import Frame

#: Slices that are nearer to each other than this share of the usual distance are at one position.
_SAME = 0.02
#: Positions are written with 2 digits and more, so this much is rounding however thin the slices are, mm.
_ROUNDING_MM = 0.01
#: More slices than this for each that is there are no gap but an error in the positions.
_MOST_MISSING = 20
#: Up to so many slices, all pairs of them are compared.
_FEW = 300


@dataclasses.dataclass(frozen=True)
class Stack:
    """Slices in order on a grid.

    Attributes:
        frames: one a slice, None where it is missing.
        spacing, origin, direction: as in :class:`.Volume`.
        warnings: for the report.
    """

    frames: tuple[Frame | None, ...]
    spacing: tuple[float, float, float]
    origin: tuple[float, ...]
    direction: tuple[float, ...]
    warnings: tuple[str, ...]

    @property
    def missing(self) -> tuple[int, ...]:
        """The indices k of the slices that are not there."""
        return tuple(k for k, frame in enumerate(self.frames) if frame is None)


def stack(frames: Sequence[Frame], *, step: float | None = None) -> Stack:
    """Put slices into order and return their grid.

    Args:
        frames: of one series, in any order.
        step: mm from slice to slice where it is known and the gaps are no fault, as in a segmentation.

    Raises:
        ImageReadError: a slice differs in size or orientation, two are at one position, or one is out of line; the
            message names the file, the position and what to do.
    """
    _check_alike(frames)
    axes = _axes(frames)
    positions = np.array([frame.position for frame in frames])
    normal = np.cross(axes[0], axes[1])
    order = np.argsort(positions @ normal, kind="stable")
    frames, positions = [frames[index] for index in order], positions[order]
    if len(frames) == 1:
        return _grid(frames, [0], positions[0], axes, normal * (step or frames[0].thickness), ())
    depths = positions @ normal
    usual = _usual_step(np.diff(depths)) if step is None else step
    _check_apart(frames, depths, usual)
    numbers = np.concatenate([[0], np.cumsum(np.rint(np.diff(depths) / usual))]).astype(int)
    first, offset = _fit(frames, positions, numbers, axes, normal, usual)
    warnings = _tilt(offset, normal, numbers[-1], axes, frames[0])
    if not warnings:
        offset = normal * (offset @ normal)
    return _grid(frames, numbers, first, axes, offset, warnings)


def _check_alike(frames: Sequence[Frame]) -> None:
    """Check that all slices have the size, pixel spacing and orientation of most of them."""
    for what, values in (
        ("size", [frame.shape for frame in frames]),
        ("pixel spacing", [tuple(round(mm, 4) for mm in frame.pixel_spacing) for frame in frames]),
    ):
        usual = Counter(values).most_common(1)[0][0]
        odd = [frame for frame, value in zip(frames, values, strict=True) if value != usual]
        if odd:
            value = values[frames.index(odd[0])]
            raise ImageReadError(f"{_these(odd)} another {what} than the rest, {value} instead of {usual}. {_REMOVE}")
    for frame in frames:
        if frame.position is None or frame.orientation is None:
            raise ImageReadError(f"'{frame.name}' does not say where its slice lies. {_REMOVE}")
    directions = np.array([frame.orientation for frame in frames])
    tolerance = GRID_TOLERANCE / max(frames[0].shape)
    usual_direction = Counter(tuple(np.round(each, 3)) for each in directions).most_common(1)[0][0]
    reference = directions[[tuple(np.round(each, 3)) == usual_direction for each in directions].index(True)]
    odd = [f for f, own in zip(frames, directions, strict=True) if np.abs(own - reference).max() > tolerance]
    if odd:
        angle = max(_angle(np.array(odd[0].orientation)[at], reference[at]) for at in (slice(0, 3), slice(3, 6)))
        raise ImageReadError(
            f"{_these(odd)} another orientation than the rest, turned by {angle:.3g} degrees. {_REMOVE}"
        )


_REMOVE = "Remove it from the folder if it does not belong to the image, or export the series again."


def _axes(frames: Sequence[Frame]) -> np.ndarray:
    """Return unit vectors along i and j, at right angles; a header that is off by more than rounding is refused."""
    frame = frames[0]
    row, column = np.array(frame.orientation, dtype=float).reshape(2, 3)
    lengths = [float(np.linalg.norm(row)), float(np.linalg.norm(column))]
    if min(lengths) == 0 or max(abs(length - 1) for length in lengths) > 0.01:
        raise ImageReadError(f"'{frame.name}' has axes of length {lengths[0]:.3g} and {lengths[1]:.3g} instead of 1.")
    row, column = row / lengths[0], column / lengths[1]
    skew = float(row @ column)
    if abs(skew) * max(frame.shape) > 2 * GRID_TOLERANCE:
        raise ImageReadError(f"'{frame.name}' has axes at {math.degrees(math.acos(skew)):.4g} degrees instead of 90.")
    column = column - skew * row
    return np.array([row, column / np.linalg.norm(column)])


def _usual_step(gaps: np.ndarray) -> float:
    """Return the distance from slice to slice: the longest that explains all gaps, else the most frequent one.

    A distance explains gaps that are whole multiples of it, if at least half of the slices are there. One that most
    gaps have is the distance also where it does not explain all, if what it does not explain are pairs of gaps that
    make up for each other: then a slice was shifted.

    >>> float(_usual_step(np.array([5.0, 10.0, 10.0]))), float(_usual_step(np.array([1.0, 5.0, 5.0, 5.0])))
    (5.0, 5.0)
    >>> float(_usual_step(np.array([4.0, 4.0, 6.0, 2.0, 4.0, 4.0])))
    4.0
    >>> float(_usual_step(np.array([2.0, 4.0, 4.0, 4.0])))
    2.0
    """
    steps = np.unique(gaps[gaps > 0])
    equal = [int((np.abs(gaps / step - 1) <= GRID_TOLERANCE).sum()) for step in steps]
    for step, count in zip(steps[::-1], equal[::-1], strict=True):
        counts = np.rint(gaps / step)
        whole = (np.abs(gaps / step - counts) <= GRID_TOLERANCE) & (counts >= 1)
        explains = whole.all() and counts.sum() + 1 <= 2 * (len(gaps) + 1)
        if explains or (count > len(gaps) / 2 and len(gaps) > 3 and _are_of_shifted_slices(gaps / step, ~whole)):
            return float(step)
    return float(steps[int(np.argmax(equal))]) if len(steps) else 1.0


def _are_of_shifted_slices(gaps: np.ndarray, odd: np.ndarray) -> bool:
    """Return whether odd gaps (in steps) come in pairs, before and behind a slice, that are whole steps together."""
    first, second = np.flatnonzero(odd)[::2], np.flatnonzero(odd)[1::2]
    if len(first) != len(second) or (second - first != 1).any():
        return False
    pairs = gaps[first] + gaps[second]
    return bool((np.abs(pairs - np.rint(pairs)) <= GRID_TOLERANCE).all())


def _check_apart(frames: Sequence[Frame], depths: np.ndarray, step: float) -> None:
    """Check that no two slices are at one position."""
    same = np.flatnonzero(np.diff(depths) <= _SAME * step)
    if not len(same):
        return
    groups = np.split(np.arange(len(depths)), np.flatnonzero(np.diff(depths) > _SAME * step) + 1)
    group = next(group for group in groups if len(group) > 1)
    one, other = frames[group[0]], frames[group[1]]
    several = [frames[index] for index in group]
    what = next(
        (words for words in one.marks if words != "frame" and len({frame.marks.get(words) for frame in several}) > 1),
        "",
    )
    values = ", ".join(sorted({frame.marks.get(what, "?") for frame in several}))
    differ = f" They differ in their {what}: {values[:120]}." if what else ""
    if len({len(group) for group in groups}) == 1 and one.instance != other.instance:
        raise ImageReadError(
            f"The series holds {len(group)} images at each of its {len(groups)} positions, such as time points, echoes "
            f"or directions of diffusion.{differ} Put the files of one image into a folder of their own."
        )
    copies = "; they are copies of one image" if one.instance == other.instance else ""
    raise ImageReadError(
        f"'{one.name}' and '{other.name}' lie at the same position, {_place(one)}{copies}.{differ} "
        "Remove the one that does not belong to the image."
    )


def _fit(
    frames: Sequence[Frame],
    positions: np.ndarray,
    numbers: np.ndarray,
    axes: np.ndarray,
    normal: np.ndarray,
    usual: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first position and the step between slices; a slice that is off this line is refused."""
    if numbers[-1] + 1 > _MOST_MISSING * len(frames) + 1:
        raise ImageReadError(
            f"The {len(frames)} slices lie {usual:.4g} mm apart and over {numbers[-1] * usual:.4g} mm."
        )
    middle = _median_step(positions, numbers)
    start = np.median(positions - np.outer(numbers, middle), axis=0)
    residuals = positions - start - np.outer(numbers, middle)
    widths = np.array([*frames[0].pixel_spacing[::-1], usual])
    off = np.abs(residuals @ np.array([axes[0], axes[1], normal]).T)
    beyond = off > np.maximum(GRID_TOLERANCE * widths, np.minimum(_ROUNDING_MM, 2 * GRID_TOLERANCE * widths))
    repeated = np.concatenate([[False], np.diff(numbers) < 1])
    worst = int(np.argmax((off / widths).max(axis=1)))
    if beyond.any() or repeated.any():
        distance = float(np.linalg.norm(residuals[worst]))
        raise ImageReadError(
            f"The slices are not evenly spaced: '{frames[worst].name}' at {_place(frames[worst])} lies "
            f"{distance:.3g} mm from where it belongs in steps of {usual:.4g} mm. Correct its position, or remove the "
            "file (a missing slice can be filled)."
        )
    offset = (positions[-1] - positions[0]) / numbers[-1]
    return positions[0], offset


def _median_step(positions: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the step from slice to slice as the median over pairs: slices that are out of line do not move it."""
    one, other = np.triu_indices(len(numbers), 1)
    if len(numbers) > _FEW:  # pairs at half the length of the stack tell as much, and are few
        one = np.arange(len(numbers) - len(numbers) // 2)
        other = one + len(numbers) // 2
    apart = numbers[other] - numbers[one]
    one, other, apart = one[apart > 0], other[apart > 0], apart[apart > 0]
    return np.median((positions[other] - positions[one]) / apart[:, np.newaxis], axis=0)


def _tilt(offset: np.ndarray, normal: np.ndarray, last: int, axes: np.ndarray, frame: Frame) -> tuple[str, ...]:
    """Return a warning with the angle when the slices are shifted against each other by more than rounding."""
    drift = np.abs(axes @ offset) * last / np.array(frame.pixel_spacing[::-1])
    if drift.max() <= GRID_TOLERANCE:
        return ()
    angle = _angle(offset, normal)
    return (
        f"The gantry was tilted by {angle:.3g} degrees: the slices are shifted against each other. The grid is kept as "
        "it is, with axes that are not at right angles, so that known voxels stay as they are; NIfTI cannot hold it.",
    )


def _grid(
    frames: Sequence[Frame],
    numbers: Sequence[int] | np.ndarray,
    first: np.ndarray,
    axes: np.ndarray,
    offset: np.ndarray,
    warnings: tuple[str, ...],
) -> Stack:
    ordered: list[Frame | None] = [None] * (int(numbers[-1]) + 1)
    for number, frame in zip(numbers, frames, strict=True):
        ordered[int(number)] = frame
    step = float(np.linalg.norm(offset))
    direction = np.column_stack([axes[0], axes[1], offset / step])
    return Stack(
        frames=tuple(ordered),
        spacing=(step, *frames[0].pixel_spacing),
        origin=tuple(float(mm) for mm in first),
        direction=tuple(direction.ravel().tolist()),
        warnings=warnings,
    )


def _angle(one: np.ndarray, other: np.ndarray) -> float:
    cosine = float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def _these(frames: Sequence[Frame]) -> str:
    names = ", ".join(f"'{frame.name}'" for frame in frames[:3])
    more = f" and {len(frames) - 3} more files" if len(frames) > 3 else ""
    return f"{names}{more} {'has' if len(frames) == 1 else 'have'}"


def _place(frame: Frame) -> str:
    assert frame.position is not None  # checked before
    return "(" + ", ".join(f"{mm:.6g}" for mm in frame.position) + ") mm"
