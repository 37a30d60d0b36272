"""Kinds of trials, and the table of all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .formats import FILMS, FORMATS, Format, write_packed

SHAPE, FILM = (14, 20, 18), (40, 36)
HOLE = (slice(5, 8), slice(8, 12), slice(7, 10))
#: What lies under the hole in the file: no fill may depend on it.
HIDDEN = 99


@dataclasses.dataclass(frozen=True)
class Right:
    """The right outcome of a trial: a fill, a refusal, or either where both patterns and values are given.

    Attributes:
        truth: the intensities of the right result; None where it must be refused.
        hole: where voxels must be filled; the trial's when None.
        may: where voxels may be changed; the hole when None.
        tolerance: of the values in the hole, beside half a step of whole numbers.
        refused: a pattern of the message; empty where it must be filled.
        code: of a refusal.
        warned, said: patterns of a warning and of anything that is printed.
        same: whether stored numbers and header must be those of the image's file; else the intensities.
        source: the file to compare with, where it is not the image.
        replaced: whether the output is there before.
    """

    truth: np.ndarray | None = None
    hole: np.ndarray | None = None
    may: np.ndarray | None = None
    tolerance: float = 0.05
    refused: str = ""
    code: int = 2
    warned: str = ""
    said: str = ""
    same: bool = True
    source: Path | None = None
    replaced: bool = False


class Trial:
    """The files of one trial, in a folder of their own.

    Attributes:
        folder, format: where and how.
        image, mask, output: paths to give.
        mask_writer: writes the mask.
        options: further arguments.
        hole: bool, the voxels to fill.
    """

    def __init__(self, folder: Path, form: Format) -> None:
        self.folder, self.format = folder, form
        self.image, self.output = folder / form.image, folder / form.output
        self.is_film = form.name in FILMS
        self.mask = folder / ("mask.png" if self.is_film else "mask.nrrd")
        self.mask_writer = write_packed
        self.options: list[str] = ["--method", "biharmonic"]
        self.hole = np.zeros(FILM if self.is_film else SHAPE, dtype=bool)
        self.hole[HOLE[-self.hole.ndim :]] = True

    @property
    def data(self) -> Path:
        """The file with the voxels."""
        return self.folder / self.format.data

    def ramp(self, dtype: Any = np.int16) -> np.ndarray:
        """Return a ramp, which fits into every dtype."""
        return ramp(self.hole.shape).astype(np.uint8 if self.is_film and dtype is np.int16 else dtype)

    def write(self, truth: np.ndarray | None = None, mask: np.ndarray | None = None) -> np.ndarray:
        """Write image and mask; return the truth. Under the hole the file holds something else."""
        truth = self.ramp() if truth is None else truth
        image = truth.copy()
        image[self.hole] = HIDDEN
        self.format.write(self.image, image)
        self.write_mask(self.hole.astype(np.uint8) if mask is None else mask)
        return truth

    def write_mask(self, mask: np.ndarray) -> None:
        """Write a mask on the image's grid."""
        self.mask_writer(self.mask, mask)

    @property
    def arguments(self) -> list[str]:
        """The command line."""
        return ["fill", str(self.image), str(self.mask), "-o", str(self.output), *self.options]


def ramp(shape: Sequence[int]) -> np.ndarray:
    """Return 10 + k + 2 j + 2 i."""
    steps = (1, 2, 2)[-len(shape) :]
    return 10 + sum(step * index for step, index in zip(steps, np.indices(shape), strict=True))


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of files.

    Attributes:
        name: says what is odd.
        formats: in which it is tried.
        make: makes the files and returns the right outcome.
    """

    name: str
    formats: tuple[str, ...]
    make: Callable[[Trial], Right]

    def trial(self, form: str, folder: Path) -> tuple[Trial, Right]:
        """Make the files in a format."""
        trial = Trial(folder, FORMATS[form])
        return trial, self.make(trial)


KINDS: list[Kind] = []


def kind(
    name: str, formats: Iterable[str], values: dict[str, Any] | Sequence[Any] | None = None
) -> Callable[[Callable[..., Right]], Callable[..., Right]]:
    """Add a function to the table, once for each value; the name holds ``{}`` for it."""

    def add(make: Callable[..., Right]) -> Callable[..., Right]:
        for shown, value in _named(values):
            bound = make if values is None else _bound(make, value)
            KINDS.append(Kind(name.format(shown), tuple(formats), bound))
        return make

    return add


def _named(values: dict[str, Any] | Sequence[Any] | None) -> Iterator[tuple[Any, Any]]:
    if isinstance(values, dict):
        yield from values.items()
    else:
        yield from ((value, value) for value in values or [None])


def _bound(make: Callable[..., Right], value: Any) -> Callable[[Trial], Right]:
    return lambda trial: make(trial, value)
