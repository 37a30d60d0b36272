"""Shapes of real strokes (SOOP), chosen once by size and side, and laid into a person's brain."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np

from .heads import Head

SHAPES = Path("lesion_shapes", "soop.npz")
CHOSEN = Path(__file__).with_name("strokes.csv")
#: The field in which the shapes lie, (z, y, x) in mm; it is the box of the average brain.
FIELD = (136, 189, 157)
#: ml, from and below.
SIZES = ((1, 5), (5, 20), (20, 50), (50, 120), (120, 250), (250, 450))
#: A shape is one-sided when at least this share of it lies on one side of the field's middle.
ONE_SIDED = 0.97
#: Its largest part has at least this share of it, so that one shape is one part.
WHOLE = 0.9


@dataclasses.dataclass(frozen=True)
class Shape:
    """A shape: its identifier, the corner of its box in the field, and its largest part in that box."""

    name: str
    start: tuple[int, int, int]
    voxels: np.ndarray


def read_shapes(data: Path, names: set[str] | None = None) -> list[Shape]:
    """Return all shapes, or some by name."""
    from scipy import ndimage

    shapes = []
    with np.load(data / SHAPES) as file:
        for name, (_, *box) in zip(file["ids"], file["boxes"].tolist(), strict=True):
            if names is not None and name not in names:
                continue
            size = box[3:]
            voxels = np.unpackbits(file[f"m_{name}"])[: np.prod(size)].reshape(size).astype(bool)
            labels, count = ndimage.label(voxels, np.ones((3, 3, 3)))
            largest = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
            if count > 1 and largest.sum() < WHOLE * voxels.sum():
                continue
            shapes.append(Shape(str(name), tuple(box[:3]), largest))
    return shapes


def is_one_sided(shape: Shape) -> bool:
    """Return whether a shape lies in one hemisphere."""
    right = shape.start[2] + np.nonzero(shape.voxels)[2] >= FIELD[2] / 2
    return max(right.mean(), 1 - right.mean()) >= ONE_SIDED


def choose(data: Path, images: list[str], seed: int = 0) -> list[list[str]]:
    """Choose a shape of each size for each image, none twice where there are enough; rows of ``strokes.csv``."""
    rng = np.random.default_rng(seed)
    fitting = [shape for shape in read_shapes(data) if is_one_sided(shape)]
    rows = [["image", "size_ml", "shape", "shape_ml"]]
    for low, high in SIZES:
        own = [shape for shape in fitting if low <= shape.voxels.sum() / 1000 < high]
        order = [own[n] for n in rng.permutation(len(own))]
        for number, image in enumerate(images):
            shape = order[number % len(order)]
            rows.append([image, f"{low}-{high}", shape.name, f"{shape.voxels.sum() / 1000:.1f}"])
    return rows


def chosen_for(image: str) -> dict[str, str]:
    """Return size -> shape of an image."""
    with open(CHOSEN, newline="", encoding="utf-8") as file:
        return {row["size_ml"]: row["shape"] for row in csv.DictReader(file) if row["image"] == image}


def lay(shape: Shape, head: Head) -> np.ndarray:
    """Return the voxels of a brain that a shape covers, bool: the field's box on the brain's box, x mirrored.

    The lower end of a brain depends on where it was cut, so z hangs from the top, with the mean scale of x and y.
    """
    from scipy import ndimage

    spacing = head.image.spacing
    box = ndimage.find_objects(head.brain.astype(np.int8))[0]
    across, along = (
        (side.stop - side.start) * mm / size for side, mm, size in zip(box[1:], spacing[1:], FIELD[1:], strict=True)
    )
    scales = ((across + along) / 2, across, along)
    lookup = []
    for axis, (side, mm, scale, size) in enumerate(zip(box, spacing, scales, FIELD, strict=True)):
        index = np.arange(head.brain.shape[axis])
        if axis == 0:
            at = size - 1 - (side.stop - 1 - index) * mm / scale
        elif axis == 1:
            at = (index - side.start) * mm / scale
        else:
            at = size - 1 - (index - side.start) * mm / scale
        lookup.append(np.rint(at).astype(int) - shape.start[axis])
    inside = [(at >= 0) & (at < size) for at, size in zip(lookup, shape.voxels.shape, strict=True)]
    clipped = [np.clip(at, 0, size - 1) for at, size in zip(lookup, shape.voxels.shape, strict=True)]
    hole = shape.voxels[np.ix_(*clipped)] & inside[0][:, None, None] & inside[1][:, None] & inside[2]
    hole &= head.brain
    labels, count = ndimage.label(hole, np.ones((3, 3, 3)))
    return labels == 1 + np.argmax(np.bincount(labels.ravel())[1:]) if count > 1 else hole
