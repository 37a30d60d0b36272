"""The damaged heads of the study: T1 images at 2 mm, with balls that are hidden before the registration."""

from __future__ import annotations

import dataclasses
import zlib
from pathlib import Path

import numpy as np

from MedInpaintLib.foreground import body
from MedInpaintLib.holes import place
from MedInpaintLib.manifest import Entry
from MedInpaintLib.modality import MR
from MedInpaintLib.registration import block_mean
from MedInpaintLib.subject import Subject
from MedInpaintLib.volume import Volume

from ..real_lesions.heads import SCALP_AND_SKULL, list_heads
from ..shared.subjects import damaged_subject

#: mm of a voxel: the finest level of the registration.
MM = 2.0
#: The hidden balls by their diameters, the largest first: it needs most room.
BALLS = {"40 mm": "spheres:40mm:1", "20 mm": "spheres:20mm:3"}


@dataclasses.dataclass(frozen=True)
class Damaged:
    """A head with hidden balls.

    Attributes:
        truth: the image.
        balls: int32 labels, 0 where the image is known.
        kinds: label -> a key of :data:`BALLS`.
        subject: the damaged image as methods see it.
    """

    truth: Volume
    balls: np.ndarray
    kinds: dict[int, str]
    subject: Subject


def people(data: Path, split: str) -> list[tuple[Entry, bool]]:
    """Return the T1 images of a split, and whether each shows the skull."""
    return [(entry, "skull" in about) for entry, about in list_heads(data, split) if entry.contrast == "T1"]


def damage(entry: Entry, *, skull: bool) -> Damaged:
    """Read a head, reduce it, and hide balls in its brain; where they lie depends on the person's name alone."""
    from scipy import ndimage

    truth = reduced(Volume.read(entry.path))
    brain = body(truth.array, MR)
    if skull:
        brain = ndimage.distance_transform_edt(brain, truth.spacing) > SCALP_AND_SKULL
    balls, kinds = np.zeros(brain.shape, dtype=np.int32), {}
    for kind, description in BALLS.items():
        near = ndimage.binary_dilation(balls > 0, iterations=2)
        more = place(
            description,
            brain.shape,
            spacing=truth.spacing,
            foreground=brain,
            avoid=near,
            seed=zlib.crc32(entry.subject.encode()),
        )
        first = int(balls.max())
        kinds.update({first + number: kind for number in range(1, int(more.max()) + 1)})
        balls = np.where(more > 0, more + first, balls)
    return Damaged(truth, balls, kinds, damaged_subject(truth, balls > 0))


def reduced(image: Volume) -> Volume:
    """Return means over blocks of about :data:`MM`, at the places of their centres."""
    strides = [max(1, round(MM / mm)) for mm in image.spacing]
    spacing = tuple(mm * stride for mm, stride in zip(image.spacing, strides, strict=True))
    moved = np.array([(stride - 1) / 2 * mm for stride, mm in zip(strides, image.spacing, strict=True)])[::-1]
    origin = np.array(image.origin) + np.reshape(image.direction, (3, 3)) @ moved
    means = block_mean(image.array.astype(np.float32), strides)
    return Volume(means, spacing, tuple(map(float, origin)), image.direction)
