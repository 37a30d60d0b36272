"""The heads of the study: an image with its brain, its tissue, and what no hole may touch."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from MedInpaintLib.documents import read_toml
from MedInpaintLib.errors import InputError
from MedInpaintLib.foreground import body
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.modality import MR
from MedInpaintLib.volume import Volume

IMAGES = Path(__file__).with_name("images.toml")
#: Classes of :attr:`Head.tissue`, in the order of their intensity in T1.
OUTSIDE, CSF, GREY, WHITE, VENTRICLE = range(5)
#: mm from the outside of a head with skull to its brain.
SCALP_AND_SKULL = 13.0
#: A ventricle is CSF at least this far from the brain's hull and at most so far from its middle, mm.
DEEP, MEDIAL = 25.0, 28.0
#: mm around real lesions that holes avoid.
MARGIN = 3.0
#: FLAIR above the brain's median by this many robust standard deviations counts as a lesion.
BRIGHT = 3.5


@dataclasses.dataclass(frozen=True)
class Head:
    """An image with what is known of its anatomy.

    Attributes:
        entry: of the manifest.
        image: the truth.
        brain: bool.
        tissue: uint8, classes :data:`OUTSIDE` to :data:`VENTRICLE`.
        avoid: bool, real lesions and their surroundings.
    """

    entry: Entry
    image: Volume
    brain: np.ndarray
    tissue: np.ndarray
    avoid: np.ndarray

    @property
    def thickness(self) -> float:
        """How many times longer a voxel is across slices than within them."""
        return max(self.image.spacing) / min(self.image.spacing)


def list_heads(data: Path, split: str) -> Iterator[tuple[Entry, dict[str, str]]]:
    """Yield the study's images of a split, with what ``images.toml`` says of each."""
    entries = {entry.name: entry for entry in read_manifest(data, split)}
    for about in read_toml(IMAGES, "The list of images", InputError)["image"]:
        if about["name"] in entries:
            yield entries[about["name"]], about


def read_head(data: Path, entry: Entry, about: dict[str, str]) -> Head:
    """Read an image and find its brain and tissue."""
    image, brain, avoid = read_brain(data, entry, about)
    t1 = _read(data, about.get("t1", entry.name))
    tissue = _tissue(t1, brain & ~avoid, brain, image.spacing)
    return Head(entry, image, brain, tissue, _grown(avoid, image.spacing))


def read_brain(data: Path, entry: Entry, about: dict[str, str]) -> tuple[Volume, np.ndarray, np.ndarray]:
    """Return an image, its brain, and real lesions in it, without its tissue, which takes seconds to find."""
    image = Volume.read(entry.path)
    t1 = image.array.astype(np.float32) if "t1" not in about else _read(data, about["t1"])
    brain = _read(data, about["brain"]) > 0 if "brain" in about else _brain(t1, image.spacing, "skull" in about)
    avoid = np.zeros(brain.shape, dtype=bool)
    if "lesions" in about:
        avoid = _read(data, about["lesions"]) > 0
    elif "flair" in about:
        avoid = _bright(_read(data, about["flair"]), brain, image.spacing)
    return image, brain, avoid


def _read(data: Path, name: str) -> np.ndarray:
    return Volume.read(data / f"{name}.nii.gz").array.astype(np.float32)


def _brain(t1: np.ndarray, spacing: tuple[float, ...], skull: bool) -> np.ndarray:
    """Return the brain: the body, without what lies within the thickness of scalp and skull of its outside."""
    from scipy import ndimage

    inside = body(t1, MR)
    if not skull:
        return inside
    return ndimage.distance_transform_edt(inside, spacing) > SCALP_AND_SKULL


def _bright(flair: np.ndarray, brain: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Return what is far brighter than the rest of the brain in FLAIR, without single voxels."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(flair, [1.0 / mm for mm in spacing])
    values = smooth[brain]
    middle = np.median(values)
    deviation = 1.4826 * np.median(np.abs(values - middle))
    return ndimage.binary_opening(brain & (smooth > middle + BRIGHT * deviation), np.ones((1, 2, 2)))


def _grown(mask: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    from scipy import ndimage

    return ndimage.distance_transform_edt(~mask, spacing) <= MARGIN if mask.any() else mask


def _tissue(t1: np.ndarray, sample: np.ndarray, brain: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Return three classes by intensity, and which CSF is ventricle by its place."""
    from scipy import ndimage

    low, high = _cuts(t1[sample])
    tissue = np.where(t1 < low, CSF, np.where(t1 < high, GREY, WHITE))
    tissue[~brain] = OUTSIDE
    hull = np.stack([ndimage.binary_closing(np.pad(plane, 12), _disc(10))[12:-12, 12:-12] for plane in brain])
    box = ndimage.find_objects(brain.astype(np.int8))[0]
    middle = (box[2].start + box[2].stop) / 2
    medial = np.abs(np.arange(brain.shape[2]) - middle) * spacing[2] <= MEDIAL
    deep = ndimage.distance_transform_edt(hull, spacing) >= DEEP
    ventricle = ndimage.binary_opening((tissue == CSF) & deep & medial, np.ones((1, 2, 2)))
    tissue[ventricle] = VENTRICLE
    return tissue.astype(np.uint8)


@functools.cache
def _disc(radius: int) -> np.ndarray:
    along = np.arange(-radius, radius + 1)
    return np.add.outer(along**2, along**2) <= radius**2


def _cuts(values: np.ndarray) -> tuple[float, float]:
    """Return the two intensities between three classes, by Lloyd's algorithm from the quartiles on."""
    values = values[:: max(1, len(values) // 100_000)].astype(np.float64)
    means = np.percentile(values, [8, 45, 85])
    for _ in range(40):
        cuts = (means[1:] + means[:-1]) / 2
        classes = np.digitize(values, cuts)
        means = np.array([values[classes == number].mean() for number in range(3)])
    low, high = (means[1:] + means[:-1]) / 2
    return float(low), float(high)
