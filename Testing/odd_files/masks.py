"""Masks as people and programs make them."""

from __future__ import annotations

from collections.abc import Callable

import nibabel
import numpy as np
from scipy import ndimage

from .formats import AFFINE, EVERY, FILMS, SOME, SPACING, VOLUMES, write_by_sitk, write_nifti
from .kinds import HIDDEN, Right, Trial, kind

#: A volume and a film stand for all.
TWO = ("nii.gz", "png")


def _around(hole: np.ndarray, voxels: int = 1) -> np.ndarray:
    return ndimage.binary_dilation(hole, np.ones((3,) * hole.ndim), iterations=voxels)


def _floats(trial: Trial, values: np.ndarray) -> Right:
    """Write a mask of any values, as NIfTI in float32 beside a volume."""
    truth = trial.write()
    trial.mask = trial.folder / "mask.nii.gz"
    write_nifti(trial.mask, values.astype(np.float32))
    return Right(truth)


@kind("mask: empty", SOME + FILMS)
def empty(trial: Trial) -> Right:
    trial.write(mask=np.zeros(trial.hole.shape, np.uint8))
    return Right(refused="empty|no voxel")


@kind("mask: all voxels", SOME + FILMS)
def all_voxels(trial: Trial) -> Right:
    trial.write(mask=np.ones(trial.hole.shape, np.uint8))
    return Right(refused="whole image|inverted|everything")


@kind("mask: inverted", SOME + FILMS)
def inverted(trial: Trial) -> Right:
    trial.write(mask=(~trial.hole).astype(np.uint8))
    return Right(refused="inverted")


@kind("mask: inverted, with --force", ("nii.gz",))
def inverted_forced(trial: Trial) -> Right:
    truth = trial.write(mask=(~trial.hole).astype(np.uint8))
    trial.options.append("--force")
    truth[trial.hole] = HIDDEN  # what the user says is known
    return Right(truth, hole=~trial.hole, tolerance=1e9)


@kind("mask: 60 % of the voxels at random", ("nii.gz", "nrrd", "png"))
def random_loss(trial: Trial) -> Right:
    trial.hole = np.random.default_rng(0).random(trial.hole.shape) < 0.6
    return Right(trial.write(), tolerance=2)


@kind("mask: swapped with the image", SOME + FILMS)
def swapped(trial: Trial) -> Right:
    trial.write()
    trial.image, trial.mask = trial.mask, trial.image
    trial.output = trial.folder / ("out.png" if trial.is_film else "out.nrrd")
    return Right(refused="swapped|image")


@kind("mask: the image itself", SOME + FILMS)
def image_as_mask(trial: Trial) -> Right:
    trial.write()
    trial.mask = trial.image
    return Right(refused="image|labels")


@kind("mask: as {}", ("nii.gz", "nrrd"), ["uint8", "int16", "uint16", "int32", "int64", "float32", "float64"])
def dtypes(trial: Trial, dtype: str) -> Right:
    return Right(trial.write(mask=trial.hole.astype(dtype)))


@kind("mask: marked with {}", ("nii.gz",), [1, 2, 100, 255, 1000, 0.5, 1e-3, -1])
def any_value(trial: Trial, value: float) -> Right:
    right = _floats(trial, trial.hole * value)
    # A lone small or negative value may be a map of something else; it is never filled otherwise than marked.
    doubtful = value < 1
    return Right(right.truth, refused="0.5|highest value|negative|distances|marked|label" if doubtful else "")


@kind("mask: probabilities to {}", ("nii.gz", "nrrd"), [1, 100])
def probabilities(trial: Trial, top: int) -> Right:
    """Cut a smooth blob in its middle: the hole is where it is half of the scale or more."""
    k, j, i = np.indices(trial.hole.shape)
    blob = np.exp(-(((k - 6) / 2) ** 2 + ((j - 9) / 3) ** 2 + ((i - 8) / 2.5) ** 2) / 2)
    trial.hole = blob >= 0.5
    right = _floats(trial, blob * top)
    return Right(right.truth, said="[Pp]robabilit")


@kind("mask: probabilities to 0.45", ("nii.gz",))
def low_probabilities(trial: Trial) -> Right:
    k, j, i = np.indices(trial.hole.shape)
    blob = 0.45 * np.exp(-(((k - 6) / 2) ** 2 + ((j - 9) / 3) ** 2 + ((i - 8) / 2.5) ** 2) / 2)
    _floats(trial, blob)
    return Right(refused=r"0\.45")


@kind("mask: soft edges", ("nii.gz", *FILMS))
def soft_edges(trial: Trial) -> Right:
    """Blur the edge as programs that draw and resample do; the hole is where it is half of the scale or more."""
    drawn = _around(trial.hole, 2)
    values = np.rint(255 * ndimage.gaussian_filter(drawn.astype(float), 0.7, truncate=2)).astype(np.uint8)
    trial.hole = values >= 128
    return Right(trial.write(mask=values), said="edge|middle|half|128|127")


def _two_labels(trial: Trial) -> tuple[np.ndarray, np.ndarray]:
    labels = trial.hole.astype(np.uint8)
    other = np.zeros_like(trial.hole)
    other[(slice(9, 11), slice(13, 16), slice(12, 15))[-labels.ndim :]] = True
    labels[other] = 2
    return labels, other


@kind("mask: several labels", SOME + FILMS)
def several(trial: Trial) -> Right:
    labels, _ = _two_labels(trial)
    trial.write(mask=labels)
    return Right(refused="label")


@kind("mask: several labels, as float", ("nii.gz",))
def several_floats(trial: Trial) -> Right:
    labels, _ = _two_labels(trial)
    _floats(trial, labels)
    return Right(refused="label")


@kind("mask: --label 1 of two", SOME + FILMS)
def first_label(trial: Trial) -> Right:
    labels, _ = _two_labels(trial)
    trial.options += ["--label", "1"]
    return Right(trial.write(mask=labels))


@kind("mask: --label all", SOME + FILMS)
def all_labels(trial: Trial) -> Right:
    labels, other = _two_labels(trial)
    trial.hole = trial.hole | other
    trial.options += ["--label", "all"]
    return Right(trial.write(mask=labels))


@kind("mask: --label {}, which is not there", ("nii.gz",), ["7", "-3", "tumour", "0"])
def no_such_label(trial: Trial, label: str) -> Right:
    trial.write()
    trial.options += ["--label", label]
    return Right(refused="label")


@kind("mask: {}", ("nii.gz",), {"NaN outside": np.nan, "infinity outside": np.inf, "minus infinity outside": -np.inf})
def not_finite(trial: Trial, value: float) -> Right:
    values = trial.hole.astype(np.float32)
    values[:2] = value
    right = _floats(trial, values)
    return Right(right.truth, refused="NaN|infinity|finite")


@kind("mask: NaN in all voxels", ("nii.gz",))
def nothing_but_nan(trial: Trial) -> Right:
    _floats(trial, np.full(trial.hole.shape, np.nan))
    return Right(refused="NaN|infinity|finite|empty")


@kind("mask: {}", ("nii.gz",), ["distances", "noise around 0", "huge numbers"])
def no_mask_at_all(trial: Trial, what: str) -> Right:
    inside = ndimage.distance_transform_edt(trial.hole) - ndimage.distance_transform_edt(~trial.hole)
    noise = np.random.default_rng(0).normal(size=trial.hole.shape)
    _floats(trial, {"distances": inside, "noise around 0": noise, "huge numbers": 1e30 * noise}[what])
    return Right(refused="image|distance|values|probabilit|label")


def _shifted(trial: Trial, voxels: tuple[float, float, float], mask: np.ndarray, zoom: float = 1.0) -> None:
    """Write a mask on a grid that begins elsewhere; voxels are those of the image, (i, j, k)."""
    affine = AFFINE.copy()
    affine[:3, :3] *= zoom
    affine[:3, 3] += AFFINE[:3, :3] @ np.asarray(voxels, dtype=float)
    trial.mask = trial.folder / "mask.nii.gz"
    nibabel.save(nibabel.Nifti1Image(mask.astype(np.uint8).T, affine), trial.mask)


@kind("mask: on a part of the grid", VOLUMES)
def cropped(trial: Trial) -> Right:
    truth = trial.write()
    _shifted(trial, (5, 6, 4), trial.hole[4:10, 6:14, 5:12])
    return Right(truth)


@kind("mask: on a grid twice as fine", ("nii.gz", "nrrd", "dicom"))
def finer(trial: Trial) -> Right:
    truth = trial.write()
    fine = trial.hole.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    _shifted(trial, (-0.25, -0.25, -0.25), fine, 0.5)
    return Right(truth, hole=ndimage.binary_erosion(trial.hole), may=_around(trial.hole))


@kind("mask: half a voxel off", ("nii.gz", "nrrd", "dicom"))
def half_a_voxel(trial: Trial) -> Right:
    truth = trial.write()
    _shifted(trial, (0.5, 0, 0), trial.hole)
    return Right(truth, hole=ndimage.binary_erosion(trial.hole), may=_around(trial.hole), warned="grid")


@kind("mask: half outside the image", ("nii.gz", "nrrd", "dicom"))
def half_outside(trial: Trial) -> Right:
    trial.write()
    _shifted(trial, (-8.5, 0, 0), trial.hole)
    return Right(refused="inside|outside|overlap|covers")


@kind("mask: outside the image", ("nii.gz", "nrrd", "dicom"))
def outside(trial: Trial) -> Right:
    trial.write()
    _shifted(trial, (500, 0, 0), trial.hole)
    return Right(refused="inside|outside|overlap|covers")


@kind("mask: of another shape, without a position", FILMS)
def other_film(trial: Trial) -> Right:
    trial.write(mask=np.pad(trial.hole, [(0, 3), (0, 5)]).astype(np.uint8))
    return Right(refused="grid|shape|size|overlap|inside|nothing says where")


def _turned(name: str, turn: Callable[[nibabel.Nifti1Image], nibabel.Nifti1Image]) -> None:
    @kind(f"mask: {name}", ("nii.gz", "mgz", "nrrd", "dicom"))
    def turned(trial: Trial) -> Right:
        truth = trial.write()
        trial.mask = trial.folder / "mask.nii.gz"
        nibabel.save(turn(nibabel.Nifti1Image(trial.hole.astype(np.uint8).T, AFFINE)), trial.mask)
        return Right(truth)


_turned("axes k, i, j", lambda image: image.as_reoriented(np.array([[1, 1], [2, 1], [0, 1]])))
_turned("axes flipped", lambda image: image.as_reoriented(np.array([[0, -1], [1, 1], [2, -1]])))
_turned("canonical", nibabel.as_closest_canonical)


@kind("mask: 4-D with {} volumes", ("nii.gz",), [1, 2])
def four_axes(trial: Trial, count: int) -> Right:
    truth = trial.write()
    trial.mask = trial.folder / "mask.nii.gz"
    mask = np.stack([trial.hole.astype(np.uint8).T] * count, axis=-1)
    nibabel.save(nibabel.Nifti1Image(mask, AFFINE), trial.mask)
    return Right(truth if count == 1 else None, refused="" if count == 1 else "4-D|volumes")


@kind("mask: one slice for a volume", ("nii.gz", "nrrd"))
def one_slice(trial: Trial) -> Right:
    truth = trial.write()
    trial.hole[:] = False
    trial.hole[6, 8:12, 7:10] = True
    truth = trial.write(truth)
    _shifted(trial, (0, 0, 6), trial.hole[6:7])
    return Right(truth)


@kind("mask: a film for a volume", ("nii.gz", "nrrd"))
def film_for_a_volume(trial: Trial) -> Right:
    trial.write()
    trial.mask = trial.folder / "mask.png"
    write_by_sitk(trial.mask, 255 * trial.hole[6].astype(np.uint8))
    return Right(refused="2-D|axes")


@kind("mask: drawn as {}", FILMS, ["RGB", "RGBA", "P", "L of 0 and 255", "1", "JPEG"])
def drawn(trial: Trial, mode: str) -> Right:
    from PIL import Image

    truth = trial.write()
    picture = Image.fromarray(255 * trial.hole.astype(np.uint8))
    if mode == "JPEG":
        trial.mask = trial.folder / "mask.jpg"
        picture.save(trial.mask, quality=95)
    else:
        picture.convert(mode.split()[0]).save(trial.mask)
    return Right(truth)


@kind("mask: drawn in two colours", FILMS)
def two_colours(trial: Trial) -> Right:
    from PIL import Image

    trial.write()
    channels = np.zeros((*trial.hole.shape, 3), np.uint8)
    channels[trial.hole, 0] = 255
    channels[20:24, 5:9, 1] = 255
    Image.fromarray(channels).save(trial.mask)
    return Right(refused="label|colou?r")


@kind("mask: grown by {} mm", ("nii.gz",), [0.1, 2, 1e9, -1, float("nan")])
def grown(trial: Trial, mm: float) -> Right:
    truth = trial.write()
    trial.options += ["--dilate", str(mm)]
    if not mm < 100 or mm < 0:
        return Right(refused="distance|whole image|mm")
    reach = ndimage.distance_transform_edt(~trial.hole, sampling=SPACING) <= mm
    return Right(truth, may=reach)


@kind("mask: {}", EVERY, {"a single voxel": 1, "a voxel in a corner": 0})
def small(trial: Trial, inside: int) -> Right:
    trial.hole[:] = False
    trial.hole[(6, 9, 8)[-trial.hole.ndim :] if inside else (0,) * trial.hole.ndim] = True
    return Right(trial.write(), tolerance=0.05 if inside else 2)
