"""Nearest-neighbor fields: for each patch of an image, the patches elsewhere that look most like it.

All patches are compared at once. An image is flat memory here: a place is a flat index, and a patch is that index plus
one row of steps, the same for all. Callers pad the image, so that no patch reaches over its border.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np

from ..progress import Progress

#: Floats in one block of gathered patches: 1 MB, so that a block is still in the cache when it is compared.
BLOCK = 250_000
#: One of so many voxels of a patch, those that weigh most, are compared first. Of the random candidates for 20 mm holes
#: these rule out 7 of 8, and half of the neighbors'.
PREVIEW = 3
#: What is left of float32's digits after a sum of a hundred: a candidate is ruled out only beyond this.
_ROUNDING = np.float32(1.001)
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

    @functools.cached_property
    def first(self) -> np.ndarray:
        """float32 ``(n,)``: the sum of the weights in the first channel."""
        return np.maximum(self.weights[:, 0].sum(axis=1), _TINY)

    @functools.cached_property
    def total(self) -> np.ndarray:
        """float32 ``(n,)``: the sum of all weights."""
        return np.maximum(self.weights.sum(axis=(1, 2)), _TINY)


@dataclasses.dataclass(frozen=True)
class Preview:
    """The few voxels of each patch that weigh most; no patch is nearer to a candidate than these are.

    Attributes:
        patches: their values and weights.
        steps: intp ``(n, few)``: the flat step from each patch's middle to them.
        total: float32 ``(n,)``: the sum of the weights of the whole patch.
    """

    patches: Wanted
    steps: np.ndarray
    total: np.ndarray

    @classmethod
    def of(cls, patches: Wanted, steps: np.ndarray) -> Preview:
        """Choose the voxels; ``steps`` are those of :class:`Sources`."""
        by_weight = np.argsort(-patches.weights.sum(axis=1), axis=1, kind="stable")
        chosen = by_weight[:, : math.ceil(len(steps) / PREVIEW)]
        values, weights = (
            np.take_along_axis(part, chosen[:, np.newaxis], axis=2) for part in (patches.values, patches.weights)
        )
        return cls(Wanted(values, weights), steps[chosen], patches.total)


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
        rows = rows[usable]
        squares, shifts[usable] = self._differ(patches, self.steps, rows, places[usable])
        distances[usable] = squares / patches.total[rows]
        return distances, shifts

    def may_be_nearer(self, preview: Preview, rows: np.ndarray, places: np.ndarray, limits: np.ndarray) -> np.ndarray:
        """Return the numbers of the candidates whose distance may be less than ``limits``; arguments: :meth:`compare`.

        The sum over some voxels, with the shift that is best for them, is at most that over all.
        """
        squares, _ = self._differ(preview.patches, preview.steps, rows, places)
        return np.flatnonzero(squares < limits * preview.total[rows] * _ROUNDING)

    def _differ(
        self, patches: Wanted, steps: np.ndarray, rows: np.ndarray, places: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the weighted sum of squares, less what the shift corrects, and the shift of each candidate."""
        squares, shifts = np.empty((2, len(places)), dtype=np.float32)
        length = max(1, BLOCK // patches.values[0].size)
        for start in range(0, len(places), length):
            block = slice(start, start + length)
            own = rows[block]
            # take, einsum: a third of the time of indexing with arrays and of sums along such short axes.
            index = places[block, np.newaxis] + (steps if steps.ndim == 1 else steps.take(own, axis=0))
            weights, difference = patches.weights.take(own, axis=0), patches.values.take(own, axis=0)
            for number, channel in enumerate(self.channels):
                difference[:, number] -= channel.take(index)
            sums = np.einsum("nv,nv->n", weights[:, 0], difference[:, 0])
            shifts[block] = self.freedom * sums / patches.first[own]
            weights *= difference
            squares[block] = np.einsum("ncv,ncv->n", weights, difference) - sums * shifts[block]
        return np.maximum(squares, 0), shifts


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
        field._sort(rows)
        return field

    def offer(self, patches: Wanted, sources: Sources, preview: Preview, rows: np.ndarray, places: np.ndarray) -> None:
        """Replace the worst match of the patches ``rows`` by their candidates ``places`` where those are better."""
        places = np.clip(places, 0, len(sources.usable) - 1)
        new = sources.usable[places]
        for column in self.places.T:
            new &= places != column[rows]
        rows, places = rows[new], places[new]
        likely = sources.may_be_nearer(preview, rows, places, self.distances[rows, -1])
        rows, places = rows[likely], places[likely]
        distances, shifts = sources.compare(patches, rows, places)
        better = distances < self.distances[rows, -1]
        rows = rows[better]
        self.places[rows, -1] = places[better]
        self.distances[rows, -1] = distances[better]
        self.shifts[rows, -1] = shifts[better]
        self._sort(rows)

    def _sort(self, rows: np.ndarray) -> None:
        order = np.argsort(self.distances[rows], axis=1, kind="stable")
        for part in (self.places, self.distances, self.shifts):
            part[rows] = part[rows[:, np.newaxis], order]


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
    rows, usable = np.arange(n), np.flatnonzero(sources.usable)
    preview = Preview.of(patches, sources.steps)
    halvings = max(voxels for voxels, _ in reach).bit_length()
    asked = np.full((len(neighbors), matches, n), -1)
    for number in range(rounds):
        for turn, (index, step) in enumerate(neighbors):
            match = (number + turn) % matches
            candidates = field.places[index, match] + step
            # What this neighbor said last time was taken or refused then, and the matches are no worse now.
            news = np.flatnonzero(candidates != asked[turn, match])
            asked[turn, match] = candidates
            field.offer(patches, sources, preview, news, candidates[news])
        for halving in range(halvings):
            around = field.places[:, (number + halving) % matches].copy()
            for voxels, step in reach:
                far = max(1, voxels >> halving) if voxels else 0
                around += rng.integers(-far, far, n, endpoint=True) * step
            field.offer(patches, sources, preview, rows, around)
        # Somewhere else altogether: another source, or tissue like this that lies beyond the reach.
        field.offer(patches, sources, preview, rows, usable[rng.integers(0, len(usable), n)])
        progress.update((number + 1) / rounds, "Searching patches")
