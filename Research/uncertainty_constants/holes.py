"""The images and the holes in which errors are measured: the same for the same image."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.errors import MaskError
from MedInpaintLib.foreground import body
from MedInpaintLib.frames import pose
from MedInpaintLib.holes import place
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.methods.auto import NETWORK
from MedInpaintLib.modality import Modality
from MedInpaintLib.volume import Volume

from ..atlas.holes import heads
from ..real_lesions.heads import read_brain
from ..shared.cases import Task

#: mm between holes at least, so that the tissue around each is known.
APART_MM = 6.0
#: mm from a real lesion to a hole, at least.
FROM_LESIONS_MM = 3.0


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of image with the holes that are made in it.

    Attributes:
        name: of the kind, for files and tables.
        title: for headings.
        modality: of its images.
        axes: along which they have several voxels.
        holes: descriptions, placed one after the other.
        methods: that are measured in it.
        heads: whether its images are the heads whose brain is known.
        most: images of a split at most, one a person, the first by name; of heads, all.
    """

    name: str
    title: str
    modality: str
    axes: int
    holes: tuple[str, ...]
    methods: tuple[str, ...]
    heads: bool = False
    most: int = 1000

    @property
    def task(self) -> Task:
        """The kind as other studies know it, for finding and reading its images."""
        return Task(self.name, self.title, self.modality, self.axes == 2, "", most=self.most)


_SMOOTH = ("biharmonic", "harmonic", "nearest", "shell-mean")
_PATCHES = ("patch", "patch-regression")
_OF_HEADS = ("mirror", "atlas", "consensus")
#: Holes are balls, and shapes of multiple sclerosis lesions with the volume of such balls.
KINDS = (
    Kind(
        "heads",
        "Heads (MR)",
        "MR",
        3,
        ("spheres:20mm:1", "spheres:12mm:1", "lesions:12mm:1", "lesions:6mm:3"),
        (*_SMOOTH, *_PATCHES, *_OF_HEADS, NETWORK),
        heads=True,
    ),
    Kind(
        "heads-large",
        "Heads (MR), large holes",
        "MR",
        3,
        ("spheres:40mm:1",),
        (*_SMOOTH, "patch", *_OF_HEADS),
        heads=True,
    ),
    Kind(
        "head-slices",
        "Slices of heads (MR)",
        "MR",
        2,
        ("spheres:30mm:1", "spheres:12mm:2", "lesions:8mm:3"),
        (*_SMOOTH, *_PATCHES),
        heads=True,
    ),
    Kind(
        "ct-slices",
        "CT slices",
        "CT",
        2,
        ("spheres:40mm:1", "spheres:20mm:2", "spheres:10mm:3"),
        (*_SMOOTH, *_PATCHES, "hybrid", NETWORK),
        most=10,
    ),
    Kind(
        "films",
        "Chest films",
        "film",
        2,
        ("spheres:40px:1", "spheres:20px:2", "strips:8px:2"),
        (*_SMOOTH, *_PATCHES, "hybrid", NETWORK),
        most=10,
    ),
)


def list_images(data: Path, kind: Kind, splits: Sequence[str]) -> Iterator[Entry]:
    """Yield the images of some splits in which holes of a kind are made."""
    for split in splits:
        if kind.heads:
            yield from (entry for entry, _ in heads(data, split))
            continue
        people: dict[str, Entry] = {}
        for entry in read_manifest(data, split):
            if kind.task.suits(entry):
                people.setdefault(entry.subject, entry)
        yield from list(people.values())[: kind.most]


def read_image(data: Path, kind: Kind, entry: Entry) -> tuple[Volume, np.ndarray, np.ndarray]:
    """Return an image, where its holes may lie, and where they may not."""
    from scipy import ndimage

    if not kind.heads:
        image = kind.task.load(entry)
        inside = body(image.array, Modality.of(kind.modality))
        return image, inside, np.zeros(image.array.shape, dtype=bool)
    about = next(about for each, about in heads(data, entry.split) if each.name == entry.name)
    image, brain, lesions = read_brain(data, entry, about)
    if lesions.any():
        lesions = ndimage.distance_transform_edt(~lesions, image.spacing) <= FROM_LESIONS_MM
    return (image, brain, lesions) if kind.axes == 3 else _middle(image, brain, lesions)


def _middle(image: Volume, brain: np.ndarray, lesions: np.ndarray) -> tuple[Volume, np.ndarray, np.ndarray]:
    """Return the axial slice with most brain, as 2-D arrays in the viewing orientation."""
    turned = pose(image, "axial")
    number = int(turned.turn(brain).sum(axis=(1, 2)).argmax())
    array, inside, avoid = (np.ascontiguousarray(turned.turn(each)[number]) for each in (image.array, brain, lesions))
    return Volume(array, tuple(image.spacing[axis] for axis in turned.order[1:])), inside, avoid


def cut(kind: Kind, image: Volume, inside: np.ndarray, avoid: np.ndarray, name: str) -> np.ndarray:
    """Return the labels of the holes, int32, from 1 on; those that do not fit are left out.

    Args:
        kind: of image.
        image: in which they are made.
        inside, avoid: where they lie, and where no voxel of them may.
        name: of the image, which decides about the places.
    """
    from scipy import ndimage

    labels = np.zeros(image.array.shape, dtype=np.int32)
    for number, described in enumerate(kind.holes):
        taken = avoid
        if labels.any():
            taken = avoid | (ndimage.distance_transform_edt(labels == 0, sampling=image.spacing) <= APART_MM)
        seed = (zlib.crc32(name.encode()), number)
        try:
            own = place(
                described,
                labels.shape,
                spacing=image.spacing,
                foreground=inside,
                avoid=taken,
                margin_mm=APART_MM,
                seed=seed,
            )
        except MaskError:
            continue
        labels = np.where(own > 0, own + labels.max(), labels).astype(np.int32)
    if not labels.any():
        raise MaskError(f"No hole fits into '{name}'.")
    return labels
