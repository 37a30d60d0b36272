"""Frames: square slices of one size and resolution around a hole, as two-dimensional networks see them."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np

from .mask import Box, grow, relative
from .region import Region, crop
from .volume import Volume

#: The axes of LPS for slices, rows and columns, with their signs: axial slices are seen from the feet, the others with
#: the head up, as on every workstation.
PLANES: dict[str, tuple[tuple[int, int], ...]] = {
    "axial": ((2, 1), (1, 1), (0, 1)),
    "coronal": ((1, 1), (2, -1), (0, 1)),
    "sagittal": ((0, 1), (2, -1), (1, 1)),
}
#: Planes whose rows run from left to right, or back: heads look alike when mirrored there.
LEFT_AND_RIGHT = ("axial", "coronal")
#: Pixels and voxels whose sizes differ by less than this share are aligned; nothing is interpolated.
ALIKE = 0.02
#: Volumes whose voxels are longer than this many pixels along an axis are seen along that axis only.
THICK = 2.0
#: A pixel counts as inside the image, or as known, when this share of what went into it is; the rest is rounding.
WHOLE = 0.999
#: A frame is filled only in its middle, up to this share of its side; a larger hole gets several frames.
MIDDLE = 0.5


@dataclasses.dataclass(frozen=True)
class Pose:
    """How an array ``(k, j, i)`` is turned so that its axes are (slice, row, column) of a plane.

    Attributes:
        order: the array's axis for each of slice, row and column.
        flips: which of these run the other way.
    """

    order: tuple[int, ...]
    flips: tuple[int, ...]

    def turn(self, array: np.ndarray) -> np.ndarray:
        """Turn an array; returns a view."""
        return np.flip(array.transpose(self.order), self.flips)

    def back(self, array: np.ndarray) -> np.ndarray:
        """Turn an array back; returns a view."""
        return np.flip(array, self.flips).transpose(np.argsort(self.order))


def pose(volume: Volume, plane: str) -> Pose:
    """Return how to turn a volume to a plane: by its direction, to the nearest axis. A 2-D image is one slice.

    Args:
        volume: 2-D (then with a first axis of one voxel added) or 3-D.
        plane: a name of :data:`PLANES`; a volume of one slice is seen in the plane of that slice.
    """
    if volume.array.ndim == 2:
        return Pose((0, 1, 2), ())
    cosines = _cosines(volume)
    order: list[int] = []
    flips: list[int] = []
    for place, (lps, sign) in enumerate(PLANES[_only_plane(volume) or plane]):
        free = [axis for axis in range(3) if axis not in order]
        axis = free[int(np.abs(cosines[lps, free]).argmax())]
        order.append(axis)
        if sign * cosines[lps, axis] < 0:
            flips.append(place)
    return Pose(tuple(order), tuple(flips))


def _cosines(volume: Volume) -> np.ndarray:
    """Return the cosines between the axes of LPS (rows) and those of a 3-D array, k, j, i (columns)."""
    steps, _ = volume.ijk_to_lps()
    return (steps / volume.spacing[::-1])[:, ::-1]


def _only_plane(volume: Volume) -> str | None:
    """Return the plane of a 3-D volume that is one slice; None for any other image."""
    shape = volume.array.shape
    if len(shape) != 3 or shape.count(1) != 1:
        return None
    across = int(np.abs(_cosines(volume)[:, shape.index(1)]).argmax())
    return next(plane for plane, axes in PLANES.items() if axes[0][0] == across)


@dataclasses.dataclass(frozen=True)
class Frames:
    """The slices of a region that hold some of its hole, and some more at each end, in frames.

    Attributes:
        values: float32 ``(n, pixels, pixels)`` in the region's scale; under the hole what the caller put there.
        outside_hole: bool, where a pixel touches no hole and no voxel without data. Beyond the image its border is
            repeated, holes included.
        inside: bool, whether a pixel lies in the image.
        with_hole: int ``(m,)``, the frames that show some of the region's own hole; the rest show neighbours.
        plane: in which the frames are cut: of an image that is a single slice, its own plane.
        slices: int ``(n,)``, the slice that each frame is of, as the region counts: neighbours differ by 1.
        tiles: int ``(n,)``, the tile of the slices that each frame shows; ascending, from 0.
        stacks: int ``(n, count)``: for each frame, those of its tile with slices before it, itself, and after it.
            Around a frame with a hole no slice comes twice, except at the ends of the image.
    """

    values: np.ndarray
    outside_hole: np.ndarray
    inside: np.ndarray
    with_hole: np.ndarray
    plane: str
    slices: np.ndarray
    tiles: np.ndarray
    stacks: np.ndarray
    _region: Region
    _pose: Pose
    _rows: tuple[np.ndarray, ...]  # of each tile: the rows of the region at which its pixels lie
    _columns: tuple[np.ndarray, ...]

    @property
    def known(self) -> np.ndarray:
        """Bool, of :attr:`values`' shape: whether a pixel lies in the image and outside the hole."""
        return self.outside_hole & self.inside

    @property
    def symmetric(self) -> bool:
        """Whether rows run from left to right of the patient, so that the frames may be mirrored."""
        return self.plane in LEFT_AND_RIGHT

    def show(self, array: np.ndarray, box: Box, *, outside: float | None = None) -> np.ndarray:
        """Show another array of the image's grid in these frames: float32 of :attr:`values`' shape.

        Args:
            array: real, with the axes of a region.
            box: of the subject's arrays, where it lies.
            outside: the value beyond it; the nearest one when None.
        """
        subject = self._region.subject
        whole = [slice(0, size) for size in subject.image.array.shape]
        for axis, side in zip(subject.axes, box, strict=True):
            whole[axis] = side
        stack = self._pose.turn(_as_volume(tuple(whole), array))
        slices, rows, columns = _corner(self._region.box, tuple(whole), self._pose)
        frames = np.empty(self.values.shape, dtype=np.float32)
        for number, (row, column) in enumerate(zip(self._rows, self._columns, strict=True)):
            own = np.flatnonzero(self.tiles == number)
            at = self.slices[own] + slices
            ratio = [float(along[1] - along[0]) for along in (row, column)]
            frames[own] = sample(
                stack[np.clip(at, 0, len(stack) - 1)], row + rows, column + columns, ratio, outside=outside
            )
            if outside is not None:
                frames[own[(at < 0) | (at >= len(stack))]] = outside
        return frames

    def back(self, frames: np.ndarray, rest: np.ndarray | None = None) -> np.ndarray:
        """Put frames of :attr:`values`' shape back into an array of the region's shape.

        Args:
            frames: float.
            rest: of the region's shape: the values where no frame shows anything; the region's own by default.
        """
        from scipy import ndimage

        rest = self._region.values if rest is None else rest
        stack = self._pose.turn(_as_volume(self._region.box, rest)).astype(np.float32)
        total, weights = np.zeros((2, *stack.shape), dtype=np.float32)
        for number, (rows, columns) in enumerate(zip(self._rows, self._columns, strict=True)):
            at_rows, row_weight = _places(rows, stack.shape[1])
            at_columns, column_weight = _places(columns, stack.shape[2])
            weight = np.outer(row_weight, column_weight)
            grid = np.meshgrid(at_rows, at_columns, indexing="ij")
            own = (self.tiles == number) & (self.slices >= 0) & (self.slices < len(stack))
            for frame, at in zip(frames[own], self.slices[own], strict=True):
                sampled = ndimage.map_coordinates(frame.astype(np.float32), grid, order=1, mode="nearest")
                total[at] += weight * sampled
                weights[at] += weight
        covered = weights > 0
        stack[covered] = total[covered] / weights[covered]
        return np.ascontiguousarray(self._pose.back(stack)).reshape(self._region.values.shape)


def pixel_size(image: Volume, pixel_mm: float, across: int = 0) -> float:
    """Return the side of a frame's pixels, mm.

    Args:
        image: 2-D or 3-D.
        pixel_mm: the same for all images; or
        across: so many along the image's longest axis, 0 for none: files of films do not say how large a pixel is.
    """
    if not across:
        return pixel_mm
    return max(size * mm for size, mm in zip(image.array.shape, image.spacing, strict=True)) / across


def views(image: Volume, plane: str, also: Sequence[str], pixel_mm: float) -> tuple[str, ...]:
    """Return the planes in which a network may see an image: all only where no voxel is much longer than a pixel.

    Args:
        image: 2-D or 3-D; thick slices give the plane in which they lie, if it is among these.
        plane: the first of them.
        also: the others.
        pixel_mm: of the frames.
    """
    if image.array.ndim == 2 or 1 in image.array.shape:
        return (plane,)
    thick = [axis for axis, mm in enumerate(image.spacing) if mm > THICK * pixel_mm]
    if not thick:
        return (plane, *also)
    return next(((each,) for each in (plane, *also) if [pose(image, each).order[0]] == thick), (plane,))


def cut(
    region: Region,
    filled: np.ndarray,
    *,
    pixels: int,
    pixel_mm: float,
    plane: str = "axial",
    slices: int = 1,
    slice_mm: float = 1.0,
) -> Frames:
    """Cut frames around a region's hole.

    Args:
        region: 2-D or 3-D.
        filled: float32 of the region's shape: its values, smooth where none is known, since interpolation mixes both.
        pixels: of a frame's side.
        pixel_mm: their size.
        plane: a name of :data:`PLANES`; the axis of the image nearest to it is taken.
        slices: that a network sees at once, odd.
        slice_mm: from one of these to the next, rounded to whole slices, at least one.
    """
    image = region.subject.image
    turned = pose(image, plane)
    spacing = np.array(image.spacing if image.array.ndim == 3 else (1.0, *image.spacing))[list(turned.order)]
    step = max(1, round(slice_mm / spacing[0]))
    reach = max(1, slices // 2 * step)
    wide, inner = _field(region, turned, pixels * pixel_mm, reach)
    alone = np.count_nonzero(wide.hole) == np.count_nonzero(region.hole)
    # Finding nearest voxels takes longer than all the rest, and mostly no other hole is near.
    start = wide.values.copy() if alone else wide.cached(Region.nearest_known, wide.nearest_known).copy()
    start[inner] = np.where(region.hole, filled, region.values)
    stack = turned.turn(_as_volume(wide.box, start))
    hidden = turned.turn(_as_volume(wide.box, wide.hole))
    own = turned.turn(_as_volume(region.box, region.fill))
    corner = _corner(region.box, wide.box, turned)
    rows = _tiles(_touched(own, 1), pixels, pixel_mm / spacing[1])
    columns = _tiles(_touched(own, 2), pixels, pixel_mm / spacing[2])
    ratio = [float(pixel_mm / each) for each in spacing[1:]]
    parts, shown_slices, tiles = [], [], []
    for row, column in itertools.product(rows, columns):
        if not own[:, row.cell, column.cell].any():
            continue
        # All slices in which the tile sees some of the hole: those of other tiles' parts are filled, and fade, too.
        touched = np.asarray(own[:, row.seen, column.seen].any(axis=(1, 2)))
        slice_numbers = _shown(touched, reach, -corner[0], len(stack) - corner[0])
        at = (row.pixels + corner[1], column.pixels + corner[2], ratio)
        planes = slice_numbers + corner[0]
        values = sample(stack[planes], *at)
        # Smoothed as the values are: a pixel is known when nothing under a hole has gone into it.
        outside_hole = sample((~hidden[planes]).astype(np.float32), *at) > WHOLE
        inside = sample(np.ones((1, *hidden.shape[1:]), dtype=np.float32), *at, outside=0.0) > WHOLE
        touches = (slice_numbers >= 0) & (slice_numbers < len(own))
        touches[touches] = touched[slice_numbers[touches]]
        parts.append((values, outside_hole, np.broadcast_to(inside, outside_hole.shape), touches))
        shown_slices.append(slice_numbers)
        tiles.append((row, column))
    values, outside_hole, inside, with_hole = (np.concatenate(each) for each in zip(*parts, strict=True))
    of_tile = np.repeat(np.arange(len(tiles)), [len(slice_numbers) for slice_numbers in shown_slices])
    of_slice = np.concatenate(shown_slices)
    return Frames(
        values,
        outside_hole,
        inside,
        np.flatnonzero(with_hole),
        _only_plane(image) or plane,
        of_slice,
        of_tile,
        _stacks(of_tile, of_slice, (np.arange(slices) - slices // 2) * step),
        region,
        turned,
        tuple(row.pixels for row, _ in tiles),
        tuple(column.pixels for _, column in tiles),
    )


def sample(
    stack: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    ratio: Sequence[float],
    *,
    outside: float | None = None,
) -> np.ndarray:
    """Sample slices at rows and columns between voxels, linear: float32 ``(n, len(rows), len(columns))``.

    Args:
        stack: ``(n, rows, columns)``, real.
        rows, columns: where, in voxels.
        ratio: pixels over voxels; where pixels are larger, the slices are smoothed first, so that nothing aliases.
        outside: the value beyond the image; the nearest one when None.
    """
    from scipy import ndimage

    smoothing = [max(0.0, (each - 1) / 2) for each in ratio]
    if max(smoothing) <= ALIKE and _are_whole(rows) and _are_whole(columns):
        return _picked(stack, rows.astype(np.intp), columns.astype(np.intp), outside)
    mode, constant = ("nearest", 0.0) if outside is None else ("constant", outside)
    out = np.empty((len(stack), len(rows), len(columns)), dtype=np.float32)
    grid = np.meshgrid(rows, columns, indexing="ij")
    for plane, to in zip(stack, out, strict=True):
        smooth = ndimage.gaussian_filter(plane, smoothing, mode="nearest") if max(smoothing) > ALIKE else plane
        to[...] = ndimage.map_coordinates(smooth, grid, order=1, mode=mode, cval=constant)
    return out


def _are_whole(positions: np.ndarray) -> bool:
    return bool((positions == np.floor(positions)).all())


def _picked(stack: np.ndarray, rows: np.ndarray, columns: np.ndarray, outside: float | None) -> np.ndarray:
    """Return what :func:`sample` returns at whole voxels, in a tenth of the time of interpolation."""
    _, height, width = stack.shape
    picked = stack[:, rows.clip(0, height - 1)[:, np.newaxis], columns.clip(0, width - 1)].astype(np.float32)
    if outside is not None:
        picked[:, (rows < 0) | (rows >= height)] = outside
        picked[:, :, (columns < 0) | (columns >= width)] = outside
    return picked


def along(middle: float, pixels: int, ratio: float) -> np.ndarray:
    """Return the positions of a frame's pixels, in voxels, around its middle: whole voxels where both are alike."""
    first = middle - (pixels - 1) / 2 * ratio
    if abs(ratio - 1) < ALIKE:
        first, ratio = math.floor(first + 0.5), 1.0
    return first + ratio * np.arange(pixels)


@dataclasses.dataclass(frozen=True)
class _Tile:
    """Where frames lie along the rows (or columns) of a region.

    Attributes:
        pixels: the rows at which their pixels lie.
        cell: the rows of the hole for which they are.
    """

    pixels: np.ndarray
    cell: slice

    @property
    def seen(self) -> slice:
        """The rows that go into their pixels: where these are larger than voxels, as far as the smoothing reaches."""
        reach = math.ceil(max(1.0, 2 * (self.pixels[1] - self.pixels[0])))
        return slice(max(0, math.floor(self.pixels[0]) - reach), max(0, math.ceil(self.pixels[-1]) + reach + 1))


def _tiles(touched: np.ndarray, pixels: int, ratio: float) -> list[_Tile]:
    """Place enough tiles that each has its share of the hole in its middle.

    Args:
        touched: which of the region's rows (or columns) hold some of the hole.
        pixels: of a frame's side.
        ratio: pixels over voxels.
    """
    first, last = _extent(touched)
    size, room = last - first + 1, MIDDLE * pixels * ratio
    count = max(1, math.ceil(size / room))
    ends = [first + round(size * number / count) for number in range(count + 1)]
    return [
        _Tile(along((start + stop - 1) / 2, pixels, ratio), slice(start, stop))
        for start, stop in itertools.pairwise(ends)
    ]


def _shown(touched: np.ndarray, reach: int, first: int, end: int) -> np.ndarray:
    """Return the slices that hold some of a part of the hole, and their neighbours.

    Args:
        touched: bool, which of the region's slices do.
        reach: up to which distance neighbours are included.
        first, end: the slices that there are, as the region counts.
    """
    candidates = np.arange(first, end)
    apart = np.abs(candidates[:, np.newaxis] - np.flatnonzero(touched))
    return candidates[apart.min(axis=1) <= reach]


def _places(tile: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each of the region's rows where it lies in a tile, in pixels, and the weight of the tile there."""
    ratio = tile[1] - tile[0]
    at = (np.arange(size) - tile[0]) / ratio
    half = (len(tile) - 1) / 2
    weight = 1.0 - np.abs(at - half) / (half + 1)
    return at, np.where((at > -0.5) & (at < len(tile) - 0.5), weight, 0.0)


def _stacks(tiles: np.ndarray, slices: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the frames of the same tile whose slices are nearest to these plus offsets: int ``(n, len(offsets))``."""
    stacks = np.empty((len(slices), len(offsets)), dtype=np.intp)
    for tile in np.unique(tiles):
        own = np.flatnonzero(tiles == tile)
        targets = slices[own, np.newaxis] + offsets
        stacks[own] = own[np.abs(targets[..., np.newaxis] - slices[own]).argmin(axis=-1)]
    return stacks


def _field(region: Region, turned: Pose, side_mm: float, slices: int) -> tuple[Region, Box]:
    """Return the region enlarged for frames of this side, and the region's box in it."""
    image = region.subject.image
    margin = [0] * image.array.ndim
    offset = 3 - image.array.ndim
    for place, axis in enumerate(turned.order):
        if axis >= offset:
            margin[axis - offset] = math.ceil(side_mm / image.spacing[axis - offset]) + 2 if place else slices
    box = grow(region.box, margin, image.array.shape)
    # A network that corrects another fill cuts the same frames of both.
    wide = region.cached((_field, *((side.start, side.stop) for side in box)), lambda: crop(region.subject, box))
    return wide, relative(region.place, wide.place)


def _as_volume(box: Box, array: np.ndarray) -> np.ndarray:
    """Reshape an array of a box of the image to all three axes."""
    shape = [side.stop - side.start for side in box]
    return array.reshape([1] * (3 - len(shape)) + shape)


def _corner(box: Box, wide: Box, turned: Pose) -> list[int]:
    """Return where a box begins in another one, both turned."""
    corner = []
    for place, axis in enumerate(turned.order):
        at = axis - (3 - len(box))
        if at < 0:
            corner.append(0)
            continue
        before = box[at].start - wide[at].start
        after = wide[at].stop - box[at].stop
        corner.append(after if place in turned.flips else before)
    return corner


def _touched(hole: np.ndarray, axis: int) -> np.ndarray:
    """Mark where along an axis there is some of the hole: bool, 1-D."""
    return np.asarray(hole.any(axis=tuple(other for other in range(3) if other != axis)))


def _extent(touched: np.ndarray) -> tuple[int, int]:
    indices = np.flatnonzero(touched)
    return int(indices[0]), int(indices[-1])
