"""One slice of a DICOM image as its header describes it, and the header of a whole image for the writer."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from ...volume import Volume


@dataclasses.dataclass(frozen=True)
class Frame:
    """One slice: a file, or a frame of an enhanced file.

    Attributes:
        path, number: of the file, and of the frame in it, from 0.
        sop_class, instance: UIDs of the kind of object and of the object.
        frame_of_reference: UID of the space in which positions are meant.
        shape: rows, columns.
        position: of the centre of the first voxel, mm, LPS; None for a projection such as a film.
        orientation: unit vectors along a row (i) and along a column (j), as 6 numbers; None for a projection.
        pixel_spacing: mm between rows (j) and between columns (i).
        thickness: mm from slice to slice as the header has it, for an image of one slice.
        slope, intercept: intensity = slope * stored + intercept; None where the header has none.
        inverted: whether low values are shown bright (MONOCHROME1).
        bits, signed: of the stored values.
        padding: lowest and highest stored value that mean "no data", or None.
        marks: what else tells images at one position apart, in words -> value.
    """

    path: Path
    number: int
    sop_class: str
    instance: str
    frame_of_reference: str
    shape: tuple[int, int]
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    pixel_spacing: tuple[float, float]
    thickness: float
    slope: float | None
    intercept: float | None
    inverted: bool
    bits: int
    signed: bool
    padding: tuple[float, float] | None
    marks: dict[str, str]

    @property
    def name(self) -> str:
        """The file's name, and the frame's number in a file of several, for messages."""
        return f"{self.path.name}, frame {self.number + 1}" if "frame" in self.marks else self.path.name

    @property
    def scale(self) -> tuple[float, float]:
        """Slope and intercept; 1 and 0 where the header has none."""
        return (1.0 if self.slope is None else self.slope), (0.0 if self.intercept is None else self.intercept)

    @property
    def stored_range(self) -> tuple[int, int]:
        """Lowest and highest value that can be stored."""
        return (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1) if self.signed else (0, (1 << self.bits) - 1)


@dataclasses.dataclass(frozen=True, eq=False)
class DicomHeader:
    """Where an image's slices come from, for the writer of a derived series.

    Attributes:
        frames: one a slice, in the order of the array; None where the slice is missing.
        shape, spacing, origin, direction: the grid of the image.
        modality: as DICOM calls it, such as ``MR``; empty when the files do not say.
    """

    frames: tuple[Frame | None, ...]
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]
    modality: str = ""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the series, each once."""
        return tuple(dict.fromkeys(frame.path for frame in self.frames if frame is not None))

    @property
    def frame_of_reference(self) -> str:
        """UID of the space in which positions are meant; empty when the files do not say."""
        return next(frame.frame_of_reference for frame in self.frames if frame is not None)

    def plain(self) -> None:
        """Return the header of another quantity on the same grid: none, since DICOM files say what they measure."""

    def lacks(self, name: str) -> str:
        """Say which slices an image lacks, and between which files."""
        gaps = [k for k, frame in enumerate(self.frames) if frame is None]
        steps = np.reshape(self.direction, (3, 3))[:, 2] * self.spacing[0]
        places = ", ".join(
            f"k = {k} at ({', '.join(f'{mm:.6g}' for mm in np.array(self.origin) + k * steps)}) mm" for k in gaps[:5]
        )
        more = f" and {len(gaps) - 5} more" if len(gaps) > 5 else ""
        below = next(frame for frame in reversed(self.frames[: gaps[0]]) if frame is not None)
        above = next(frame for frame in self.frames[gaps[0] :] if frame is not None)
        slices = "a slice" if len(gaps) == 1 else f"{len(gaps)} slices"
        return f"{name} lacks {slices}: {places}{more} (after '{below.name}', before '{above.name}')"

    def fits(self, volume: Volume) -> bool:
        """Return whether a volume still lies on the grid of the files."""
        mine = (self.shape, self.spacing, self.origin, self.direction)
        return mine == (volume.array.shape, volume.spacing, volume.origin, volume.direction)
