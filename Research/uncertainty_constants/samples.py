"""Samples of errors in one image: what the constants of the uncertainty are learned from, and tested with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from MedInpaintLib.calibration import Evidence
from MedInpaintLib.errors import InputError
from MedInpaintLib.files import make_folder, replacing

_ARRAYS = ("hole", "depth", "contrast", "sizes")


@dataclasses.dataclass(frozen=True)
class OfMethod:
    """Errors of one method in some voxels of one image.

    Attributes:
        subject, image: identifier of the person, and name of the image.
        hole: int, which hole each voxel is of.
        size: mm, of that hole, see :class:`Samples`.
        error: the fill less the truth, in the image's units.
        evidence: what is known of each voxel.
    """

    subject: str
    image: str
    hole: np.ndarray
    size: np.ndarray
    error: np.ndarray
    evidence: Evidence

    @property
    def weight(self) -> np.ndarray:
        """The weight of each voxel with which each hole has 1 in total."""
        _, index, counts = np.unique(self.hole, return_inverse=True, return_counts=True)
        return 1.0 / counts[index]


@dataclasses.dataclass(frozen=True)
class Samples:
    """Some voxels of all holes of one image, the same for all methods, in the image's units.

    Attributes:
        subject: identifier of the person.
        image: its name.
        least: the smallest standard deviation.
        hole: int, which hole a voxel is of, from 0.
        depth: mm to the nearest known voxel.
        contrast: standard deviation of the known tissue around its part.
        sizes: of each hole: mm, the diameter of a ball (a disc) with its volume (its area).
        errors: method -> fill less truth; NaN where another method filled instead.
        spreads: method -> its own standard deviation, for those that have one.
    """

    subject: str
    image: str
    least: float
    hole: np.ndarray
    depth: np.ndarray
    contrast: np.ndarray
    sizes: np.ndarray
    errors: dict[str, np.ndarray]
    spreads: dict[str, np.ndarray]

    def of(self, method: str) -> OfMethod | None:
        """Return the errors of one method; None where it filled nothing."""
        if method not in self.errors:
            return None
        own = np.isfinite(self.errors[method])
        if not own.any():
            return None
        spread = self.spreads[method][own] if method in self.spreads else None
        evidence = Evidence(self.depth[own], self.contrast[own], spread, self.least)
        hole = self.hole[own]
        return OfMethod(self.subject, self.image, hole, self.sizes[hole], self.errors[method][own], evidence)


def write_samples(samples: Samples, path: Path) -> None:
    """Write samples as a compressed file; what was not finished leaves no file."""
    make_folder(path.parent)
    arrays = {name: getattr(samples, name) for name in _ARRAYS}
    arrays |= {f"error {method}": error.astype(np.float32) for method, error in samples.errors.items()}
    arrays |= {f"spread {method}": spread.astype(np.float32) for method, spread in samples.spreads.items()}
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, subject=samples.subject, image=samples.image, least=samples.least, **arrays)


def read_samples(path: Path) -> Samples:
    """Return the samples of a file.

    Raises:
        InputError: the file holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            named = {kind: dict(_named(stored, kind)) for kind in ("error", "spread")}
            arrays = {name: stored[name] for name in _ARRAYS}
            facts = str(stored["subject"]), str(stored["image"]), float(stored["least"])
            return Samples(*facts, **arrays, errors=named["error"], spreads=named["spread"])
    except (KeyError, ValueError, EOFError) as error:
        raise InputError(f"'{path}' holds no samples of this command ({error}); delete it to measure again.") from None


def _named(stored: np.lib.npyio.NpzFile, kind: str) -> Iterator[tuple[str, np.ndarray]]:
    for name in stored.files:
        if name.startswith(f"{kind} "):
            yield name.removeprefix(f"{kind} "), stored[name].astype(np.float64)
