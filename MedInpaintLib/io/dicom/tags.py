"""The header of a single-frame DICOM image, by SimpleITK: works with nothing else installed."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ImageReadError
from .frame import Frame
from .meta import check_whole, damaged, read_meta
from .objects import class_of, refuse_no_image

if TYPE_CHECKING:
    import SimpleITK

#: SimpleITK's name of its reader for DICOM; without it, others may claim a damaged file.
GDCM = "GDCMImageIO"
#: What tells several images at one position apart, most telling first.
MARKS = {
    "time point": "0020|0100",
    "b-value": "0018|9087",
    "echo": "0018|0086",
    "echo time": "0018|0081",
    "trigger time": "0018|1060",
    "cardiac phase": "0020|9241",
    "acquisition": "0020|0012",
    "flip angle": "0018|1314",
    "inversion time": "0018|0082",
    "image type": "0008|0008",
    "acquisition time": "0008|0032",
}


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file of a folder: the series that it belongs to, and its frame.

    Attributes:
        series, study: UIDs.
        number, description, modality: of the series, for people; may be empty.
        photometric: how voxels are to be shown, such as ``MONOCHROME2``.
        frames: how many the file holds.
        frame: of a single-frame file.
    """

    series: str
    study: str
    number: str
    description: str
    modality: str
    photometric: str
    frames: int
    frame: Frame


def open_image(path: Path) -> SimpleITK.ImageFileReader:
    """Return SimpleITK's reader with a file's header read.

    Raises:
        ImageReadError: the object is no image, or the file is damaged.
    """
    import SimpleITK as sitk

    refuse_no_image(path, class_of(path))
    check_whole(path, read_meta(path))
    reader = sitk.ImageFileReader()
    reader.SetImageIO(GDCM)
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        raise damaged(path, "its header or pixels break off, or it holds no image") from None
    return reader


def read_entry(path: Path) -> Entry:
    """Read the header of an image file.

    Raises:
        ImageReadError: the object is no image, the file is damaged, or a field makes no sense.
    """
    tags = _Tags(path, open_image(path))
    refuse_no_image(path, tags.text("0008|0016"))
    signed = tags.text("0028|0103") == "1"
    bits = int(tags.numbers("0028|0101", 1)[0])
    return Entry(
        series=tags.text("0020|000e"),
        study=tags.text("0020|000d"),
        number=tags.text("0020|0011"),
        description=tags.text("0008|103e"),
        modality=tags.text("0008|0060"),
        photometric=tags.text("0028|0004"),
        frames=int(tags.optional("0028|0008", 1, (1.0,))[0]),
        frame=Frame(
            path=path,
            number=0,
            sop_class=tags.text("0008|0016"),
            instance=tags.text("0008|0018"),
            frame_of_reference=tags.text("0020|0052"),
            shape=tuple(int(tags.numbers(tag, 1)[0]) for tag in ("0028|0010", "0028|0011")),  # type: ignore[arg-type]
            position=tags.optional("0020|0032", 3, None),
            orientation=tags.optional("0020|0037", 6, None),
            pixel_spacing=_pixel_spacing(tags),
            thickness=_thickness(tags),
            slope=tags.optional("0028|1053", 1, (None,))[0],
            intercept=tags.optional("0028|1052", 1, (None,))[0],
            inverted=tags.text("0028|0004") == "MONOCHROME1",
            bits=bits,
            signed=signed,
            padding=padding_of(
                [tags.optional(tag, 1, (None,))[0] for tag in ("0028|0120", "0028|0121")], bits if signed else 0
            ),
            marks={words: tags.text(tag) for words, tag in MARKS.items() if tags.text(tag)},
        ),
    )


def padding_of(limits: list[float | None], signed_bits: int) -> tuple[float, float] | None:
    """Return the stored values that mean "no data", from PixelPaddingValue and PixelPaddingRangeLimit.

    Args:
        limits: both values, None where the header has none.
        signed_bits: of stored values with a sign, whose padding some programs write without one; 0 without a sign.
    """
    values = [value for value in limits if value is not None]
    if limits[0] is None:
        return None
    if signed_bits:
        values = [value - 65536 if value > 32767 else value for value in values]
    return min(values), max(values)


def _pixel_spacing(tags: _Tags) -> tuple[float, float]:
    """Return mm between rows and columns: in the patient, else at the detector, else 1."""
    for tag in ("0028|0030", "0018|1164", "0018|2010"):
        spacing = tags.optional(tag, 2, None)
        if spacing is not None:
            if min(spacing) <= 0:
                raise ImageReadError(f"'{tags.path}' has a pixel spacing of {spacing} mm; it must be positive.")
            return spacing[0], spacing[1]
    return 1.0, 1.0


def _thickness(tags: _Tags) -> float:
    steps = [abs(tags.optional(tag, 1, (0.0,))[0]) for tag in ("0018|0088", "0018|0050")]
    return next((step for step in steps if step > 0), 1.0)


class _Tags:
    """The top-level elements of a file's header, as text or numbers."""

    def __init__(self, path: Path, reader: SimpleITK.ImageFileReader) -> None:
        self.path = path
        self._reader = reader

    def text(self, tag: str) -> str:
        """Return an element as printable text; empty when it is not there."""
        if not self._reader.HasMetaDataKey(tag):
            return ""
        raw = self._reader.GetMetaData(tag).encode("utf-8", "surrogateescape")
        return "".join(each if each.isprintable() else "?" for each in raw.decode("utf-8", "replace").strip(" \0"))

    def numbers(self, tag: str, count: int) -> tuple[float, ...]:
        """Return the numbers of an element that must be there.

        Raises:
            ImageReadError: it is not there, or is not that many finite numbers.
        """
        text = self.text(tag)
        try:
            values = tuple(float(part) for part in text.split("\\"))
        except ValueError:
            values = ()
        if len(values) != count or not all(math.isfinite(value) for value in values):
            raise ImageReadError(
                f"The DICOM file '{self.path}' has '{text}' as its element ({tag.replace('|', ',')}); "
                f"it must be {count} number{'s' if count > 1 else ''}. Repair or export it again."
            )
        return values

    def optional(self, tag: str, count: int, default):  # type: ignore[no-untyped-def]  # the default's type is kept
        """Return the numbers of an element, or the default when it is not there or empty."""
        return self.numbers(tag, count) if self.text(tag) else default
