"""DICOM-SEG: each frame is put where its own header says, into the segment that it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ImageReadError
from ...volume import GRID_TOLERANCE, Volume
from ..segments import Segments
from .enhanced import orientation_of, pixel_spacing_of, position_of, value_in
from .frame import Frame
from .geometry import Stack, stack
from .marked import check_space, segment_of
from .objects import read_dataset, understanding
from .pixels import stored_pixels

if TYPE_CHECKING:
    from pydicom import Dataset


def read_segmentation(path: Path, image: Volume) -> Segments:
    """Read a segmentation: on the image's grid where its frames lie in the image's slices, else on its own.

    Args:
        path: of the file.
        image: that it belongs to.

    Raises:
        ImageReadError: damaged, a frame without position or segment, or frames that lie on no common grid.
        MissingDependencyError: pydicom is not installed.
    """
    with understanding(path):
        dataset = read_dataset(path)
        names = {
            int(item.SegmentNumber): str(item.get("SegmentLabel", "")) for item in dataset.get("SegmentSequence") or []
        }
        planes, warnings = _planes(dataset, path)
        grid, indices = _place(dataset, path, image, len(planes))
        voxels: dict[int, dict[int, np.ndarray]] = {}
        for number, (plane, k) in enumerate(zip(planes, indices, strict=True)):
            for segment, marked in _segments_of(dataset, number, plane, path):
                slices = voxels.setdefault(segment, {})
                slices[k] = slices[k] | marked if k in slices else marked
        segments = [segment_of(number, names.get(number, ""), voxels[number]) for number in sorted(voxels)]
        warnings += check_space(str(dataset.get("FrameOfReferenceUID", "")), image, "segmentation")
        return Segments(grid, tuple(segment for segment in segments if segment is not None), tuple(warnings))


def _planes(dataset: Dataset, path: Path) -> tuple[np.ndarray, list[str]]:
    """Return the frames: segment numbers of a label map, else where the segment is; and a warning of a threshold."""
    planes = stored_pixels(path)
    kind = dataset.get("SegmentationType", "BINARY")
    if kind == "LABELMAP":
        return planes, []
    if kind != "FRACTIONAL":
        return planes != 0, []
    highest = float(dataset.get("MaximumFractionalValue", 0) or planes.max() or 1)
    warning = f"'{path.name}' holds fractions of segments; voxels of at least half are used."
    return planes >= highest / 2, [warning]


def _segments_of(dataset: Dataset, number: int, plane: np.ndarray, path: Path) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the number and the voxels of each segment in a frame."""
    if plane.dtype != bool:
        for label in np.unique(plane[plane != 0]):
            yield int(label), plane == label
        return
    segment = value_in(dataset, number, "SegmentIdentificationSequence", "ReferencedSegmentNumber")
    if segment is None:
        raise ImageReadError(f"Frame {number + 1} of '{path}' does not say to which segment it belongs.")
    yield int(segment), plane


def _place(dataset: Dataset, path: Path, image: Volume, count: int) -> tuple[Volume, list[int]]:
    """Return the grid of the segmentation, and the slice of each frame on it."""
    shape = (int(dataset.Rows), int(dataset.Columns))
    positions = [position_of(dataset, number) for number in range(count)]
    if image.array.ndim == 2 and shape == image.array.shape and (count == 1 or None in positions):
        return image, [0] * count
    frames = []
    for number, position in enumerate(positions):
        orientation = orientation_of(dataset, number)
        if position is None or orientation is None or len(position) != 3 or len(orientation) != 6:
            raise ImageReadError(f"Frame {number + 1} of '{path}' does not say where it lies.")
        spacing = pixel_spacing_of(dataset, number, path)
        frames.append(_frame(path, number, shape, position, orientation, spacing, _step(dataset, number)))
    indices = _slices_of(frames, image)
    if indices is not None:
        return image, indices
    own = _own_stack(frames)
    empty = np.broadcast_to(np.uint8(0), (len(own.frames), *shape))
    grid = Volume(empty, own.spacing, own.origin, own.direction)
    indices = _slices_of(frames, grid)
    assert indices is not None  # it is their grid
    return grid, indices


def _frame(
    path: Path,
    number: int,
    shape: tuple[int, int],
    position: tuple[float, ...],
    orientation: tuple[float, ...],
    spacing: tuple[float, float],
    step: float,
) -> Frame:
    return Frame(
        path=path,
        number=number,
        sop_class="",
        instance=str(number),
        frame_of_reference="",
        shape=shape,
        position=position,
        orientation=orientation,
        pixel_spacing=spacing,
        thickness=step,
        slope=None,
        intercept=None,
        inverted=False,
        bits=8,
        signed=False,
        padding=None,
        marks={"frame": str(number + 1)},
    )


def _step(dataset: Dataset, number: int) -> float:
    """Return mm from slice to slice as the file has it; 1 where it has not."""
    for name in ("SpacingBetweenSlices", "SliceThickness"):
        value = value_in(dataset, number, "PixelMeasuresSequence", name)
        if value and float(value) > 0:
            return float(value)
    return 1.0


def _slices_of(frames: list[Frame], grid: Volume) -> list[int] | None:
    """Return the slice of a grid in which each frame lies; None when one lies elsewhere, or on other pixels."""
    if grid.array.ndim != 3 or frames[0].shape != grid.array.shape[1:]:
        return None
    steps, start = grid.ijk_to_lps()
    slices = []
    for frame in frames:
        assert frame.orientation is not None  # checked before
        sides = np.reshape(frame.orientation, (2, 3)) * np.array(frame.pixel_spacing[::-1])[:, np.newaxis]
        size = np.array(frame.shape[::-1])[:, np.newaxis]
        turned = np.linalg.solve(steps, ((sides - steps[:, :2].T) * size).T)
        corner = np.linalg.solve(steps, np.array(frame.position) - start)
        k = round(float(corner[2]))
        off = max(float(np.abs(corner - (0, 0, k)).max()), float(np.abs(turned).max()))
        if off > GRID_TOLERANCE or not 0 <= k < len(grid.array):
            return None
        slices.append(k)
    return slices


def _own_stack(frames: list[Frame]) -> Stack:
    """Return the grid of frames of which several may share a position, and empty ones may be left out."""
    one_each = list({tuple(np.round(frame.position or (), 3)): frame for frame in frames}.values())
    normal = np.cross(*np.array(one_each[0].orientation).reshape(2, 3))
    gaps = np.diff(np.sort(np.array([frame.position for frame in one_each]) @ normal))
    ratios = gaps / one_each[0].thickness
    regular = (np.abs(ratios - np.rint(ratios)) <= GRID_TOLERANCE).all() and (np.rint(ratios) >= 1).all()
    return stack(one_each, step=one_each[0].thickness if regular else None)
