"""The holes of the study: lesions of multiple sclerosis, strokes, and balls; the same for the same image."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from MedInpaintLib.holes import Grid, place
from MedInpaintLib.holes.length import Length
from MedInpaintLib.holes.lesions import Lesions

from .heads import GREY, VENTRICLE, WHITE, Head
from .strokes import SIZES, chosen_for, lay, read_shapes

#: ml of lesions a person, and the diameters of the equal balls, mm.
TOTAL_ML, SMALLEST, LARGEST = 15.0, 3.0, 16.0
#: mm between lesions.
APART = 2.5
#: Shares of lesions with their centre anywhere in white matter, and near a ventricle; the rest is near grey matter.
ANYWHERE, VENTRICULAR = 0.4, 0.35
NEAR = 4.0
BALLS = "spheres:20mm:6"

MS, BALL = "ms", "balls"
SETS = (MS, BALL, *(f"stroke-{low}-{high}" for low, high in SIZES))


def cut(head: Head, kind: str, data: Path) -> np.ndarray | None:
    """Return the holes of a kind in a head, each with its label from 1 on, int32; None where they do not fit."""
    seed = zlib.crc32(f"{head.entry.subject} {kind}".encode())
    if kind == MS:
        return _lesions(head, np.random.default_rng(seed))
    if kind == BALL:
        return place(
            BALLS, head.brain.shape, spacing=head.image.spacing, foreground=head.brain, avoid=head.avoid, seed=seed
        )
    name = chosen_for(head.entry.name)[kind.removeprefix("stroke-")]
    hole = lay(read_shapes(data, {name})[0], head) & ~head.avoid
    return hole.astype(np.int32) if hole.any() else None


def _lesions(head: Head, rng: np.random.Generator) -> np.ndarray:
    """Place lesions of released shapes in and around white matter until they have their volume."""
    from scipy import ndimage

    spacing, shape = head.image.spacing, head.brain.shape
    voxel = float(np.prod(spacing))
    grid = Grid(shape, spacing)
    white = head.tissue == WHITE
    free = head.brain & ~head.avoid
    edge = ndimage.distance_transform_edt(head.brain, spacing)
    centres = [
        np.argwhere(white & free & (edge > SMALLEST) & mask)
        for mask in (
            np.ones(shape, bool),
            ndimage.distance_transform_edt(head.tissue != VENTRICLE, spacing) <= NEAR,
            ndimage.distance_transform_edt(head.tissue != GREY, spacing) <= NEAR / 2,
        )
    ]
    shares = [ANYWHERE, VENTRICULAR, 1 - ANYWHERE - VENTRICULAR]
    labels = np.zeros(shape, dtype=np.int32)
    number, left, tries = 0, TOTAL_ML * 1000, 0
    while left > 0 and tries < 600:
        tries += 1
        places = centres[rng.choice(3, p=shares)]
        centre = places[rng.integers(len(places))]
        diameter = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))
        lesion = Lesions(Length(float(diameter), "mm")).draw(grid, rng)
        target, source = _overlap(lesion.shape, centre, shape)
        own = lesion[source]
        if own.sum() < lesion.sum() or not free[target][own].all():
            continue
        reach = tuple(slice(max(side.start - 4, 0), side.stop + 4) for side in target)
        new = np.zeros([len(range(*side.indices(size))) for side, size in zip(reach, shape, strict=True)], bool)
        inner = tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(target, reach, strict=True))
        new[inner] = own
        if (labels[reach][ndimage.distance_transform_edt(~new, spacing) <= APART] > 0).any():
            continue
        number += 1
        labels[target][own] = number
        left -= own.sum() * voxel
    return labels


def _overlap(
    size: tuple[int, ...], centre: np.ndarray, shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return where a stencil lies in the image when its middle is at ``centre``, and which part of it does."""
    target, source = [], []
    for length, middle, whole in zip(size, centre.tolist(), shape, strict=True):
        start = middle - length // 2
        low, high = max(start, 0), min(start + length, whole)
        target.append(slice(low, high))
        source.append(slice(low - start, high - start))
    return tuple(target), tuple(source)
