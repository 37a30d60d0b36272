"""Fill the lesions, measure the tissues of the whole brain, and count what became CSF."""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from MedInpaintLib import inpaint
from MedInpaintLib.manifest import Entry
from MedInpaintLib.modality import MR
from MedInpaintLib.volume import Volume

from .lesions import Anatomy, beside_ventricles, darkened, in_white_matter
from .segmentation import CSF, GREY, WHITE, segment

#: What is done with the lesions, besides filling them.
LEFT_IN, MASKED_OUT = "lesions left in", "lesions masked out"
METHODS = ("shell-mean", "biharmonic", "patch-regression", "white-matter", "auto")
BESIDE = ("biharmonic", "patch", "white-matter", "auto")
#: ml of lesions in white matter, and of lesions beside the ventricles.
ML, ML_BESIDE = 15.0, 5.0

Row = dict[str, Any]


def read(entry: Entry) -> Anatomy:
    """Read a T1 without skull, and tell its tissues apart."""
    image = Volume.read(entry.path)
    brain = image.array > 0
    return Anatomy(image.array, brain, segment(image.array, brain, image.spacing), image.spacing)


def volumes(entry: Entry, only: Sequence[str] = ()) -> list[Row]:
    """Return a row for each thing that can be done with lesions in white matter: the errors of the volumes in percent.

    Args:
        entry: of a T1 of a healthy person, without skull. Its own segmentation is the truth.
        only: these methods; all by default.
    """
    truth = read(entry)
    rng = np.random.default_rng(zlib.crc32(entry.subject.encode()))
    labels = in_white_matter(truth, ML, rng)
    damaged, hole = darkened(truth, labels, rng), labels > 0
    rows = [_row(entry, LEFT_IN, truth, damaged, truth.brain, hole)]
    rows.append(_row(entry, MASKED_OUT, truth, damaged, truth.brain & ~hole, hole))
    for method in _chosen(METHODS, only):
        filled, used, seconds = _fill(damaged, truth.spacing, hole, method)
        rows.append({**_row(entry, method, truth, filled, truth.brain, hole), "used": used, "seconds": seconds})
    return rows


def beside(entry: Entry, only: Sequence[str] = ()) -> list[Row]:
    """Return a row a method: the share of the voxels of lesions beside the ventricles that look like CSF when filled.

    Args:
        entry, only: as for :func:`volumes`.
    """
    truth = read(entry)
    rng = np.random.default_rng([1, zlib.crc32(entry.subject.encode())])
    labels = beside_ventricles(truth, ML_BESIDE, rng)
    damaged = darkened(truth, labels, rng)
    return _turned_dark(entry, truth, damaged, labels > 0, only)


def real(entry: Entry, mask: Entry, only: Sequence[str] = ()) -> list[Row]:
    """Return rows as :func:`beside`, for all lesions of a patient with MS.

    Nobody knows what is under them: the tissues are those of the known voxels.
    """
    image, hole = Volume.read(entry.path), Volume.read(mask.path).array > 0
    brain = image.array > 0
    tissues = segment(image.array, brain & ~hole, image.spacing)
    return _turned_dark(entry, Anatomy(image.array, brain, tissues, image.spacing), image.array, hole, only)


def _turned_dark(entry: Entry, truth: Anatomy, damaged: np.ndarray, hole: np.ndarray, only: Sequence[str]) -> list[Row]:
    rows = []
    for method in _chosen(BESIDE, only):
        filled, used, seconds = _fill(damaged, truth.spacing, hole, method)
        dark = truth.tissues.nearest(filled)[hole] == CSF
        share = 100 * float(dark.mean())
        rows.append(_described(entry, method, hole) | {"csf": share, "used": used, "seconds": seconds})
    return rows


def _chosen(methods: Sequence[str], only: Sequence[str]) -> list[str]:
    """Return the methods that are also in ``only``; all where that is empty."""
    return [each for each in methods if not only or each in only]


def _fill(
    damaged: np.ndarray, spacing: Sequence[float], hole: np.ndarray, method: str
) -> tuple[np.ndarray, str, float]:
    """Return the filled image, the method that filled it, and the seconds of the call."""
    start = time.perf_counter()
    result = inpaint(damaged, hole, spacing=tuple(spacing), method=method, modality=MR.name)
    return result.volume.array, result.report["method"], time.perf_counter() - start


def _row(entry: Entry, what: str, truth: Anatomy, image: np.ndarray, where: np.ndarray, hole: np.ndarray) -> Row:
    """Measure an image's tissues; lesions that are not looked at count as white matter."""
    tissues = segment(image, where, truth.spacing)
    extra = int(np.count_nonzero(hole & ~where))
    errors = {}
    for name, tissue, more in (("grey", GREY, 0), ("white", WHITE, extra)):
        true = truth.tissues.voxels(tissue)
        errors[name] = 100 * (tissues.voxels(tissue) + more - true) / true
    return _described(entry, what, hole) | errors | {"used": "", "seconds": None}


def _described(entry: Entry, what: str, hole: np.ndarray) -> Row:
    return {"image": entry.name, "subject": entry.subject, "what": what, "voxels": int(np.count_nonzero(hole))}
