"""The frames of an enhanced multi-frame image: each has its own position, orientation and scale."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ImageReadError
from .frame import Frame
from .objects import read_dataset, understanding
from .tags import Entry, padding_of

if TYPE_CHECKING:
    from pydicom import Dataset

#: What tells several frames at one position apart: in words, the sequence and the element in it.
_MARKS = (
    ("time point", "FrameContentSequence", "TemporalPositionIndex"),
    ("b-value", "MRDiffusionSequence", "DiffusionBValue"),
    ("direction of diffusion", "MRDiffusionSequence", "DiffusionDirectionality"),
    ("echo time", "MREchoSequence", "EffectiveEchoTime"),
    ("cardiac trigger time", "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    ("frame type", "MRImageFrameTypeSequence", "FrameType"),
    ("frame type", "CTImageFrameTypeSequence", "FrameType"),
    ("dimension indices", "FrameContentSequence", "DimensionIndexValues"),
)


def read_frames(entry: Entry) -> list[Frame]:
    """Return the frames of an enhanced file, in the file's order.

    Raises:
        ImageReadError: it holds several stacks, a frame has no position, or a number of frames that is not true.
        MissingDependencyError: pydicom is not installed.
    """
    path = entry.frame.path
    with understanding(path):
        dataset = read_dataset(path)
        groups = dataset.get("PerFrameFunctionalGroupsSequence") or []
        if len(groups) != entry.frames:
            raise ImageReadError(
                f"'{path}' says that it holds {entry.frames} frames and describes {len(groups)} of them."
            )
        names = (value_in(dataset, number, "FrameContentSequence", "StackID") for number in range(len(groups)))
        stacks = {str(name or "") for name in names}
        if len(stacks) > 1:
            raise ImageReadError(
                f"'{path}' holds {len(stacks)} stacks of slices ({', '.join(sorted(stacks)[:10])}); export one of them."
            )
        return [_frame(entry, dataset, number) for number in range(len(groups))]


def value_in(dataset: Dataset, number: int, sequence: str, element: str) -> Any:
    """Return an element of a frame: its own, else the one that all frames share, else None."""
    for groups, index in (("PerFrameFunctionalGroupsSequence", number), ("SharedFunctionalGroupsSequence", 0)):
        items = dataset.get(groups)
        if items and items[index].get(sequence) and element in items[index].get(sequence)[0]:
            return items[index].get(sequence)[0].get(element)
    return None


def position_of(dataset: Dataset, number: int) -> tuple[float, ...] | None:
    """Return the position of a frame, mm, LPS; None when there is none."""
    return _floats(value_in(dataset, number, "PlanePositionSequence", "ImagePositionPatient"))


def orientation_of(dataset: Dataset, number: int) -> tuple[float, ...] | None:
    """Return the unit vectors of a frame's rows and columns; None when there are none."""
    return _floats(value_in(dataset, number, "PlaneOrientationSequence", "ImageOrientationPatient"))


def pixel_spacing_of(dataset: Dataset, number: int, path: Path) -> tuple[float, float]:
    """Return mm between the rows and between the columns of a frame.

    Raises:
        ImageReadError: it is missing, or not positive.
    """
    spacing = _floats(value_in(dataset, number, "PixelMeasuresSequence", "PixelSpacing"))
    if spacing is None or len(spacing) != 2 or min(spacing) <= 0:
        raise ImageReadError(f"Frame {number + 1} of '{path}' has no valid pixel spacing ({spacing}).")
    return spacing[0], spacing[1]


def _frame(entry: Entry, dataset: Dataset, number: int) -> Frame:
    path = entry.frame.path
    position, orientation = position_of(dataset, number), orientation_of(dataset, number)
    if position is None or orientation is None or len(position) != 3 or len(orientation) != 6:
        raise ImageReadError(f"Frame {number + 1} of '{path}' does not say where it lies.")
    thickness = _floats(value_in(dataset, number, "PixelMeasuresSequence", "SliceThickness"))
    scale = [
        _floats(value_in(dataset, number, "PixelValueTransformationSequence", name))
        for name in ("RescaleSlope", "RescaleIntercept")
    ]
    marks = {words: value_in(dataset, number, sequence, name) for words, sequence, name in _MARKS}
    return Frame(
        path=path,
        number=number,
        sop_class=str(dataset.SOPClassUID),
        instance=f"{dataset.SOPInstanceUID}.{number}",
        frame_of_reference=str(dataset.get("FrameOfReferenceUID", "")),
        shape=(int(dataset.Rows), int(dataset.Columns)),
        position=position,
        orientation=orientation,
        pixel_spacing=pixel_spacing_of(dataset, number, path),
        thickness=thickness[0] if thickness and thickness[0] > 0 else 1.0,
        slope=scale[0][0] if scale[0] else None,
        intercept=scale[1][0] if scale[1] else None,
        inverted=False,  # pydicom leaves values as they are stored
        bits=int(dataset.BitsStored),
        signed=bool(dataset.PixelRepresentation),
        padding=padding_of([_number(dataset, name) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")], 0),
        marks={"frame": str(number + 1)} | {words: str(value) for words, value in marks.items() if value is not None},
    )


def _number(dataset: Dataset, name: str) -> float | None:
    value = dataset.get(name)
    return None if value is None or value == "" else float(value)


def _floats(value: Any) -> tuple[float, ...] | None:
    if value is None or value == "":
        return None
    return tuple(float(each) for each in value) if hasattr(value, "__iter__") else (float(value),)
