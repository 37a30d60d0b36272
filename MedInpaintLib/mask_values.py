"""What the values of a mask mean: two values, labels, probabilities or soft edges. Decided by the values alone.

Where they allow two readings that fill different voxels, the mask is refused, with the way out.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from .errors import DoubtError, EmptyMaskError, MaskError

#: Stands for all labels of a label map.
ALL = "all"

#: Values that differ by less than this share of the range are one value: interpolation leaves 1e-17 and 1.0000001.
SAME = 1e-3
#: No scale of marks ends below this: 16 or fewer whole values are labels.
FEW_LABELS = 16
#: Of an image, more than this share of the voxels lies between the lowest and the highest value (a head: 0.37 or more);
#: or, in a wide field of view, most of those lie in the middle, where blurred edges and probabilities have least.
IMAGE_SHARE = 0.25
IMAGE_MIDDLE = 1.5
#: Spline interpolation over- and undershoots a step, in a corner of a volume by up to this share.
OVERSHOOT = 0.6
#: The values that stand for 1: of fractions, percentages, and whole numbers of 8 and 16 bits.
SCALES = (1.0, 100.0, 255.0, 65535.0)
#: Of the voxels above half the highest value, the share at it, which a soft edge has and a probability map has not: 1 %
#: under a Gaussian blob. Raters who agree make plateaus too, and their scale ends at 1 or 100.
PLATEAU, RATERS_PLATEAU = 0.2, 0.6
#: Of a piece of an image, the median at the rim is over this share of that inside; fewer voxels inside say nothing.
RIM, FEWEST_INSIDE = 0.8, 20
#: The voxels that are examined for steps and plateaus; of larger masks every n-th slice is.
EXAMINED = 4_000_000
#: A message lists no more labels than this.
LISTED = 20

#: How a user says that a doubt is unfounded.
FORCE = "To fill anyway, add --force (force=True)."
#: How a user chooses.
CHOOSE = f"Choose by number or name with --label (labels=[...]), or all with --label {ALL} (labels=['{ALL}'])."
EMPTY = "The mask is empty: no voxel is marked. Mark what is to be filled with a value other than 0."


@dataclasses.dataclass(frozen=True)
class Meaning:
    """How a mask was read.

    Attributes:
        kind: ``"binary"``, ``"label map"``, ``"segments"``, ``"probability"``, ``"soft-edged"`` or ``"image"``.
        rule: which voxels are filled, in a line.
        warnings: doubts, one line each.
    """

    kind: str
    rule: str
    warnings: tuple[str, ...] = ()


def marked(
    values: np.ndarray,
    size: int,
    *,
    labels: Sequence[int | str] | None = None,
    names: Mapping[int, str] | None = None,
    force: bool = False,
) -> tuple[np.ndarray, Meaning]:
    """Return the voxels that a mask marks, as a bool array, and how it was read.

    Args:
        values: of the mask, in a box around all that are not 0.
        size: number of voxels of the whole mask.
        labels: which labels are meant, by number or name, or :data:`ALL`.
        names: of the labels, where the file has them.
        force: read an image as a mask.

    Raises:
        MaskError: nothing is marked, or it is not clear what.
        DoubtError: the mask looks like an image.

    >>> soft = np.array([[0, 90, 255, 255, 200, 0, 0, 0]], np.uint8)
    >>> voxels, meaning = marked(soft, soft.size)
    >>> voxels.astype(int).tolist(), meaning.kind
    ([[0, 0, 1, 1, 1, 0, 0, 0]], 'soft-edged')
    """
    values, warnings = _finite(values)
    if labels is not None and not any(_is_all(label) for label in labels):
        voxels, rule = _selected(values, labels, names or {})
        return voxels, Meaning("label map", rule, warnings)
    voxels, meaning = _by_values(values, size, labels is not None, names or {}, force)
    return voxels, dataclasses.replace(meaning, warnings=warnings)


def numbered(values: np.ndarray) -> np.ndarray | None:
    """Return the labels of a label map as integers, 0 instead of NaN; None where some values are fractions."""
    return _whole(_finite(values)[0])


def counts_of(whole: np.ndarray | None) -> dict[int, int]:
    """Return label -> number of voxels, without 0."""
    if whole is None:
        return {}
    low, high = int(whole.min()), int(whole.max())
    if high - low < 2**16:
        width = high - low + 1
        planes = (np.bincount(plane.ravel().astype(np.int64) - low, minlength=width) for plane in whole)
        counts = sum(planes, np.zeros(width, np.int64))
        numbers = np.flatnonzero(counts)
        pairs = zip((numbers + low).tolist(), counts[numbers].tolist(), strict=True)
    else:
        unique, unique_counts = np.unique(whole, return_counts=True)
        pairs = zip(unique.tolist(), unique_counts.tolist(), strict=True)
    return {number: count for number, count in pairs if number != 0}


def choose(labels: Sequence[int | str], names: Mapping[int, str]) -> list[int]:
    """Return the numbers of the chosen labels.

    Args:
        labels: numbers, or names in any case, or :data:`ALL`.
        names: number -> name of all labels that there are; names may be empty, and several labels may share one.

    Raises:
        KeyError: with the first choice that is not there.
    """
    chosen: list[int] = []
    for label in labels:
        chosen += _numbers_of(label, names)
    return chosen


def listing(counts: Mapping[int, int], names: Mapping[int, str]) -> str:
    """List labels with their names and numbers of voxels."""
    entries = [
        f"{number} '{names[number]}' ({count} voxels)" if names.get(number) else f"{number} ({count} voxels)"
        for number, count in list(counts.items())[:LISTED]
    ]
    rest = len(counts) - LISTED
    return ", ".join(entries) + (f" and {rest} more" if rest > 0 else "")


def _is_all(label: int | str) -> bool:
    return str(label).strip().lower() == ALL


def _numbers_of(label: int | str, names: Mapping[int, str]) -> list[int]:
    text = str(label).strip()
    if _is_all(label):
        return list(names)
    if text.lstrip("+-").isdecimal() and int(text) in names:
        return [int(text)]
    numbers = [number for number, name in names.items() if name and name.strip().lower() == text.lower()]
    if not numbers:
        raise KeyError(label)
    return numbers


def _finite(values: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the values with 0 instead of NaN, which some programs write outside of what they mask, and warnings."""
    if values.dtype.kind != "f":
        return values, ()
    count = int(np.count_nonzero(np.isnan(values)))
    if count:
        values = np.where(np.isnan(values), values.dtype.type(0), values)
    if np.isinf(values).any():
        raise MaskError("The mask holds infinite values; use 0 for known and 1 for the hole.")
    return values, (f"The mask holds NaN in {count} voxels; they count as not marked.",) if count else ()


def _selected(values: np.ndarray, labels: Sequence[int | str], names: Mapping[int, str]) -> tuple[np.ndarray, str]:
    """Return the voxels of the chosen labels, and the rule."""
    whole = _whole(values)
    counts = counts_of(whole)
    known = {number: names.get(number, "") for number in counts}
    if any(str(label).strip() == "0" for label in labels):
        raise MaskError("Label 0 cannot be filled: 0 says that a voxel is known. Give the hole another label.")
    try:
        chosen = choose(labels, known)
    except KeyError as error:
        raise MaskError(f"The mask has no label '{error.args[0]}'; {_what_there_is(values, counts, names)}.") from None
    if not chosen:
        raise MaskError(f"No label of the mask was chosen; {_what_there_is(values, counts, names)}.")
    described = ", ".join(f"{number} '{known[number]}'" if known[number] else f"{number}" for number in chosen)
    assert whole is not None  # fractions have no labels to choose
    return np.isin(whole, chosen), f"label {described} is filled"


def _what_there_is(values: np.ndarray, counts: Mapping[int, int], names: Mapping[int, str]) -> str:
    if not counts:
        return "its values are fractions, and so no labels" if values.any() else "it is empty: no voxel is marked"
    return f"its labels are: {listing(counts, names)}"


def _by_values(
    values: np.ndarray, size: int, all_labels: bool, names: Mapping[int, str], force: bool
) -> tuple[np.ndarray, Meaning]:
    low, peak = float(values.min()), float(values.max())
    value = _single_value(values, low, peak)
    if value == 0:
        raise EmptyMaskError(EMPTY)
    if value is not None:
        name = f" '{names[int(value)]}'" if names.get(int(value)) else ""
        voxels = np.abs(values) > abs(value) / 2 if values.dtype.kind == "f" else values != 0
        return voxels, Meaning("binary", f"{value:g}{name} is filled, 0 is known")
    whole = _whole(values)
    if whole is not None and peak < FEW_LABELS:
        return _labelled(whole, all_labels, names)
    shape = _Shape.of(values, size, low, peak)
    if shape.is_image and not (whole is not None and shape.is_patchwork):
        if not force:
            raise DoubtError(
                f"The mask looks like an image: {shape.between:.0%} of its voxels lie between its lowest and highest "
                f"value ({low:g} to {peak:g}). Were image and mask swapped? If it is a mask, set the voxels to fill to "
                f"1 and all others to 0. {FORCE}"
            )
        return values != 0, Meaning("image", "all values but 0 are filled")
    if whole is not None and (low < 0 or not shape.is_graded):
        return _labelled(whole, all_labels, names)
    if _is_cut_from_image(values):
        if not force:
            raise DoubtError(
                f"The mask holds intensities ({low:g} to {peak:g}) where it marks something, like a piece that was cut "
                f"out of an image. Set the voxels to fill to 1 and all others to 0. {FORCE}"
            )
        return values != 0, Meaning("image", "all values but 0 are filled")
    return _cut(values, shape, whole is not None)


def _is_cut_from_image(values: np.ndarray) -> bool:
    """Return whether the marked values are as high at the marks' rim as inside, and vary there like intensities.

    At the rim of soft edges and probability maps they fall towards 0, and inside they have a plateau at the top.
    """
    from scipy import ndimage

    size = np.abs(values)
    marks = size > 0
    inside = ndimage.binary_erosion(marks, np.ones((1,) * (marks.ndim - 2) + (3, 3)))  # slices may be thick
    rim = size[marks & ~inside]
    inner, peak = size[inside], float(size.max())
    if inner.size < FEWEST_INSIDE or len(np.unique(inner)) <= FEW_LABELS:
        return False
    if np.mean(inner > 0.98 * peak) >= PLATEAU:
        return False
    return float(np.median(rim)) > RIM * float(np.median(inner))


def _single_value(values: np.ndarray, low: float, peak: float) -> float | None:
    """Return the value beside 0 of a mask with two values, 0 where there is none; None where there are more values."""
    tolerance = SAME * (peak - low) if values.dtype.kind == "f" else 0
    if peak - low <= SAME * abs(peak):
        return peak  # the box is full, or empty
    if min(abs(low), abs(peak)) > tolerance:
        return None
    middle = (low + peak) / 2
    if values.dtype.kind == "f":
        two = all(np.abs(plane - np.where(plane > middle, peak, low)).max() <= tolerance for plane in values)
    else:
        # Numbers of the mask's own type: 170 million bytes take 0.16 s, compared with Python's fractions 0.36 s.
        ends = np.array([low, peak]).astype(values.dtype)
        two = peak - low == 1 or all(((plane == ends[0]) | (plane == ends[1])).all() for plane in values)
    return (peak if abs(peak) > abs(low) else low) if two else None


def _whole(values: np.ndarray) -> np.ndarray | None:
    """Return the values as integers; None where some are fractions."""
    if values.dtype.kind != "f":
        return values.view(np.uint8) if values.dtype == bool else values
    if np.abs(values).max() > 2**31 or any(np.abs(plane - np.rint(plane)).max() > SAME for plane in values):
        return None
    return np.rint(values).astype(np.int32)


def _labelled(whole: np.ndarray, all_labels: bool, names: Mapping[int, str]) -> tuple[np.ndarray, Meaning]:
    counts = counts_of(whole)
    if not all_labels:
        raise MaskError(
            f"The mask is a label map with {len(counts)} labels, and not all may be meant: {listing(counts, names)}. "
            f"{CHOOSE}"
        )
    return whole != 0, Meaning("label map", f"all {len(counts)} labels are filled")


def _cut(values: np.ndarray, shape: _Shape, whole: bool) -> tuple[np.ndarray, Meaning]:
    """Return the voxels above the middle of the scale, and the meaning."""
    kind, top = _scale(shape, whole)
    if shape.peak < top / 2:
        raise MaskError(
            f"The mask's highest value is {shape.peak:g}, and as a probability map from 0 to {top:g} it is cut at "
            f"the threshold {top / 2:g}, so nothing would be filled. If lower values mean the hole, set them to 1 "
            "and all others to 0."
        )
    scale = "probabilities" if kind == "probability" else "soft edges"
    return values >= top / 2, Meaning(kind, f"{scale} from 0 to {top:g}: values of {top / 2:g} or more are filled")


def _scale(shape: _Shape, whole: bool) -> tuple[str, float]:
    """Return the kind of a mask whose values rise gradually, and the value that stands for 1.

    Raises:
        MaskError: the values are on no scale that is known.
    """
    peak, beyond = shape.peak, 1.0 if whole else 1 + OVERSHOOT
    top = next((scale for scale in SCALES[whole:] if peak <= scale * beyond), math.inf)
    if shape.signed:
        raise MaskError(
            f"The mask has values from {shape.low:g} to {peak:g}, like a map of distances or scores. "
            "Set the voxels to fill to 1 and all others to 0."
        )
    flat = shape.plateau >= (RATERS_PLATEAU if top <= 100 else PLATEAU)
    kind = "soft-edged" if flat or top > 100 else "probability"  # grey levels are no probabilities
    if peak >= 0.9 * top or top == 1:
        return kind, top
    if flat and peak >= FEW_LABELS:
        return kind, peak
    if top > 255 and peak < top / 2:
        raise MaskError(
            f"The mask rises gradually to {peak:g}, and it is not clear which value stands for a marked voxel. "
            "Set the voxels to fill to 1 and all others to 0."
        )
    return kind, top


@dataclasses.dataclass(frozen=True)
class _Shape:
    """How values lie in a mask of more than two.

    Attributes:
        low, peak: the lowest and highest value.
        between: share of the mask's voxels that are neither near 0 nor near the peak.
        middle: how many times more of those voxels lie in the middle third of the values than in the lower one.
        plateau: of the voxels above half the peak, the share at it.
        signed: whether negative values are more than an undershoot.
        steady: of neighbors that are not 0 and not both at the peak, the share with one value.
        rising: of the voxels between 0 and the peak, the share with a lower and a higher neighbor on opposite sides.
        noisy: whether some values are nearly 0.
    """

    low: float
    peak: float
    between: float
    middle: float
    plateau: float
    signed: bool
    steady: float
    rising: float
    noisy: bool

    @classmethod
    def of(cls, values: np.ndarray, size: int, low: float, peak: float) -> _Shape:
        """Measure values in a box around all that are not 0, of a mask of ``size`` voxels."""
        sample, axes = _sample(values)
        base = low if _is_signed(sample, peak) else 0.0
        ends = (base + share * (peak - base) for share in (0.05, 0.35, 0.65, 0.95))
        above = [_count(sample > end) for end in ends]
        steady, rising = _neighbors(sample, axes, peak)
        return cls(
            low,
            peak,
            between=(above[0] - above[3]) / sample.size * values.size / size,
            middle=(above[1] - above[2]) / max(1, above[0] - above[1]),
            plateau=_count(sample >= 0.98 * _crest(values, peak)) / max(1, _count(sample >= 0.5 * peak)),
            signed=base < 0,
            steady=steady,
            rising=rising,
            noisy=bool(((sample > 0) & (sample <= 0.1 * peak)).any()),
        )

    @property
    def is_image(self) -> bool:
        """Whether too many voxels lie between the ends for a mask."""
        if self.plateau >= 0.5:
            return self.between > 2 * IMAGE_SHARE
        wide = self.between > IMAGE_SHARE / 5 and self.plateau < PLATEAU and self.middle > IMAGE_MIDDLE
        return self.between > IMAGE_SHARE or wide

    @property
    def is_patchwork(self) -> bool:
        """Whether neighbors tend to have one value, as in a label map."""
        return self.steady >= 0.5

    @property
    def is_graded(self) -> bool:
        """Whether the values rise gradually from 0 to the peak, as at a soft edge, and not from label to label."""
        if self.rising >= 0.95:  # an edge along an axis has one value all along
            return True
        # JPEG leaves noise near 0 and a plateau; labels such as 2 and 251 to 255 make a patchwork.
        return not self.is_patchwork and (self.rising >= 0.6 or (self.noisy and self.plateau >= 0.5))


def _crest(values: np.ndarray, peak: float) -> float:
    """Return the highest value without the overshoot of an interpolation."""
    if values.dtype.kind != "f":
        return peak
    return next((scale for scale in SCALES if scale <= peak <= scale * (1 + OVERSHOOT)), peak)


def _is_signed(values: np.ndarray, peak: float) -> bool:
    """Return whether there are more negative values, or lower ones, than interpolation leaves around a step."""
    negative = _count(values < -0.05 * abs(peak))
    if not negative:
        return False
    return float(values.min()) < -OVERSHOOT * peak or negative > 2 * _count(values > 0.5 * abs(peak))


def _sample(values: np.ndarray) -> tuple[np.ndarray, range]:
    """Return the values, or of many every n-th slice, and the axes along which neighbors are neighbors."""
    step = -(-values.size // EXAMINED)
    return values[::step], range(0 if step == 1 else 1, values.ndim)


def _neighbors(values: np.ndarray, axes: Sequence[int], peak: float) -> tuple[float, float]:
    """Return :attr:`_Shape.steady` and :attr:`_Shape.rising`."""
    padded = np.pad(values, [(1, 1) if axis in axes else (0, 0) for axis in range(values.ndim)])
    middle = (values > 0.1 * peak) & (values < 0.9 * peak)
    monotone = np.zeros(values.shape, bool)
    equal = pairs = 0
    for axis in axes:
        before, after = (
            padded[
                tuple(
                    slice(start, start + n) if other == axis else (slice(1, n + 1) if other in axes else slice(None))
                    for other, n in enumerate(values.shape)
                )
            ]
            for start in (0, 2)
        )
        monotone |= ((before < values) & (values < after)) | ((before > values) & (values > after))
        pair = (values != 0) & (after != 0) & ~((values == peak) & (after == peak))
        pairs += _count(pair)
        equal += _count(pair & (values == after))
    count = _count(middle)
    return equal / pairs if pairs else 1.0, _count(monotone & middle) / count if count else 0.0


def _count(voxels: np.ndarray) -> int:
    return int(np.count_nonzero(voxels))
