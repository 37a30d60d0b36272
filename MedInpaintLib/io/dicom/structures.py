"""RTSTRUCT: closed planar contours become the voxels of the image whose centres they enclose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ImageReadError
from ...volume import Volume
from ..segments import Segments
from .marked import check_space, segment_of
from .objects import read_dataset, understanding

if TYPE_CHECKING:
    from pydicom import Dataset

#: Contours lie in the slices' planes to this share of their distance; farther ones were drawn on another image.
_IN_PLANE = 0.1
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")


def read_structures(path: Path, image: Volume) -> Segments:
    """Read a structure set on the image's grid. In a slice, the even-odd rule makes inner contours holes.

    Args:
        path: of the file.
        image: on whose slices the contours were drawn.

    Raises:
        ImageReadError: damaged, or contours that do not lie in the image's slices.
        MissingDependencyError: pydicom is not installed.
    """
    with understanding(path):
        dataset = read_dataset(path)
        if image.array.ndim != 3:
            raise ImageReadError(f"'{path}' is a structure set: its contours lie in space, but the image is 2-D.")
        rois = {int(item.ROINumber): item for item in dataset.get("StructureSetROISequence") or []}
        segments, warnings = [], []
        for item in dataset.get("ROIContourSequence") or []:
            number = int(item.ReferencedROINumber)
            name = str(rois[number].get("ROIName", "")) if number in rois else ""
            slices, remarks = _slices(item, image, f"The structure '{name or number}' of '{path.name}'")
            warnings += remarks
            segment = segment_of(number, name, slices)
            if segment is not None:
                segments.append(segment)
        for space in {str(item.get("ReferencedFrameOfReferenceUID", "")) for item in rois.values()}:
            warnings += check_space(space, image, "structure set")
        return Segments(image, tuple(segments), tuple(warnings))


def _slices(item: Dataset, image: Volume, name: str) -> tuple[dict[int, np.ndarray], list[str]]:
    """Return the voxels of a structure by slice, and warnings that begin with ``name``."""
    contours: dict[int, list[np.ndarray]] = {}
    skipped, outside = set(), 0
    for contour in item.get("ContourSequence") or []:
        kind = str(contour.get("ContourGeometricType", ""))
        if kind not in _CLOSED:
            skipped.add(kind)
            continue
        points = _points(contour, image, name)
        k = round(float(points[:, 2].mean()))
        if 0 <= k < len(image.array):
            own = contours.setdefault(k, [])
            if not any(np.array_equal(points, other) for other in own):  # twice the same would cancel out
                own.append(points)
        else:
            outside += 1
    warnings = []
    if skipped:
        warnings.append(f"{name} has contours that enclose nothing ({', '.join(sorted(skipped))}); they were left out.")
    if outside:
        warnings.append(f"{name} has {outside} contours beyond the image's slices; they were left out.")
    gaps = sorted(set(range(min(contours), max(contours))) - set(contours)) if contours else []
    if gaps:
        warnings.append(f"{name} has no contour in {len(gaps)} slices between others; nothing is marked there.")
    rows_columns = image.array.shape[1:]
    return {k: enclosed([each[:, :2] for each in own], rows_columns) for k, own in contours.items()}, warnings


def _points(contour: Dataset, image: Volume, name: str) -> np.ndarray:
    """Return the points of a contour in voxels (i, j, k).

    Raises:
        ImageReadError: they are no triples of numbers, or do not lie in one slice of the image.
    """
    data = np.array([float(value) for value in contour.get("ContourData") or []])
    if len(data) < 3 or len(data) % 3 or not np.isfinite(data).all():
        raise ImageReadError(f"{name} has a contour of {len(data)} numbers; it must be triples of finite ones.")
    steps, start = image.ijk_to_lps()
    points = np.linalg.solve(steps, data.reshape(-1, 3).T - start[:, np.newaxis]).T
    off = float(np.abs(points[:, 2] - round(float(points[:, 2].mean()))).max())
    if off > _IN_PLANE:
        raise ImageReadError(
            f"{name} has a contour that lies {off * image.spacing[0]:.3g} mm off the image's slices: it was drawn on "
            "another series or another orientation. Give that series, or convert the structure to a labelmap."
        )
    return points


def enclosed(polygons: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Return the pixels whose centres an odd number of polygons enclose.

    Args:
        polygons: corners (i, j) = (column, row) in pixels; a pixel's centre has whole numbers.
        shape: rows, columns.

    >>> enclosed([np.array([[0.5, 0.5], [2.5, 0.5], [2.5, 1.5], [0.5, 1.5]])], (3, 4)).astype(int)
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    rows, columns = shape
    crossings = np.zeros((rows, columns + 1), dtype=np.int32)
    for polygon in polygons:
        for (i0, j0), (i1, j1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            # The rows whose centre line the edge crosses; half open, so that a corner counts once.
            first, last = max(math.ceil(min(j0, j1)), 0), min(math.ceil(max(j0, j1)), rows)
            crossed = np.arange(first, last)
            if len(crossed):
                at = np.ceil(i0 + (crossed - j0) * (i1 - i0) / (j1 - j0))
                np.add.at(crossings, (crossed, np.clip(at, 0, columns).astype(int)), 1)
    return np.cumsum(crossings, axis=1)[:, :-1] % 2 == 1
