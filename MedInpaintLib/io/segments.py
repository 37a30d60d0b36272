"""Named segments of a mask, which may overlap: what .seg.nrrd, DICOM-SEG and RTSTRUCT hold."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..volume import Volume


@dataclasses.dataclass(frozen=True, eq=False)
class Segment:
    """One structure.

    Attributes:
        number: its label value or segment number, 1 or more.
        name: as the file has it; may be empty.
        voxels: bool, of the shape of ``box``.
        box: the part of the grid that holds it, one slice an axis.
    """

    number: int
    name: str
    voxels: np.ndarray
    box: tuple[slice, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Segments:
    """Structures on one grid.

    Attributes:
        grid: a volume of the grid; its voxels do not matter and may take no memory.
        segments: in the file's order.
        warnings: of the reader, for the report.
    """

    grid: Volume
    segments: tuple[Segment, ...]
    warnings: tuple[str, ...] = ()
