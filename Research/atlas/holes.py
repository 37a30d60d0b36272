"""The heads and the holes of the study: balls and strokes within the brain, the same in all contrasts of a person."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from MedInpaintLib.errors import MaskError
from MedInpaintLib.holes import place
from MedInpaintLib.manifest import Entry, read_manifest

from ..real_lesions.heads import Head, list_heads, read_head
from ..real_lesions.strokes import Shape, is_one_sided, lay, read_shapes
from ..shared.cases import Task

BALLS, BALL, STROKE = "spheres:20mm:5", "spheres:40mm:1", "a stroke of SOOP of 50 to 140 ml"
#: ml of the strokes as they are in the average head.
STROKE_ML = (50.0, 140.0)
_T1, _OTHER = ("T1",), ("T2", "FLAIR")
TASKS = (
    Task("balls-20", "T1: five balls of 20 mm", "MR", False, BALLS, contrasts=_T1),
    Task("ball-40", "T1: a ball of 40 mm", "MR", False, BALL, contrasts=_T1),
    Task("stroke", "T1: a stroke of 50 to 140 ml", "MR", False, STROKE, contrasts=_T1),
    Task("balls-20-other", "T2 and FLAIR: five balls of 20 mm", "MR", False, BALLS, contrasts=_OTHER),
    Task("ball-40-other", "T2 and FLAIR: a ball of 40 mm", "MR", False, BALL, contrasts=_OTHER),
    Task("stroke-other", "T2 and FLAIR: a stroke of 50 to 140 ml", "MR", False, STROKE, contrasts=_OTHER),
)
#: Images that the study `real-lesions` lacks, in its words: see its ``images.toml``.
_BRATS, _LJU = "mr_multicontrast/brats-gli-00001/", "mr_multicontrast/lju-long04/ses1_"
MORE: dict[str, dict[str, str]] = {
    **{f"{_BRATS}{name}": {"t1": f"{_BRATS}t1", "flair": f"{_BRATS}flair"} for name in ("t1", "t2", "flair")},
    f"{_LJU}t2": {"t1": f"{_LJU}t1", "flair": f"{_LJU}flair", "brain": f"{_LJU}brainmask"},
}


def heads(data: Path, split: str) -> Iterator[tuple[Entry, dict[str, str]]]:
    """Yield the images of a split in which holes can be made, with what is known of each."""
    yield from list_heads(data, split)
    yield from ((entry, MORE[entry.name]) for entry in read_manifest(data, split) if entry.name in MORE)


def read(data: Path, entry: Entry) -> Head:
    """Read one of these images with its brain and what no hole may touch."""
    about = next(about for each, about in heads(data, entry.split) if each.name == entry.name)
    return read_head(data, entry, about)


def cut(task: Task, head: Head, data: Path, seed: int) -> np.ndarray | None:
    """Return the holes of a task in a head, each with its label from 1 on, int32; None where they do not fit.

    Args:
        task: of :data:`TASKS`.
        head: the image with its brain.
        data: folder with the shapes of strokes.
        seed: of the case; with the person's name it decides where the holes lie.
    """
    chance = zlib.crc32(f"{head.entry.subject} {task.holes} {seed}".encode())
    if task.holes == STROKE:
        hole = lay(_shape(data, chance), head) & ~head.avoid
        return _largest(hole) if hole.any() else None
    try:
        return place(
            task.holes,
            head.brain.shape,
            spacing=head.image.spacing,
            foreground=head.brain,
            avoid=head.avoid,
            seed=chance,
        )
    except MaskError:
        return None


def _shape(data: Path, chance: int) -> Shape:
    """Return one of the strokes in one hemisphere whose size is :data:`STROKE_ML`."""
    low, high = STROKE_ML
    fitting = [shape for shape in read_shapes(data) if is_one_sided(shape) and low <= shape.voxels.sum() / 1000 < high]
    return fitting[chance % len(fitting)]


def _largest(hole: np.ndarray) -> np.ndarray:
    """Return the largest connected part of a hole as label 1: what was avoided may have split it."""
    from scipy import ndimage

    labels, count = ndimage.label(hole, np.ones((3, 3, 3)))
    largest = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:]) if count > 1 else hole
    return largest.astype(np.int32)


def entries(data: Path, split: str, match: str) -> list[Entry]:
    """Return the images of a split with a text in their name."""
    return [entry for entry, _ in heads(data, split) if match in entry.name]
