"""Training data for two-dimensional networks: crops of the slices of undamaged images."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from ..errors import InputError
from ..foreground import body
from ..frames import along, pixel_size, pose, sample
from ..intensity import fit_scaling, sample_known
from ..manifest import Entry
from ..modality import Modality
from ..no_data import find
from ..volume import Volume

#: Slices with less of the body than this share of the image's fullest one are background, e.g. above the head.
BACKGROUND = 0.15
#: Attempts to draw a pixel in the body; the last one is used in any case.
_TRIES = 20


@dataclasses.dataclass(frozen=True)
class Slice:
    """One slice of an undamaged image.

    Attributes:
        values: float16 ``(rows, columns)``, scaled as in a region. Its steps are 0.0005 at 1: a 2000th of the range.
        inside: bool, the body.
        subject, contrast: of the image.
    """

    values: np.ndarray
    inside: np.ndarray
    subject: str
    contrast: str

    def crop(self, row: int, column: int, pixels: int) -> np.ndarray:
        """Return float32 ``(pixels, pixels)`` around a pixel; the border is repeated beyond the slice."""
        rows, columns = (
            np.clip(np.arange(pixels) + middle - pixels // 2, 0, size - 1)
            for middle, size in zip((row, column), self.values.shape, strict=True)
        )
        return self.values[np.ix_(rows, columns)].astype(np.float32)

    def place(self, rng: np.random.Generator) -> tuple[int, int]:
        """Return a random pixel of the body."""
        for _ in range(_TRIES):
            row, column = (int(rng.integers(size)) for size in self.values.shape)
            if self.inside[row, column]:
                break
        return row, column


def read_slices(
    entries: Sequence[Entry],
    *,
    plane: str,
    pixel_mm: float,
    across: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Slice]:
    """Return the slices of images, at the resolution of a model's frames.

    Args:
        entries: the images.
        plane: a name of :data:`..frames.PLANES`.
        pixel_mm, across: for the size of pixels, see :func:`..frames.pixel_size`.
        progress: called with the number of images read and their total.

    Raises:
        InputError: there is no slice, or none in which all pixels hold data.
    """
    slices: list[Slice] = []
    for number, entry in enumerate(entries):
        if progress:
            progress(number, len(entries))
        slices += _of(entry, plane, pixel_mm, across)
    if not slices:
        raise InputError(
            "There are no images to learn from: the data hold none of this modality, contrast and split, or no slice "
            "in which all pixels hold data (others with NaN or padding cannot be learned)."
        )
    return slices


def _of(entry: Entry, plane: str, pixel_mm: float, across: int) -> list[Slice]:
    volume = Volume.of(entry.path)
    no_data, _ = find(volume)
    modality = Modality.of(entry.modality)
    scaling = fit_scaling(sample_known(volume.array, None, None, no_data), modality)
    turned = pose(volume, plane)
    whole = volume.array.reshape([1] * (3 - volume.array.ndim) + list(volume.array.shape))
    inside = turned.turn(body(volume.array, modality, no_data).reshape(whole.shape))
    spacing = (1.0,) * (3 - volume.array.ndim) + tuple(volume.spacing)
    side = pixel_size(volume, pixel_mm, across)
    ratio = [side / spacing[axis] for axis in turned.order[1:]]
    stack = turned.turn(whole)
    rows, columns = (
        along((size - 1) / 2, max(1, round(size / each)), each)
        for size, each in zip(stack.shape[1:], ratio, strict=True)
    )
    areas = inside.sum(axis=(1, 2))
    kept = np.flatnonzero((areas > 0) & (areas >= BACKGROUND * areas.max()))
    if no_data is not None:
        # A generator would learn to draw whatever number were put there.
        kept = kept[~turned.turn(no_data.reshape(whole.shape))[kept].any(axis=(1, 2))]
    values = sample(scaling.forward(stack[kept]), rows, columns, ratio).astype(np.float16)
    bodies = sample(inside[kept].astype(np.float32), rows, columns, (1.0, 1.0), outside=0.0) > 0.5
    return [Slice(v, b, entry.subject, entry.contrast) for v, b in zip(values, bodies, strict=True)]


@dataclasses.dataclass(frozen=True)
class Crops:
    """Endless random crops; crop n depends only on the seed and n.

    Each pass takes all slices in a new order; crops are centred at random pixels of the body and change intensities
    slightly.

    Attributes:
        slices, pixels: to crop from, and side of a crop.
        seed: of all random choices.
        flip: whether half of the crops are mirrored along their rows.
        gain, offset: intensities are multiplied by 1 ± gain and shifted by ± offset, uniformly.
    """

    slices: Sequence[Slice]
    pixels: int
    seed: int = 0
    flip: bool = False
    gain: float = 0.1
    offset: float = 0.03
    _orders: dict[int, np.ndarray] = dataclasses.field(default_factory=dict, repr=False)

    def __getitem__(self, number: int) -> np.ndarray:
        """Return one crop, float32 ``(pixels, pixels)``."""
        turn, place = divmod(number, len(self.slices))
        rng = np.random.default_rng([self.seed, 1, number])
        chosen = self.slices[self._order(turn)[place]]
        crop = chosen.crop(*chosen.place(rng), self.pixels)
        if rng.random() < 0.5 and self.flip:
            crop = crop[:, ::-1]
        return crop * (1 + self.gain * rng.uniform(-1, 1)) + self.offset * rng.uniform(-1, 1)

    def batch(self, numbers: range) -> tuple[np.ndarray]:
        """Return crops, float32 ``(n, 1, pixels, pixels)``."""
        return (np.stack([self[number] for number in numbers]).astype(np.float32)[:, np.newaxis],)

    def _order(self, turn: int) -> np.ndarray:
        if turn not in self._orders:
            self._orders.clear()
            self._orders[turn] = np.random.default_rng([self.seed, 0, turn]).permutation(len(self.slices))
        return self._orders[turn]
