"""Lesions of real shapes in healthy heads, as dark as such lesions are in T1."""

from __future__ import annotations

import dataclasses
import zlib
from pathlib import Path

import numpy as np

from ..real_lesions.heads import Head
from ..real_lesions.holes import TOTAL_ML, cut
from ..tissue_volumes.lesions import Anatomy, in_white_matter
from ..tissue_volumes.segmentation import CSF, GREY, WHITE, Tissues, segment

#: Lesions of MS of which nearly all is white matter, as in the study `tissue-volumes`; those of `real-lesions` lie at
#: ventricles and at the cortex, too, and about half of their voxels are white matter.
MS_IN_WHITE = "ms-white"
#: How dark lesions are, one draw a lesion. Of MS: below white matter by so many times the contrast of white and grey
#: matter, as in the study `tissue-volumes`. Old strokes: below grey matter by this share of its contrast to CSF.
BELOW_WHITE, BELOW_GREY = (0.8, 1.4), (0.5, 1.0)


@dataclasses.dataclass(frozen=True)
class Patient:
    """A healthy head into which lesions are put.

    Attributes:
        image: the healthy head.
        damaged: the head with lesions, of the image's dtype.
        brain: bool.
        hole: bool, the lesions.
        spacing: mm.
    """

    image: np.ndarray
    damaged: np.ndarray
    brain: np.ndarray
    hole: np.ndarray
    spacing: tuple[float, ...]


def is_stroke(kind: str) -> bool:
    """Return whether a kind of lesions is strokes, else it is lesions of MS."""
    return kind.startswith("stroke")


def make_patient(head: Head, kind: str, data: Path) -> Patient | None:
    """Return a head with lesions of a kind; None where they do not fit.

    Args:
        head: of a healthy person.
        kind: :data:`MS_IN_WHITE`, or lesions of the study `real-lesions`.
        data: folder with the shapes of strokes.
    """
    image, spacing = head.image.array, head.image.spacing
    rng = np.random.default_rng(zlib.crc32(f"{head.entry.subject} {kind} dark".encode()))
    tissues = segment(image, head.brain, spacing)
    labels: np.ndarray | None
    if kind == MS_IN_WHITE:
        labels = in_white_matter(Anatomy(image, head.brain, tissues, spacing), TOTAL_ML, rng)
    else:
        labels = cut(head, kind, data)
    if labels is None:
        return None
    damaged = darkened(image, labels, tissues, levels(kind, tissues.means, labels.max(), rng))
    return Patient(image, damaged, head.brain, labels > 0, spacing)


def levels(kind: str, means: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return the mean intensity of each of so many lesions of a kind.

    Args:
        kind: of the lesions.
        means: intensities of the three tissues.
        count: of the lesions.
        rng: chance.
    """
    top, contrast, below = (
        (means[WHITE], means[WHITE] - means[GREY], BELOW_WHITE)
        if not is_stroke(kind)
        else (means[GREY], means[GREY] - means[CSF], BELOW_GREY)
    )
    return top - rng.uniform(*below, size=count) * contrast


def darkened(image: np.ndarray, labels: np.ndarray, tissues: Tissues, level: np.ndarray) -> np.ndarray:
    """Return the image with lesions at their levels; noise and partial volumes stay, and so does what is CSF.

    Args:
        image: integers, 0 outside the head.
        labels: of the lesions, from 1 on.
        tissues: of the image.
        level: mean intensity of each lesion.
    """
    at = (labels > 0) & (tissues.labels > CSF)
    shift = (level[labels[at] - 1] - tissues.means[tissues.labels[at]]) * tissues.field[at]
    damaged = image.copy()
    damaged[at] = np.clip(np.rint(image[at] + shift), 1, np.iinfo(image.dtype).max)
    return damaged
