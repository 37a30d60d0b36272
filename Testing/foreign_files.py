"""Read the files that nibabel and pydicom install for their own tests: as those libraries do, or refused in one line.

``make formats`` prints a table and leaves with 1 if a file is read otherwise, or refused in the words of a foreign
library. Nothing is downloaded::

    python -m Testing.foreign_files [PART OF A NAME]
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from MedInpaintLib import Volume, inpaint, io
from MedInpaintLib.errors import MedInpaintError
from MedInpaintLib.volume import GRID_TOLERANCE

ALIKE, REFUSED, UNPROVEN, WRONG = "alike", "refused", "unproven", "WRONG"
#: What betrays a foreign library, a position in source code or a traceback in a message.
FOREIGN_WORDS = (
    "sitk",
    "itk::",
    "ITK ERROR",
    "ImageIO",
    "GDCM",
    "gdcm",
    "Traceback",
    "logic behavior",
    ".cxx",
    ".py:",
    "0x",
)
#: Corners of a grid may lie apart by this share of a voxel, beside rounded decimals (DICOM) and what a warning names.
SAME_PLACE, ROUNDED_PLACE = 1e-3, GRID_TOLERANCE
#: Files without voxels of their own among those that the libraries install: programs, notes and lists.
NOTES = (".py", ".pyc", ".m", ".rst", ".txt", ".md", ".dump", ".json", ".gitignore")
#: Decoders of lossy JPEG round otherwise.
LOSSY = 2.0
#: DICOM objects that hold voxels and are no image, by the start of their class.
NO_IMAGES = ("1.2.840.10008.5.1.4.1.1.66.", "1.2.840.10008.5.1.4.1.1.481.2")
#: Files whose codec pydicom lacks without further packages, and the file with the same pixels.
SAME_PIXELS = {
    "MR_small_jp2klossless.dcm": "MR_small.dcm",
    "MR_small_jpeg_ls_lossless.dcm": "MR_small.dcm",
}
#: Files with 12 bits of lossy JPEG, which no decoder of pydicom's own packages reads.
NO_DECODER = ("JPEG-lossy.dcm", "JPGExtended.dcm")


@dataclasses.dataclass(frozen=True)
class Truth:
    """An image as the library that ships the file reads it.

    Attributes:
        voxels: float64, (k, j, i), without axes of one voxel.
        corners: in mm, LPS, one row a corner; None where the file does not say.
        tolerance: of the voxels.
        rounded: whether positions are decimals that may be rounded.
    """

    voxels: np.ndarray
    corners: np.ndarray | None
    tolerance: float = 0.0
    rounded: bool = False


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    name: str
    kind: str
    detail: str


def nibabel_files() -> list[Path]:
    """Return the files of nibabel's tests, but for those of its own formats of surfaces."""
    import nibabel

    root = Path(nibabel.__file__).parent
    return _files(root / "tests" / "data", root / "nicom" / "tests" / "data", root / "externals" / "tests" / "data")


def pydicom_files() -> list[Path]:
    """Return the files of pydicom's tests, but for one series of 50 alike."""
    import pydicom

    root = Path(pydicom.__file__).parent / "data"
    return [path for path in _files(root / "test_files", root / "palettes") if path.parent.name != "SE000000"]


def _files(*folders: Path) -> list[Path]:
    paths = itertools.chain.from_iterable(sorted(folder.rglob("*")) for folder in folders)
    return [path for path in paths if path.is_file() and not path.name.endswith(NOTES)]


def tried(path: Path) -> Outcome:
    """Read a file and compare it with its own library."""
    name = f"{path.parent.name}/{path.name}"
    try:
        volume = io.read(path)
    except MedInpaintError as error:
        message = str(error).replace(str(path), path.name)
        foreign = any(word in message.replace(path.name, "") for word in (*FOREIGN_WORDS, "\n"))
        return Outcome(name, WRONG if foreign else REFUSED, message)
    except Exception as error:
        return Outcome(name, WRONG, f"{type(error).__name__}: {error}")
    truth = truth_of(path)
    if isinstance(truth, str):
        kind = UNPROVEN if path.name in NO_DECODER else WRONG
        return Outcome(name, kind, f"read, but its own library cannot: {' '.join(truth.split())[:100]}")
    return Outcome(name, *compared(volume, truth))


def compared(volume: Volume, truth: Truth) -> tuple[str, str]:
    """Compare an image with the truth."""
    found = np.squeeze(volume.array).astype(np.float64)
    if found.shape != truth.voxels.shape:
        return WRONG, f"shape {found.shape} instead of {truth.voxels.shape}"
    if not np.array_equal(np.isfinite(found), np.isfinite(truth.voxels)):
        return WRONG, "NaN or infinity at other voxels"
    finite = np.isfinite(found)
    scale = np.abs(truth.voxels[finite]).max(initial=0.0)
    off = np.abs(found - truth.voxels)[finite].max(initial=0.0)
    # Scaled integers are kept in float32 where that gives the stored numbers back.
    rounding = float(np.finfo(np.float32).eps) * scale if volume.array.dtype == np.float32 else 1e-12 * scale
    if off > max(rounding, truth.tolerance):
        return WRONG, f"voxels differ by up to {off:.3g} (the largest is {scale:.3g})"
    place = ""
    if truth.corners is not None:
        apart = _apart(corners_of(volume), truth.corners, volume)
        if apart > (ROUNDED_PLACE if truth.rounded or volume.warnings else SAME_PLACE):
            return WRONG, f"corners lie {apart:.3g} voxels apart"
        place = ", same place"
    return ALIKE, f"{found.shape} {volume.array.dtype}{place}{'; ' + volume.warnings[0] if volume.warnings else ''}"


def truth_of(path: Path) -> Truth | str:
    """Return the image as nibabel or pydicom reads it, or why they do not."""
    try:
        return truth_by_pydicom(path) if _is_dicom(path) else truth_by_nibabel(path)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def truth_by_nibabel(path: Path) -> Truth:
    """Return an image as nibabel reads it."""
    import nibabel

    image = nibabel.load(path)
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    voxels = np.asarray(image.dataobj, dtype=np.float64)
    shape = (*voxels.shape, 1, 1)[:3]
    return Truth(np.squeeze(voxels.T), _corners(shape) @ lps[:3, :3].T + lps[:3, 3])


def truth_by_pydicom(path: Path) -> Truth:
    """Return an image as pydicom reads it, in the units that the file states."""
    import pydicom
    from pydicom.uid import JPEGTransferSyntaxes

    dataset = pydicom.dcmread(path, force=True)
    if str(dataset.get("SOPClassUID", "")).startswith(NO_IMAGES):
        raise ValueError(f"it is no image but {dataset.SOPClassUID.name}")
    # Of codecs that pydicom lacks here, the same pixels without compression.
    pixels = pydicom.dcmread(path.with_name(SAME_PIXELS.get(path.name, path.name)), force=True).pixel_array
    shared = dataset.get("SharedFunctionalGroupsSequence", [dataset])[0]
    rescale = shared.get("PixelValueTransformationSequence", [dataset])[0]
    voxels = pixels.astype(np.float64) * float(rescale.get("RescaleSlope") or 1)
    voxels += float(rescale.get("RescaleIntercept") or 0)
    lossy = dataset.file_meta.get("TransferSyntaxUID") in JPEGTransferSyntaxes
    return Truth(np.squeeze(voxels), _dicom_corners(dataset), LOSSY if lossy else 0.0, rounded=True)


def _dicom_corners(dataset) -> np.ndarray | None:  # type: ignore[no-untyped-def]
    """Return the corners of a single frame; None for a file without a position."""
    position, axes, spacing = (
        dataset.get(name) for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
    )
    if not (position and axes and spacing) or int(dataset.get("NumberOfFrames") or 1) > 1:
        return None
    along_row, along_column = np.reshape(np.asarray(axes, dtype=np.float64), (2, 3))
    steps = np.stack([along_row * float(spacing[1]), along_column * float(spacing[0])])
    corners = _corners((dataset.Columns, dataset.Rows))
    return corners @ steps + np.asarray(position, dtype=np.float64)


def corners_of(volume: Volume) -> np.ndarray:
    """Return the corners of a volume, mm in LPS; a 2-D one lies at z = 0."""
    steps, start = volume.ijk_to_lps()
    corners = _corners(volume.array.shape[::-1]) @ steps.T + start
    return np.pad(corners, [(0, 0), (0, 3 - corners.shape[1])])


def _corners(shape: tuple[int, ...]) -> np.ndarray:
    """Return the indices (i, j(, k)) of the corners of a grid."""
    return np.array(list(itertools.product(*((0, size - 1) if size > 1 else (0,) for size in shape))), dtype=float)


def _apart(found: np.ndarray, truth: np.ndarray, volume: Volume) -> float:
    if found.shape != truth.shape:
        return float("inf")
    return float(np.abs(found - truth).max() / min(volume.spacing))


def _is_dicom(path: Path) -> bool:
    return "pydicom" in path.parts or path.suffix == ".dcm"


def round_trip() -> Outcome:
    """Fill a small hole in a volume that SPM resampled, with NaN at its rim: all other bytes come back as they were."""
    import nibabel

    path = next(path for path in nibabel_files() if path.name == "resampled_anat_moved.nii")
    name = f"{path.name}, filled"
    image = nibabel.load(path)
    voxels = np.asarray(image.dataobj)
    inside = np.argwhere(np.isfinite(voxels))
    hole = np.zeros(voxels.shape, dtype=np.uint8)
    hole[tuple(inside[len(inside) // 2])] = 1
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "filled.nii"
        mask = Path(folder) / "mask.nii"
        nibabel.save(nibabel.Nifti1Image(hole, image.affine), mask)
        try:
            inpaint(path, mask, method="shell-mean").save(output)
        except MedInpaintError as error:
            return Outcome(name, WRONG, str(error))
        before, after = path.read_bytes(), output.read_bytes()
    start = int(image.dataobj.offset)
    if len(before) != len(after) or before[:start] != after[:start]:
        return Outcome(name, WRONG, "the header is another one")
    stored = image.header.get_data_dtype()
    old, new = (
        np.frombuffer(content, stored.newbyteorder(image.header.endianness), offset=start)
        for content in (before, after)
    )
    changed = old.view(f"u{stored.itemsize}") != new.view(f"u{stored.itemsize}")
    outside = changed & (hole.ravel(order="F") == 0)
    if outside.any():
        return Outcome(name, WRONG, f"{int(outside.sum())} known voxels changed")
    count = int(np.isnan(old).sum())
    return Outcome(name, ALIKE, f"all known bytes as they were, {count} voxels of NaN among them")


def outcomes(part: str = "") -> Iterator[Outcome]:
    """Yield what becomes of each file whose name has this part, and of the round trip."""
    for path in (*nibabel_files(), *pydicom_files()):
        if part in str(path):
            yield tried(path)
    if part in "resampled_anat_moved.nii":
        yield round_trip()


def main(part: str = "") -> int:
    """Print a line a file and the counts; return 1 if something is wrong."""
    warnings.simplefilter("ignore")  # the libraries warn of their own files
    counts: Counter[str] = Counter()
    for outcome in outcomes(part):
        counts[outcome.kind] += 1
        print(f"{outcome.kind:9}{outcome.name:60}{outcome.detail}", flush=True)
    unproven = f", {counts[UNPROVEN]} read for which pydicom has no decoder" if counts[UNPROVEN] else ""
    print(f"\n{counts[ALIKE]} read alike, {counts[REFUSED]} refused{unproven}, {counts[WRONG]} wrong")
    return 1 if counts[WRONG] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
