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

#: Numbers that are compared at a time: candidates times their voxels times channels. Fewer take longer, in the calls of
#: numpy and, with several threads, in waiting for the interpreter's lock; 32,000 to 256,000 differ by less than 10 %.
BLOCK = 64_000
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
        images: how many channels are images to fill, the first ones; the others only guide.
    """

    values: np.ndarray
    weights: np.ndarray
    images: int = 1

    @functools.cached_property
    def by_voxel(self) -> tuple[np.ndarray, np.ndarray]:
        """Values and weights, float32 ``(voxels, n, channels)`` as :func:`_interleaved`."""
        values, weights = (_interleaved(np.transpose(part, (1, 2, 0))) for part in (self.values, self.weights))
        return values, weights

    @functools.cached_property
    def first(self) -> np.ndarray:
        """float32 ``(n, images)``: the sum of the weights in each image."""
        return np.maximum(self.weights[:, : self.images].sum(axis=2), _TINY)

    @functools.cached_property
    def total(self) -> np.ndarray:
        """float32 ``(n,)``: the sum of all weights."""
        return np.maximum(self.weights.sum(axis=(1, 2)), _TINY)


@dataclasses.dataclass(frozen=True)
class Preview:
    """The few voxels of each patch that weigh most; no patch is nearer to a candidate than these are.

    Attributes:
        patches: their values and weights.
        steps: intp ``(few, n)``: the flat step from each patch's middle to them.
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
        return cls(Wanted(values, weights, patches.images), np.ascontiguousarray(steps[chosen].T), patches.total)


@dataclasses.dataclass(frozen=True)
class Sources:
    """The images to find matches in: of one shape, flat, one behind the other.

    Attributes:
        channels: float32 ``(channels, size)``, those of the patches: images to be filled, then guides.
        steps: intp ``(voxels,)``: the flat step from a patch's middle to each of its voxels.
        usable: bool ``(size,)``: True where a patch's middle may lie.
        freedom: 0..1: the share of a difference in brightness that is ignored, and corrected by a shift.
    """

    channels: np.ndarray
    steps: np.ndarray
    usable: np.ndarray
    freedom: float = 0.0

    @functools.cached_property
    def by_place(self) -> np.ndarray:
        """float32 ``(size, channels)`` as :func:`_interleaved`."""
        return _interleaved(self.channels)

    def compare(self, patches: Wanted, rows: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how well one candidate for each of some patches fits.

        With weights ``w``, a patch ``a``, a candidate ``b`` and the weighted mean ``mean_i`` in image ``i``, the shift
        there is ``s_i = freedom * mean_i(a - b)``, and the distance ``sum w (a - b)^2 / sum w`` less what the shifts
        correct, the sum over the images of ``freedom * mean_i(a - b)^2 * sum_i w / sum w``.

        Args:
            patches: those to match.
            rows: intp ``(m,)``: which of them.
            places: intp ``(m,)``: the middle of the candidate for each; it need not be usable.

        Returns:
            float32 distances ``(m,)`` and shifts ``(m, images)``; the distance is infinite where the candidate is not
            usable.
        """
        distances = np.full(len(places), np.inf, dtype=np.float32)
        shifts = np.zeros((len(places), patches.images), dtype=np.float32)
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
        """Return the weighted sum of squares, less what the shifts correct, and the shifts of each candidate."""
        image, (values, weights) = self.by_place, patches.by_voxel
        squares, sums = np.empty((2, len(places), image.shape[1]), dtype=np.float32)
        size = max(1, BLOCK // (len(values) * image.shape[1]))
        for start in range(0, len(places), size):
            block = slice(start, start + size)
            own, middles = rows[block], places[block]
            # The voxels first, then the candidates: their sums add up whole rows. Voxel by voxel, in as many calls of
            # numpy, 500 candidates take 4 times the time, fills of lesions of 1 to 3 ml 1.15, of 20 mm balls the same.
            places_of_voxels = middles + (steps.take(own, axis=1) if steps.ndim > 1 else steps[:, np.newaxis])
            difference = values.take(own, axis=1)
            difference -= image.take(places_of_voxels, axis=0)
            weighted = weights.take(own, axis=1)
            weighted *= difference
            sums[block] = weighted.sum(axis=0)
            weighted *= difference
            squares[block] = weighted.sum(axis=0)
        of_images = sums[:, : patches.images]
        shifts = self.freedom * of_images / patches.first.take(rows, axis=0)
        return np.maximum(squares.sum(axis=1) - (of_images * shifts).sum(axis=1), 0), shifts


def _interleaved(channels: np.ndarray) -> np.ndarray:
    """Return ``(channels, ...)`` as ``(..., channels)``: contiguous, with zeros up to 1, 2, 4, 8, ... channels.

    Numpy takes 4, 8 or 16 bytes at a time as quickly as it takes 4.
    """
    if len(channels) == 1:
        return np.ascontiguousarray(channels[0])[..., np.newaxis]
    wide = np.zeros((*channels.shape[1:], 1 << (len(channels) - 1).bit_length()), dtype=np.float32)
    np.moveaxis(wide, -1, 0)[: len(channels)] = channels
    return wide


@dataclasses.dataclass(frozen=True)
class Field:
    """The k matches of each of n patches, the best first.

    Attributes:
        places: intp ``(n, k)``: the middle of each match.
        distances: float32 ``(n, k)``: see :meth:`Sources.compare`; infinite where there is no match.
        shifts: float32 ``(n, k, images)``: what to add to each image of a match to give it the patch's brightness.
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

    def offer(self, patches: Wanted, sources: Sources, preview: Preview, places: np.ndarray) -> None:
        """Keep the best of all patches' matches and of several candidates for each.

        Args:
            patches: those to match.
            sources: where the candidates lie.
            preview: of the patches.
            places: intp ``(n, c)``: the middles of the candidates; they need not be usable, nor different.
        """
        places = np.clip(places, 0, len(sources.usable) - 1)
        new = sources.usable.take(places)
        for column in self.places.T:
            new &= places != column[:, np.newaxis]
        number = np.flatnonzero(new)
        rows, places = number // places.shape[1], places.ravel().take(number)
        likely = sources.may_be_nearer(preview, rows, places, self.distances[:, -1].take(rows))
        rows, places = rows.take(likely), places.take(likely)
        distances, shifts = sources.compare(patches, rows, places)
        better = np.flatnonzero(distances < self.distances[:, -1].take(rows))
        self._insert(*(part.take(better, axis=0) for part in (rows, places, distances, shifts)))

    def _insert(self, rows: np.ndarray, places: np.ndarray, distances: np.ndarray, shifts: np.ndarray) -> None:
        """Replace worst matches by better candidates, of each patch the best first; arguments of ``m`` candidates."""
        order = np.lexsort((distances, rows))
        while len(order):
            first = np.ones(len(order), dtype=bool)
            first[1:] = np.diff(rows[order]) > 0
            now, order = order[first], order[~first]
            # Candidates of one offer may be the same place, and the worst match may be better now.
            again = (self.places[rows[now]] == places[now, np.newaxis]).any(axis=1)
            now = now[~again & (distances[now] < self.distances[rows[now], -1])]
            self.places[rows[now], -1] = places[now]
            self.distances[rows[now], -1] = distances[now]
            self.shifts[rows[now], -1] = shifts[now]
            self._sort(rows[now])

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
    usable, preview = np.flatnonzero(sources.usable), Preview.of(patches, sources.steps)
    index = np.array([index for index, _ in neighbors], dtype=np.intp).reshape(-1, n).T
    onwards = np.array([step for _, step in neighbors], dtype=np.intp)
    turns, halvings = np.arange(len(neighbors)), np.arange(max(voxels for voxels, _ in reach).bit_length())
    asked = np.full((matches, *index.shape), -1)
    for number in range(rounds):
        advised = field.places[index, (number + turns) % matches] + onwards
        # What a neighbor said last time was taken or refused then, and the matches are no worse now.
        last, asked[number % matches] = asked[number % matches].copy(), advised
        advised = np.where(advised == last, field.places[:, :1], advised)
        around = field.places[:, (number + halvings) % matches]
        for voxels, step in reach:
            far = np.maximum(1, voxels >> halvings) if voxels else 0 * halvings
            # A third of the time of integers, whose bounds cannot differ cheaply.
            around += ((rng.random(around.shape, np.float32) * (2 * far + 1)).astype(np.intp) - far) * step
        # Somewhere else altogether: another source, or tissue like this that lies beyond the reach.
        anywhere = usable[rng.integers(0, len(usable), (n, 1))]
        # All at once: ten calls a round took half of the time of small holes for themselves.
        field.offer(patches, sources, preview, np.concatenate([advised, around, anywhere], axis=1))
        progress.update((number + 1) / rounds, "Searching patches")
