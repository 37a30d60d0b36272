"""Lesions put back into segments that may overlap: each segment is one region, and the lesion another one."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..io.segments import Segment, Segments
from ..report import RegionFacts
from .regions import in_order, region


def lesion_out_of_segments(segments: Segments, lesion: np.ndarray) -> tuple[Segments, list[RegionFacts]]:
    """Return the segments without the voxels of a lesion, and a row for each, those with most under it first.

    Args:
        segments: of the filled image.
        lesion: bool, of the shape of the segments' grid.
    """
    voxel_ml = float(np.prod(segments.grid.spacing)) / 1000
    kept, rows = [], []
    for segment in segments.segments:
        voxels = segment.voxels & ~lesion[segment.box]
        before, after = int(np.count_nonzero(segment.voxels)), int(np.count_nonzero(voxels))
        kept.append(Segment(segment.number, segment.name, voxels, segment.box))
        rows.append(
            region(segment.number, segment.name, before=before, covered=before - after, after=after, voxel_ml=voxel_ml)
        )
    return dataclasses.replace(segments, segments=tuple(kept)), in_order(rows)
