"""A derived series: the files of the source with new voxels, new UIDs and a word on what they are.

Nothing of the patient is written that the source did not hold, and nothing of the source that describes its own voxels.
"""

from __future__ import annotations

import copy
import datetime
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import OutputError, OutputPathError
from ...files import real_path
from ...temporary import NEW, temporary_folder
from ...volume import Volume
from .frame import DicomHeader, Frame
from .objects import ENHANCED, need_pydicom, read_dataset

if TYPE_CHECKING:
    from pydicom import Dataset

#: Ends the series description, whose length DICOM limits to 64 characters.
SYNTHETIC = " (synthetic, not for diagnostic use)"
_LONGEST = 64
DERIVATION = "Marked voxels were filled with synthetic values by MedInpaint. Not for diagnostic use."
#: Added to the number of the source's series, so that lists show the derived one after it.
_NUMBER_STEP = 1000
#: Elements that describe the source's voxels or file, and would be false of the derived ones.
_DROPPED = (
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries",
    "IconImageSequence",
    "DigitalSignaturesSequence",
    "MACParametersSequence",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "PixelDataProviderURL",
    "ConcatenationUID",
    "SOPInstanceUIDOfConcatenationSource",
    "InConcatenationNumber",
    "InConcatenationTotalNumber",
    "ConcatenationFrameOffsetNumber",
)


def check_series_folder(folder: str | os.PathLike[str], image: Volume | None = None) -> None:
    """Check before the work that a derived series can be written there.

    Args:
        folder: that will hold the files: new, or empty.
        image: the input, once it is read.

    Raises:
        OutputPathError: the folder holds files, or its parent does not exist, or the input is no DICOM image.
        MissingDependencyError: pydicom is not installed.
    """
    need_pydicom("Writing DICOM")
    target = real_path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise OutputPathError(f"The folder '{folder}' for the DICOM series is not empty; name a new one.")
    if not target.parent.is_dir():
        raise OutputPathError(f"The folder '{target.parent}' for the output does not exist; create it first.")
    if not os.access(target.parent, os.W_OK):
        raise OutputPathError(f"The folder '{target.parent}' for the output is write-protected.")
    if image is not None:
        _header_of(image)


def write_series(volume: Volume, folder: str | os.PathLike[str], *, derivation: str = DERIVATION) -> None:
    """Write a volume as a series derived from the files that it was read from; the folder appears when it is whole.

    Stored values follow from the source's scale: those of known voxels are the source's, bit by bit.

    Args:
        volume: on the grid that was read, with its header.
        folder: new, or empty.
        derivation: what was done, for the files' derivation description.

    Raises:
        OutputPathError: the folder is not empty, or the volume was not read from DICOM.
        OutputError: the writing failed (disk full, no permission).
    """
    check_series_folder(folder, volume)
    header = _header_of(volume)
    series, target = _new_uid(), real_path(folder)
    try:
        with temporary_folder(target.parent) as temporary:
            new = temporary / NEW / target.name
            new.mkdir()
            for index, dataset in enumerate(_datasets(volume, header), start=1):
                _describe(dataset, series, derivation)
                _save(dataset, new / f"{index:05d}.dcm")
            if target.exists():
                target.rmdir()  # fails when something was put there meanwhile
            os.rename(new, target)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"'{folder}' could not be written ({error.strerror or error}).") from None


def _header_of(volume: Volume) -> DicomHeader:
    header = volume.header
    if not isinstance(header, DicomHeader):
        raise OutputPathError("A DICOM series can only be written from a DICOM image; write .nrrd instead.")
    if not header.fits(volume):
        raise OutputPathError("The image lies on another grid than its DICOM files; write .nrrd instead.")
    return header


def _datasets(volume: Volume, header: DicomHeader) -> Iterator[Dataset]:
    """Yield the files: one of an enhanced image, else one a slice."""
    if any(frame is not None and frame.sop_class in ENHANCED for frame in header.frames):
        yield _enhanced(volume, header)
        return
    for k in range(len(header.frames)):
        yield _single(volume, header, k)


def _single(volume: Volume, header: DicomHeader, k: int) -> Dataset:
    """Return one slice as a file of its own; a missing one takes after its nearest neighbor."""
    frame = header.frames[k]
    template = frame or _nearest(header.frames, k)
    dataset = read_dataset(template.path)
    if dataset.get("SamplesPerPixel", 1) != 1 or "PALETTE" in dataset.get("PhotometricInterpretation", ""):
        raise OutputPathError("The DICOM source is in colour, and the result is grey; write .nrrd instead.")
    plane = volume.array if volume.array.ndim == 2 else volume.array[k]
    _set_pixels(dataset, _stored(plane, template)[np.newaxis])
    if frame is None:
        dataset.ImagePositionPatient = _position(volume, k)
        if "SliceLocation" in dataset:
            del dataset.SliceLocation
    if len(header.frames) > 1 and "SpacingBetweenSlices" in dataset:
        dataset.SpacingBetweenSlices = _decimal(volume.spacing[0])  # the source's may be wrong; the positions are right
    dataset.InstanceNumber = k + 1
    sources = [frame] if frame is not None else _neighbors(header.frames, k)
    dataset.SourceImageSequence = [_reference(str(source.sop_class), source.instance) for source in sources]
    dataset.ImageType = ["DERIVED", "SECONDARY", *(list(dataset.get("ImageType", []))[2:] or ["OTHER"])]
    return dataset


def _enhanced(volume: Volume, header: DicomHeader) -> Dataset:
    """Return all slices as the frames of one enhanced file, in order."""
    sources = {path: read_dataset(path) for path in header.files}
    dataset = copy.copy(sources[header.files[0]])
    groups = []
    for k, frame in enumerate(header.frames):
        template = frame or _nearest(header.frames, k)
        group = copy.deepcopy(sources[template.path].PerFrameFunctionalGroupsSequence[template.number])
        if frame is None:
            group.PlanePositionSequence = [_plane(_position(volume, k))]
        _set_number(group, dataset, k)
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    dataset.NumberOfFrames = len(groups)
    templates = [frame or _nearest(header.frames, k) for k, frame in enumerate(header.frames)]
    planes = zip(volume.array, templates, strict=True)
    _set_pixels(dataset, np.stack([_stored(plane, template) for plane, template in planes]))
    dataset.SourceImageSequence = [
        _reference(str(source.SOPClassUID), str(source.SOPInstanceUID)) for source in sources.values()
    ]
    # Of enhanced images the second value may only be PRIMARY.
    dataset.ImageType = ["DERIVED", "PRIMARY", *list(dataset.get("ImageType", []))[2:]]
    _derive_frame_types(dataset)
    return dataset


def _plane(position: list[str]) -> Dataset:
    from pydicom import Dataset as New

    plane = New()
    plane.ImagePositionPatient = position
    return plane


def _set_number(group: Dataset, dataset: Dataset, k: int) -> None:
    """Set a frame's number to its place in the stack, also among its dimension indices."""
    content = (group.get("FrameContentSequence") or [None])[0]
    if content is None:
        return
    if "InStackPositionNumber" in content:
        content.InStackPositionNumber = k + 1
    names = [_keyword(item.get("DimensionIndexPointer")) for item in dataset.get("DimensionIndexSequence") or []]
    values = content.get("DimensionIndexValues")
    if values is None:
        return
    values = [values] if isinstance(values, int) else list(values)
    by_place = ("InStackPositionNumber", "ImagePositionPatient", "SliceLocation")
    content.DimensionIndexValues = [
        k + 1 if name in by_place else value for name, value in zip(names, values, strict=False)
    ] or values


def _keyword(tag: int | None) -> str:
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag) if tag is not None else ""


def _derive_frame_types(dataset: Dataset) -> None:
    for groups in [*(dataset.get("SharedFunctionalGroupsSequence") or []), *dataset.PerFrameFunctionalGroupsSequence]:
        for name in ("CTImageFrameTypeSequence", "MRImageFrameTypeSequence", "PETFrameTypeSequence"):
            for item in groups.get(name) or []:
                item.FrameType = ["DERIVED", "PRIMARY", *list(item.get("FrameType", []))[2:]]


def _stored(plane: np.ndarray, frame: Frame) -> np.ndarray:
    """Return stored values from intensities: the source's own for known voxels, the nearest ones for filled ones."""
    slope, intercept = frame.scale
    lowest, highest = frame.stored_range
    if plane.dtype.kind == "f" and not np.isfinite(plane).all():
        raise OutputPathError("DICOM cannot hold NaN or infinity, which this image has; write .nrrd instead.")
    values = np.rint((plane.astype(np.float64) - intercept) / slope)
    return np.clip(values, lowest, highest).astype(np.int64)


def _set_pixels(dataset: Dataset, stored: np.ndarray) -> None:
    """Put pixels into a dataset, uncompressed, and remove what described the old ones."""
    dataset.BitsAllocated = next(bits for bits in (8, 16, 32, 64) if bits >= dataset.BitsStored)
    dataset.HighBit = dataset.BitsStored - 1
    dtype = np.dtype(f"<{'i' if dataset.PixelRepresentation else 'u'}{dataset.BitsAllocated // 8}")
    for name in (*_DROPPED, "FloatPixelData", "DoubleFloatPixelData"):
        if name in dataset:
            delattr(dataset, name)
    dataset.remove_private_tags()
    data = stored.astype(dtype).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    dataset["PixelData"].is_undefined_length = False


def _describe(dataset: Dataset, series: str, derivation: str) -> None:
    """Give a dataset its new identity, and say what it is."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    now = datetime.datetime.now()
    dataset.SOPInstanceUID = _new_uid()
    dataset.SeriesInstanceUID = series
    dataset.SeriesNumber = series_number(str(dataset.get("SeriesNumber", "")))
    dataset.SeriesDescription = description(str(dataset.get("SeriesDescription", "") or dataset.get("Modality", "")))
    dataset.DerivationDescription = derivation
    dataset.InstanceCreationDate = now.strftime("%Y%m%d")
    dataset.InstanceCreationTime = now.strftime("%H%M%S.%f")
    dataset.ContributingEquipmentSequence = [
        *(dataset.get("ContributingEquipmentSequence") or []),
        _equipment(),
    ]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta


def _equipment() -> Dataset:
    from pydicom import Dataset as New

    from ... import __version__

    item = New()
    item.Manufacturer = "MedInpaint"
    item.SoftwareVersions = __version__
    item.PurposeOfReferenceCodeSequence = [_code("109103", "Modifying Equipment")]
    return item


def _reference(sop_class: str, instance: str) -> Dataset:
    from pydicom import Dataset as New

    item = New()
    item.ReferencedSOPClassUID = sop_class
    item.ReferencedSOPInstanceUID = instance
    item.PurposeOfReferenceCodeSequence = [_code("121322", "Source image for image processing operation")]
    return item


def _code(value: str, meaning: str) -> Dataset:
    from pydicom import Dataset as New

    item = New()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _save(dataset: Dataset, path: Path) -> None:
    """Write a dataset, in explicit little endian whatever the source was in."""
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on values of the source that break a rule of form
        new = pydicom.Dataset()  # has no encoding from which pydicom would refuse to convert
        for element in dataset:
            new.add(element)
        for _ in new.iterall():  # elements that were never looked at would be copied in the source's byte order
            pass
        new.file_meta = dataset.file_meta
        pydicom.dcmwrite(path, new, implicit_vr=False, little_endian=True, enforce_file_format=True)


def _nearest(frames: Sequence[Frame | None], k: int) -> Frame:
    there = [index for index, frame in enumerate(frames) if frame is not None]
    frame = frames[min(there, key=lambda index: abs(index - k))]
    assert frame is not None  # chosen so
    return frame


def _neighbors(frames: Sequence[Frame | None], k: int) -> list[Frame]:
    """Return the slices below and above a missing one."""
    below = next((frame for frame in reversed(frames[:k]) if frame is not None), None)
    above = next((frame for frame in frames[k:] if frame is not None), None)
    return [frame for frame in (below, above) if frame is not None]


def _position(volume: Volume, k: int) -> list[str]:
    steps, start = volume.ijk_to_lps()
    return [_decimal(float(mm)) for mm in start + steps[:, 2] * k]


def _decimal(value: float) -> str:
    """Return a number in at most 16 characters, as DICOM's decimal strings are."""
    from pydicom.valuerep import format_number_as_ds

    return format_number_as_ds(float(value))


def description(source: str) -> str:
    """Return the description of a series that is derived from one with another description.

    >>> description("T1 axial")
    'T1 axial (synthetic, not for diagnostic use)'
    """
    own = source.strip().removesuffix(SYNTHETIC)
    return own[: _LONGEST - len(SYNTHETIC)] + SYNTHETIC


def series_number(source: str) -> int:
    """Return the number of a series that is derived from one with another number; that may be no number.

    >>> series_number("5"), series_number("")
    (1005, 1000)
    """
    return _NUMBER_STEP + (int(source) if re.fullmatch(r"\d{1,6}", source) else 0)


def _new_uid() -> str:
    from pydicom.uid import generate_uid

    return generate_uid(prefix=None)  # from a random UUID
