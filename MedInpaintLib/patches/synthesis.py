"""Fill a hole by copying patches from elsewhere, coarse to fine.

On each level of a pyramid, search and vote alternate: every patch that touches the hole looks for the whole patches
most like it, and every voxel of the hole becomes a weighted mean of its patches' matches (Wexler, Shechtman, Irani:
Space-time completion of video, PAMI 2007; Newson et al.: Video inpainting of complex scenes, SIAM J. Imaging Sciences
2014; for brain lesions Prados et al.: Fully automated patch-based image restoration, NeuroImage 2016).

Several images under one hole are searched together: one field of matches for all, so that each takes its voxels from
the same places as the others, and they show one anatomy.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

from ..mask import Box, grow
from ..progress import Progress
from ..region import Region
from .search import Field, Sources, Wanted, improve

#: Voxels of a patch along an axis at most, in 2-D and 3-D: 5 mm would be 35 pixels of a film, and a search half a day.
MOST = {2: 9, 3: 5}
#: And at least, along the axes with the smallest voxels, by the number of these: fewer than 25 voxels look alike
#: everywhere. With 9 instead of 25, spheres of 6 mm in slices of 3 mm lost 1.4 dB.
LEAST = {1: 7, 2: 5, 3: 3}
#: Voxels to search on each side at most.
MOST_REACH = 40
#: The pyramid ends where no voxel of the hole is further than this from known ones, in voxels: patches see the rim.
SHALLOW = 3.0
#: How fast filled voxels lose weight with their depth in the hole when patches are compared: an e-fold per half width
#: of a patch. Of 1.5, 3 and 6 lower is better in 5 mm spheres, by 0.3 dB each; in 20 mm ones 1.5 and 3 are alike.
FADE = 2.0
#: A patch's second-best matches count less by ``exp(-(d - d_best) / (2 SELECTIVE d_best))``.
SELECTIVE = 0.1


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to search and vote.

    Attributes:
        size: of a patch, mm; within :data:`LEAST` and :data:`MOST` voxels.
        search: how far around the hole to look for patches, mm; at most :data:`MOST_REACH` voxels.
        matches: how many matches of a patch vote.
        freedom: 0..1, share of a difference in brightness between patches that is ignored and corrected.
        sweeps: how often search and vote alternate on each level.
        rounds: of the search in each sweep.
        sharpness: how fast votes lose weight with the depth of a patch's middle in the hole, an e-fold for each 1 /
            sharpness half widths of a patch: those that saw more of the known tissue lead.
    """

    size: float = 3.0
    search: float = 10.0
    matches: int = 4
    freedom: float = 0.8
    sweeps: int = 6
    rounds: int = 10
    sharpness: float = 4.0


#: Voxels around a hole that must all have one value for the hole to be filled with it.
RIM = 2


@dataclasses.dataclass(frozen=True)
class Source:
    """An image to copy from, on the grid of the image to fill.

    Attributes:
        channels: float32 ``(channels, *shape)``: the image or images, and what guides, as in those to fill.
        usable: bool ``(*shape)``: True = may be copied.
    """

    channels: np.ndarray
    usable: np.ndarray


@dataclasses.dataclass(frozen=True)
class Synthesis:
    """The result of a synthesis.

    Attributes:
        values: float32: the fill, and around it the patches' estimate of the known voxels.
        spread: float32: standard deviation of the votes.
        patch: voxels along each axis.
        distance: mean distance of the best matches, as root mean square difference.
        warnings: where it is not what the settings asked for.
        companions: the results of the other images, from the same matches.
    """

    values: np.ndarray
    spread: np.ndarray
    patch: tuple[int, ...]
    distance: float
    warnings: tuple[str, ...] = ()
    companions: tuple[Synthesis, ...] = ()

    @property
    def images(self) -> tuple[Synthesis, ...]:
        """The results of all images."""
        return self, *self.companions


def patch_shape(size: float, spacing: Sequence[float]) -> tuple[int, ...]:
    """Return the voxels of a patch of ``size`` mm along each axis, odd; within :data:`LEAST` and :data:`MOST`.

    >>> patch_shape(5.0, (5.0, 1.0, 1.0))
    (1, 5, 5)
    """
    fine = [mm < 1.5 * min(spacing) for mm in spacing]
    least = [LEAST[sum(fine)] if each else 1 for each in fine]
    sizes = [1 + 2 * round((size / mm - 1) / 2) for mm in spacing]
    return tuple(max(low, min(MOST[len(spacing)], n)) for low, n in zip(least, sizes, strict=True))


def fill_region(
    region: Region,
    initial: Sequence[np.ndarray],
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress,
    more_sources: Callable[[Region], Sequence[Source]] = lambda window: (),
) -> Synthesis | None:
    """Fill a region and its companions from around the hole, guided by the subject's guides where there are any.

    Without a whole patch within the search, the whole image is searched, then with the smallest patch.

    Args:
        region: what to fill.
        initial: of the region's shape, for the region and each companion: the fill to start from.
        settings: see there.
        rng: for chance.
        progress: reports and cancels.
        more_sources: further sources, given the window that is searched; with as many channels as it has itself.

    Returns:
        Synthesis: of the region's shape, with its companions; None when no patch is whole in all images.
    """
    wider = f"No patch within {settings.search:g} mm is whole; all of the image was searched"
    tries = (
        (settings.search, settings.size, ()),
        (math.inf, settings.size, (f"{wider}.",)),
        (math.inf, 0.0, (f"{wider}, for the smallest patches.",)),
    )
    for reach, size, warnings in tries:
        window, inside = region.wider(reach, most=MOST_REACH if math.isfinite(reach) else math.inf)
        channels = window.all_channels
        hole = np.zeros(window.hole.shape, dtype=bool)
        hole[inside] = region.fill
        start = channels.copy()
        for values, each, guess in zip(start, window.images, initial, strict=False):
            if each.no_data is not None:
                values[...] = each.nearest_known()  # coarser levels mix neighbours
            values[hole] = guess[region.fill]
        known = np.array([~each.hole for each in window.images])
        synthesis = synthesize(
            start,
            hole,
            [Source(channels, np.logical_and.reduce(known)), *more_sources(window)],
            region.spacing,
            images=len(known),
            known=known,
            no_data=_nowhere(window),
            settings=dataclasses.replace(settings, size=size),
            rng=rng,
            progress=progress,
        )
        if synthesis is not None:
            first, *companions = (
                _of_region(each, image, inside, warnings)
                for each, image in zip(synthesis.images, region.images, strict=True)
            )
            return dataclasses.replace(first, companions=tuple(companions))
    return None


def _nowhere(window: Region) -> np.ndarray | None:
    """Mark the voxels that no image has data of and that are not to be filled; None where there are none."""
    lacking = [each.no_data for each in window.images if each.no_data is not None]
    return np.logical_and.reduce(lacking) if len(lacking) == len(window.images) else None


def _of_region(synthesis: Synthesis, region: Region, inside: Box, warnings: tuple[str, ...]) -> Synthesis:
    """Cut a region out of what was synthesized in its window."""
    values, spread = _flat_stays_flat(synthesis.values[inside], synthesis.spread[inside], region)
    return dataclasses.replace(synthesis, values=values, spread=spread, warnings=warnings)


def _flat_stays_flat(values: np.ndarray, spread: np.ndarray, region: Region) -> tuple[np.ndarray, np.ndarray]:
    """Fill a part of the hole whose rim has one value with that value, e.g. in the collimated border of a film."""
    # A strip can leave so little of such a border that all whole patches are tissue.
    from scipy import ndimage

    values, spread = values.copy(), spread.copy()
    everywhere = np.ones((3,) * region.hole.ndim, dtype=bool)
    labels, _ = ndimage.label(region.fill, structure=everywhere)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        wider = tuple(slice(max(part.start - RIM, 0), part.stop + RIM) for part in box)
        part = labels[wider] == number
        around = ndimage.binary_dilation(part, everywhere, iterations=RIM) & ~region.hole[wider]
        rim = region.values[wider][around]
        if rim.size and rim.min() == rim.max():
            values[wider][part | around] = rim[0]  # around it, too: blending looks there for what does not fit
            spread[wider][part] = 0.0
    return values, spread


def synthesize(
    start: np.ndarray,
    hole: np.ndarray,
    sources: Sequence[Source],
    spacing: Sequence[float],
    *,
    images: int = 1,
    known: np.ndarray | None = None,
    no_data: np.ndarray | None = None,
    settings: Settings | None = None,
    rng: np.random.Generator | None = None,
    progress: Progress | None = None,
) -> Synthesis | None:
    """Fill a hole with patches of the sources.

    Args:
        start: float32 ``(channels, *shape)``: the images, their hole filled with a first guess, then their guides.
        hole: bool ``(*shape)``, True = fill.
        sources: images to copy from, mostly the image itself where it is known. A patch is copied only whole.
        spacing: mm, in the order of the axes.
        images: how many channels are images to fill.
        known: bool ``(*shape)`` or ``(images, *shape)``, True where an image is known; everywhere but in the hole by
            default.
        no_data: bool, True where it is neither known nor to be filled: nothing to go inwards from.
        settings: see there.
        rng: for chance.
        progress: reports and cancels.

    Returns:
        Synthesis: None when the sources have no whole patch.
    """
    if not sources:
        return None
    settings, progress, rng = settings or Settings(), progress or Progress(), rng or np.random.default_rng(0)
    known = np.broadcast_to(~hole if known is None else known & ~hole, (images, *hole.shape))
    levels = _pyramid(_Level(start, hole, known, tuple(sources), tuple(spacing), no_data=no_data))
    work = np.cumsum([0.0] + [np.count_nonzero(level.hole) for level in levels])
    coarse = None
    for number, level in enumerate(levels):
        canvas = _Canvas(level, settings.size * min(level.spacing) / min(spacing), settings)
        if not canvas.sources.usable.any():
            coarse = None
            continue
        share = progress.part(work[number] / work[-1], work[number + 1] / work[-1])
        canvas.paint(canvas.places(coarse, rng), rng, share)
        coarse = canvas
    return None if coarse is None else coarse.result()


@dataclasses.dataclass(frozen=True)
class _Level:
    """The images at one scale.

    Attributes:
        values: ``(channels, *shape)``.
        hole: bool ``(*shape)``.
        known: bool ``(images, *shape)``.
        sources, spacing, no_data: as in :func:`synthesize`.
        factors: how many voxels of the next finer level make one, along each axis.
    """

    values: np.ndarray
    hole: np.ndarray
    known: np.ndarray
    sources: tuple[Source, ...]
    spacing: tuple[float, ...]
    factors: tuple[int, ...] = ()
    no_data: np.ndarray | None = None

    @functools.cached_property
    def depth(self) -> np.ndarray:
        """How far each voxel of the hole is from those outside it, in voxels of the finest axis; 0 elsewhere."""
        from scipy import ndimage

        unknown = self.hole if self.no_data is None else self.hole | self.no_data
        depth = np.zeros(unknown.shape)
        # No voxel outside is nearer than the nearest one in the box around the unknown ones.
        for box in ndimage.find_objects(unknown.astype(np.int8)):
            around = grow(box, [1] * len(box), unknown.shape)
            # Beyond the image's border nothing is known either, so its outermost voxels go on there.
            part = np.pad(unknown[around], 1, mode="edge")
            if part.all():
                return np.ones(unknown.shape)
            distance = ndimage.distance_transform_edt(part, sampling=self.spacing) / min(self.spacing)
            depth[around] = distance[(slice(1, -1),) * len(box)]
        return depth

    def coarser(self) -> _Level | None:
        """Return the level half as fine along the axes with small voxels, so that voxels become isotropic first."""
        step = 2 * min(self.spacing)
        sizes = zip(self.spacing, self.hole.shape, strict=True)
        factors = tuple(2 if mm < step / math.sqrt(2) and size >= 4 else 1 for mm, size in sizes)
        if max(factors) == 1:
            return None
        return _Level(
            _mean(self.values, factors),
            _reduce(np.logical_or, self.hole, factors),
            _reduce(np.logical_and, self.known, factors),
            tuple(
                Source(_mean(each.channels, factors), _reduce(np.logical_and, each.usable, factors))
                for each in self.sources
            ),
            tuple(mm * factor for mm, factor in zip(self.spacing, factors, strict=True)),
            factors,
            None if self.no_data is None else _reduce(np.logical_or, self.no_data, factors),
        )


def _pyramid(finest: _Level) -> list[_Level]:
    """Return the levels, coarsest first."""
    levels = [finest]
    while levels[-1].depth.max() > SHALLOW:
        coarser = levels[-1].coarser()
        if coarser is None:
            break
        levels.append(coarser)
    return levels[::-1]


def _reduce(operation: np.ufunc, array: np.ndarray, factors: Sequence[int]) -> np.ndarray:
    """Reduce blocks of the last axes to one voxel each; blocks at the end may be smaller."""
    for axis, factor in enumerate(factors, start=array.ndim - len(factors)):
        array = operation.reduceat(array, range(0, array.shape[axis], factor), axis=axis)
    return array


def _mean(array: np.ndarray, factors: Sequence[int]) -> np.ndarray:
    count = _reduce(np.add, np.ones(array.shape[array.ndim - len(factors) :], dtype=np.float32), factors)
    return _reduce(np.add, array, factors) / count


class _Canvas:
    """One level, padded so that patches do not reach over its border, and addressed by flat indices."""

    def __init__(self, level: _Level, size: float, settings: Settings) -> None:
        from scipy import ndimage

        self.level, self.settings = level, settings
        self.patch = patch_shape(size, level.spacing)
        self.pad = np.array(self.patch) // 2
        self.shape = tuple(np.array(level.hole.shape) + 2 * self.pad)
        self.inside = tuple(slice(pad, pad + n) for pad, n in zip(self.pad, level.hole.shape, strict=True))
        self.strides = np.array([math.prod(self.shape[axis + 1 :]) for axis in range(len(self.shape))])
        whole = np.ones(self.patch, dtype=bool)
        steps = (np.argwhere(whole) - self.pad) @ self.strides
        self.sources = Sources(
            np.concatenate([self._padded(each.channels).reshape(len(level.values), -1) for each in level.sources], 1),
            steps,
            np.concatenate(
                [ndimage.binary_erosion(self._padded(each.usable), whole).ravel() for each in level.sources]
            ),
            settings.freedom,
        )
        self.values = self._padded(level.values)
        self.hole = self._padded(level.hole)
        self.depth = self._padded(level.depth) / max(self.pad)
        touching = ndimage.binary_dilation(level.hole, whole)
        self.cells = np.argwhere(self._padded(touching))
        self.centers = self.cells @ self.strides
        self.weights = self._weights_of_voxels()
        self.images = len(level.known)
        self.mean, self.spread = self.values[: self.images], np.zeros((self.images, *self.shape))

    def _padded(self, array: np.ndarray) -> np.ndarray:
        pads = [(0, 0)] * (array.ndim - len(self.pad)) + [(pad, pad) for pad in self.pad]
        return np.pad(array, pads)

    def places(self, coarse: _Canvas | None, rng: np.random.Generator) -> np.ndarray:
        """Return where to start the search, ``(n, matches)``: where the coarser level ended, else anywhere."""
        usable = np.flatnonzero(self.sources.usable)
        anywhere = usable[rng.integers(0, len(usable), (len(self.centers), self.settings.matches))]
        if coarse is None:
            return anywhere
        places = self._finer(coarse)
        # What the coarser level changed of its first guess is added to the first guess here.
        self._add_change(coarse)
        return np.where(self.sources.usable[places], places, anywhere)

    def _finer(self, coarse: _Canvas) -> np.ndarray:
        """Convert the coarser level's matches to this one: the same offset from patch to match."""
        factors = np.array(coarse.level.factors)
        own = self.cells - self.pad
        parent = np.full(coarse.shape, -1)
        parent.ravel()[coarse.centers] = np.arange(len(coarse.centers))
        # A patch here may touch the hole where its parent does not: that one starts from the first patch's offset.
        number = parent[tuple((own // factors + coarse.pad).T)]
        number = np.where(number < 0, 0, number)
        which, flat = np.divmod(coarse.field.places[number], math.prod(coarse.shape))
        match = np.stack(np.unravel_index(flat, coarse.shape), axis=-1)
        places = own[:, np.newaxis] + factors * (match - coarse.cells[number][:, np.newaxis])
        places = np.clip(places, 0, np.array(self.level.hole.shape) - 1) + self.pad
        return places @ self.strides + which * math.prod(self.shape)

    def _add_change(self, coarse: _Canvas) -> None:
        from scipy import ndimage

        own = np.argwhere(self.level.hole)
        at = (own + 0.5) / coarse.level.factors - 0.5
        for number in range(self.images):
            change = coarse.values[number][coarse.inside] - coarse.level.values[number]
            finer = ndimage.map_coordinates(change, at.T, order=1, mode="nearest")
            self.values[number][self.inside][self.level.hole] += finer

    def paint(self, places: np.ndarray, rng: np.random.Generator, progress: Progress) -> None:
        """Search and vote in turns."""
        sweeps = self.settings.sweeps
        for sweep in range(sweeps):
            share = progress.part(sweep / sweeps, (sweep + 1) / sweeps)
            share.update(0.0, "Searching patches")
            patches = self._wanted()
            self.field = Field.at(places, patches, self.sources)
            improve(
                self.field,
                patches,
                self.sources,
                neighbors=self._neighbors(),
                reach=self._reach(),
                rounds=self.settings.rounds,
                rng=rng,
                progress=share,
            )
            self._vote()
            places = self.field.places
            self.values[: self.images, self.hole] = self.mean[:, self.hole]

    def _wanted(self) -> Wanted:
        return Wanted(self._gathered(self.values), self._gathered(self.weights), self.images)

    def _gathered(self, channels: np.ndarray) -> np.ndarray:
        """Return the patches ``(n, channels, voxels)``."""
        index = self.centers[:, np.newaxis] + self.sources.steps
        return np.stack([channel.ravel().take(index) for channel in channels], axis=1)

    def _weights_of_voxels(self) -> np.ndarray:
        """Return how much each voxel of each channel counts when patches are compared."""
        weights = self._padded(np.ones(self.level.values.shape, dtype=np.float32))
        # The floor keeps the middle of large holes comparable in float32.
        faded = np.maximum(np.exp(-FADE * self.depth), 1e-9)
        weights[: len(self.level.known)] = np.where(
            self._padded(self.level.known), 1.0, np.where(self.hole, faded, 0.0)
        )
        return weights

    def _neighbors(self) -> list[tuple[np.ndarray, int]]:
        number = np.full(self.shape, -1)
        number.ravel()[self.centers] = np.arange(len(self.centers))
        neighbors = []
        for stride in self.strides:
            for step in (stride, -stride):
                numbers = number.ravel()[np.clip(self.centers - step, 0, number.size - 1)]
                neighbors.append((np.where(numbers < 0, np.arange(len(numbers)), numbers), int(step)))
        return neighbors

    def _reach(self) -> list[tuple[int, int]]:
        voxels = [min(MOST_REACH, int(self.settings.search / mm)) for mm in self.level.spacing]
        return [(far, int(stride)) for far, stride in zip(voxels, self.strides, strict=True)]

    def _vote(self) -> None:
        """Set each voxel's weighted mean over all patches that cover it and all their matches, and its deviation."""
        weights = self._weights()
        votes_of = [self._votes(number, weights) for number in range(self.images)]
        self.mean, self.spread = (np.array(each).reshape(-1, *self.shape) for each in zip(*votes_of, strict=True))

    def _votes(self, number: int, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the weighted mean of an image's votes, and their standard deviation, flat."""
        own, shifts = weights.sum(axis=1), self.field.shifts[..., number]
        total, first, second = np.zeros((3, self.hole.size))
        for step in self.sources.steps:
            votes = self.sources.channels[number].take(self.field.places + step) + shifts
            weighted = weights * votes
            at = self.centers + step  # each voxel once: no two patches have the same voxel at the same place
            total[at] += own
            first[at] += weighted.sum(axis=1)
            second[at] += np.einsum("nk,nk->n", weighted, votes)
        voted = total > 0
        mean = np.where(voted, first / np.where(voted, total, 1.0), self.values[number].ravel())
        variance = np.where(voted, second / np.where(voted, total, 1.0) - np.square(mean), 0.0)
        return mean, np.sqrt(np.maximum(variance, 0.0))

    def _weights(self) -> np.ndarray:
        """Return float64 weights ``(n, k)``: by distance among matches, by distance and depth among patches."""
        distances = self.field.distances.astype(np.float64)
        best = distances[:, :1]
        matches = np.exp((best - distances) / (2 * SELECTIVE * np.maximum(best, 1e-8)))
        typical = np.percentile(best, 75) + 1e-8
        depth = self.depth.ravel()[self.centers, np.newaxis]
        return matches * np.exp(-best / (2 * typical) - self.settings.sharpness * depth)

    def result(self) -> Synthesis:
        distance = float(np.sqrt(self.field.distances[:, 0].mean()))
        inside = (slice(None), *self.inside)
        means, spreads = self.mean[inside].astype(np.float32), self.spread[inside].astype(np.float32)
        first, *companions = (
            Synthesis(mean, spread, self.patch, distance) for mean, spread in zip(means, spreads, strict=True)
        )
        return dataclasses.replace(first, companions=tuple(companions))
