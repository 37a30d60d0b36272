"""Named segments of a mask, which may overlap: what .seg.nrrd, DICOM-SEG and RTSTRUCT hold."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

import numpy as np

from ..errors import ImageReadError
from ..volume import Volume

_FIELD = re.compile(r"Segment(\d+)_(Name|ID|LabelValue|Layer)$")


@dataclasses.dataclass(frozen=True, eq=False)
class Segment:
    """One structure.

    Attributes:
        number: by which a user chooses it, 1 or more, and different for each.
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


def is_segmentation(fields: Mapping[str, str]) -> bool:
    """Return whether header fields describe segments, as those of .seg.nrrd files do."""
    return any(match and match[2] in ("ID", "LabelValue") for match in map(_FIELD.match, fields))


def slicer_segments(layers: np.ndarray, fields: Mapping[str, str], grid: Volume) -> Segments:
    """Return the segments of a .seg.nrrd file.

    Args:
        layers: label maps on the last axis; segments that overlap lie in different ones.
        fields: of the header: for each segment its name, layer and label in that layer.
        grid: of the label maps.

    Raises:
        ImageReadError: a field is no number, or names a layer that is not there.
    """
    from scipy import ndimage

    described: dict[int, dict[str, str]] = {}
    for key, value in fields.items():
        match = _FIELD.match(key)
        if match:
            described.setdefault(int(match[1]), {})[match[2]] = value
    boxes = [ndimage.find_objects(_labels_of(layers[..., layer])) for layer in range(layers.shape[-1])]
    segments = []
    for index, about in sorted(described.items()):
        try:
            # Files of before Slicer 5 have one layer, and no field for it; their labels count from 1.
            layer, label = int(about.get("Layer", 0)), int(about.get("LabelValue", index + 1))
            own = boxes[layer]
        except (ValueError, IndexError):
            raise ImageReadError(f"The mask's segment {index} has a wrong label or layer: {about}.") from None
        box = own[label - 1] if 0 < label <= len(own) and own[label - 1] else (slice(0, 0),) * (layers.ndim - 1)
        name = about.get("Name", about.get("ID", ""))
        segments.append(Segment(label, name, layers[..., layer][box] == label, box))
    if len({segment.number for segment in segments}) < len(segments):  # labels of different layers
        segments = [dataclasses.replace(each, number=number) for number, each in enumerate(segments, start=1)]
    return Segments(grid, tuple(segments))


def _labels_of(layer: np.ndarray) -> np.ndarray:
    if layer.dtype.kind not in "iu":
        raise ImageReadError(f"A segmentation's labels must be whole numbers; found {layer.dtype}.")
    return layer if layer.dtype != np.uint64 else layer.astype(np.int64)
