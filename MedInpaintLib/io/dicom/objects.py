"""What a DICOM object is, in words: an image, a mask (segmentation, structure set), or something that is refused."""

from __future__ import annotations

import contextlib
import io
import re
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ImageReadError, MedInpaintError, MissingDependencyError
from .meta import ENDINGS, damaged, read_bytes, read_meta

if TYPE_CHECKING:
    from pydicom import Dataset

SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
DIRECTORY = "1.2.840.10008.1.3.10"

#: Images whose frames carry their own position and scale.
ENHANCED = {
    "1.2.840.10008.5.1.4.1.1.2.1": "an enhanced CT image",
    "1.2.840.10008.5.1.4.1.1.2.2": "a legacy converted enhanced CT image",
    "1.2.840.10008.5.1.4.1.1.4.1": "an enhanced MR image",
    "1.2.840.10008.5.1.4.1.1.4.4": "a legacy converted enhanced MR image",
    "1.2.840.10008.5.1.4.1.1.130": "an enhanced PET image",
    "1.2.840.10008.5.1.4.1.1.128.1": "a legacy converted enhanced PET image",
    "1.2.840.10008.5.1.4.1.1.13.1.1": "an X-ray 3D angiographic image",
    "1.2.840.10008.5.1.4.1.1.13.1.2": "an X-ray 3D craniofacial image",
    "1.2.840.10008.5.1.4.1.1.13.1.3": "a breast tomosynthesis image",
}

#: Objects that are no image, by their class or the start of it; the longest that fits counts.
_NO_IMAGE = {
    "1.2.840.10008.1.3.10": "the index of a disc (DICOMDIR)",
    "1.2.840.10008.5.1.4.1.1.66": "raw data",
    "1.2.840.10008.5.1.4.1.1.66.1": "a spatial registration",
    "1.2.840.10008.5.1.4.1.1.66.2": "a set of fiducials",
    "1.2.840.10008.5.1.4.1.1.66.3": "a deformable registration",
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation (DICOM-SEG)",
    "1.2.840.10008.5.1.4.1.1.66.5": "a segmentation of surfaces",
    "1.2.840.10008.5.1.4.1.1.66.6": "a set of fibre tracts",
    "1.2.840.10008.5.1.4.1.1.66.7": "a segmentation (DICOM-SEG, label map)",
    "1.2.840.10008.5.1.4.1.1.67": "a map of real world values",
    "1.2.840.10008.5.1.4.1.1.68": "a scan of surfaces",
    "1.2.840.10008.5.1.4.1.1.9": "a waveform",
    "1.2.840.10008.5.1.4.1.1.11": "a presentation state",
    "1.2.840.10008.5.1.4.1.1.77.1.6": "a microscopy slide",
    "1.2.840.10008.5.1.4.1.1.78": "a measurement of the eye",
    "1.2.840.10008.5.1.4.1.1.79": "a measurement of the eye",
    "1.2.840.10008.5.1.4.1.1.80": "a measurement of the eye",
    "1.2.840.10008.5.1.4.1.1.88": "a structured report",
    "1.2.840.10008.5.1.4.1.1.90": "a statistical report",
    "1.2.840.10008.5.1.4.1.1.91": "a set of annotations",
    "1.2.840.10008.5.1.4.1.1.104": "a document",
    "1.2.840.10008.5.1.4.1.1.104.1": "a PDF document",
    "1.2.840.10008.5.1.4.1.1.200": "a procedure",
    "1.2.840.10008.5.1.4.1.1.201": "an inventory",
    "1.2.840.10008.5.1.4.1.1.481": "a radiotherapy object",
    "1.2.840.10008.5.1.4.1.1.481.2": "a grid of radiation doses (RTDOSE)",
    "1.2.840.10008.5.1.4.1.1.481.3": "a structure set (RTSTRUCT)",
    "1.2.840.10008.5.1.4.1.1.481.4": "a record of radiation treatment",
    "1.2.840.10008.5.1.4.1.1.481.5": "a radiotherapy plan",
    "1.2.840.10008.5.1.4.1.1.481.6": "a record of radiation treatment",
    "1.2.840.10008.5.1.4.1.1.481.7": "a record of radiation treatment",
    "1.2.840.10008.5.1.4.1.1.481.8": "a radiotherapy plan",
    "1.2.840.10008.5.1.4.34": "a work list entry",
    "1.2.840.10008.5.1.4.38": "a hanging protocol",
    "1.2.840.10008.5.1.4.39": "a colour palette",
    "1.2.840.10008.5.1.4.43": "an implant template",
    "1.2.840.10008.5.1.4.44": "an implant template",
    "1.2.840.10008.5.1.4.45": "an implant template",
}
#: An image although its class begins like one that is none: a projection taken during radiotherapy.
_IMAGES = ("1.2.840.10008.5.1.4.1.1.481.1",)

#: The element (0008,0016) in any of the three native encodings.
_BARE_CLASS = re.compile(rb"(?:\x08\x00\x16\x00|\x00\x08\x00\x16)(?:UI..|..\x00\x00)([0-9.]+)", re.DOTALL)


def no_image(sop_class: str) -> str:
    """Return in words what an object is that is no image; empty for images and classes that are not known."""
    if sop_class in _IMAGES:
        return ""
    starts = [start for start in _NO_IMAGE if sop_class == start or sop_class.startswith(f"{start}.")]
    return _NO_IMAGE[max(starts, key=len)] if starts else ""


def class_of(path: Path) -> str:
    """Return the UID of a file's class; empty when the file does not say."""
    meta = read_meta(path)
    if meta is not None:
        return meta.sop_class
    if not path.name.lower().endswith(ENDINGS):
        return ""
    match = _BARE_CLASS.search(read_bytes(path, 2048))  # a bare dataset; its class is among the first elements
    return match[1].decode("ascii").rstrip(".") if match else ""


def classify(path: Path) -> str:
    """Describe what a DICOM file is, in words; "an image" where it is one, or says nothing."""
    sop_class = class_of(path)
    return no_image(sop_class) or ENHANCED.get(sop_class, "an image")


def refuse_no_image(path: Path, sop_class: str, *, as_mask: bool = False) -> None:
    """Refuse an object that cannot be used as the image (or the mask).

    Raises:
        ImageReadError: naming what it is, and what to do.
    """
    words = no_image(sop_class)
    if not words:
        return
    masks = (*SEGMENTATIONS, STRUCTURES)
    if sop_class in masks and not as_mask:
        raise ImageReadError(f"'{path}' is {words}, not an image; give it as the mask.")
    if sop_class not in masks:
        raise ImageReadError(f"'{path}' is {words}, not an image; give the series that it belongs to.")


def is_mask(path: Path) -> bool:
    """Return whether a file is a segmentation or a structure set."""
    return path.is_file() and class_of(path) in (*SEGMENTATIONS, STRUCTURES)


def mask_of(path: Path) -> Path:
    """Return the one segmentation or structure set of a folder without other DICOM files; else the path itself."""
    if not path.is_dir():
        return path
    files = [file for file in path.iterdir() if file.is_file() and class_of(file)]
    return files[0] if len(files) == 1 and is_mask(files[0]) else path


def need_pydicom(what: str) -> None:
    """Check that pydicom can be imported.

    Raises:
        MissingDependencyError: it is not installed; ``what`` begins the sentence.
    """
    try:
        import pydicom  # noqa: F401
    except ImportError:
        raise MissingDependencyError(
            f"{what} needs the package pydicom; install it with: pip install pydicom highdicom"
        ) from None


@contextlib.contextmanager
def understanding(path: Path) -> Iterator[None]:
    """Turn what pydicom raises at a value or element that makes no sense into an ImageReadError that names the file."""
    need_pydicom(f"Reading '{path}'")
    from pydicom.errors import BytesLengthException

    foreign = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, OSError, EOFError, RuntimeError)
    try:
        yield
    except MedInpaintError:
        raise
    except (*foreign, struct.error, BytesLengthException) as error:
        raise damaged(path, " ".join(str(error).split())[:200] or type(error).__name__) from None


def read_dataset(path: Path) -> Dataset:
    """Read a file by pydicom, whole.

    Raises:
        MissingDependencyError: pydicom is not installed.
        ImageReadError: the file is damaged.
    """
    need_pydicom(f"Reading '{path}'")
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    content = read_bytes(path)  # of a damaged file, memory would be taken for what a wrong length promises
    with understanding(path), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on values that break a rule of form
        dataset = pydicom.dcmread(io.BytesIO(content), force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:  # a bare dataset; pydicom has found out how it is encoded
            implicit = dataset.original_encoding[0]
            dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        return dataset
