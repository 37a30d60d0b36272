"""Small DICOM files for tests, written by pydicom with all that their kind of object requires."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

CT, MR, PET = (UID(f"1.2.840.10008.5.1.4.1.1.{end}") for end in ("2", "4", "128"))
ENHANCED_MR, ENHANCED_CT = UID("1.2.840.10008.5.1.4.1.1.4.1"), UID("1.2.840.10008.5.1.4.1.1.2.1")
SPACING, ORIGIN = (2.5, 0.8, 0.7), (-20.0, 10.5, -300.0)
STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
OBLIQUE = (0.96, 0.28, 0.0, -0.224, 0.768, 0.6)


def voxels(shape: tuple[int, ...] = (8, 16, 14), seed: int = 0) -> np.ndarray:
    """Stored values of 12 bits: a smooth head in noise."""
    k, j, i = np.indices(shape)
    noise = np.random.default_rng(seed).integers(0, 60, shape)
    return (1000 + 400 * np.sin(i / 4) * np.cos(j / 5) + 20 * k + noise).astype(np.uint16)


def normal(orientation: Sequence[float]) -> np.ndarray:
    """The direction from slice to slice."""
    return np.cross(orientation[:3], orientation[3:])


def dataset(plane: np.ndarray, sop_class: UID, series: str, number: int) -> Dataset:
    """A complete single-frame image without a position."""
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, f"{series}.{number}"
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Nobody^Test", "P-17", "19700101", "O"
    ds.StudyInstanceUID, ds.StudyID, ds.StudyDate, ds.StudyTime = "1.2.3.4", "s1", "20200102", "101112"
    ds.AccessionNumber, ds.ReferringPhysicianName = "", ""
    ds.SeriesInstanceUID, ds.SeriesNumber, ds.SeriesDescription = series, 3, "Head native"
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = "1.2.3.4.9", ""
    ds.Modality = {CT: "CT", MR: "MR", PET: "PT"}.get(sop_class, "OT")
    ds.Manufacturer, ds.PatientPosition = "Nobody", "HFS"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL" if sop_class == CT else "M"]
    ds.InstanceNumber, ds.AcquisitionNumber = number, 1
    if sop_class == CT:
        ds.KVP, ds.RescaleSlope, ds.RescaleIntercept = "120", "1", "-1024"
    if sop_class == MR:
        ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "SE", "NONE", ""
        ds.MRAcquisitionType, ds.EchoTime, ds.EchoTrainLength, ds.RepetitionTime = "2D", "20", "1", "500"
    ds.Rows, ds.Columns = plane.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.PixelRepresentation = plane.dtype.itemsize * 8, int(plane.dtype.kind == "i")
    ds.BitsStored = 12 if plane.dtype == np.uint16 else ds.BitsAllocated
    ds.HighBit = ds.BitsStored - 1
    ds.PixelData = np.ascontiguousarray(plane).tobytes()
    ds["PixelData"].VR = "OW" if ds.BitsAllocated > 8 else "OB"
    return ds


def save(ds: Dataset, path: Path) -> None:
    """Write a dataset with its file meta information."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True, implicit_vr=False, little_endian=True)


def write_series(
    folder: Path,
    stored: np.ndarray | None = None,
    *,
    sop_class: UID = CT,
    orientation: Sequence[float] = STRAIGHT,
    step: Sequence[float] | None = None,
    change: Callable[[Dataset, int], None] = lambda ds, k: None,
    skip: Sequence[int] = (),
    series: str = "1.2.3.5",
) -> np.ndarray:
    """Write a series of files ``000.dcm``, ...; return its stored values."""
    stored = voxels() if stored is None else stored
    step = normal(orientation) * SPACING[0] if step is None else np.array(step)
    for k, plane in enumerate(stored):
        if k in skip:
            continue
        ds = dataset(plane, sop_class, series, k + 1)
        ds.ImagePositionPatient = [round(float(mm), 6) for mm in np.array(ORIGIN) + k * step]
        ds.ImageOrientationPatient = list(orientation)
        ds.PixelSpacing, ds.SliceThickness = list(SPACING[1:]), SPACING[0]
        change(ds, k)
        save(ds, folder / f"{k:03d}.dcm")
    return stored


def item(**values: object) -> Dataset:
    """A dataset of these elements."""
    ds = Dataset()
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


def write_enhanced(
    path: Path,
    stored: np.ndarray | None = None,
    *,
    order: Sequence[int] | None = None,
    slopes: Sequence[float] | None = None,
    stacks: Callable[[int], str] = lambda k: "1",
    times: int = 1,
    sop_class: UID = ENHANCED_MR,
) -> np.ndarray:
    """Write an enhanced image whose frames are in any order; return its stored values in the order of the slices."""
    stored = voxels() if stored is None else stored
    order = list(range(len(stored))) if order is None else list(order)
    ds = dataset(stored[0], sop_class, "1.2.3.6", 1)
    groups, frames = [], []
    for time in range(times):
        for k in order:
            content = item(StackID=stacks(k), InStackPositionNumber=k + 1, DimensionIndexValues=[1, k + 1])
            if times > 1:
                content.TemporalPositionIndex = time + 1
            group = item(
                FrameContentSequence=[content],
                PlanePositionSequence=[item(ImagePositionPatient=[ORIGIN[0], ORIGIN[1], ORIGIN[2] + k * SPACING[0]])],
                PixelValueTransformationSequence=[
                    item(RescaleSlope=slopes[k] if slopes else 1, RescaleIntercept=0, RescaleType="US")
                ],
            )
            groups.append(group)
            frames.append(stored[k])
    ds.NumberOfFrames = len(frames)
    ds.PerFrameFunctionalGroupsSequence = groups
    ds.SharedFunctionalGroupsSequence = [
        item(
            PlaneOrientationSequence=[item(ImageOrientationPatient=list(STRAIGHT))],
            PixelMeasuresSequence=[item(PixelSpacing=list(SPACING[1:]), SliceThickness=SPACING[0])],
        )
    ]
    ds.DimensionIndexSequence = [
        item(DimensionIndexPointer=0x00209056, FunctionalGroupPointer=0x00209111),
        item(DimensionIndexPointer=0x00209057, FunctionalGroupPointer=0x00209111),
    ]
    ds.PixelData = np.stack(frames).tobytes()
    save(ds, path)
    return stored


def write_structures(
    path: Path,
    rois: dict[str, Sequence[np.ndarray]],
    *,
    kind: str = "CLOSED_PLANAR",
    frame_of_reference: str = "1.2.3.4.9",
) -> None:
    """Write a structure set; contours are points (x, y, z) in mm."""
    ds = item(SOPClassUID=UID("1.2.840.10008.5.1.4.1.1.481.3"), SOPInstanceUID=generate_uid(), Modality="RTSTRUCT")
    ds.StructureSetROISequence = [
        item(ROINumber=number, ROIName=name, ReferencedFrameOfReferenceUID=frame_of_reference)
        for number, name in enumerate(rois, start=1)
    ]
    ds.ROIContourSequence = [
        item(
            ReferencedROINumber=number,
            ContourSequence=[
                item(
                    ContourGeometricType=kind,
                    NumberOfContourPoints=len(points),
                    ContourData=[f"{value:.6f}" for value in np.ravel(points)],
                )
                for points in contours
            ],
        )
        for number, contours in enumerate(rois.values(), start=1)
    ]
    save(ds, path)
