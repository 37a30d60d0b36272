"""The other side: the contralateral anatomy, mirrored and fitted. Cached: symmetry per image, comparison per region."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np

from .frames import WHOLE, Frames
from .mask import Box, Hole, grow, relative
from .no_data import nearest
from .progress import Progress
from .region import Region
from .registration import FITTING, Symmetry, find_symmetry, fit_locally
from .solvers.fill import solve_laplace
from .subject import Subject

#: Scans less similar to their mirror image than this have no mid-sagittal plane. Measured: 36 MR scans of 12 heads
#: 0.52..0.81 (their sagittal slices 0.20..0.43), seven CTs of chest and abdomen up to 0.46.
SYMMETRIC = 0.49
#: mm around a part of the hole on which both sides are compared.
SHELL = 8.0
#: mm around a region in which the mirror image is fitted. Mean PSNR by person of the likely share of its detail with
#: 20, 16, 14, 12, 10 and 8 mm: 23.46, 23.49, 23.51, 23.53, 23.52, 23.50 dB (20 mm balls in six heads of val); with 20,
#: 16 and 12 mm: 30.77, 30.74, 30.77 dB (lesion shapes in two of them). Within 12 mm it takes half the time of 20.
AROUND = 12.0
#: Parts around which both sides correlate less than this are not filled from the other side. Gain in dB over biharmonic
#: of half the detail in 78 lateral 20 mm spheres: -0.1 below 0.4, then 0.5, 0.7, 0.8, and 1.2 from 0.7 on.
ALIKE = 0.4
#: Parts with less than this share of mirrored voxels are not, either: 20 mm spheres within about 6 mm of the midline.
MOST = 0.75
#: The share of the mirror's detail that is likely to be true, by the correlation around the hole; and the sigma in mm
#: of the detail that is never shared. Best of 0.4..1.1 (78 lateral 20 mm spheres) and of 0, 1, 2, 3 mm (20 of them).
LIKELY, UNSHARED = 0.9, 1.0

#: ml from which on a part is large: patches see too little of it from its rim, and take minutes.
LARGE = 10.0
#: The share of voxels with a known mirror that is enough for a large part.
LARGE_MOST = 0.25
#: Large parts: the sigma in mm of the mirror's detail that is not shared, and the mm of depth over which the misfit at
#: the rim loses an e-fold. Of 5, 10, 20 mm and none, 5 is best: 14.3, 13.9, 13.5, 12.5 dB in a stroke of 450 ml at the
#: edge of a brain, whose rim is half background, and 17.5, 17.5, 17.4, 17.3 dB in one of 140 ml within another.
#: What does not help: the mirror's local mean (16 mm) instead of its detail near the outside of the head gains 0.30 dB
#: in ten people of val and train (0.12 to 0.48; 20 strokes of 34 to 290 ml) and nothing on test: -0.06 (-0.32 to +0.21)
#: in ten people at 250 to 450 ml, -0.16 (-0.43 to +0.11) in seven at 120 to 250. The mean with unet's fill gains -0.1
#: to +0.05 (seven strokes of val), tissue maps of an average head, brought there by an affine map, nothing (four).
LARGE_UNSHARED, FADING = 2.0, 5.0
#: The initial fill's share, exp(-(depth / INWARDS)^2). In nine strokes of 38 to 267 ml in three heads of val its best
#: share was 0.92 up to 1.5 mm, 0.53 up to 3, 0.18 up to 4.5, and less than 0.1 beyond, alike in shallow and deep ones
#: (up to 18 mm). In parts deeper than DEEP mm it falls with the square of their depth: of a stroke of 450 ml the thin
#: plate has 30 % of the mean brightness.
INWARDS, DEEP = 2.8, 18.0
#: The accuracy of membranes that join the mirror image to the rim, as a share of the range.
SMOOTH = 1e-3

NO_MIRROR = "its mirrored place lies in the hole itself or outside of the image"
UNLIKE = "the two sides are not alike around it"


#: A box, and which of its voxels.
Shell = tuple[Box, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Part:
    """One connected part of the hole.

    Attributes:
        voxels: how many it has.
        mirrored: how many of them have a mirrored place that is known.
        correlation: of the detail on both sides in the shell around it, -1..1; 0 where nothing could be compared.
        reason: why it was not mirrored; empty when it was.
        large: whether it has :data:`LARGE` ml or more.
    """

    voxels: int
    mirrored: int
    correlation: float
    reason: str
    large: bool = False


@dataclasses.dataclass(frozen=True)
class _Sides:
    """A crop of the image and what lies on the other side of it, on one grid.

    Attributes:
        here: float32, 0 where nothing is known.
        there: float32, the fitted mirror image.
        usable: bool, where ``there`` is made of known voxels alone.
        compared: bool, where both are known.
        details: of both: the difference from a Gaussian mean of 3 mm.
    """

    here: np.ndarray
    there: np.ndarray
    usable: np.ndarray
    compared: np.ndarray
    details: tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A region, the other side, and the verdict on each part of its hole.

    Attributes:
        parts: of the hole.
        sides: on a box around the region.
        box: of the subject, where :attr:`sides` lie.
        within: where in it the region lies.
        fill: bool, of the region's shape: the voxels of all parts.
        zone: int, of the region's shape: the number (from 1) of the part that a voxel belongs to or is nearest to.
        shells: for each part a box of :attr:`sides`, and in it, bool, where it was compared: there may be thousands.
        spacing: mm.
    """

    parts: list[Part]
    sides: _Sides
    box: Box
    within: Box
    fill: np.ndarray
    zone: np.ndarray
    shells: list[Shell]
    spacing: tuple[float, ...]

    def unlike(self) -> np.ndarray:
        """Mark the voxels nearest to parts that cannot be filled from the other side: bool of the region's shape."""
        return np.isin(self.zone, [number for number, part in enumerate(self.parts, start=1) if part.reason])

    def image(self, box: Box, *, match: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the mirror image in a box of the subject, and where it can be used; beyond :attr:`box` it cannot.

        Args:
            box: of the subject's arrays.
            match: fit its intensities to the surroundings of the hole.
        """
        shell = np.zeros(self.sides.here.shape, dtype=bool)
        for at, compared in self.shells:
            shell[at] |= compared
        whole: Box = (slice(None),) * shell.ndim
        seen = _matched(self.sides, self.sides.there, (whole, shell)) if match and shell.any() else self.sides.there
        image = np.zeros([side.stop - side.start for side in box], dtype=np.float32)
        usable = np.zeros(image.shape, dtype=bool)
        source, target = [], []
        for mine, other in zip(self.box, box, strict=True):
            start, stop = max(mine.start, other.start), min(mine.stop, other.stop)
            source.append(slice(start - mine.start, stop - mine.start))
            target.append(slice(start - other.start, stop - other.start))
        usable[tuple(target)] = self.sides.usable[tuple(source)]
        image[tuple(target)] = seen[tuple(source)]
        return np.where(usable, image, 0.0).astype(np.float32), usable


def symmetry_of(subject: Subject, progress: Progress | None = None) -> Symmetry | None:
    """Return the symmetry of an image, finding it on first use; None where the image is too small to tell."""
    return subject.cached(find_symmetry, lambda: find_symmetry(subject, progress))


def is_symmetry_known(subject: Subject) -> bool:
    """Return whether :func:`symmetry_of` has been computed."""
    return find_symmetry in subject.cache


def why_none(symmetry: Symmetry | None) -> str:
    """Return why an image of this symmetry has no other side, in words; empty where it has one."""
    if symmetry is None:
        return "the image is too small to tell"
    if symmetry.similarity < SYMMETRIC:
        return f"the image is not symmetric enough (similarity {symmetry.similarity:.2f})"
    return ""


def other_side(region: Region, progress: Progress | None = None) -> Comparison | None:
    """Compare a region with what lies on the other side of the body, once a region; None where there is none."""
    compared = other_sides(region.alone(), progress)
    return None if compared is None else compared[0]


def other_sides(region: Region, progress: Progress | None = None) -> tuple[Comparison, ...] | None:
    """Compare a region and its companions with the other side, once a region; None where there is none.

    All images take the symmetry and the local fit of the first one, so that they show one anatomy, and its verdict.
    """
    progress = progress or Progress()
    start = 0.0 if is_symmetry_known(region.subject) else 0.7
    symmetry = symmetry_of(region.subject, progress.part(0.0, start))
    if symmetry is None or why_none(symmetry):
        return None
    key = other_sides, len(region.companions)
    return region.cached(key, lambda: _compare_all(region, symmetry, progress.part(start, 1.0)))


def is_mostly_known(subject: Subject, hole: Hole) -> bool:
    """Return whether there is another side, and most of the mirrored place of (a part of) the hole is known there."""
    return known_share(subject, hole.voxels, hole.box) >= MOST


def in_frames(compared: Comparison | None, frames: Frames) -> tuple[np.ndarray, np.ndarray]:
    """Show all of the other side in frames, so that a network can judge how well both sides agree.

    Args:
        compared: of the region that the frames are of.
        frames: of the same region.

    Returns:
        its values, float32 of the frames' shape in the region's scale, the frames' own where there are none; and, bool,
        where there are any.
    """
    if compared is None:
        return frames.values, np.zeros(frames.values.shape, dtype=bool)
    image, usable = compared.image(compared.box, match=True)
    seen = frames.show(usable.astype(np.float32), compared.box, outside=0.0) > WHOLE
    return np.where(seen, frames.show(image, compared.box), frames.values), seen


def has_large_part(region: Region) -> bool:
    """Return whether a connected part of a region's hole has :data:`LARGE` ml or more."""
    from scipy import ndimage

    if not is_large(int(np.count_nonzero(region.fill)), region.spacing):
        return False
    labels, _ = ndimage.label(region.fill, np.ones((3,) * region.hole.ndim, dtype=bool))
    return is_large(int(np.bincount(labels.ravel())[1:].max()), region.spacing)


def known_share(subject: Subject, voxels: np.ndarray, box: Box) -> float:
    """Return the share of some voxels whose mirrored place is known, without the local fit; 0 without two sides.

    Args:
        subject: the image; its symmetry is found on first use.
        voxels: bool, in a box: e.g. a part of the hole.
        box: of the image.
    """
    symmetry = symmetry_of(subject)
    if symmetry is None or why_none(symmetry):
        return 0.0
    _, known = mirrored_places(subject, symmetry, voxels, box)
    return float(np.count_nonzero(known) / known.size) if known.size else 0.0


def mirrored_places(
    subject: Subject, symmetry: Symmetry, voxels: np.ndarray, box: Box
) -> tuple[np.ndarray, np.ndarray]:
    """Return where some voxels lie on the other side, without the local fit, and whether the image is known there.

    Args:
        subject: the image.
        symmetry: its own.
        voxels: bool, in a box.
        box: of the image.

    Returns:
        int ``(d, n)``, indices of the subject's arrays, outside of them where there is no such place; bool ``(n,)``.
    """
    places = np.argwhere(subject.squeeze(voxels)) + [side.start for side in subject.place(box)]
    mirrored = np.rint(symmetry.mirror(places.T.astype(float))).astype(int)
    known = ((mirrored >= 0) & (mirrored < np.reshape(subject.hole.shape, (-1, 1)))).all(axis=0)
    known[known] = ~subject.hole[tuple(mirrored[:, known])]
    return mirrored, known


def has_other_side(subject: Subject, voxels: np.ndarray, box: Box) -> bool:
    """Return whether enough of a part of the hole has a known mirrored place for it to be filled from there.

    Args: as for :func:`known_share`.
    """
    large = is_large(int(np.count_nonzero(voxels)), subject.spacing)
    return known_share(subject, voxels, box) >= (LARGE_MOST if large else MOST)


def _compare_all(region: Region, symmetry: Symmetry, progress: Progress) -> tuple[Comparison, ...]:
    """Fit the mirror image around a region, and compare each image there."""
    progress.update(0.0, FITTING)
    wide = grow(region.place, [math.ceil(AROUND / step) for step in region.spacing], region.subject.values.shape)
    sides, mirrored = _sides(region.subject, wide, symmetry, progress.part(0.0, 0.5))
    first = _compare(region, sides, wide, progress.part(0.5, 1.0))
    companions = []
    for each in region.companions:
        compared = _compare(each, _mirrored_sides(each.subject, wide, mirrored), wide, Progress())
        pairs = zip(first.parts, compared.parts, compared.shells, strict=True)
        parts = [
            dataclasses.replace(part, reason=leader.reason or ("" if shell.any() else UNLIKE))
            for leader, part, (_, shell) in pairs
        ]
        companions.append(dataclasses.replace(compared, parts=parts))
    return first, *companions


def _compare(region: Region, sides: _Sides, wide: Box, progress: Progress) -> Comparison:
    """Decide which parts of a region's hole can be filled from the other side, seen in a wider box."""
    from scipy import ndimage

    within = relative(region.place, wide)
    # A known voxel between two close parts would belong to both, so parts less than three voxels apart are merged.
    everywhere = np.ones((3,) * region.hole.ndim, dtype=bool)
    labels, count = ndimage.label(ndimage.binary_dilation(region.fill, everywhere), everywhere)
    labels[~region.fill] = 0
    # What surrounds a part belongs to its estimate: blending compares the two there.
    zone = labels[tuple(ndimage.distance_transform_edt(labels == 0, region.spacing, False, True))]
    around = np.zeros(sides.here.shape, dtype=labels.dtype)
    around[within] = labels
    parts, shells = [], []
    for number, part_box in enumerate(ndimage.find_objects(around), start=1):
        progress.update(number / count, "Comparing the two sides")
        box = grow(part_box, [math.ceil(SHELL / step) for step in region.spacing], around.shape)
        part, shell = _part(sides, box, around[box] == number, region.spacing)
        parts.append(part)
        shells.append((box, shell))
    return Comparison(parts, sides, wide, within, region.fill, zone, shells, region.spacing)


def estimate(
    compared: Comparison, initial: np.ndarray, *, match: bool, full: bool, progress: Progress | None = None
) -> np.ndarray:
    """Estimate a region, hole and surroundings, from the other side.

    It is ``initial + share * (mirror image - initial)``, and ``initial`` where there is no mirror image. Poisson
    blending turns it into the same mixture of ``initial`` and the blended mirror image. That of a large
    part is joined to the rim here, since its share grows with the depth: there a thin plate knows nothing.

    Args:
        compared: the region beside the other side.
        initial: the region's values with the hole filled smoothly.
        match: fit the mirror image's intensities to the surroundings of each part.
        full: all of the mirror's detail, not only the share that is likely to be true.
        progress: reports and cancels.
    """
    from scipy import ndimage

    progress = progress or Progress()
    values = np.array(initial, dtype=np.float64)
    sides, unshared = compared.sides, [UNSHARED / step for step in compared.spacing]
    image = (sides.there if full else ndimage.gaussian_filter(sides.there, unshared))[compared.within]
    usable = sides.usable[compared.within]
    each = zip(compared.parts, compared.shells, ndimage.find_objects(compared.zone), strict=True)
    for number, (part, shell, box) in enumerate(each, start=1):
        if part.reason:
            continue
        zone = compared.zone[box] == number
        if part.large and not full:
            own = zone & compared.fill[box]
            values[box][own] = _joined(compared, initial, number, progress)[box][own]
            continue
        share = 1.0 if full else min(max(LIKELY * part.correlation, 0.0), 1.0)
        seen = _matched(sides, image[box], shell) if match else image[box]
        values[box][zone] += share * _completed(seen - initial[box], usable[box], compared.spacing)[zone]
    return values


def _joined(compared: Comparison, initial: np.ndarray, number: int, progress: Progress) -> np.ndarray:
    """Return the estimate of a large part: the mirror image, joined to the rim, and near that some initial fill.

    Its intensities are not matched as those of small parts are: half of what surrounds it may be background.
    """
    from scipy import ndimage

    sides, within, spacing = compared.sides, compared.within, compared.spacing
    own, both, usable = compared.fill & (compared.zone == number), sides.compared[within], sides.usable[within]
    if not both.any():
        return initial
    image = ndimage.gaussian_filter(sides.there, [LARGE_UNSHARED / step for step in spacing])[within]
    misfit = solve_laplace(
        np.where(both, initial - image, 0.0), ~both, spacing, accuracy=SMOOTH, progress=progress.part(0.0, 0.8)
    ).values
    depth = ndimage.distance_transform_edt(own, spacing)
    joined = image + misfit * np.exp(-depth / FADING)
    share = 1 - min(1.0, DEEP / depth.max()) ** 2 * np.exp(-((depth / INWARDS) ** 2))
    change = np.where(own & usable, share * (joined - initial), 0.0)
    # Where the mirrored place is hidden, too, what was changed beside it fades out towards the rim.
    hidden = own & ~usable
    if hidden.any():
        change = solve_laplace(change, hidden, spacing, accuracy=SMOOTH, progress=progress.part(0.8, 1.0)).values
    return np.clip(initial + change, initial.min(), initial.max())


@dataclasses.dataclass(frozen=True)
class _Mirrored:
    """Where the mirrored places of a box's voxels lie: a box of the subject, None for nowhere, and indices in it."""

    source: Box | None
    at: np.ndarray


def _sides(subject: Subject, box: Box, symmetry: Symmetry, progress: Progress) -> tuple[_Sides, _Mirrored]:
    """Return both sides of a box, the other one fitted locally, and the mirrored places."""
    from scipy import ndimage

    here, known = subject.values[box], ~subject.hole[box]
    first_index = np.array([side.start for side in box])
    indices = np.indices(here.shape, dtype=np.float32) + first_index.reshape(-1, *(1,) * here.ndim)
    source, start = _source(subject, symmetry, box)
    if source is None:
        nowhere = _Mirrored(None, indices)
        return _mirrored_sides(subject, box, nowhere), nowhere
    values, whole = _known_values(subject, source)

    def look(array: np.ndarray) -> np.ndarray:
        offset = symmetry.mirror(first_index) - start
        return ndimage.affine_transform(array, symmetry.matrix, offset, here.shape, np.float32, order=1)

    first, usable = look(values), look(whole.astype(np.float32)) > 0.9
    steps = np.reshape(subject.spacing, (-1, *(1,) * here.ndim))
    aside = fit_locally(here, known, first, usable, subject.spacing, progress.part(0.1, 0.8)) / steps
    mirrored = _Mirrored(source, symmetry.mirror(indices + aside) - start.reshape(-1, *(1,) * here.ndim))
    return _mirrored_sides(subject, box, mirrored, (values, whole)), mirrored


def _known_values(subject: Subject, source: Box) -> tuple[np.ndarray, np.ndarray]:
    """Return the values in a box, those that are not known replaced by the nearest ones, and which are known."""
    values, whole = subject.values[source], ~subject.hole[source]
    if not whole.all() and whole.any():
        # Splines ring at the edge of the emptied hole.
        values = nearest(values, ~whole, subject.spacing)
    return values, whole


def _mirrored_sides(
    subject: Subject, box: Box, mirrored: _Mirrored, source_values: tuple[np.ndarray, np.ndarray] | None = None
) -> _Sides:
    """Return both sides of a box, the other one sampled by cubic splines: linear sampling blurs.

    Args:
        subject: the image.
        box: of it.
        mirrored: the mirrored places of its voxels.
        source_values: what :func:`_known_values` returns for them, where it is there already.
    """
    from scipy import ndimage

    here, known = subject.values[box], ~subject.hole[box]
    if mirrored.source is None:
        nothing = np.zeros(here.shape, dtype=bool)
        return _Sides(here, np.zeros_like(here), nothing, nothing, (here, here))
    values, whole = source_values or _known_values(subject, mirrored.source)
    at = mirrored.at
    there = ndimage.map_coordinates(values, at, order=3, mode="nearest")
    usable = ndimage.map_coordinates(whole.astype(np.float32), at, order=1, mode="constant") > 0.99
    compared = known & usable
    return _Sides(
        here,
        there,
        usable,
        compared,
        (_detail(here, compared, subject.spacing), _detail(there, compared, subject.spacing)),
    )


def _source(subject: Subject, symmetry: Symmetry, box: Box) -> tuple[Box | None, np.ndarray]:
    """Return the box of the subject around a box's mirror image, with room for splines, and its first index."""
    corners = np.array(list(itertools.product(*((side.start, side.stop - 1) for side in box)))).T
    starts, sides = [], []
    for along, size in zip(symmetry.mirror(corners), subject.values.shape, strict=True):
        start, stop = max(int(np.floor(along.min())) - 8, 0), min(int(np.ceil(along.max())) + 9, size)
        if stop - start < 2:
            return None, np.zeros(0)
        starts.append(start)
        sides.append(slice(start, stop))
    return tuple(sides), np.array(starts)


def _detail(values: np.ndarray, known: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    from scipy import ndimage

    sigma = [3.0 / step for step in spacing]
    weight = known.astype(np.float32)
    mean = ndimage.gaussian_filter(values * weight, sigma) / np.maximum(ndimage.gaussian_filter(weight, sigma), 1e-3)
    return values - mean


def _part(sides: _Sides, box: Box, own: np.ndarray, spacing: Sequence[float]) -> tuple[Part, np.ndarray]:
    """Judge whether a part can be filled from the other side; return that and the compared shell in its box."""
    from scipy import ndimage

    shell = (ndimage.distance_transform_edt(~own, spacing) <= SHELL) & sides.compared[box]
    voxels, mirrored = int(np.count_nonzero(own)), int(np.count_nonzero(own & sides.usable[box]))
    correlation = _correlation(sides.details[0][box][shell], sides.details[1][box][shell])
    large = is_large(voxels, spacing)
    enough = (LARGE_MOST if large else MOST) * voxels
    # Gyri around a large part may not correlate; in its depth the mirror is the best guess all the same.
    alike = shell.any() if large else correlation >= ALIKE
    reason = NO_MIRROR if mirrored < enough else "" if alike else UNLIKE
    return Part(voxels, mirrored, correlation, reason, large), shell


def is_large(voxels: int, spacing: Sequence[float]) -> bool:
    """Return whether a part of this many voxels has :data:`LARGE` ml or more; of a flat image, none has."""
    return len(spacing) == 3 and voxels * math.prod(spacing) >= LARGE * 1000


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if a.size < 30:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 1e-9 else 0.0


def _matched(sides: _Sides, image: np.ndarray, shell: Shell) -> np.ndarray:
    """Fit the intensities of an image of the other side to those of this side in a shell."""
    box, compared = shell
    # A line through medians and quartiles: least squares would flatten it by what does not correlate.
    own, other = (np.percentile(side[box][compared], [25, 50, 75]) for side in (sides.here, sides.there))
    slope = np.clip((own[2] - own[0]) / max(other[2] - other[0], 1e-6), 0.8, 1.25)
    return slope * (image - other[1]) + own[1]


def _completed(difference: np.ndarray, usable: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Continue the difference smoothly where the mirror image has no voxels."""
    if usable.all():
        return difference
    return solve_laplace(difference, ~usable, spacing).values
