"""What segmentations and structure sets share: segments made of slices, and the space in which they are meant."""

from __future__ import annotations

import numpy as np

from ...volume import Volume
from ..segments import Segment
from .frame import DicomHeader


def segment_of(number: int, name: str, slices: dict[int, np.ndarray]) -> Segment | None:
    """Return a segment cut to the box that holds it; None when it is empty."""
    slices = {k: plane for k, plane in slices.items() if plane.any()}
    if not slices:
        return None
    rows = np.flatnonzero(np.any([plane.any(axis=1) for plane in slices.values()], axis=0))
    columns = np.flatnonzero(np.any([plane.any(axis=0) for plane in slices.values()], axis=0))
    box = tuple(slice(int(min(at)), int(max(at)) + 1) for at in (list(slices), rows, columns))
    voxels = np.zeros([part.stop - part.start for part in box], dtype=bool)
    for k, plane in slices.items():
        voxels[k - box[0].start] = plane[box[1:]]
    return Segment(number, name, voxels, box)


def check_space(frame_of_reference: str, image: Volume, what: str) -> list[str]:
    """Return a warning when a mask's positions are meant in another space than the image's."""
    header = image.header
    if not isinstance(header, DicomHeader) or not frame_of_reference or not header.frame_of_reference:
        return []
    if frame_of_reference == header.frame_of_reference:
        return []
    return [
        f"The {what} belongs to another frame of reference than the image (UID ...{frame_of_reference[-12:]} instead "
        f"of ...{header.frame_of_reference[-12:]}): its positions may not fit. Check where the hole lies."
    ]
