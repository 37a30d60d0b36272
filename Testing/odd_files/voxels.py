"""Voxels of unusual kinds and values, and images of unusual shapes."""

from __future__ import annotations

from typing import Any

import nibabel
import numpy as np

from .formats import AFFINE, EVERY, FILMS, MGH, NIFTI, VOLUMES, place
from .kinds import HIDDEN, HOLE, SHAPE, Right, Trial, kind, ramp

REAL = tuple(name for name in VOLUMES if name not in ("dicom",))
#: numpy's names, and the formats that hold such voxels.
DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
MGH_DTYPES, FILM_DTYPES = ("uint8", "int16", "uint16", "int32", "float32"), ("uint8", "uint16")
NO_IMAGE = "values per voxel|colou?r|complex|alpha"


def _add(dtype: str) -> None:
    forms = [
        name
        for name in EVERY
        if not (name in MGH and dtype not in MGH_DTYPES) and not (name in FILMS and dtype not in FILM_DTYPES)
    ]

    @kind(f"voxels: {dtype}", [name for name in forms if name != "dicom"])
    def of_dtype(trial: Trial) -> Right:
        return Right(trial.write(trial.ramp(dtype)))


for _dtype in DTYPES:
    _add(_dtype)


@kind("voxels: {}", NIFTI, ["complex64", "complex128"])
def complex_numbers(trial: Trial, dtype: str) -> Right:
    trial.write(trial.ramp(dtype))
    return Right(refused=NO_IMAGE)


@kind("voxels: RGB {}, three bytes each", NIFTI, ["grey", "in colour"])
def rgb(trial: Trial, what: str) -> Right:
    grey = trial.ramp(np.uint8)
    trial.write()
    stored = grey.copy()
    stored[trial.hole] = HIDDEN
    channels = np.stack([stored] * 3, axis=-1)
    if what != "grey":
        channels[..., 1] //= 2
    colours = np.ascontiguousarray(channels.transpose(2, 1, 0, 3)).view([(name, "u1") for name in "RGB"])[..., 0]
    image_class = type(nibabel.load(trial.image))
    nibabel.save(image_class(colours, AFFINE), trial.image)
    return Right(grey if what == "grey" else None, refused="" if what == "grey" else NO_IMAGE, same=False)


@kind(
    "voxels: {}", FILMS, ["RGB grey", "RGB in colour", "RGBA grey", "LA", "palette of greys", "palette in colour", "1"]
)
def painted(trial: Trial, mode: str) -> Right:
    """Store a film as paint programs do."""
    from PIL import Image

    truth = trial.write()
    grey = truth.copy()
    grey[trial.hole] = HIDDEN
    picture = Image.fromarray(grey)
    if mode == "palette of greys":
        picture = picture.convert("P")
    elif mode == "palette in colour":
        picture = picture.convert("P")
        picture.putpalette([value for index in range(256) for value in (index, 255 - index, index // 2)])
    elif mode == "1":
        picture = picture.convert("1")
    elif mode == "RGB in colour":
        picture = Image.merge("RGB", [picture, picture.point(lambda value: value // 2), picture])
    else:
        picture = picture.convert(mode.split()[0])
    picture.save(trial.image)
    if "colour" in mode:
        return Right(refused=NO_IMAGE)
    if mode == "1":
        return Right(np.asarray(picture, dtype=np.float64) * 255, refused=".", tolerance=255, same=False)
    return Right(truth, refused=NO_IMAGE if "A" in mode else "", same=False)


def _float(trial: Trial) -> np.ndarray:
    return trial.ramp(np.float32)


NUMBERS = {"NaN": np.nan, "infinity": np.inf, "minus infinity": -np.inf}
FLOATS = ("nii", "nii.gz", "nifti-2", "hdr/img", "mgz", "nrrd", "nrrd gzip", "mha", "mhd")


@kind("{} around the field of view", FLOATS, NUMBERS)
def rim(trial: Trial, value: float) -> Right:
    truth = _float(trial)
    truth[:3], truth[:, :4], truth[..., -3:] = value, value, value
    return Right(trial.write(truth))


@kind("{} beside the hole", FLOATS, NUMBERS)
def beside(trial: Trial, value: float) -> Right:
    truth = _float(trial)
    truth[6, 9, 10:13] = value
    truth[5:7, 12, 8] = value
    return Right(trial.write(truth), tolerance=1)


@kind("{} under the hole", FLOATS, NUMBERS)
def under(trial: Trial, value: float) -> Right:
    truth = _float(trial)
    stored = truth.copy()
    stored[trial.hole] = value
    trial.format.write(trial.image, stored)
    trial.write_mask(trial.hole.astype(np.uint8))
    return Right(truth)


PADDING: dict[str, tuple[Any, str]] = {
    "-32768": (-32768, "int16"),
    "-3024": (-3024, "int16"),
    "-2000": (-2000, "int16"),
    "32767": (32767, "int16"),
    "65535": (65535, "uint16"),
    "-3.4e38": (-np.finfo(np.float32).max, "float32"),
    "1e30": (1e30, "float32"),
}


@kind("padding of {} up to the hole", ("nii.gz", "nrrd", "mha"), PADDING)
def padding(trial: Trial, what: tuple[Any, str]) -> Right:
    value, dtype = what
    truth = trial.ramp(dtype)
    truth[..., 11:] = value  # one voxel from the hole
    truth[:2] = value
    return Right(trial.write(truth), tolerance=2)


@kind("all voxels alike, {}", EVERY, [0, 7])
def constant(trial: Trial, value: int) -> Right:
    return Right(trial.write(np.full_like(trial.ramp(), value)))


@kind("background of exactly 0", EVERY)
def zero_background(trial: Trial) -> Right:
    truth = trial.ramp()
    truth[..., :4], truth[:2] = 0, 0
    return Right(trial.write(truth))


def _shaped(trial: Trial, shape: tuple[int, ...], hole: tuple[Any, ...]) -> np.ndarray:
    trial.hole = np.zeros(shape, dtype=bool)
    trial.hole[hole] = True
    return trial.write(ramp(shape).astype(np.int16))


THIN: dict[str, tuple[tuple[int, ...], tuple[Any, ...]]] = {
    "k": ((1, 20, 18), (0, *HOLE[1:])),
    "j": ((14, 1, 18), (slice(5, 8), 0, slice(7, 10))),
    "i": ((14, 20, 1), (slice(5, 8), slice(8, 12), 0)),
}


@kind("one voxel along {}", REAL, THIN)
def thin(trial: Trial, what: tuple[tuple[int, ...], tuple[Any, ...]]) -> Right:
    return Right(_shaped(trial, *what))


@kind("2-D", [name for name in REAL if name not in MGH])
def flat(trial: Trial) -> Right:
    return Right(_shaped(trial, SHAPE[1:], HOLE[1:]))


TINY: dict[str, tuple[tuple[int, ...], tuple[Any, ...]]] = {
    "1 x 1 x 1": ((1, 1, 1), (0, 0, 0)),
    "2 x 2 x 2": ((2, 2, 2), (0, 0, 0)),
    "1 x 1 x 2": ((1, 1, 2), (0, 0, 0)),
    "5 x 3 x 1": ((5, 3, 1), (2, 1, 0)),
    "1 x 3 x 5": ((1, 3, 5), (0, 1, 2)),
}


def _tiny(method: str) -> None:
    @kind(f"{{}} voxels, {method}", ("nii.gz", "nrrd"), TINY)
    def tiny(trial: Trial, what: tuple[tuple[int, ...], tuple[Any, ...]]) -> Right:
        shape, hole = what
        truth = _shaped(trial, shape, hole)
        trial.options = ["--method", method]
        whole = trial.hole.all()
        return Right(
            None if whole else truth, refused="whole image|known|too (small|thin|few)|at least 2 axes", tolerance=99
        )


for _method in ("biharmonic", "shell-mean", "patch-regression", "auto"):
    _tiny(_method)


@kind("voxels {} times longer than wide", ("nii.gz", "nrrd"), [100, 10_000, 1e12])
def stiff(trial: Trial, ratio: float) -> Right:
    import SimpleITK as sitk

    truth = trial.write()
    image = truth.copy()
    image[trial.hole] = HIDDEN
    for path, array in ((trial.image, image), (trial.mask, trial.hole.astype(np.uint8))):
        if path.name.endswith(".nii.gz"):
            nibabel.save(nibabel.Nifti1Image(array.T, np.diag([1, 1, ratio, 1])), path)
        else:
            volume = sitk.GetImageFromArray(array)
            volume.SetSpacing((1, 1, ratio))
            sitk.WriteImage(volume, str(path))
    return Right(truth, refused="spacing|voxels? size|longer|grid", tolerance=1)


@kind("4-D with 3 volumes", MGH)
def several_frames(trial: Trial) -> Right:
    return several(trial, 3)


@kind("4-D with {} volumes", (*NIFTI, "nrrd", "mha"), [1, 2])
def several(trial: Trial, count: int) -> Right:
    truth = trial.write()
    array = truth.copy()
    array[trial.hole] = HIDDEN
    if trial.format.name in (*NIFTI, *MGH):
        image = nibabel.load(trial.image, mmap=False)  # it is written over
        stack = np.stack([array.T] * count, axis=-1)
        if count == 1 and trial.format.name in MGH:
            stack = stack[..., 0]  # nibabel writes MGH with one volume from three axes alone
        nibabel.save(type(image)(stack, AFFINE), trial.image)
    else:
        import SimpleITK as sitk

        stacked = sitk.JoinSeries([sitk.GetImageFromArray(array)] * count)
        place(stacked)
        sitk.WriteImage(stacked, str(trial.image))
    if count > 1:
        if trial.format.name not in (*NIFTI, *MGH):
            return Right(refused="4-D|volumes")
        return Right(np.stack([truth] * count), hole=np.stack([trial.hole] * count))
    # With one volume, a writer may leave out the fourth axis.
    return Right(truth, same=trial.format.name in NIFTI)
