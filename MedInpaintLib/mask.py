"""The hole: the voxels to fill, checked, and cropped to their box, so that a fill's cost follows the hole's size."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from .errors import GeometryError, MaskError
from .volume import Volume

Box = tuple[slice, ...]

#: A resampled mask that keeps less than this share of its volume is worth a warning.
LOST = 0.8
#: A mask with more different values than this may not be a mask.
FEW_LABELS = 10


@dataclasses.dataclass(frozen=True)
class Hole:
    """The voxels to fill.

    Attributes:
        voxels: bool array of the shape of ``box``, True = fill.
        box: the smallest box of the image that holds them all, one slice an axis.
        shape: the shape of the whole image.
    """

    voxels: np.ndarray
    box: Box
    shape: tuple[int, ...]

    def count(self) -> int:
        """Return how many voxels are to be filled."""
        return int(np.count_nonzero(self.voxels))

    def crop(self, box: Box) -> np.ndarray:
        """Return the hole's voxels in any box of the image, as a new bool array."""
        out = np.zeros([part.stop - part.start for part in box], dtype=bool)
        source, target = [], []
        for mine, theirs in zip(self.box, box, strict=True):
            start, stop = max(mine.start, theirs.start), min(mine.stop, theirs.stop)
            if start >= stop:
                return out
            source.append(slice(start - mine.start, stop - mine.start))
            target.append(slice(start - theirs.start, stop - theirs.start))
        out[tuple(target)] = self.voxels[tuple(source)]
        return out

    def full(self) -> np.ndarray:
        """Return the hole as a bool array of the whole image's shape."""
        out = np.zeros(self.shape, dtype=bool)
        out[self.box] = self.voxels
        return out


def find_hole(
    mask: Volume, image: Volume, *, labels: Sequence[int] | None = None, dilate_mm: float = 0.0
) -> tuple[Hole, list[str]]:
    """Return the hole that ``mask`` marks in ``image``, and warnings for the user.

    Args:
        mask: 0 = known, anything else = fill. On the image's grid, or on another one in the same space.
        image: the image to fill.
        labels: use only these values of the mask.
        dilate_mm: grow the hole by this distance.

    Raises:
        GeometryError: the mask does not overlap the image.
        MaskError: no hole, or nothing but hole, or a label that is not there.
    """
    if not (math.isfinite(dilate_mm) and dilate_mm >= 0):
        raise MaskError(f"The distance to grow the hole by must be 0 mm or more; found {dilate_mm!r}.")
    mask, warnings = _onto_grid(mask, image)
    box = bounding_box(mask.array)
    if box is None:
        raise MaskError("The mask is empty: no voxel is marked. Mark what is to be filled with a value other than 0.")
    values = mask.array[box]
    if labels is not None:
        if 0 in labels:
            raise MaskError("Label 0 cannot be filled: 0 says that a voxel is known. Give the hole another label.")
        voxels = _select(values, labels)
    elif values.dtype.kind == "f":
        voxels, notes = _binarize(values)
        warnings += notes
    else:
        voxels = values != 0
        warnings += _many_labels(values)
    hole = _tighten(Hole(voxels, box, mask.array.shape))
    if dilate_mm > 0:
        hole = _dilate(hole, image.spacing, dilate_mm)
        if dilate_mm < max(image.spacing):
            warnings.append(
                f"Growing by {dilate_mm:g} mm does not reach the next voxel along every axis: "
                f"voxels are up to {max(image.spacing):g} mm long."
            )
    share = hole.count() / math.prod(hole.shape)
    if share == 1.0:
        raise MaskError("The mask covers the whole image: nothing is known from which it could be filled.")
    if share > 0.5:
        warnings.append(
            f"The mask marks {share:.0%} of the image as the hole. Is it inverted? Marked voxels are filled."
        )
    return hole, warnings


def clusters(hole: np.ndarray, block: Sequence[int]) -> Iterator[tuple[Box, np.ndarray]]:
    """Split a hole into parts more than ``block`` voxels apart along at least one axis; nearer voxels may share a part.

    Args:
        hole: bool array.
        block: voxels, one number an axis, each >= 1; blocks of this size that touch are joined.

    Yields:
        ``(box, part)``: the smallest box around a part, and the part's own voxels in it.
    """
    from scipy import ndimage

    block = [min(step, size) for step, size in zip(block, hole.shape, strict=True)]
    starts = [range(0, size, step) for size, step in zip(hole.shape, block, strict=True)]
    coarse = hole
    for axis, start in enumerate(starts):
        coarse = np.logical_or.reduceat(coarse, start, axis=axis)
    labels, _ = ndimage.label(coarse, structure=np.ones((3,) * hole.ndim))
    for number, coarse_box in enumerate(ndimage.find_objects(labels), start=1):
        box = tuple(
            slice(part.start * step, min(part.stop * step, size))
            for part, step, size in zip(coarse_box, block, hole.shape, strict=True)
        )
        own = labels[coarse_box] == number
        for axis, step in enumerate(block):
            own = np.repeat(own, step, axis=axis)
        own = own[tuple(slice(0, part.stop - part.start) for part in box)] & hole[box]
        inner = bounding_box(own)
        assert inner is not None  # every label has at least one voxel
        yield shift(inner, box), np.ascontiguousarray(own[inner])


def grow(box: Box, margin: Sequence[int], shape: Sequence[int]) -> Box:
    """Return the box with ``margin`` voxels more on each side of each axis, cut off at the image's border."""
    return tuple(
        slice(max(part.start - more, 0), min(part.stop + more, size))
        for part, more, size in zip(box, margin, shape, strict=True)
    )


def shift(box: Box, into: Box) -> Box:
    """Convert a box relative to the start of the box ``into`` to the coordinates of that one."""
    return tuple(
        slice(part.start + outer.start, part.stop + outer.start) for part, outer in zip(box, into, strict=True)
    )


def relative(box: Box, outer: Box) -> Box:
    """Convert a box to the coordinates of a box around it."""
    return tuple(slice(b.start - o.start, b.stop - o.start) for b, o in zip(box, outer, strict=True))


def disjoint_boxes(hole: Hole, margin: Sequence[int]) -> list[Box]:
    """Return boxes of the image that hold the hole with ``margin`` voxels around it and do not overlap each other."""
    return separate(
        grow(shift(box, hole.box), margin, hole.shape) for box, _ in clusters(hole.voxels, [max(m, 2) for m in margin])
    )


def separate(boxes: Iterable[Box]) -> list[Box]:
    """Join boxes that overlap until none do."""
    boxes = list(boxes)
    while True:
        merged = _merge_overlapping(boxes)
        if len(merged) == len(boxes):
            return merged
        boxes = merged


def _merge_overlapping(boxes: list[Box]) -> list[Box]:
    """Join boxes that overlap, once; the joined ones may overlap others."""
    # A sweep along the first axis compares only boxes that are open there, so tens of thousands stay fast.
    boxes = sorted(boxes, key=lambda box: box[0].start)
    merged: list[Box] = []
    still_open: list[Box] = []
    for box in boxes:
        merged += [other for other in still_open if other[0].stop <= box[0].start]
        still_open = [other for other in still_open if other[0].stop > box[0].start]
        hit = [other for other in still_open if _overlap(box, other)]
        for other in hit:
            still_open.remove(other)
            box = _join(box, other)
        still_open.append(box)
    return merged + still_open


def _overlap(box: Box, other: Box) -> bool:
    return all(a.start < b.stop and b.start < a.stop for a, b in zip(box, other, strict=True))


def _join(box: Box, other: Box) -> Box:
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(box, other, strict=True))


def _onto_grid(mask: Volume, image: Volume) -> tuple[Volume, list[str]]:
    """Return the mask on the image's grid, and warnings."""
    if mask.array.ndim != image.array.ndim:
        if np.squeeze(mask.array).shape != np.squeeze(image.array).shape:
            raise GeometryError(
                f"The image is {image.array.ndim}-D and the mask is {mask.array.ndim}-D; give both alike."
            )
        return image.with_array(mask.array.reshape(image.array.shape)), []
    difference = image.grid_difference(mask)
    if not difference or not mask.array.any():  # find_hole says that it is empty
        return mask, []
    resampled = mask.resampled_onto(image)
    marked, kept = np.count_nonzero(mask.array), np.count_nonzero(resampled.array)
    share = kept * math.prod(image.spacing) / (marked * math.prod(mask.spacing))
    if kept == 0:
        raise GeometryError(
            f"The mask does not overlap the image: on its grid ({difference}) no marked voxel meets one of the image. "
            "Check that both were saved in the same space; grow a mask that is smaller than a voxel of the image."
        )
    warnings = [f"The mask is on another grid than the image ({difference}); it was resampled (nearest neighbor)."]
    if share < LOST:
        warnings.append(f"Only {share:.0%} of the mask's volume is inside the image; the rest was left out.")
    return resampled, warnings


def bounding_box(marked: np.ndarray) -> Box | None:
    """Return the smallest box with all voxels that are not 0; None when there are none."""
    # Raw memory of any dtype, without a copy: a 512 x 512 x 600 mask takes 5 ms, the memory's bandwidth.
    marked = np.ascontiguousarray(marked)
    planes = marked.reshape(len(marked), -1)
    words = planes.view(np.uint64 if planes.shape[1] * planes.itemsize % 8 == 0 else np.uint8)
    touched = words.max(axis=1) > 0
    if not touched.any():
        return None
    first = _extent(touched)
    raw = marked.view(np.bool_)
    flat = np.logical_or.reduce(raw[first], axis=0)  # (rows, columns * bytes); (columns * bytes,) in 2-D
    rest = []
    for axis in range(flat.ndim):
        other_axes = tuple(other for other in range(flat.ndim) if other != axis)
        rest.append(_extent(flat.any(axis=other_axes)))
    size = marked.dtype.itemsize
    rest[-1] = slice(rest[-1].start // size, -(-rest[-1].stop // size))
    return (first, *rest)


def _extent(line: np.ndarray) -> slice:
    where = np.flatnonzero(line)
    return slice(int(where[0]), int(where[-1]) + 1)


def _tighten(hole: Hole) -> Hole:
    inner = bounding_box(hole.voxels)
    if inner is None:
        raise MaskError("The mask is empty: no voxel is marked. Mark what is to be filled with a value other than 0.")
    return Hole(np.ascontiguousarray(hole.voxels[inner]), shift(inner, hole.box), hole.shape)


def _select(values: np.ndarray, labels: Sequence[int]) -> np.ndarray:
    missing = [label for label in labels if not (values == label).any()]
    if missing or not len(labels):
        known_labels = ", ".join(f"{value:g}" for value in np.unique(values[values != 0])[:20])
        raise MaskError(f"The mask has no label {missing or 'to use'}; its labels are: {known_labels}.")
    return np.isin(values, labels)


def _many_labels(values: np.ndarray) -> list[str]:
    """Warn of a mask that looks like an image, or like a label map of which only a part was meant."""
    step = max(1, values.size // 100_000)
    count = len(np.unique(values.ravel()[::step]))
    if count <= FEW_LABELS:
        return []
    return [f"The mask has {count} or more different values, and all but 0 are filled. Is it an image, or a label map?"]


def _binarize(values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    if np.isnan(values).any():
        raise MaskError(f"The mask holds {int(np.isnan(values).sum())} NaN; use 0 for known and 1 for the hole.")
    if (values == np.rint(values)).all():
        return values != 0, []
    return values >= 0.5, ["The mask has fractional values; those of at least 0.5 were taken as the hole."]


def _dilate(hole: Hole, spacing: Sequence[float], distance: float) -> Hole:
    from scipy import ndimage

    box = grow(hole.box, [math.ceil(distance / mm) for mm in spacing], hole.shape)
    voxels = hole.crop(box)
    # The tolerance keeps voxels at exactly the distance in, however the header rounds the spacing.
    return _tighten(
        Hole(ndimage.distance_transform_edt(~voxels, sampling=spacing) <= distance * (1 + 1e-6), box, hole.shape)
    )
