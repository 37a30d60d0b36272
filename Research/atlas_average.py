"""The command ``atlas-average``: makes ``Resources/Atlas`` from the MNI maps and the average of train people.

Round 0 takes MNI's T1 as the average. Each round brings the atlas onto every person's T1 image, brings the images back
to the atlas, evens out their brightness, and averages them and their mirror images; the next round registers onto that.
The tissue maps stay MNI's.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from MedInpaintLib.atlas.deformable import resample
from MedInpaintLib.atlas.maps import head_maps, store
from MedInpaintLib.atlas.registration import Registration, register
from MedInpaintLib.errors import InputError
from MedInpaintLib.intensity import fit_scaling
from MedInpaintLib.io import read
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.mask import Hole
from MedInpaintLib.modality import MR
from MedInpaintLib.subject import Subject

#: The box of the atlas in MNI's grid of 1 mm, (superior, anterior, right), and the MNI mm of its first voxel.
BOX = (slice(0, 158), slice(22, 212), slice(23, 174))
ORIGIN = (-72.0, -112.0, -75.0)
#: File names of MNI's maps in the folder ``atlas`` of the data.
MNI = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
#: mm, standard deviation of the neighbourhood in which a person's brightness is matched with the average: bias fields.
EVEN = 25.0
#: The datasets of healthy adults.
DATASETS = ("OpenNeuro ds002748", "OpenfMRI ds000011")
#: Shares of brain below this are the edge, where images with and without skull differ.
INSIDE = 0.9
#: Deviations beyond which a person's voxel does not count.
ROUGH = 3.0


def main(arguments: Sequence[str]) -> None:
    """Run the command; see :data:`Research.__main__.USAGE`."""
    parser = argparse.ArgumentParser(prog="python -m Research atlas-average", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.csv and atlas/")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of registration and averaging")
    parser.add_argument("--workers", type=int, default=2, help="people at a time")
    options = parser.parse_args(arguments)
    target = _folder() / "head.npz"
    maps = mni_maps(options.data)
    store(target, maps, ORIGIN)
    people = [
        entry
        for entry in read_manifest(options.data)
        if entry.split == "train" and entry.contrast == "T1" and entry.dataset in DATASETS
    ]
    if not people:
        raise InputError(f"The folder '{options.data}' holds no train people of {' or '.join(DATASETS)}.")
    for number in range(options.rounds):
        mean, spread, similarity = average(options.data, people, options.workers)
        store(target, {**maps, "t1": mean * maps["brain"], "spread": spread * maps["brain"]}, ORIGIN)
        print(
            f"round {number + 1}: {len(people)} people, correlation with the average before {similarity:.3f}",
            flush=True,
        )


def mni_maps(data: Path) -> dict[str, np.ndarray]:
    """Return MNI's T1, grey and white matter, and which voxels are brain, 0..1, in the box of the atlas."""
    from scipy import ndimage

    t1, grey, white = (
        read(data / "atlas" / MNI.format(name)).array[BOX].astype(np.float32) / 255 for name in ("t1", "gm", "wm")
    )
    brain = ndimage.binary_fill_holes((t1 > 0) | (grey + white > 0.5))
    more = np.maximum(grey + white, 1.0)  # rounding: shares add up to 1.004 in places
    return {"t1": t1, "grey": grey / more * brain, "white": white / more * brain, "brain": brain.astype(np.float32)}


def average(data: Path, people: Sequence[Entry], workers: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Return mean and spread of the people's images in the atlas' grid, and their mean correlation with its T1."""
    first = second = total = np.zeros(1)
    similarities = []
    for values, weight in _all(data, people, workers):
        first, second, total = first + weight * values, second + weight * values**2, total + weight
        similarities.append(float(np.corrcoef(values[weight > 0], head_maps().channels[3][weight > 0])[0, 1]))
    # Symmetric, as MNI's maps: the mirror images count as well.
    first, second, total = (each + each[:, :, ::-1] for each in (first, second, total))
    mean = first / np.maximum(total, 1e-6)
    known = total > 0.1 * total.max()
    mean = np.where(known, mean, head_maps().channels[3])
    spread = np.sqrt(np.maximum(second / np.maximum(total, 1e-6) - mean**2, 0.0))
    return mean.astype(np.float32), np.where(known, spread, 0.0).astype(np.float32), float(np.mean(similarities))


def _all(data: Path, people: Sequence[Entry], workers: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    head_maps.cache_clear()
    # Fresh processes: they read the maps of this round.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for entry, result in zip(people, pool.map(functools.partial(in_atlas, data), people), strict=True):
            if result is None:
                print(f"{entry.subject}: the atlas does not fit", flush=True)
            else:
                yield result


def in_atlas(data: Path, entry: Entry) -> tuple[np.ndarray, np.ndarray] | None:
    """Return a person's T1 image in the atlas' grid, as bright as the atlas, and the weight of each voxel."""
    from scipy import ndimage

    subject = _undamaged(data / entry.path)
    registration = register(subject)
    if registration is None or registration.reason:
        return None
    maps = head_maps()
    index = _index(registration, maps.channels[3].shape, maps.origin)
    values = ndimage.map_coordinates(subject.values, index, order=3, mode="constant", prefilter=True)
    inside = np.all(
        [(each >= 0) & (each <= size - 1) for each, size in zip(index, subject.values.shape, strict=True)], 0
    )
    weight = (inside & (maps.brain > INSIDE) & (values > 0.02)).astype(np.float32)

    def near(array: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(array * weight, EVEN, mode="constant", truncate=2.5)

    values *= near(maps.channels[3]) / np.maximum(near(values), 1e-6)
    off = np.abs(values - maps.channels[3]) > ROUGH * np.std((values - maps.channels[3])[weight > 0])
    return values.astype(np.float32), np.where(off, 0.0, weight).astype(np.float32)


def _index(registration: Registration, shape: Sequence[int], origin: np.ndarray) -> np.ndarray:
    """Return the voxel indices of all voxels of the atlas; the inverse is found at 2 mm and interpolated."""
    coarse = np.indices([size // 2 for size in shape]).astype(float) * 2 + 0.5
    index = registration.index(coarse + origin.reshape(3, 1, 1, 1)).astype(np.float32)
    whole = tuple(slice(0, size) for size in shape)
    return resample(index, (2, 2, 2), tuple(slice(0, size // 2) for size in shape), (1, 1, 1), whole)


def _undamaged(path: Path) -> Subject:
    volume = read(path)
    corner = (slice(0, 1),) * 3
    hole = Hole(np.ones((1, 1, 1), dtype=bool), corner, volume.array.shape)
    return Subject(volume, hole, fit_scaling(volume.array.ravel().astype(np.float32), MR), MR)


def _folder() -> Path:
    return Path(__file__).parents[1] / "Resources" / "Atlas"
