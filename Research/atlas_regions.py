"""The command ``atlas-regions``: makes the map of regions of the atlas from the label maps of train people.

An image as bright as T1 is made of each label map; the atlas is brought onto it; the labels are brought back to the
atlas, where each person, and each mirror image, has one vote a voxel. Two people of val show what that is worth.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.atlas.deformable import resample
from MedInpaintLib.atlas.maps import TISSUES, Maps, head_maps
from MedInpaintLib.atlas.regions import FILE, MIDLINE, MIRRORED, NAMES, PAIRED, RegionMap, region_map, store_regions
from MedInpaintLib.atlas.registration import Registration, register, why_none
from MedInpaintLib.errors import InputError
from MedInpaintLib.intensity import fit_scaling
from MedInpaintLib.io import read
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.mask import Hole
from MedInpaintLib.modality import MR
from MedInpaintLib.subject import Subject
from MedInpaintLib.volume import Volume

DATASET = "SynthSeg training label maps"
#: FreeSurfer's labels of each region on the left and on the right: 25 and 57 are lesions of white matter there, 136,
#: 137, 163 and 164 the choroid plexus.
SIDED = {
    "cortex": ((3,), (42,)),
    "white matter": ((2, 25), (41, 57)),
    "deep nuclei": ((10, 11, 12, 13, 26), (49, 50, 51, 52, 58)),
    "hippocampus": ((17,), (53,)),
    "amygdala": ((18,), (54,)),
    "ventral diencephalon": ((28,), (60,)),
    "lateral ventricle": ((4, 5, 136, 137), (43, 44, 163, 164)),
    "cerebellum": ((7, 8), (46, 47)),
}
MIDDLE = {"third ventricle": (14,), "fourth ventricle": (15,), "brainstem": (16,)}
#: Labels of grey and white matter, as head_maps() has them: brain stem and diencephalon, which are mixed, are neither.
GREY = (3, 42, 8, 47, 10, 11, 12, 26, 17, 18, 49, 50, 51, 58, 53, 54)
WHITE = (2, 25, 41, 57, 7, 46)
#: Brightness on T1, and the labels that have it; what is left, from 202 on outside of the brain, is dark.
BRIGHTNESS = (
    (0.85, (2, 41, 7, 46)),
    (0.80, (16, 28, 60, 13, 52, 85)),
    (0.70, (10, 49, 25, 57)),
    (0.60, (11, 12, 26, 50, 51, 58)),
    (0.55, (3, 42, 8, 47, 17, 18, 53, 54)),
    (0.25, (136, 137, 163, 164)),
    (0.15, (4, 5, 14, 15, 24, 43, 44, 72)),
)
#: Standard deviations: of the blur, voxels, and of the noise, of brightness.
BLUR, NOISE = 0.5, 0.03
#: A label map whose Dice with the tissue maps of the atlas is less, of grey and of white matter, has no vote. The 18
#: have 0.59 to 0.76 and 0.72 to 0.77, and the four that fit least are left out; one of val has 0.52 and 0.57 moved by
#: 8 mm, 0.45 and 0.41 upside down.
LEAST_GREY, LEAST_WHITE = 0.65, 0.7


def main(arguments: Sequence[str]) -> None:
    """Run the command; see :data:`Research.__main__.USAGE`."""
    parser = argparse.ArgumentParser(prog="python -m Research atlas-regions", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.csv and mr_labels/")
    options = parser.parse_args(arguments)
    people = [entry for entry in read_manifest(options.data) if entry.dataset == DATASET]
    train = [entry for entry in people if entry.split == "train"]
    if not train:
        raise InputError(f"The folder '{options.data}' holds no train people of '{DATASET}'.")
    maps = head_maps()
    voted = vote(maps, _in_atlas(maps, train))
    path = Path(__file__).parents[1] / "Resources" / "Atlas" / FILE
    store_regions(path, voted, maps.origin)
    region_map.cache_clear()
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB", flush=True)
    check([entry for entry in people if entry.split == "val"])


def vote(maps: Maps, people: Iterable[np.ndarray]) -> np.ndarray:
    """Return the region with most votes at each voxel of the atlas, symmetric.

    Args:
        maps: of the atlas.
        people: regions of each person in the grid of the atlas.
    """
    counts = np.zeros((len(NAMES), *maps.brain.shape), dtype=np.uint8)
    number = np.arange(len(NAMES), dtype=np.uint8)[:, np.newaxis, np.newaxis]
    for regions in people:
        for plane, votes in enumerate(counts.swapaxes(0, 1)):
            votes += regions[plane] == number
            votes += MIRRORED[regions[plane, :, ::-1]] == number
    return counts.argmax(axis=0).astype(np.uint8)


def check(people: Sequence[Entry]) -> None:
    """Print the Dice of label maps that are brought onto each other, and of the voted regions with label maps."""
    known = [(entry.subject, labels, register(subject)) for entry in people for labels, subject in [read_person(entry)]]
    for name, labels, registration in known:
        if why_none(registration) or registration is None:
            print(f"{name}: {why_none(registration)}", flush=True)
            continue
        places = registration.places(tuple(slice(0, size) for size in labels.shape))
        for other, theirs, their_registration in known:
            if other != name and not why_none(their_registration) and their_registration is not None:
                brought = nearest_labels(theirs, their_registration.index(places))
                print(f"{other} onto {name}: {tissue_dice(labels, brought)}", flush=True)
        numbers = region_map().at(places.reshape(3, -1)).reshape(labels.shape)
        own = regions_of(labels)
        scores = {NAMES[n]: dice(own == n, numbers == n) for n in range(1, len(NAMES))}
        print(
            f"regions onto {name}: " + ", ".join(f"{region} {score:.2f}" for region, score in scores.items()),
            flush=True,
        )


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Return the overlap of two masks: twice what is in both by the sum of their sizes.

    >>> round(dice(np.array([True, True, False]), np.array([True, False, False])), 2)
    0.67
    """
    both, sizes = np.count_nonzero(first & second), np.count_nonzero(first) + np.count_nonzero(second)
    return 2.0 * int(both) / max(int(sizes), 1)


def regions_of(labels: np.ndarray) -> np.ndarray:
    """Return the regions of FreeSurfer's labels, as indices of :data:`.regions.NAMES`."""
    table = np.zeros(256, dtype=np.uint8)
    for number, name in enumerate(PAIRED, start=1):
        left, right = SIDED[name]
        table[list(left)], table[list(right)] = number, number + len(PAIRED)
    for number, name in enumerate(MIDLINE, start=2 * len(PAIRED) + 1):
        table[list(MIDDLE[name])] = number
    return table[labels]


def image_of(labels: np.ndarray, seed: int) -> np.ndarray:
    """Return a simple image, as bright as T1, of a label map; float32, 0..1."""
    from scipy import ndimage

    table = np.zeros(256, dtype=np.float32)
    for brightness, of in BRIGHTNESS:
        table[list(of)] = brightness
    blurred = ndimage.gaussian_filter(table[labels], BLUR)
    noise = np.random.default_rng(seed).normal(scale=NOISE, size=labels.shape).astype(np.float32)
    return np.where(blurred > 0.02, np.maximum(blurred + noise, 0.02), 0.0).astype(np.float32)


def read_person(entry: Entry) -> tuple[np.ndarray, Subject]:
    """Return the labels of a person, and the image that is made of them, without a hole."""
    volume = read(entry.path)
    labels = volume.array.astype(np.uint8)
    image = image_of(labels, int(hashlib.sha256(entry.subject.encode()).hexdigest()[:8], 16))
    corner = Hole(np.ones((1, 1, 1), dtype=bool), (slice(0, 1),) * 3, labels.shape)
    made = Volume(image, volume.spacing, volume.origin, volume.direction)
    return labels, Subject(made, corner, fit_scaling(image.ravel(), MR), MR)


def _in_atlas(maps: Maps, people: Sequence[Entry]) -> Iterable[np.ndarray]:
    """Yield the regions of each person in the grid of the atlas, if the atlas fits; tell how well."""
    grey, white, csf = maps.channels[: len(TISSUES)]
    tissues = np.where(maps.brain > 0.5, np.argmax([csf, grey, white], axis=0), 0)
    as_labels = np.choose(tissues, [0, GREY[0], WHITE[0]])
    counted = 0
    for entry in people:
        labels, subject = read_person(entry)
        registration = register(subject)
        reason = why_none(registration)
        if registration is None or reason:
            print(f"{entry.subject}: left out: {reason}", flush=True)
            continue
        brought = nearest_labels(labels, _index(registration, maps))
        scores = tissue_dice(brought, as_labels)
        if scores["grey"] < LEAST_GREY or scores["white"] < LEAST_WHITE:
            print(f"{entry.subject}: left out: Dice with the atlas {scores}", flush=True)
            continue
        print(f"{entry.subject}: Dice with the atlas {scores}", flush=True)
        counted += 1
        yield regions_of(brought)
    print(f"{counted} of {len(people)} people", flush=True)


def tissue_dice(first: np.ndarray, second: np.ndarray) -> Mapping[str, float]:
    """Return the Dice of grey and white matter of two label maps, without what is neither in one of them."""
    return {
        name: round(float(dice(np.isin(first, of), np.isin(second, of))), 3)
        for name, of in (("grey", GREY), ("white", WHITE))
    }


def _index(registration: Registration, maps: Maps) -> np.ndarray:
    """Return the voxel indices of all voxels of the atlas; the inverse is found at 2 mm and interpolated."""
    shape = maps.brain.shape
    coarse = np.indices([size // 2 for size in shape]).astype(float) * 2 + 0.5
    index = registration.index(coarse + maps.origin.reshape(3, 1, 1, 1)).astype(np.float32)
    whole = tuple(slice(0, size) for size in shape)
    return resample(index, (2, 2, 2), tuple(slice(0, size // 2) for size in shape), (1, 1, 1), whole)


def nearest_labels(labels: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return the labels at indices ``(3, ...)``; 0 outside."""
    moved = RegionMap(labels, 1.0, np.zeros(3)).at(index.reshape(3, -1))
    return moved.reshape(index.shape[1:])
