"""The formats of the trials: written and read by nibabel, SimpleITK, pydicom and Pillow, never by MedInpaint."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np

#: From voxels (i, j, k) to mm in RAS.
AFFINE = np.array([[-1.5, 0, 0, 40], [0, -1.25, 0, 30], [0, 0, 2, -60], [0, 0, 0, 1]])
SPACING = (2.0, 1.25, 1.5)


@dataclasses.dataclass(frozen=True)
class Format:
    """How the image of a trial is stored.

    Attributes:
        name: in tables.
        image: name of the file or folder to give.
        data: name of the file that holds the voxels.
        output: name of the file to write.
        write: called with the path of the image and an array (k, j, i) or (j, i).
        packed: whether the voxels are compressed, with a checksum.
    """

    name: str
    image: str
    data: str
    output: str
    write: Callable[[Path, np.ndarray], None]
    packed: bool = False


def write_nifti(path: Path, array: np.ndarray, kind: type = nibabel.Nifti1Image) -> None:
    """Write NIfTI, single or in two files, with the array's dtype."""
    image = kind(array.T, AFFINE, dtype=array.dtype)
    image.header["descrip"] = b"a trial"
    nibabel.save(image, path)


def write_nifti2(path: Path, array: np.ndarray) -> None:
    """Write a single file in NIfTI-2."""
    write_nifti(path, array, nibabel.Nifti2Image)


def write_pair(path: Path, array: np.ndarray) -> None:
    """Write .hdr and .img."""
    write_nifti(path, array, nibabel.Nifti1Pair)


def write_mgh(path: Path, array: np.ndarray) -> None:
    """Write .mgh or .mgz."""
    nibabel.save(nibabel.MGHImage(array.T, AFFINE), path)


def write_by_sitk(path: Path, array: np.ndarray, *, packed: bool = False) -> None:
    """Write NRRD, MetaImage, PNG or TIFF."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(array)
    place(image)
    sitk.WriteImage(image, str(path), useCompression=packed)


def write_packed(path: Path, array: np.ndarray) -> None:
    """Write NRRD or MetaImage, compressed."""
    write_by_sitk(path, array, packed=True)


def place(image) -> None:  # type: ignore[no-untyped-def]
    """Put a SimpleITK image where :data:`AFFINE` says."""
    axes = image.GetDimension()
    image.SetSpacing((*SPACING[::-1], 1.0)[:axes])
    image.SetOrigin((-40.0, -30.0, -60.0, 0.0)[:axes])


def write_dicom(folder: Path, array: np.ndarray) -> None:
    """Write a series of MR slices."""
    from .dicom import write_series

    write_series(folder, array)


def _single(name: str, image: str, write: Callable[[Path, np.ndarray], None], packed: bool = False) -> Format:
    return Format(name, image, image, f"filled{image[image.index('.') :]}", write, packed)


_ALL = (
    _single("nii", "image.nii", write_nifti),
    _single("nii.gz", "image.nii.gz", write_nifti, packed=True),
    _single("nifti-2", "image.nii", write_nifti2),
    Format("hdr/img", "image.hdr", "image.img", "filled.nii", write_pair),
    _single("mgh", "image.mgh", write_mgh),
    _single("mgz", "image.mgz", write_mgh, packed=True),
    _single("nrrd", "image.nrrd", write_by_sitk),
    _single("nrrd gzip", "image.nrrd", write_packed, packed=True),
    Format("nhdr", "image.nhdr", "image.raw", "filled.nhdr", write_by_sitk),
    Format("nhdr gzip", "image.nhdr", "image.raw.gz", "filled.nhdr", write_packed, packed=True),
    _single("mha", "image.mha", write_by_sitk),
    _single("mha zlib", "image.mha", write_packed, packed=True),
    Format("mhd", "image.mhd", "image.raw", "filled.mhd", write_by_sitk),
    Format("mhd zlib", "image.mhd", "image.zraw", "filled.mhd", write_packed, packed=True),
    Format("dicom", "series", "series/slice-07.dcm", "filled.nrrd", write_dicom),
    _single("png", "image.png", write_by_sitk, packed=True),
    _single("tif", "image.tif", write_by_sitk),
)
FORMATS = {one.name: one for one in _ALL}
FILMS = ("png", "tif")
VOLUMES = tuple(name for name in FORMATS if name not in FILMS)
EVERY = tuple(FORMATS)
SINGLE_NIFTI = ("nii", "nii.gz", "nifti-2")
NIFTI = (*SINGLE_NIFTI, "hdr/img")
MGH = ("mgh", "mgz")
DETACHED = ("nhdr", "nhdr gzip", "mhd", "mhd zlib")
PACKED = tuple(name for name, one in FORMATS.items() if one.packed)
#: A few that stand for all, where a kind has little to do with the format of the image.
SOME = ("nii.gz", "nrrd", "mhd", "dicom")


def stored(path: Path) -> np.ndarray:
    """Return the numbers that a file stores, before any scaling, without axes of one voxel."""
    if _is_nibabels(path):
        proxy = nibabel.load(path).dataobj
        array = proxy.get_unscaled() if hasattr(proxy, "get_unscaled") else np.asarray(proxy)
        return np.squeeze(np.asarray(array).T)
    import SimpleITK as sitk

    return np.squeeze(sitk.GetArrayFromImage(sitk.ReadImage(str(path))))


def intensities(path: Path) -> np.ndarray:
    """Return the intensities of an image in float64, without axes of one voxel."""
    if _is_nibabels(path):
        return np.squeeze(np.asarray(nibabel.load(path).dataobj, dtype=np.float64).T)
    return stored(path).astype(np.float64)


def header(path: Path) -> dict[str, object]:
    """Return what a file says about its grid and, in NIfTI and MGH, all that stands in its header."""
    if _is_nibabels(path):
        image = nibabel.load(path)
        # A single file has another magic and offset than two.
        fields = {name: image.header[name].tobytes() for name in set(image.header.keys()) - {"magic", "vox_offset"}}
        return {**fields, "affine": image.affine.tobytes(), "extensions": list(getattr(image.header, "extensions", ()))}
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return {
        "size": reader.GetSize(),
        "spacing": reader.GetSpacing(),
        "origin": reader.GetOrigin(),
        "direction": reader.GetDirection(),
    }


def inflated(path: Path) -> bytes:
    """Return the bytes of a file, inflated where it is gzip-compressed."""
    content = path.read_bytes()
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def replace(path: Path, content: bytes) -> None:
    """Write the bytes of a file, compressed as it was."""
    path.write_bytes(gzip.compress(content) if path.read_bytes()[:2] == b"\x1f\x8b" else content)


def _is_nibabels(path: Path) -> bool:
    return path.name.endswith((".nii", ".nii.gz", ".hdr", ".img", ".mgh", ".mgz"))
