"""Nearest-neighbor fields: for each patch of an image, the patches elsewhere that look most like it.

All patches are compared at once. An image is flat memory here: a place is a flat index, and a patch is that index plus
one row of steps, the same for all. Callers pad the image, so that no patch reaches over its border.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..progress import Progress

#: Floats in one block of gathered patches: 1 MB, so that a block is still in the cache when it is compared.
BLOCK = 250_000
_TINY = np.float32(1e-12)


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The patches to find matches for.

    Attributes:
        values: float32 ``(n, channels, voxels)``.
        weights: float32, the same shape, 0 or more: how much each value counts; 0 = not known.
    """

    values: np.ndarray
    weights: np.ndarray


@dataclasses.dataclass(frozen=True)
class Sources:
    """The images to find matches in: of one shape, flat, one behind the other.

    Attributes:
        channels: float32 ``(channels, size)``; the first is the image to be filled, the others only guide.
        steps: intp ``(voxels,)``: the flat step from a patch's middle to each of its voxels.
        usable: bool ``(size,)``: True where a patch's middle may lie.
        freedom: 0..1: the share of a difference in brightness that is ignored, and corrected by a shift.
    """

    channels: np.ndarray
    steps: np.ndarray
    usable: np.ndarray
    freedom: float = 0.0

    def compare(self, patches: Wanted, rows: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how well one candidate for each of some patches fits.

        With weights ``w``, a patch ``a`` and a candidate ``b``, the shift is ``s = freedom * mean_w(a - b)`` in the
        first channel, and the distance ``sum w (a - b)^2 / sum w`` less what the shift corrects, ``freedom * mean_w(a -
        b)^2 * sum_1 w / sum w``.

        Args:
            patches: those to match.
            rows: intp ``(m,)``: which of them.
            places: intp ``(m,)``: the middle of the candidate for each; it need not be usable.

        Returns:
            float32 distances and shifts, ``(m,)``; the distance is infinite where the candidate is not usable.
        """
        distances = np.full(len(places), np.inf, dtype=np.float32)
        shifts = np.zeros(len(places), dtype=np.float32)
        usable = np.flatnonzero(self.usable[places])
        step = max(1, BLOCK // (len(self.channels) * len(self.steps)))
        for start in range(0, len(usable), step):
            block = usable[start : start + step]
            weights = patches.weights[rows[block]]
            difference = patches.values[rows[block]]
            index = places[block, np.newaxis] + self.steps
            for number, channel in enumerate(self.channels):
                difference[:, number] -= channel[index]
            first = np.maximum(weights[:, 0].sum(axis=1), _TINY)
            mean = np.einsum("nv,nv->n", weights[:, 0], difference[:, 0]) / first
            squares = np.einsum("ncv,ncv,ncv->n", weights, difference, difference)
            squares -= self.freedom * np.square(mean) * first
            distances[block] = np.maximum(squares, 0) / np.maximum(weights.sum(axis=(1, 2)), _TINY)
            shifts[block] = self.freedom * mean
        return distances, shifts


@dataclasses.dataclass(frozen=True)
class Field:
    """The k matches of each of n patches, the best first.

    Attributes:
        places: intp ``(n, k)``: the middle of each match.
        distances: float32 ``(n, k)``: see :meth:`Sources.compare`; infinite where there is no match.
        shifts: float32 ``(n, k)``: what to add to a match's first channel to give it the patch's brightness.
    """

    places: np.ndarray
    distances: np.ndarray
    shifts: np.ndarray

    @classmethod
    def at(cls, places: np.ndarray, patches: Wanted, sources: Sources) -> Field:
        """Return the field with these places ``(n, k)``; one that is named twice for a patch counts once."""
        rows = np.arange(len(places))
        compared = [sources.compare(patches, rows, column) for column in places.T]
        distances = np.stack([distance for distance, _ in compared], axis=1)
        for number in range(1, places.shape[1]):
            again = (places[:, :number] == places[:, number, np.newaxis]).any(axis=1)
            distances[again, number] = np.inf
        field = cls(places.copy(), distances, np.stack([shift for _, shift in compared], axis=1))
        field._sort(slice(None))
        return field

    def offer(self, patches: Wanted, sources: Sources, places: np.ndarray) -> None:
        """Replace the worst match of each patch by its candidate ``(n,)`` where that is new and better."""
        places = np.clip(places, 0, len(sources.usable) - 1)
        rows = np.flatnonzero(sources.usable[places] & (places[:, np.newaxis] != self.places).all(axis=1))
        distances, shifts = sources.compare(patches, rows, places[rows])
        better = distances < self.distances[rows, -1]
        rows = rows[better]
        self.places[rows, -1] = places[rows]
        self.distances[rows, -1] = distances[better]
        self.shifts[rows, -1] = shifts[better]
        self._sort(rows)

    def _sort(self, rows: np.ndarray | slice) -> None:
        order = np.argsort(self.distances[rows], axis=1, kind="stable")
        for part in (self.places, self.distances, self.shifts):
            part[rows] = np.take_along_axis(part[rows], order, axis=1)


def improve(
    field: Field,
    patches: Wanted,
    sources: Sources,
    *,
    neighbors: Sequence[tuple[np.ndarray, int]],
    reach: Sequence[tuple[int, int]],
    rounds: int,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> None:
    """Improve matches in place, by asking the neighbors and by looking around at random.

    PatchMatch (Barnes, Shechtman, Finkelstein, Goldman: PatchMatch, SIGGRAPH 2009) with k matches (Barnes et al.: The
    generalized PatchMatch correspondence algorithm, ECCV 2010). All patches take each step together instead of one
    after the other, so good matches travel one patch a round, but a round is a few calls of numpy.

    Args:
        field: to start from.
        patches: those to match.
        sources: where to look.
        neighbors: pairs ``(index, step)``: for each patch the number of a neighbor (its own where there is none), and
            the flat step from the neighbor to the patch.
        reach: ``(voxels, flat step)`` for each axis: how far around a match to look at random.
        rounds: how often.
        rng: for chance.
        progress: reports and cancels.
    """
    progress = progress or Progress()
    n, matches = field.places.shape
    usable = np.flatnonzero(sources.usable)
    halvings = max(voxels for voxels, _ in reach).bit_length()
    for number in range(rounds):
        for turn, (index, step) in enumerate(neighbors):
            field.offer(patches, sources, field.places[index, (number + turn) % matches] + step)
        for halving in range(halvings):
            around = field.places[:, (number + halving) % matches].copy()
            for voxels, step in reach:
                far = max(1, voxels >> halving) if voxels else 0
                around += rng.integers(-far, far, n, endpoint=True) * step
            field.offer(patches, sources, around)
        # Somewhere else altogether: another source, or tissue like this that lies beyond the reach.
        field.offer(patches, sources, usable[rng.integers(0, len(usable), n)])
        progress.update((number + 1) / rounds, "Searching patches")
