"""Samples of fills in balls of one scan: what the weights of the method `consensus` are learned from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from MedInpaintLib.consensus import evidence
from MedInpaintLib.errors import InputError
from MedInpaintLib.files import make_folder, replacing

_ARRAYS = ("ball", "truth", "smooth", "mirror", "atlas", "patch", "depth", "alike", "explained")


@dataclasses.dataclass(frozen=True)
class Samples:
    """Voxels of the balls in one scan. All arrays have one value a voxel, in the scale in which methods work.

    Attributes:
        subject: identifier of the person.
        contrast: of the scan.
        large: whether the ball is the one of 40 mm.
        ball: int, which ball the voxel is of.
        truth: the scan.
        smooth, mirror, atlas, patch: its fills.
        depth: mm below the rim of the ball.
        alike: correlation of the two sides around the ball; 0 where it was not mirrored.
        explained: share of the variance around the ball that the atlas explains.
    """

    subject: str
    contrast: str
    large: bool
    ball: np.ndarray
    truth: np.ndarray
    smooth: np.ndarray
    mirror: np.ndarray
    atlas: np.ndarray
    patch: np.ndarray
    depth: np.ndarray
    alike: np.ndarray
    explained: np.ndarray

    @property
    def evidence(self) -> np.ndarray:
        """What the shares depend on, ``(4, n)``."""
        return evidence(self.depth, self.alike, self.explained)

    @property
    def others(self) -> dict[str, np.ndarray]:
        """The fills besides the smooth one, by their names in :data:`MedInpaintLib.consensus.WEIGHTS`."""
        return {"mirror": self.mirror, "atlas": self.atlas, "patch": self.patch}

    @property
    def weight(self) -> np.ndarray:
        """The weight of each voxel with which each ball has 1 in total."""
        return 1.0 / np.bincount(self.ball)[self.ball]

    def errors(self, fill: np.ndarray) -> np.ndarray:
        """Return the mean squared error of a fill in each ball, ``(balls,)``."""
        count = np.bincount(self.ball)
        return np.bincount(self.ball, (fill - self.truth) ** 2)[count > 0] / count[count > 0]

    def balls(self) -> Iterator[np.ndarray]:
        """Yield for each ball which voxels are its own, bool."""
        for number in np.unique(self.ball):
            yield self.ball == number


def write_samples(samples: Samples, path: Path) -> None:
    """Write samples as a compressed file; what was not finished leaves no file."""
    make_folder(path.parent)
    arrays = {name: getattr(samples, name) for name in _ARRAYS}
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, subject=samples.subject, contrast=samples.contrast, large=samples.large, **arrays)


def read_samples(path: Path) -> Samples | None:
    """Return the samples of a file; None where nothing could be measured.

    Raises:
        InputError: the file holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            if "truth" not in stored:
                return None
            arrays = {name: stored[name] for name in _ARRAYS}
            return Samples(str(stored["subject"]), str(stored["contrast"]), bool(stored["large"]), **arrays)
    except (KeyError, ValueError, EOFError) as error:
        raise InputError(f"'{path}' holds no samples of this command ({error}); delete it to measure again.") from None


def write_none(path: Path) -> None:
    """Write that nothing could be measured, so that it is not tried again."""
    make_folder(path.parent)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, nothing=True)
