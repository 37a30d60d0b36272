"""DICOM series that are incomplete, mixed or irregular, and objects that are no images; made with pydicom."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from .formats import SPACING
from .kinds import HIDDEN, Right, Trial, kind
from .wholeness import DAMAGED, shorten

MR, SEG = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.66.4"
DICOM = ("dicom",)
_ROOT = "1.2.826.0.1.3680043.8.498."


def write_series(
    folder: Path, array: np.ndarray, series: int = 1, change: Callable[[Any, int], object] | None = None
) -> None:
    """Write MR slices, one file each.

    Args:
        folder: is made.
        array: (k, j, i), or (j, i) for one slice.
        series: number and last part of the UID.
        change: called with each data set and its number before it is written.
    """
    folder.mkdir(exist_ok=True)
    planes = array if array.ndim == 3 else array[np.newaxis]
    for number, plane in enumerate(planes):
        dataset = slice_of(plane, number, series)
        if change is not None:
            change(dataset, number)
        name = f"slice-{number:02}.dcm" if series == 1 else f"series-{series}-{number:02}.dcm"
        dataset.save_as(folder / name, enforce_file_format=True)


def slice_of(plane: np.ndarray, number: int, series: int = 1):  # type: ignore[no-untyped-def]
    """Return one slice as a data set."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = MR
    instance = f"{_ROOT}9.{series}.{number + 1}"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = instance
    dataset.PatientName, dataset.PatientID, dataset.Modality = "Trial", "1", "MR"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{_ROOT}7", f"{_ROOT}8.{series}"
    dataset.FrameOfReferenceUID = f"{_ROOT}6"
    dataset.SeriesNumber, dataset.InstanceNumber = series, number + 1
    dataset.SeriesDescription = f"series {series}"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    dataset.Rows, dataset.Columns = plane.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * plane.dtype.itemsize
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, int(plane.dtype.kind == "i")
    dataset.PixelSpacing = [SPACING[1], SPACING[2]]
    dataset.SliceThickness, dataset.SpacingBetweenSlices = SPACING[0], SPACING[0]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [-40, -30, -60 + SPACING[0] * number]
    dataset.PixelData = np.ascontiguousarray(plane).tobytes()
    return dataset


def change_slice(path: Path, **values: Any) -> None:
    """Change elements of a file."""
    import pydicom

    dataset = pydicom.dcmread(path)
    for name, value in values.items():
        setattr(dataset, name, value)
    dataset.save_as(path)


def _changed(trial: Trial, change: Callable[[Any, int], object], truth: np.ndarray | None = None) -> np.ndarray:
    """Write the trial with each slice changed."""
    truth = trial.ramp() if truth is None else truth
    image = truth.copy()
    image[trial.hole] = HIDDEN
    write_series(trial.image, image, change=change)
    trial.write_mask(trial.hole.astype(np.uint8))
    return truth


def _set(**values: Any) -> Callable[[Any, int], object]:
    return lambda dataset, number: [setattr(dataset, name, value) for name, value in values.items()]


@kind("dicom: a slice is missing", DICOM)
def missing(trial: Trial) -> Right:
    trial.write()
    (trial.image / "slice-06.dcm").unlink()
    return _with_gap(trial)


def _with_gap(trial: Trial) -> Right:
    """Leave the slice as it is, without data, and say so; or refuse."""
    truth = trial.ramp().astype(float)
    found = trial.hole.copy()
    may = trial.hole.copy()
    may[6] = True
    found[6] = False
    return Right(truth, hole=found, may=may, warned="missing|lacks|no data", refused="missing|lacks")


@kind("dicom: a slice is missing, with --fill-missing-slices", DICOM)
def missing_filled(trial: Trial) -> Right:
    truth = trial.write()
    (trial.image / "slice-10.dcm").unlink()
    trial.options.append("--fill-missing-slices")
    hole = trial.hole.copy()
    hole[10] = True
    return Right(truth, hole=hole, tolerance=0.7)  # at the image's corners a thin plate is free to bend


@kind("dicom: a slice {}", DICOM, ["twice", "of the same place twice"])
def twice(trial: Trial, what: str) -> Right:
    trial.write()
    copy = trial.image / "copy.dcm"
    shutil.copy(trial.image / "slice-06.dcm", copy)
    if what != "twice":
        change_slice(copy, SOPInstanceUID=f"{_ROOT}99", InstanceNumber=99)
    return Right(refused="same position|copies|twice")


@kind("dicom: a slice shifted by {}", DICOM, {"half a slice": [-40, -30, -47], "a pixel": [-38.5, -30, -48]})
def shifted(trial: Trial, position: list[float]) -> Right:
    trial.write()
    change_slice(trial.image / "slice-06.dcm", ImagePositionPatient=position)
    # Half a slice off is a slice of a series with half the distance, most of which is missing.
    return Right(refused="evenly|belongs|shifted|position|lacks")


@kind("dicom: a slice {}", DICOM, {
    "of another size": {"Rows": 10, "PixelData": bytes(10 * 18 * 2)},
    "of other pixels": {"PixelSpacing": [2, 2]},
    "turned": {"ImageOrientationPatient": [0, 1, 0, 0, 0, 1]},
    "without a position": {"ImagePositionPatient": None},
})  # fmt: skip
def unlike_the_rest(trial: Trial, values: dict[str, Any]) -> Right:
    trial.write()
    change_slice(trial.image / "slice-06.dcm", **values)
    return Right(refused="rest|where its slice|position|size|orientation|spacing")


@kind("dicom: two series", DICOM)
def two_series(trial: Trial) -> Right:
    truth = trial.write()
    write_series(trial.image, truth + 7, series=2)
    return Right(refused="series.*--series")


@kind("dicom: two series, --series {}", DICOM, ["1", "series 1", "498.8.1"])
def chosen_series(trial: Trial, name: str) -> Right:
    truth = trial.write()
    write_series(trial.image, truth + 7, series=2)
    trial.options += ["--series", name]
    return Right(truth)


@kind("dicom: --series of none", DICOM)
def no_such_series(trial: Trial) -> Right:
    trial.write()
    trial.options += ["--series", "nine"]
    return Right(refused="series")


@kind("dicom: files named backwards", DICOM)
def backwards(trial: Trial) -> Right:
    truth = trial.write()
    for number, path in enumerate(sorted(trial.image.iterdir(), reverse=True)):
        path.rename(trial.image / f"{number:03}")
    return Right(truth)


@kind("dicom: notes among the slices", DICOM)
def with_notes(trial: Trial) -> Right:
    truth = trial.write()
    (trial.image / "notes.txt").write_text("nothing")
    (trial.image / ".DS_Store").write_bytes(b"\0\1")
    return Right(truth)


@kind("dicom: a slice cut to {}", DICOM, {"nothing": 0, "20 %": 0.2, "50 %": 0.5, "99 %": 0.99})
def cut(trial: Trial, share: float) -> Right:
    trial.write()
    shorten(trial.image / "slice-00.dcm", share)
    # What is left of a file without its first bytes is no slice, so one is missing at the end: that cannot be seen.
    return Right(refused=DAMAGED + "|does not")


@kind("dicom: gantry tilted by {} degrees", DICOM, [0.001, 15])
def tilted(trial: Trial, degrees: float) -> Right:
    lean = np.tan(np.radians(degrees)) * SPACING[0]

    def tilt(dataset: Any, number: int) -> None:
        dataset.ImagePositionPatient = [-40, f"{-30 + lean * number:.6f}", -60 + SPACING[0] * number]

    truth = _changed(trial, tilt)
    if degrees > 1:  # the image keeps its slanted grid, and the mask lies on a straight one
        near = ndimage.binary_dilation(trial.hole, iterations=8)
        return Right(truth, hole=np.zeros_like(near), may=near, warned="tilted by 15 degrees")
    return Right(truth)


@kind("dicom: slope {0[0]}, intercept {0[1]}", DICOM, [(1, -1024), (2, 5), (0.5, 0), (0.684, 200), (0, 0)])
def scaled(trial: Trial, scale: tuple[float, float]) -> Right:
    slope, intercept = scale
    truth = _changed(trial, _set(RescaleSlope=slope, RescaleIntercept=intercept))
    if slope == 0:
        return Right(refused="slope|alike|constant|damaged|scale|Rescale")
    return Right(truth * slope + intercept, tolerance=0.51 * slope)


@kind("dicom: MONOCHROME1", DICOM)
def monochrome1(trial: Trial) -> Right:
    return Right(_changed(trial, _set(PhotometricInterpretation="MONOCHROME1")))


@kind("dicom: {} bits stored", DICOM, [12, 16])
def bits(trial: Trial, stored: int) -> Right:
    truth = trial.ramp(np.uint16)
    return Right(_changed(trial, _set(BitsStored=stored, HighBit=stored - 1), truth))


@kind("dicom: padding of -2000, declared", DICOM)
def padding(trial: Trial) -> Right:
    truth = trial.ramp()
    truth[..., 11:] = -2000
    return Right(_changed(trial, _set(PixelPaddingValue=-2000), truth), tolerance=2)


@kind("dicom: oblique", DICOM)
def oblique(trial: Trial) -> Right:
    cosine, sine = np.cos(0.2), np.sin(0.2)
    axes = np.array([[cosine, sine, 0], [-sine, cosine, 0]])

    def turn(dataset: Any, number: int) -> None:
        dataset.ImageOrientationPatient = [f"{value:.8f}" for value in axes.ravel()]

    truth = _changed(trial, turn)
    import SimpleITK as sitk

    mask = sitk.GetImageFromArray(trial.hole.astype(np.uint8))
    mask.SetSpacing(SPACING[::-1])
    mask.SetOrigin((-40, -30, -60))
    mask.SetDirection([cosine, -sine, 0, sine, cosine, 0, 0, 0, 1])
    sitk.WriteImage(mask, str(trial.mask))
    return Right(truth)


@kind("dicom: colour", DICOM)
def colour(trial: Trial) -> Right:
    def paint(dataset: Any, number: int) -> None:
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
        dataset.BitsAllocated = dataset.BitsStored = 8
        dataset.HighBit, dataset.PixelRepresentation = 7, 0
        dataset.PixelData = bytes(range(180)) * (dataset.Rows * dataset.Columns * 3 // 180)

    _changed(trial, paint)
    return Right(refused="colou?r|values per voxel")


@kind("dicom: one slice as a file", DICOM)
def one_file(trial: Trial) -> Right:
    import SimpleITK as sitk

    truth = trial.write()
    trial.image = trial.image / "slice-06.dcm"
    trial.hole = trial.hole[6:7]
    mask = sitk.GetImageFromArray(trial.hole.astype(np.uint8))
    mask.SetSpacing(SPACING[::-1])
    mask.SetOrigin((-40, -30, -48))
    sitk.WriteImage(mask, str(trial.mask))
    return Right(truth[6], same=False)


NO_IMAGES = {
    "SEG": (SEG, "SEG", "segmentation|SEG"),
    "RTDOSE": ("1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE", "dose"),
    "RTSTRUCT": ("1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT", "structure"),
    "RTPLAN": ("1.2.840.10008.5.1.4.1.1.481.5", "RTPLAN", "plan"),
    "SR": ("1.2.840.10008.5.1.4.1.1.88.33", "SR", "report"),
    "waveform": ("1.2.840.10008.5.1.4.1.1.9.1.1", "ECG", "waveform"),
    "PDF": ("1.2.840.10008.5.1.4.1.1.104.1", "DOC", "document"),
    "registration": ("1.2.840.10008.5.1.4.1.1.66.1", "REG", "registration"),
}


@kind("dicom: {} as the image", DICOM, NO_IMAGES)
def no_image(trial: Trial, what: tuple[str, str, str]) -> Right:
    uid, modality, message = what
    truth = trial.write()
    dataset = slice_of(truth[6], 6)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = uid
    dataset.Modality = modality
    if modality not in ("SEG", "RTDOSE"):
        del dataset.PixelData
    if modality == "RTDOSE":
        dataset.DoseUnits, dataset.DoseType, dataset.DoseGridScaling = "GY", "PHYSICAL", 0.01
    trial.image = trial.folder / "object.dcm"
    dataset.save_as(trial.image, enforce_file_format=True)
    return Right(refused=message)


@kind("dicom: a real SEG as the {}", DICOM, ["image", "mask"])
def segmentation(trial: Trial, role: str) -> Right:
    import highdicom
    import pydicom
    from pydicom.sr.codedict import codes

    truth = trial.write()
    sources = [pydicom.dcmread(path) for path in sorted(trial.image.iterdir())]
    for source in sources:
        for name in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"):
            setattr(source, name, "")
    description = highdicom.seg.SegmentDescription(
        segment_number=1,
        segment_label="lesion",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Lesion,
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
    )
    seg = highdicom.seg.Segmentation(
        source_images=sources,
        pixel_array=trial.hole.astype(np.uint8),
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[description],
        series_instance_uid=f"{_ROOT}8.77",
        series_number=77,
        sop_instance_uid=f"{_ROOT}9.77",
        instance_number=1,
        manufacturer="trial",
        manufacturer_model_name="trial",
        software_versions="1",
        device_serial_number="1",
    )
    path = trial.folder / "seg.dcm"
    seg.save_as(path)
    if role == "image":
        trial.image = path
        return Right(refused="segmentation|SEG")
    trial.mask = path
    return Right(truth)


@kind("dicom: an RTSTRUCT as the mask", DICOM)
def structures(trial: Trial) -> Right:
    """Outline the hole on its slices, along the outer edges of its voxels."""
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    truth = trial.write()
    dataset = slice_of(truth[6], 6, series=3)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = NO_IMAGES["RTSTRUCT"][0]
    dataset.Modality = "RTSTRUCT"
    for name in ("PixelData", "Rows", "Columns"):
        delattr(dataset, name)
    region, contour_set = Dataset(), Dataset()
    region.ROINumber, region.ROIName, region.ReferencedFrameOfReferenceUID = 1, "lesion", dataset.FrameOfReferenceUID
    region.ROIGenerationAlgorithm = "MANUAL"
    contour_set.ReferencedROINumber = 1
    contour_set.ContourSequence = Sequence()
    for number in range(5, 8):
        contour = Dataset()
        contour.ContourGeometricType = "CLOSED_PLANAR"
        corners = [(-0.5 + i, -0.5 + j) for i, j in ((7, 8), (10, 8), (10, 12), (7, 12))]
        points = [(-40 + 1.5 * i, -30 + 1.25 * j, -60 + 2.0 * number) for i, j in corners]
        contour.NumberOfContourPoints = len(points)
        contour.ContourData = [f"{value:.4f}" for point in points for value in point]
        contour_set.ContourSequence.append(contour)
    dataset.StructureSetLabel = "trial"
    dataset.StructureSetROISequence = Sequence([region])
    dataset.ROIContourSequence = Sequence([contour_set])
    trial.mask = trial.folder / "structures.dcm"
    dataset.save_as(trial.mask, enforce_file_format=True)
    return Right(truth)
