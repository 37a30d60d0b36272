"""The mirror's estimate of a region: what the other side of the body shows, fitted to the surroundings of the hole."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from .mask import Box, bounding_box, grow, relative
from .progress import Progress
from .region import Region
from .registration import Symmetry, fit_locally
from .scan import Scan
from .solvers.fill import solve_laplace

#: Scans less similar to their mirror image than this have no mid-sagittal plane. Measured: 36 MR scans of 12 heads
#: 0.52..0.81 (their sagittal slices 0.20..0.43), seven CTs of chest and abdomen up to 0.46.
SYMMETRIC = 0.49
#: mm around a part of the hole on which both sides are compared.
SHELL = 8.0
#: mm around a region in which the mirror image is fitted.
AROUND = 20.0
#: Parts around which the two sides correlate less than this are not filled from the other side. Gain in dB over the
#: biharmonic fill of half the detail in 78 lateral spheres of 20 mm: -0.1 below 0.4, then 0.5, 0.7, 0.8, and 1.2 from
#: 0.7 on.
ALIKE = 0.4
#: Parts with less than this share of mirrored voxels are not, either: 20 mm spheres within about 6 mm of the midline.
MOST = 0.75
#: The share of the mirror's detail that is likely to be true, by the correlation around the hole; and the sigma in mm
#: of the detail that is never shared. Best of 0.4..1.1 (78 lateral 20 mm spheres) and of 0, 1, 2, 3 mm (20 of them).
LIKELY, UNSHARED = 0.9, 1.0

NO_MIRROR = "its mirrored place lies in the hole itself or outside of the image"
UNLIKE = "the two sides are not alike around it"


@dataclasses.dataclass(frozen=True)
class Part:
    """One connected part of the hole.

    Attributes:
        voxels: how many it has.
        mirrored: how many of them have a mirrored place that is known.
        correlation: of the detail on both sides in the shell around it, -1..1; 0 where nothing could be compared.
        reason: why it was not mirrored; empty when it was.
    """

    voxels: int
    mirrored: int
    correlation: float
    reason: str


@dataclasses.dataclass(frozen=True)
class _Sides:
    """A crop of the scan and what lies on the other side of it, on one grid.

    Attributes:
        here: float32, 0 under the hole.
        there: float32, the fitted mirror image.
        usable: bool, where ``there`` is made of known voxels alone.
        compared: bool, where both are known.
        details: of both: what is left without a Gaussian mean of 3 mm.
    """

    here: np.ndarray
    there: np.ndarray
    usable: np.ndarray
    compared: np.ndarray
    details: tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A region beside what lies on the other side, and what came of each part of its hole.

    Attributes:
        parts: of the hole.
        sides: on a box around the region.
        box: of the scan, where :attr:`sides` lie.
        within: where in it the region lies.
        zone: int, of the region's shape: the number (from 1) of the part that a voxel belongs to or is nearest to.
        shells: bool, of the box's shape, one a part: where it was compared.
        spacing: mm.
    """

    parts: list[Part]
    sides: _Sides
    box: Box
    within: Box
    zone: np.ndarray
    shells: list[np.ndarray]
    spacing: tuple[float, ...]

    def unlike(self) -> np.ndarray:
        """bool, of the region's shape: nearest to parts that cannot be filled from the other side."""
        return np.isin(self.zone, [number for number, part in enumerate(self.parts, start=1) if part.reason])

    def image(self, box: Box, *, match: bool) -> tuple[np.ndarray, np.ndarray]:
        """The mirror image in a box of the scan, and where it can be used; beyond :attr:`box` it cannot.

        Args:
            box: of the scan's arrays.
            match: fit its intensities to the surroundings of the hole.
        """
        shell = np.any(self.shells, axis=0)
        seen = _seen(self.sides, shell, self.spacing, match and bool(shell.any()), True)
        image = np.zeros([side.stop - side.start for side in box], dtype=np.float32)
        usable = np.zeros(image.shape, dtype=bool)
        here, there = [], []
        for mine, other in zip(self.box, box, strict=True):
            start, stop = max(mine.start, other.start), min(mine.stop, other.stop)
            here.append(slice(start - mine.start, stop - mine.start))
            there.append(slice(start - other.start, stop - other.start))
        usable[tuple(there)] = self.sides.usable[tuple(here)]
        image[tuple(there)] = seen[tuple(here)]
        return np.where(usable, image, 0.0).astype(np.float32), usable


def compare(region: Region, symmetry: Symmetry, progress: Progress | None = None) -> Comparison:
    """Fit the mirror image around a region, and find out which parts of its hole can be filled from it."""
    from scipy import ndimage

    progress = progress or Progress()
    progress.update(0.0, "Fitting the mirror image")
    wide = grow(region.place, [math.ceil(AROUND / step) for step in region.spacing], region.scan.values.shape)
    sides = _sides(region.scan, wide, symmetry)
    within = relative(region.place, wide)
    # Parts with less than three voxels between them are one: a known voxel that touches two would serve two masters.
    everywhere = np.ones((3,) * region.hole.ndim, dtype=bool)
    labels, count = ndimage.label(ndimage.binary_dilation(region.hole, everywhere), everywhere)
    labels[~region.hole] = 0
    # What surrounds a part belongs to its estimate: blending compares the two there.
    nearest = labels[tuple(ndimage.distance_transform_edt(labels == 0, region.spacing, False, True))]
    parts, shells = [], []
    for number in range(1, count + 1):
        progress.update(0.5 + 0.5 * number / count, "Comparing the two sides")
        own = np.zeros(sides.here.shape, dtype=bool)
        own[within] = labels == number
        part, shell = _part(sides, own, region.spacing)
        parts.append(part)
        shells.append(shell)
    return Comparison(parts, sides, wide, within, nearest, shells, region.spacing)


def estimate(compared: Comparison, base: np.ndarray, *, match: bool, full: bool) -> np.ndarray:
    """The mirror's estimate of a region, hole and surroundings.

    It is ``base + share * (mirror image - base)``: with a share of 1 the mirror image itself, and where there is none,
    ``base``. Poisson blending makes of it the same mixture of ``base`` and the blended mirror image.

    Args:
        compared: the region and the other side.
        base: the region's values with the hole filled smoothly.
        match: fit the mirror image's intensities to the surroundings of each part.
        full: all of the mirror's detail, instead of the share that is likely to be true.
    """
    made = np.array(base, dtype=np.float64)
    for number, (part, shell) in enumerate(zip(compared.parts, compared.shells, strict=True), start=1):
        if part.reason:
            continue
        image = _seen(compared.sides, shell, compared.spacing, match, full)[compared.within]
        zone = compared.zone == number
        share = 1.0 if full else min(LIKELY * part.correlation, 1.0)
        usable = compared.sides.usable[compared.within]
        made[zone] += share * _completed(image - base, usable, compared.spacing)[zone]
    return made


def _sides(scan: Scan, box: Box, symmetry: Symmetry) -> _Sides:
    """Both sides of a box, the other one fitted locally; sampled by cubic splines, for linear sampling blurs."""
    from scipy import ndimage

    here, known = scan.values[box], ~scan.hole[box]
    corner = np.reshape([side.start for side in box], (-1, *(1,) * here.ndim))
    indices = np.indices(here.shape) + corner
    source, start = _source(scan, symmetry.mirror(indices.astype(float)))
    if source is None:
        nothing = np.zeros(here.shape, dtype=bool)
        return _Sides(here, np.zeros_like(here), nothing, nothing, (here, here))
    values, whole = scan.values[source], ~scan.hole[source]
    if not whole.all() and whole.any():
        # Splines ring at the edge of the emptied hole.
        values = values[tuple(ndimage.distance_transform_edt(~whole, scan.spacing, False, True))]

    def look(array: np.ndarray, aside: np.ndarray | float, order: int, mode: str) -> np.ndarray:
        at = symmetry.mirror(indices + aside) - start
        return ndimage.map_coordinates(array.astype(np.float32), at, order=order, mode=mode)

    first, usable = look(values, 0.0, 1, "constant"), look(whole, 0.0, 1, "constant") > 0.9
    steps = np.reshape(scan.spacing, (-1, *(1,) * here.ndim))
    aside = fit_locally(here, known, first, usable, scan.spacing) / steps
    there, usable = look(values, aside, 3, "nearest"), look(whole, aside, 1, "constant") > 0.99
    compared = known & usable
    return _Sides(
        here, there, usable, compared, (_detail(here, compared, scan.spacing), _detail(there, compared, scan.spacing))
    )


def _source(scan: Scan, points: np.ndarray) -> tuple[Box | None, np.ndarray]:
    """The box of the scan in which these indices lie, with room for splines, and its corner; None when outside."""
    starts, sides = [], []
    for along, size in zip(points, scan.values.shape, strict=True):
        start, stop = max(int(np.floor(along.min())) - 8, 0), min(int(np.ceil(along.max())) + 9, size)
        if stop - start < 2:
            return None, np.zeros(0)
        starts.append(start)
        sides.append(slice(start, stop))
    return tuple(sides), np.reshape(starts, (-1, *(1,) * (points.ndim - 1)))


def _detail(values: np.ndarray, known: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    from scipy import ndimage

    sigma = [3.0 / step for step in spacing]
    weight = known.astype(np.float32)
    mean = ndimage.gaussian_filter(values * weight, sigma) / np.maximum(ndimage.gaussian_filter(weight, sigma), 1e-3)
    return values - mean


def _part(sides: _Sides, own: np.ndarray, spacing: Sequence[float]) -> tuple[Part, np.ndarray]:
    """What speaks for and against filling a part from the other side, and the shell that says so."""
    from scipy import ndimage

    found = bounding_box(own)
    assert found is not None  # every label has a voxel
    box = grow(found, [math.ceil(SHELL / step) for step in spacing], own.shape)
    shell = np.zeros(own.shape, dtype=bool)
    shell[box] = (ndimage.distance_transform_edt(~own[box], spacing) <= SHELL) & sides.compared[box]
    voxels, mirrored = int(np.count_nonzero(own)), int(np.count_nonzero(own & sides.usable))
    correlation = _correlation(sides.details[0][shell], sides.details[1][shell])
    reason = NO_MIRROR if mirrored < MOST * voxels else UNLIKE if correlation < ALIKE else ""
    return Part(voxels, mirrored, correlation, reason), shell


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if a.size < 30:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 1e-9 else 0.0


def _seen(sides: _Sides, shell: np.ndarray, spacing: Sequence[float], match: bool, full: bool) -> np.ndarray:
    """The mirror image as one part is to see it: in its intensities, and without what two sides never share."""
    from scipy import ndimage

    image = sides.there if full else ndimage.gaussian_filter(sides.there, [UNSHARED / step for step in spacing])
    if not match:
        return image
    # A line through medians and quartiles: least squares would flatten it by what does not correlate.
    here, there = (np.percentile(side[shell], [25, 50, 75]) for side in (sides.here, sides.there))
    slope = np.clip((here[2] - here[0]) / max(there[2] - there[0], 1e-6), 0.8, 1.25)
    return slope * (image - there[1]) + here[1]


def _completed(difference: np.ndarray, usable: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """The difference where the mirror image has voxels; carried on smoothly where it has none."""
    if usable.all():
        return difference
    return solve_laplace(difference, ~usable, spacing).values
