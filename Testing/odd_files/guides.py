"""Guides and exemplars that do not fit, lie or are damaged."""

from __future__ import annotations

import shutil

import nibabel
import numpy as np
from scipy import ndimage

from .formats import AFFINE, SOME, write_by_sitk, write_nifti
from .kinds import Right, Trial, kind
from .wholeness import DAMAGED, shorten

#: Known voxels are checked, and the fill is within the image's range.
ANY = 1e5


#: Large enough that what is deep inside can tell left from right.
SHAPE = (40, 64, 64)
PART = (slice(16, 20), slice(24, 29), slice(40, 45))


def _textured(seed: int = 0) -> np.ndarray:
    """Return a head of texture, without symmetry."""
    k, j, i = np.indices(SHAPE)
    inside = ((k - 20) / 18) ** 2 + ((j - 32) / 29) ** 2 + ((i - 32) / 27) ** 2 <= 1
    texture = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 3)
    return np.where(inside, 600 + 150 * texture / texture.std(), 0).astype(np.int16)


def _with_guide(trial: Trial, guide: np.ndarray, affine: np.ndarray = AFFINE, dtype: type = np.int16) -> np.ndarray:
    """Write a textured image with a hole in one half, and a guide."""
    truth = _textured()
    trial.hole = np.zeros(truth.shape, dtype=bool)
    trial.hole[PART] = True
    trial.write(truth)
    path = trial.folder / "guide.nii.gz"
    nibabel.save(nibabel.Nifti1Image(guide.astype(dtype).T, affine), path)
    trial.options = ["--method", "patch-regression", "--guide", str(path), "--modality", "MR"]
    return truth


def _other_contrast() -> np.ndarray:
    head = _textured().astype(float)
    return np.where(head > 0, 1500 - head, 0)


@kind("guide: right", SOME)
def right_guide(trial: Trial) -> Right:
    return Right(_with_guide(trial, _other_contrast()), tolerance=ANY)


@kind("guide: flipped left to right", SOME)
def flipped(trial: Trial) -> Right:
    guide = _other_contrast()[..., ::-1]
    return Right(_with_guide(trial, guide), tolerance=ANY, warned="flip|mirror", refused="flip|mirror")


@kind("guide: shows the lesion", SOME)
def with_the_lesion(trial: Trial) -> Right:
    guide = _other_contrast()
    guide[PART] = 4000
    return Right(_with_guide(trial, guide), tolerance=ANY, warned="lesion|hole", refused="lesion|hole")


@kind("guide: {}", ("nii.gz",), {"noise": 1, "constant": 0})
def unlike(trial: Trial, noise: float) -> Right:
    guide = 500 + noise * np.random.default_rng(5).normal(scale=100, size=SHAPE)
    return Right(_with_guide(trial, guide), tolerance=ANY, warned=".", refused="guide")


@kind("guide: on another grid", SOME)
def other_grid(trial: Trial) -> Right:
    affine = AFFINE.copy()
    affine[:3, 3] += AFFINE[:3, :3] @ [0.4, 0.3, 0.2]
    return Right(_with_guide(trial, _other_contrast(), affine), tolerance=ANY, warned="another grid")


@kind("guide: does not cover the hole", SOME)
def not_covering(trial: Trial) -> Right:
    _with_guide(trial, _other_contrast()[:18])
    return Right(refused="cover")


@kind("guide: NaN {}", ("nii.gz",), ["outside", "in the hole"])
def with_nan(trial: Trial, where: str) -> Right:
    guide = _other_contrast()
    guide[(slice(0, 3),) if where == "outside" else (18, 26, 42)] = np.nan
    truth = _with_guide(trial, guide, dtype=np.float32)
    return Right(truth if where == "outside" else None, tolerance=ANY, refused="cover|NaN|no data")


@kind("guide: 2-D", ("nii.gz",))
def flat(trial: Trial) -> Right:
    _with_guide(trial, _other_contrast())
    path = trial.folder / "guide.png"
    write_by_sitk(path, np.zeros((20, 20), np.uint8))
    trial.options[trial.options.index("--guide") + 1] = str(path)
    return Right(refused="2-D")


@kind("guide: cut to {}", SOME, {"nothing": 0, "50 %": 0.5, "99.9 %": 0.999})
def cut(trial: Trial, share: float) -> Right:
    _with_guide(trial, _other_contrast())
    shorten(trial.folder / "guide.nii.gz", share)
    return Right(refused=DAMAGED)


@kind("guide: not there", ("nii.gz",))
def not_there(trial: Trial) -> Right:
    _with_guide(trial, _other_contrast())
    (trial.folder / "guide.nii.gz").unlink()
    return Right(refused="no file")


@kind("guide: the output", ("nii.gz",))
def as_output(trial: Trial) -> Right:
    _with_guide(trial, _other_contrast())
    trial.output = trial.folder / "guide.nii.gz"
    return Right(refused="overwrite|input")


EXEMPLARS = {
    "nothing": "no images",
    "text alone": "no images",
    "a file instead of a folder": "no folder",
    "a cut scan": DAMAGED,
    "an empty scan": DAMAGED,
    "a film": "2-D|axes|exemplar",
}


@kind("exemplars: {}", ("nii.gz",), list(EXEMPLARS))
def exemplars(trial: Trial, what: str) -> Right:
    truth = _with_exemplars(trial)
    folder = trial.folder / "exemplars"
    if what in ("nothing", "text alone", "a film"):
        (folder / "one.nii.gz").unlink()
    if what == "text alone":
        (folder / "notes.txt").write_text("nothing")
    if what == "a film":
        write_by_sitk(folder / "film.png", np.zeros((20, 20), np.uint8))
    if what == "a cut scan":
        shorten(folder / "one.nii.gz", 0.5)
    if what == "an empty scan":
        (folder / "two.nii.gz").touch()
    if what == "a file instead of a folder":
        shutil.rmtree(folder)
        folder.touch()
    # An exemplar that cannot be read is left out, and that is said; the fill goes on with what there is.
    left_out = what in ("a cut scan", "an empty scan", "a film")
    return Right(truth if left_out else None, tolerance=ANY, refused=EXEMPLARS[what], warned="left out")


@kind("exemplars: a scan, notes and a table", ("nii.gz", "nrrd"))
def exemplars_and_notes(trial: Trial) -> Right:
    truth = _with_exemplars(trial)
    (trial.folder / "exemplars" / "notes.txt").write_text("nothing")
    (trial.folder / "exemplars" / ".DS_Store").write_bytes(b"\0\1")
    (trial.folder / "exemplars" / "table.csv").write_text("a,b\n")
    return Right(truth, tolerance=ANY)


@kind("exemplars: output among them", ("nii.gz",))
def output_among_exemplars(trial: Trial) -> Right:
    _with_exemplars(trial)
    trial.output = trial.folder / "exemplars" / "filled.nii.gz"
    return Right(refused="exemplars")


def _with_exemplars(trial: Trial) -> np.ndarray:
    truth = _textured()
    trial.hole = np.zeros(truth.shape, dtype=bool)
    trial.hole[PART] = True
    trial.write(truth)
    folder = trial.folder / "exemplars"
    folder.mkdir()
    write_nifti(folder / "one.nii.gz", _textured(seed=1))
    trial.options = ["--method", "exemplar", "--exemplars", str(folder), "--modality", "MR"]
    return truth
