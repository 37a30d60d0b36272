"""Headers that are absurd, unusual or in disagreement with themselves."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import nibabel
import numpy as np

from .formats import AFFINE, MGH, NIFTI, SINGLE_NIFTI, inflated, replace, write_by_sitk
from .kinds import Right, Trial, kind

NAN, INF = float("nan"), float("inf")


def patch(trial: Trial, **fields: Any) -> None:
    """Change fields of a NIfTI header; ``name_3`` is the fourth number of a field ``name``."""
    content = inflated(trial.image)
    header_class = nibabel.Nifti2Header if trial.format.name == "nifti-2" else nibabel.Nifti1Header
    size = header_class.sizeof_hdr
    header = header_class(content[:size], check=False)
    for name, value in fields.items():
        field, _, number = name.rpartition("_")
        if number.isdigit():
            header[field][int(number)] = value
        else:
            header[name] = value
    replace(trial.image, header.binaryblock + content[size:])


#: What is changed -> the fields, and what the message must be like.
ABSURD: dict[str, tuple[dict[str, Any], str]] = {
    "dim[0] = 0": ({"dim_0": 0}, r"dim\[0\]"),
    "dim[0] = 8": ({"dim_0": 8}, r"dim\[0\]"),
    "dim[0] = -1": ({"dim_0": -1}, r"dim\[0\]"),
    "dim[1] = 0": ({"dim_1": 0}, r"dim\[1\]"),
    "dim[2] = -20": ({"dim_2": -20}, r"dim\[2\]"),
    "dim[3] = 30000": ({"dim_3": 30000}, "cut off"),
    "dim = 32767 cubed": ({"dim_1": 32767, "dim_2": 32767, "dim_3": 32767}, "cut off"),
    "pixdim[1] = 0": ({"pixdim_1": 0}, r"pixdim\[1\]"),
    "pixdim[2] = NaN": ({"pixdim_2": NAN}, r"pixdim\[2\]"),
    "pixdim[3] = infinity": ({"pixdim_3": INF}, r"pixdim\[3\]"),
    "bitpix = 7": ({"bitpix": 7}, "bitpix"),
    "bitpix = 0": ({"bitpix": 0}, "bitpix"),
    "datatype = 0": ({"datatype": 0}, "unknown kind"),
    "datatype = 9999": ({"datatype": 9999}, "unknown kind"),
    "datatype = 32, complex": ({"datatype": 32, "bitpix": 64}, "complex"),
    "datatype = 1, bits": ({"datatype": 1, "bitpix": 1}, "single bits"),
    "scl_inter = NaN": ({"scl_slope": 2, "scl_inter": NAN}, "scl_inter"),
    "scl_inter = infinity": ({"scl_slope": 2, "scl_inter": INF}, "scl_inter"),
    "srow_x = NaN": ({"srow_x_1": NAN}, "sform"),
    "srow_z = infinity": ({"srow_z_3": INF}, "sform"),
    "singular sform": ({"srow_x": 0}, "inverted"),
    "qoffset = NaN, qform alone": ({"sform_code": 0, "qform_code": 1, "qoffset_x": NAN}, "qform"),
    "a quaternion that is none": (
        {"sform_code": 0, "qform_code": 1, "quatern_b": 1, "quatern_c": 1, "quatern_d": 1},
        "header|quatern|qform",
    ),
    "magic = 'abc'": ({"magic": b"abc"}, "magic|cannot be read"),
    "sizeof_hdr = 347": ({"sizeof_hdr": 347}, "cannot be read|header"),
}
#: As above, of single files alone: in two files the voxels may begin at 0.
ABSURD_OFFSETS: dict[str, Any] = {"0": 0, "-1": -1, "351": 351, "1 000 000 000": 1e9, "NaN": NAN, "infinity": INF}
#: What is unusual and right.
UNUSUAL: dict[str, dict[str, Any]] = {
    "no units": {"xyzt_units": 0},
    "units of metres": {"xyzt_units": 1},
    "scl_slope = 0": {"scl_slope": 0, "scl_inter": 5},
    "scl_slope = NaN": {"scl_slope": NAN, "scl_inter": 0},
    "scl_slope = infinity": {"scl_slope": INF, "scl_inter": 0},
    "cal_max and intent": {"cal_max": 500, "cal_min": -3, "intent_code": 3, "intent_p1": 2, "intent_name": b"t"},
    "slice_code and toffset": {"slice_code": 3, "slice_end": 9, "slice_duration": 2, "toffset": 1.5},
    "negative pixdim": {"pixdim_1": -1.5, "pixdim_2": -1.25},
    "qfac = 0": {"pixdim_0": 0},
    "NaN behind the used axes": {"pixdim_5": NAN, "dim_6": -3},
    "codes beyond 4": {"sform_code": 5, "qform_code": 5},
}


@kind("header: {}", NIFTI, ABSURD)
def absurd(trial: Trial, change: tuple[dict[str, Any], str]) -> Right:
    fields, message = change
    trial.write()
    patch(trial, **fields)
    return Right(refused=message)


@kind("header: vox_offset = {}", SINGLE_NIFTI, ABSURD_OFFSETS)
def offsets(trial: Trial, offset: float) -> Right:
    truth = trial.write()
    if trial.format.name == "nifti-2":  # a whole number there
        offset = int(offset) if np.isfinite(offset) else -(2**62)
    patch(trial, vox_offset=offset)
    if trial.format.name == "nifti-2" and offset == 351:
        return Right(refused="vox_offset")
    return Right(truth if offset == 352 else None, refused="vox_offset|cut off")


@kind("header: {}", NIFTI, UNUSUAL)
def unusual(trial: Trial, fields: dict[str, Any]) -> Right:
    truth = trial.write()
    patch(trial, **fields)
    # How a scale that is no number is to be read is not defined; the stored numbers are meant.
    return Right(truth)


@kind("header: sform_code {0[0]}, qform_code {0[1]}", ("nii", "hdr/img"), list(itertools.product(range(5), range(5))))
def codes(trial: Trial, both: tuple[int, int]) -> Right:
    """Set all combinations of codes, where both matrices are alike; with 0 and 0 only the voxel sizes count."""
    truth = trial.write()
    patch(trial, sform_code=both[0], qform_code=both[1])
    if both == (0, 0):
        write_mask_on(trial, nibabel.load(trial.image).affine)
    return Right(truth)


@kind("header: sform turned against qform, codes {0[0]}, {0[1]}", NIFTI, [(1, 1), (0, 1), (4, 1), (2, 0), (1, 4)])
def disagreement(trial: Trial, both: tuple[int, int]) -> Right:
    truth = trial.write()
    turn = np.eye(4)
    turn[:3, :3] = nibabel.eulerangles.euler2mat(0.1, -0.2, 0.3)
    turned = turn @ AFFINE
    patch(trial, srow_x=turned[0], srow_y=turned[1], srow_z=turned[2], sform_code=both[0], qform_code=both[1])
    write_mask_on(trial, nibabel.load(trial.image).affine)
    return Right(truth)


@kind("header: sform sheared by {} degrees", NIFTI, [0.05, 0.2, 3, 20])
def sheared(trial: Trial, degrees: float) -> Right:
    truth = trial.write()
    patch(trial, srow_x_1=1.25 * np.tan(np.radians(degrees)), qform_code=0)
    return Right(truth if degrees < 1 else None, refused="degrees" if degrees > 1 else "")


@kind("header: sform rounded to {} digits", NIFTI, [4, 3])
def rounded(trial: Trial, digits: int) -> Right:
    truth = trial.write()
    turn = nibabel.eulerangles.euler2mat(0.1, -0.2, 0.3) * [1.5, 1.25, 2.0]
    rows = np.round(np.column_stack([turn, AFFINE[:3, 3]]), digits)
    patch(trial, srow_x=rows[0], srow_y=rows[1], srow_z=rows[2], qform_code=0)
    write_mask_on(trial, nibabel.load(trial.image).affine)
    return Right(truth)


@kind("header: slope {0[0]}, intercept {0[1]}", NIFTI, [(0.5, -3), (2, 0), (-1, 7), (0.1, 0), (1e-6, 0), (1, 1000)])
def scaled(trial: Trial, scale: tuple[float, float]) -> Right:
    slope, inter = scale
    truth = trial.write()
    patch(trial, scl_slope=slope, scl_inter=inter)
    return Right(truth * float(np.float32(slope)) + inter, tolerance=max(0.51 * abs(slope), 0.05 * abs(slope)))


@kind("header: of {}", ("hdr/img",), {"Analyze": nibabel.AnalyzeImage, "SPM's Analyze": nibabel.Spm99AnalyzeImage})
def analyze(trial: Trial, image_class: type) -> Right:
    """Write what has the endings of NIfTI, and no orientation."""
    truth = trial.write()
    nibabel.save(image_class(truth.T, AFFINE), trial.data)
    return Right(refused="Analyze")


@kind("header: extensions", NIFTI)
def extensions(trial: Trial) -> Right:
    truth = trial.write()
    image = nibabel.load(trial.image, mmap=False)  # it is written over
    array = np.asarray(image.dataobj)
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"what the scanner said"))
    nibabel.save(type(image)(array, image.affine, image.header), trial.image)
    return Right(truth)


@kind("header: big-endian", NIFTI)
def big_endian(trial: Trial) -> Right:
    truth = trial.write()
    image = nibabel.load(trial.image, mmap=False)  # it is written over
    array = np.asarray(image.dataobj)
    other = type(image)(array, image.affine, image.header.as_byteswapped(">"))
    nibabel.save(other, trial.image)
    return Right(truth)


@kind("header: {}", MGH, {"version 2": (0, 2), "no rows": (8, 0), "type 9": (20, 9), "-3 frames": (16, -3)})
def mgh_numbers(trial: Trial, change: tuple[int, int]) -> Right:
    at, value = change
    trial.write()
    content = bytearray(inflated(trial.image))
    content[at : at + 4] = struct.pack(">i", value)
    replace(trial.image, bytes(content))
    return Right(refused="version|sizes|kind")


@kind("header: voxel size {}", MGH, [NAN, 0.0, -1.0])
def mgh_sizes(trial: Trial, mm: float) -> Right:
    trial.write()
    content = bytearray(inflated(trial.image))
    content[30:34] = struct.pack(">f", mm)
    replace(trial.image, bytes(content))
    return Right(refused="header")


@kind("header: no position", MGH)
def mgh_without_position(trial: Trial) -> Right:
    truth = trial.write()
    content = bytearray(inflated(trial.image))
    content[28:30] = struct.pack(">h", 0)
    replace(trial.image, bytes(content))
    write_mask_on(trial, nibabel.load(trial.image).affine)
    return Right(truth)


@kind("header: tags behind the voxels", MGH)
def mgh_tags(trial: Trial) -> Right:
    truth = trial.write()
    tags = struct.pack(">5f", 2300, 0.15, 2.9, 900, 256) + struct.pack(">iq", 3, 12) + b"mri_convert\0"
    replace(trial.image, inflated(trial.image)[: 284 + truth.nbytes] + tags)
    return Right(truth)


@kind("header: spacing {}", ("nrrd", "mha"), ["0", "nan", "-1", "1e-40"])
def text_spacing(trial: Trial, mm: str) -> Right:
    truth = trial.write()
    content = trial.image.read_bytes()
    old, new = (b"(1.5,0,0)", f"({mm},0,0)") if trial.format.name == "nrrd" else (b"Spacing = 1.5 ", f"Spacing = {mm} ")
    assert old in content
    trial.image.write_bytes(content.replace(old, new.encode()))
    return Right(truth if mm == "-1" else None, refused="spacing|position|inverted|cannot be read|grid|overlap|space")


@kind("header: {} voxels along i", ("nrrd", "mha"), ["0", "-18", "19", "99999999999"])
def text_sizes(trial: Trial, count: str) -> Right:
    trial.write()
    content = trial.image.read_bytes()
    old = b"sizes: 18" if trial.format.name == "nrrd" else b"DimSize = 18"
    assert old in content
    trial.image.write_bytes(content.replace(old, old[:-2] + count.encode()))
    return Right(refused="cannot be read|cut off|damaged|memory|voxel|size", code=2)


@kind("header: encoding {}", ("nrrd",), ["hex", "bzip2", "zrl", "nothing"])
def encodings(trial: Trial, name: str) -> Right:
    trial.write()
    content = trial.image.read_bytes()
    trial.image.write_bytes(content.replace(b"encoding: raw", f"encoding: {name}".encode()))
    return Right(refused="cannot be read|damaged|cut off")


def write_mask_on(trial: Trial, affine: np.ndarray) -> None:
    """Write the mask as NIfTI on another grid of the same shape."""
    trial.mask = trial.folder / "mask.nii.gz"
    nibabel.save(nibabel.Nifti1Image(trial.hole.astype(np.uint8).T, affine), trial.mask)


@kind("header: {}-byte numbers in the other order", ("mha", "nrrd"), [2, 4])
def byte_order(trial: Trial, size: int) -> Right:
    dtype = np.dtype(f"i{size}")
    truth = trial.ramp(dtype)
    image = truth.copy()
    image[trial.hole] = 99
    trial.write_mask(trial.hole.astype(np.uint8))
    write_by_sitk(trial.image, image)
    content = trial.image.read_bytes()
    head = content[: -truth.nbytes].replace(b"endian: little", b"endian: big").replace(b"MSB = False", b"MSB = True")
    assert head != content[: -truth.nbytes]
    trial.image.write_bytes(head + image.byteswap().tobytes())
    return Right(truth)
