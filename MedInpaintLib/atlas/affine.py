"""The affine map from the atlas to a scan, found from any position of the head.

The objective is the share of the scan's brightness that the tissues of the atlas explain: at points of the atlas' brain
and in a thin shell around it, the scan is a linear combination of grey matter, white matter, fluid, brightness on T1
and "outside", whose coefficients are fitted for each map. So any contrast can be met, and skin and scalp, which the
atlas lacks, do not count.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from ..progress import Progress
from ..registration import sample
from .local_correlation import LocalCorrelation, mix
from .maps import Maps, head_maps
from .scan import Scan

#: mm between the points of the atlas, for the search and for the fit.
SEARCH, FIT = 12, 6
#: mm around the brain that count as "outside": bone, or nothing where the skull was removed.
SHELL = 7.0
#: Points whose blocks are known to this share count.
KNOWN = 0.5


@dataclasses.dataclass(frozen=True)
class _Search:
    """Shifts of the head's middle in mm (superior, anterior, right), sizes, and pitches in degrees that are tried."""

    shifts: tuple[tuple[int, ...], ...]
    sizes: tuple[float, ...]
    pitches: tuple[float, ...]


#: As the header says, and in the other 23 orientations, which are searched when that fails: 1,080 and 36 guesses each.
UPRIGHT = _Search(
    ((-60, -45, -30, -15, 0, 15, 30, 45), (-30, -15, 0, 15, 30), (-12, 0, 12)), (0.86, 1.0, 1.14), (-20.0, 0.0, 20.0)
)
TURNED = _Search(((-45, -30, -15, 0, 15, 30), (-20, 0, 20), (0,)), (0.86, 1.0), (0.0,))
#: Best guesses of the search that are fitted, one of each size and pitch; and how many distinct maps of them go on,
#: with the one of the others that explains most.
FINALISTS, DISTINCT = 9, 3
#: What the squared stretches and shears, relative to a rigid map of one size, cost of the explained share: without it,
#: heads with skull lose a fifth of their height.
STRETCH = 0.5


@dataclasses.dataclass(frozen=True)
class Affine:
    """A map from MNI mm to the scan's mm, both superior, anterior, right: ``matrix @ (mm - CENTRE) + shift``.

    Attributes:
        matrix: ``(3, 3)``.
        shift: ``(3,)``: where the centre of the atlas' brain lies in the scan.
        explained: share of the scan's variance that the atlas explains, times the root of the share of points that
            are in the scan and known; 0..1.
        agreement: mean local correlation with the mixed maps within the brain, -1..1; of final maps alone.
    """

    matrix: np.ndarray
    shift: np.ndarray
    explained: float = 0.0
    agreement: float = 0.0

    def __call__(self, places: np.ndarray) -> np.ndarray:
        """Return the mm in the scan of MNI mm ``(3, n)``."""
        return self.matrix @ (places - CENTRE[:, np.newaxis]) + self.shift[:, np.newaxis]

    @property
    def stretch(self) -> np.ndarray:
        """``(3, 3)``: what the matrix does beyond rotation and one size; 0 where it does nothing else."""
        _, sizes, back = np.linalg.svd(self.matrix)
        return (back.T * (sizes / np.exp(np.log(sizes).mean()))) @ back - np.eye(3)

    @property
    def quality(self) -> float:
        """What is maximized: :attr:`explained` less the cost of the stretch."""
        return self.explained - STRETCH * float((self.stretch**2).sum())

    def inverse(self) -> tuple[np.ndarray, np.ndarray]:
        """Return matrix and offset from the scan's mm to MNI mm."""
        inverse = np.linalg.inv(self.matrix)
        return inverse, CENTRE - inverse @ self.shift


#: MNI mm of the middle of the brain (superior, anterior, right).
CENTRE = np.array([8.0, -18.0, 0.0])


@dataclasses.dataclass(frozen=True)
class _Points:
    """Points of the atlas.

    Attributes:
        places: MNI mm, ``(3, n)``.
        tissues: float64 ``(n, 5)``: the regressors.
    """

    places: np.ndarray
    tissues: np.ndarray


@functools.cache
def _points(mm: int) -> _Points:
    from scipy import ndimage

    maps: Maps = head_maps(3)
    channels = np.array([ndimage.gaussian_filter(each, mm / 2.5 / maps.mm, mode="constant") for each in maps.channels])
    brain = maps.brain > 0.5
    near = ndimage.distance_transform_edt(~np.pad(brain, 4), sampling=maps.mm)
    padded = np.pad(channels, ((0, 0), (4, 4), (4, 4), (4, 4)))
    step = max(1, round(mm / maps.mm))
    grid = tuple(slice(step // 2, None, step) for _ in range(3))
    chosen = near[grid] <= SHELL
    index = np.argwhere(chosen).T * step + step // 2 - 4
    inside = padded[(slice(None), *grid)][:, chosen]
    outside = 1.0 - np.minimum(inside[:3].sum(axis=0), 1.0)
    return _Points(index * maps.mm + maps.origin[:, np.newaxis], np.vstack([inside, outside]).T.astype(float))


def find_affine(coarse: Scan, fine: Scan, enough: float, progress: Progress) -> Affine | None:
    """Return the best affine map from the atlas to a scan; None where nothing of the scan can be compared.

    Args:
        coarse: the scan at about 8 mm.
        fine: at about 4 mm.
        enough: a map of this agreement with the header's orientation is taken; else all orientations of the grid are
            tried, because headers err.
        progress: reports and cancels.
    """
    identity = np.eye(3)
    best = _best([identity], UPRIGHT, coarse, fine, progress.part(0.0, 0.8))
    if best is not None and best.agreement >= enough:
        return best
    others = _best(list(_turns())[1:], TURNED, coarse, fine, progress.part(0.8, 1.0))
    found = [each for each in (best, others) if each is not None]
    return max(found, key=lambda each: each.agreement, default=None)


def _turns() -> Iterator[np.ndarray]:
    """Yield the 24 rotations of a cube, the identity first."""
    turns = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            turn = np.zeros((3, 3))
            turn[range(3), order] = signs
            if np.linalg.det(turn) > 0:
                turns.append(turn)
    return iter(sorted(turns, key=lambda turn: -np.trace(turn)))


def _best(turns: Sequence[np.ndarray], search: _Search, coarse: Scan, fine: Scan, progress: Progress) -> Affine | None:
    """Search positions, sizes and pitches for each orientation, and fit the best guesses."""
    guesses: list[Affine] = []
    middle = _middle(coarse)
    if middle is None:
        return None
    searched = list(itertools.product(turns, search.pitches, search.sizes))
    for number, (turn, pitch, size) in enumerate(searched):
        progress.update(0.5 * number / len(searched), "Finding the head")
        tried = [_score(coarse, _points(SEARCH), each) for each in _guesses(search, turn, pitch, size, middle)]
        guesses.append(max(tried, key=lambda each: each.explained))
    # The best guess of each size and pitch: else all would be heads with the skull taken as brain.
    finalists = sorted(guesses, key=lambda each: -each.explained)[:FINALISTS]
    fitted: list[Affine] = []
    for number, each in enumerate(finalists):
        progress.update(0.5 + 0.3 * number / len(finalists), "Finding the head")
        guess = _fit(coarse, _points(SEARCH), each, rigid=True, iterations=12)
        if not any(_is_same(guess, other) for other in fitted):
            fitted.append(guess)
    # The edge of the skull explains much of a head; what lies within the brain tells it from the edge of the brain.
    # A bright tumor makes all rigid maps agree little; the one that explains most of the head goes on as well.
    fitted.sort(key=lambda each: -_agreement(fine, each))
    fitted = [*fitted[:DISTINCT], *sorted(fitted[DISTINCT:], key=lambda each: -each.explained)[:1]]
    for rigid, iterations in ((True, 8), (False, 15)):
        progress.update(0.8 if rigid else 0.9, "Finding the head")
        fitted = [_fit(fine, _points(FIT), each, rigid=rigid, iterations=iterations) for each in fitted]
    judged = [dataclasses.replace(each, agreement=_agreement(fine, each)) for each in fitted]
    return max(judged, key=lambda each: each.agreement, default=None)


def _is_same(one: Affine, other: Affine) -> bool:
    """Return whether two maps bring the atlas to about the same place and size."""
    size, others = (np.cbrt(np.linalg.det(each.matrix)) for each in (one, other))
    moved = np.linalg.norm(one.shift - other.shift) + 80.0 * np.abs(one.matrix - other.matrix).max()
    return abs(size - others) < 0.04 and moved < 8.0


def _agreement(scan: Scan, affine: Affine) -> float:
    """Return the mean local correlation within the brain, -1..1, by the affine map alone."""
    maps = head_maps(4)
    shape = maps.channels.shape[1:]
    places = np.indices(shape).reshape(3, -1) * maps.mm + maps.origin[:, np.newaxis]
    index = scan.index(affine(places))
    values = sample(scan.values, index).reshape(shape)
    known = (sample(scan.weight, index).reshape(shape) > KNOWN).astype(np.float32)
    image = LocalCorrelation(values, known * (maps.brain > 0.05), [9, 9, 9])
    everywhere = places.reshape(3, *shape).astype(np.float32)
    return image.within(mix(maps, everywhere, values, image.weight), maps.brain)


def _middle(scan: Scan) -> np.ndarray | None:
    """Return the mm of the centre of what is bright, by brightness."""
    weight = np.where(scan.weight > KNOWN, scan.values, 0.0)
    total = float(weight.sum(dtype=float))
    if total <= 0:
        return None
    index = [
        np.dot(weight.sum(axis=tuple(other for other in range(3) if other != axis), dtype=float), np.arange(size))
        for axis, size in enumerate(weight.shape)
    ]
    return scan.matrix @ (np.array(index) / total) + scan.offset


def _guesses(search: _Search, turn: np.ndarray, pitch: float, size: float, middle: np.ndarray) -> Iterator[Affine]:
    angle = np.radians(pitch)
    tilt = np.eye(3)
    tilt[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    for around in itertools.product(*search.shifts):
        yield Affine(size * turn @ tilt, middle + turn @ np.array(around, dtype=float))


def _seen(scan: Scan, points: _Points, affine: Affine) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the indices of the points that lie in the scan and are known, which these are, and the values there."""
    index = scan.index(affine(points.places))
    high = np.array(scan.values.shape)[:, np.newaxis] - 1
    use = np.all((index >= 0) & (index <= high), axis=0)
    use[use] = sample(scan.weight, index[:, use]) > KNOWN
    return index[:, use], use, sample(scan.values, index[:, use])


def _explained(values: np.ndarray, tissues: np.ndarray, share: float) -> tuple[float, np.ndarray]:
    """Return how much of the values the tissues explain, corrected for what is not seen, and the residuals."""
    gram = tissues.T @ tissues + 1e-3 * np.eye(tissues.shape[1])
    residual = values - tissues @ np.linalg.solve(gram, tissues.T @ values)
    variance = float(values.var())
    return (1.0 - float(np.mean(residual**2)) / variance) * np.sqrt(share) if variance > 1e-8 else 0.0, residual


def _score(scan: Scan, points: _Points, affine: Affine) -> Affine:
    _, use, values = _seen(scan, points, affine)
    if values.size < max(50, 0.25 * use.size):
        return affine
    explained, _ = _explained(values, points.tissues[use], values.size / use.size)
    return dataclasses.replace(affine, explained=explained)


def _fit(scan: Scan, points: _Points, start: Affine, *, rigid: bool, iterations: int) -> Affine:
    """Improve an affine map by Gauss-Newton steps; the tissues' coefficients are eliminated (variable projection).

    Args:
        scan, points: to compare.
        start: the map to begin with.
        rigid: rotation, shift and one size alone.
        iterations: at most.
    """
    best = _score(scan, points, start)
    damping = 1e-3
    generators = _generators(rigid)
    for _ in range(iterations):
        step = _step(scan, points, best, generators, damping)
        if step is None:
            return best
        turn, shift = step
        tried = _score(scan, points, Affine(best.matrix @ (np.eye(3) + turn), best.shift + shift))
        if tried.quality > best.quality:
            gain = tried.quality - best.quality
            best, damping = tried, damping / 3
            if gain < 1e-4:
                return best
        else:
            damping *= 8
            if damping > 100:
                return best
    return best


def _generators(rigid: bool) -> np.ndarray:
    """Return the directions in which the matrix may change, ``(m, 3, 3)``."""
    if not rigid:
        return np.eye(9).reshape(9, 3, 3)
    turns = np.zeros((4, 3, 3))
    for number, (row, column) in enumerate(((0, 1), (0, 2), (1, 2))):
        turns[number, row, column], turns[number, column, row] = 1, -1
    turns[3] = np.eye(3)
    return turns


def _step(
    scan: Scan, points: _Points, affine: Affine, generators: np.ndarray, damping: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return one damped step: the change of the matrix, in the atlas' frame, and of the shift in mm."""
    index, use, values = _seen(scan, points, affine)
    if values.size < 50:
        return None
    tissues = points.tissues[use]
    _, residual = _explained(values, tissues, 1.0)
    usual = 2.0 * np.median(np.abs(residual)) + 1e-6
    weight = 1.0 / (1.0 + (residual / usual) ** 2)  # Cauchy's weights: lesions and vessels count little
    along = np.array([sample(each, index) for each in scan.slopes])
    slopes = np.linalg.solve(scan.matrix.T, along)  # per mm in the scan
    centred = points.places[:, use] - CENTRE[:, np.newaxis]
    turned = affine.matrix.T @ slopes
    columns = [np.einsum("an,ab,bn->n", turned, each, centred) for each in generators] + list(slopes)
    jacobian = np.array(columns).T
    weighted = tissues * weight[:, np.newaxis]
    gram = tissues.T @ weighted + 1e-3 * np.eye(tissues.shape[1])
    jacobian = jacobian - tissues @ np.linalg.solve(gram, weighted.T @ jacobian)
    residual = values - tissues @ np.linalg.solve(gram, weighted.T @ values)
    normal = jacobian.T @ (jacobian * weight[:, np.newaxis])
    right = -jacobian.T @ (residual * weight)
    prior = np.zeros(len(normal))
    if len(generators) > 4:
        prior[:9] = STRETCH * values.size * float(values.var())
        right[:9] -= prior[:9] * affine.stretch.ravel()
    normal = normal + np.diag(prior + damping * np.diag(normal) + 1e-9)
    step = np.linalg.solve(normal, right)
    turn = np.tensordot(step[:-3], generators, 1)
    length = max(np.abs(turn).max() / 0.15, np.abs(step[-3:]).max() / 12.0, 1.0)
    return turn / length, step[-3:] / length
