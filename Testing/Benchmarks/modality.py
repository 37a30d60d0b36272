"""How often is the modality of an image guessed right? The measurement behind ``MedInpaintLib/modality.py``.

    python Testing/Benchmarks/modality.py DATA train,val

``DATA`` holds ``MANIFEST.csv`` with the columns path, modality, contrast, subject_id and split. Each image is looked
at as it is, and as users
may have it: slices as 3-D files and as pictures without a voxel size, crops, other scales and offsets, stored numbers
of CT. Prints by kind how often each guess is made; in brackets how many of these are said to be unsure.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from MedInpaintLib import Volume
from MedInpaintLib.appearance import Appearance
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.modality import CT, FILM, MODALITIES, Modality

#: Places of slices, as shares of an axis.
AT = (0.25, 0.4, 0.55, 0.7)
KINDS = set(MODALITIES)


def main(data: Path, splits: list[str]) -> None:
    table: dict[str, Counter[tuple[str, bool]]] = defaultdict(Counter)
    for split in splits:
        for entry in read_manifest(data, split):
            if entry.modality in KINDS and not entry.contrast.startswith("MASK"):
                for kind, image in variants(entry, Volume.read(entry.path)):
                    guess = Modality.guess(Appearance.of(image))
                    table[f"{entry.modality}, {kind}"][guess.modality.name, bool(guess.warnings)] += 1
    print(f"{'image':44} {'n':>5}  " + "  ".join(f"{name:>12}" for name in MODALITIES))
    for kind, counts in sorted(table.items()):
        cells = (
            f"{counts[name, False] + counts[name, True]:5} ({counts[name, True]})" if counts else ""
            for name in MODALITIES
        )
        print(f"{kind:44} {sum(counts.values()):5}  " + "  ".join(f"{cell:>12}" for cell in cells))


def variants(entry: Entry, image: Volume) -> Iterator[tuple[str, Volume]]:
    """Yield an image as it is and as users may have it, with a name for what was done."""
    yield "as it is", image
    for factor in (0.01, 1000.0):
        yield f"x {factor:g}", image.with_array(image.array.astype(np.float32) * np.float32(factor))
    if entry.modality == FILM.name:
        half = tuple(slice(size // 4, -(size // 4)) for size in image.array.shape)
        yield "middle half, no size", Volume(image.array[half], 1.0)
        pixel = 400 / max(image.array.shape)
        yield "16 bits, 400 mm wide", Volume(image.array.astype(np.uint16) * 16, pixel)
        return
    if entry.modality == CT.name:
        yield "+ 1024 (stored numbers)", image.with_array(image.array + 1024)
        yield "padded with -3024", image.with_array(_padded(image.array))
    else:
        high = float(np.percentile(image.array, 99.5))
        array = image.array.astype(np.float32) / max(high, 1)
        yield "- 1000", image.with_array((array * 1500 - 1000).astype(np.int16))
        yield "z-scores", image.with_array((array - array.mean()) / array.std())
        # Phase-sensitive inversion recovery: signal of both signs around a ground of 0.
        signed = np.where(array > 0.05, (array - 0.4) * 4000, 0)
        yield "of both signs", image.with_array(signed.astype(np.int16))
    for where in AT:
        for axis, plane in enumerate(("axial", "coronal", "sagittal")):
            if image.array.ndim < 3 or image.array.shape[axis] < 8:
                continue
            if plane != "axial" and max(image.spacing) > 1.5 * min(image.spacing):
                continue  # users look at thick slices from one side
            yield from _slices(entry, image, axis, int(where * image.array.shape[axis]), plane)
    if min(image.array.shape) == 1:
        yield from _slices(entry, image, 0, 0, "axial")
    middle = tuple(
        slice(size // 2 - min(20, size // 4), size // 2 + min(20, size // 4) + 1) for size in image.array.shape
    )
    yield "crop of 40 voxels", image.crop(middle)


def _slices(entry: Entry, image: Volume, axis: int, index: int, plane: str) -> Iterator[tuple[str, Volume]]:
    box = tuple(
        slice(index, index + 1) if each == axis else slice(0, size) for each, size in enumerate(image.array.shape)
    )
    one = image.crop(box)
    flat = one.array.squeeze(axis)
    spacing = tuple(mm for each, mm in enumerate(image.spacing) if each != axis)
    if np.ptp(flat) == 0 or min(flat.shape) < 40:
        return
    yield f"{plane} slice of a 3-D file", one
    yield f"{plane} slice, 2-D, pixel size", Volume(flat, spacing)
    windows = (
        ((-160, 240), (-1350, 150), (-1024, 3071)) if entry.modality == CT.name else ((0, np.percentile(flat, 99.8)),)
    )
    for low, high in windows:
        grey = np.clip((flat - low) / max(high - low, 1) * 255, 0, 255).astype(np.uint8)
        yield f"{plane} slice as a picture", Volume(grey[::-1], 1.0)
        large = np.kron(grey[::-1], np.ones((3, 3), np.uint8))
        yield f"{plane} slice as a large picture", Volume(large, 1.0)
        yield f"{plane} slice as a picture, tight", Volume(_tight(large), 1.0)


def _tight(grey: np.ndarray) -> np.ndarray:
    """Cut off all that is dark around the body."""
    bright = grey > 25
    rows, columns = np.flatnonzero(bright.mean(axis=1) > 0.02), np.flatnonzero(bright.mean(axis=0) > 0.02)
    if min(len(rows), len(columns)) < 30:
        return grey
    return np.ascontiguousarray(grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _padded(array: np.ndarray) -> np.ndarray:
    """Pad beyond the largest circle in the slices, as reconstructions do."""
    rows, columns = (np.linspace(-1, 1, size) for size in array.shape[-2:])
    beyond = np.add.outer(rows**2, columns**2) > 1
    return np.where(beyond, np.int16(-3024), array)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2].split(","))
