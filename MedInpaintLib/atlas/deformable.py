"""The deformation of the atlas onto a scan, after the affine map: local correlation, coarse to fine.

At each level the atlas' maps are mixed to look like the scan (so any contrast can be met), and the field climbs the
local correlation of the two (Avants et al.: Symmetric diffeomorphic image registration with cross-correlation,
Med. Image Anal. 12:26, 2008, without its symmetric half). Hidden voxels have no weight; the field continues smoothly
there. Guides, which are known under the hole, pull as the image does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..mask import Box
from ..progress import Progress
from .local_correlation import LocalCorrelation, mix
from .maps import Maps, head_maps
from .scan import Scan

#: Levels: mm between blocks, iterations.
LEVELS = ((4.0, 50), (2.0, 30))
#: Blocks from the middle to the edge of the window of the local correlation.
WINDOW = 3
#: The largest move of one iteration, in blocks.
FARTHEST = 0.5
#: Standard deviations of the Gaussians that smooth each move, the field far from the hole, and the field at the hole,
#: in blocks of the level (in thicker slices, of these). Less smooth fields overlap label maps more, but bring the atlas
#: less well to places under the hole. With 1.2 everywhere, with 0.6 everywhere, and with 0.45 but 0.6 at the hole, the
#: Dice of grey and white matter of two val people is .65 and .71, .72 and .79, .75 and .81; see docs/registrations.
FLUID, ELASTIC, AT_HOLE = 1.7, 0.45, 0.6
#: mm from the hole at which the field's smoothing has gone 63 % of the way from the one to the other.
FADING = 25.0
#: Iterations after which the maps are mixed again.
MIXING = 5
#: The least share of a block that must be known.
KNOWN = 0.5
#: The least share of brain, in the atlas, of a voxel that belongs to it.
INSIDE = 0.05
#: mm around the brain of the atlas that are registered with it.
MARGIN = 12.0
#: mm around the brain of the atlas that count in the correlation: the edge of the brain shows there.
NEAR = 6.0
#: The least volume that the field may leave of a block, relative to the affine map.
LEAST_VOLUME = 0.1


@dataclasses.dataclass(frozen=True)
class Field:
    """What the deformation adds to the affine map.

    Attributes:
        added: float32 ``(3, *shape)``, MNI mm (superior, anterior, right), at the blocks of a box of a scan.
        box: of the scan's blocks.
        strides: voxels of a block along each axis.
        correlation: mean local correlation of the scan with the mixed maps over the known brain, -1..1.
    """

    added: np.ndarray
    box: Box
    strides: tuple[int, ...]
    correlation: float


def deform(levels: Sequence[Sequence[Scan]], matrix: np.ndarray, offset: np.ndarray, progress: Progress) -> Field:
    """Return the field that brings the atlas onto a scan.

    Args:
        levels: the scan, and its guides behind it, at each of :data:`LEVELS`.
        matrix, offset: from the scan's mm to MNI mm: the affine map to begin with.
        progress: reports and cancels.
    """
    work = [scans[0].values.size * iterations for scans, (_, iterations) in zip(levels, LEVELS, strict=True)]
    field: Field | None = None
    for share, scans, (mm, iterations) in zip(progress.remaining(*work), levels, LEVELS, strict=True):
        scan = scans[0]
        box = brain_box(scan, matrix, offset)
        turned, shift = matrix @ scan.matrix, matrix @ scan.offset + offset
        start = affine_places(turned, shift, box)
        added = np.zeros_like(start)
        if field is not None:
            added = resample(field.added, field.strides, field.box, scan.strides, box)
        climb = _Climb(scans, box, start, turned, head_maps(round(mm)))
        field = climb.run(added, iterations, share)
    assert field is not None
    return field


def brain_box(scan: Scan, matrix: np.ndarray, offset: np.ndarray) -> Box:
    """Return the box of the scan that holds the brain of the atlas and a margin."""
    maps = head_maps(4)
    brain = np.argwhere(maps.brain > 0.5).T * maps.mm + maps.origin[:, np.newaxis]
    index = scan.index(np.linalg.solve(matrix, brain - offset[:, np.newaxis]))
    box = []
    for along, size, mm in zip(index, scan.values.shape, scan.spacing, strict=True):
        low = int(np.clip(np.floor(along.min() - MARGIN / mm), 0, size - 1))
        high = int(np.clip(np.ceil(along.max() + MARGIN / mm) + 1, low + 1, size))
        box.append(slice(low, high))
    return tuple(box)


def affine_places(matrix: np.ndarray, offset: np.ndarray, box: Box) -> np.ndarray:
    """Return ``matrix @ index + offset`` at each index of a box, float32 ``(3, *shape)``."""
    axes = [np.arange(side.start, side.stop).reshape(np.roll([-1, 1, 1], axis)) for axis, side in enumerate(box)]
    return np.array(
        [
            sum(row[axis] * along for axis, along in enumerate(axes)) + start
            for row, start in zip(matrix, offset, strict=True)
        ],
        dtype=np.float32,
    )


def resample(array: np.ndarray, of: Sequence[int], box: Box, to: Sequence[int], target: Box) -> np.ndarray:
    """Interpolate an array of blocks ``(c, *shape)`` linearly to other blocks of the same image, axis by axis.

    Args:
        array: in a box of the blocks.
        of: voxels of its blocks along each axis.
        box: where it lies, in blocks.
        to: voxels of the other blocks.
        target: the box of the others; beyond the array its border values are repeated.
    """
    for axis, (stride, side, other, goal) in enumerate(zip(of, box, to, target, strict=True)):
        voxels = np.arange(goal.start, goal.stop) * other + (other - 1) / 2
        at = np.clip((voxels - (stride - 1) / 2) / stride - side.start, 0, array.shape[axis + 1] - 1)
        low = np.minimum(at.astype(int), max(array.shape[axis + 1] - 2, 0))
        high = np.minimum(low + 1, array.shape[axis + 1] - 1)
        share = (at - low).astype(np.float32).reshape(-1, *(1,) * (2 - axis))
        array = array.take(low, axis + 1) * (1 - share) + array.take(high, axis + 1) * share
    return array


class _Climb:
    """One level of the registration.

    Args:
        scans: the image and its guides.
        box: of their blocks.
        start: MNI mm of the blocks by the affine map, ``(3, *shape)``.
        steps: ``(3, 3)``, MNI mm of one block along each axis, by the affine map.
        maps: at the level's resolution.
    """

    def __init__(self, scans: Sequence[Scan], box: Box, start: np.ndarray, steps: np.ndarray, maps: Maps) -> None:
        from scipy import ndimage

        self.start, self.steps, self.maps, self.box = start, steps, maps, box
        self.strides, spacing = scans[0].strides, scans[0].spacing
        self.brain = maps.sample(maps.brain, start)
        near = ndimage.distance_transform_edt(self.brain < INSIDE, sampling=spacing) <= NEAR
        window = [2 * max(1, round(WINDOW * maps.mm / mm)) + 1 for mm in spacing]
        self.images = [
            LocalCorrelation(scan.values[box], ((scan.weight[box] > KNOWN) & near).astype(np.float32), window)
            for scan in scans
        ]
        self.fluid = [FLUID * maps.mm / mm for mm in spacing]
        self.elastic = [ELASTIC * max(maps.mm / mm, 1.0) for mm in spacing]
        self.at_hole = [AT_HOLE * max(maps.mm / mm, 1.0) for mm in spacing]
        self.hole_near = _near((scans[0].weight[box] <= KNOWN) & (self.brain > INSIDE), spacing)

    def run(self, added: np.ndarray, iterations: int, progress: Progress) -> Field:
        """Return the field after some iterations from the one that is given."""
        mixed: list[np.ndarray] = []
        for number in range(iterations):
            progress.update(number / iterations, "Bringing the atlas onto the image")
            if number % MIXING == 0:
                mixed = [mix(self.maps, self.start + added, image.values, image.weight) for image in self.images]
            # Steps shrink, so that the field comes to rest.
            length = FARTHEST * (1.0 - 0.7 * number / iterations)
            added = self._smoothed(added + self._move(added, mixed, length))
        added = self._regular(added)
        return Field(added, self.box, self.strides, self._correlation(added))

    def _move(self, added: np.ndarray, mixed: Sequence[np.ndarray], length: float) -> np.ndarray:
        """Return the move that raises the local correlation most, at most ``length`` blocks long."""
        places = self.start + added
        force = np.zeros_like(added)
        for image, each in zip(self.images, mixed, strict=True):
            warped = self.maps.sample(each, places)
            force += np.array(np.gradient(warped)) * image.force(warped)
        force = _smooth(force, self.fluid)  # in blocks
        longest = float(np.percentile((force[:, ::2, ::2, ::2] ** 2).sum(axis=0), 99.8)) ** 0.5
        turned = self.steps * (length / max(longest, 1e-12))
        return np.tensordot(turned.astype(np.float32), force, 1)

    def _smoothed(self, added: np.ndarray) -> np.ndarray:
        """Return a field smoothed by :data:`ELASTIC`, near the hole by :data:`AT_HOLE`."""
        smooth = _smooth(added, self.elastic)
        if self.hole_near is not None:
            smooth += self.hole_near * (_smooth(added, self.at_hole) - smooth)
        return smooth

    def _correlation(self, added: np.ndarray) -> float:
        places = self.start + added
        image = self.images[0]
        warped = self.maps.sample(mix(self.maps, places, image.values, image.weight), places)
        return image.within(warped, self.maps.sample(self.maps.brain, places))

    def _regular(self, added: np.ndarray) -> np.ndarray:
        """Smooth the field where it leaves less than :data:`LEAST_VOLUME` of a block, until it does so nowhere."""
        from scipy import ndimage

        for _ in range(20):
            tight = jacobian(self.start + added) / np.linalg.det(self.steps) < LEAST_VOLUME
            if not tight.any():
                break
            share = ndimage.uniform_filter(ndimage.binary_dilation(tight, iterations=4).astype(np.float32), 3)
            added = added + share * (_smooth(added, [2.0] * 3) - added)
        return added


def jacobian(places: np.ndarray) -> np.ndarray:
    """Return the determinant of the derivatives of ``(3, *shape)`` places with respect to the index."""
    slopes = np.array([np.gradient(each) for each in places])
    return np.linalg.det(np.moveaxis(slopes, (0, 1), (-2, -1)))


def _near(hole: np.ndarray, spacing: Sequence[float]) -> np.ndarray | None:
    """Return ``exp(-(distance / FADING)^2)`` from the hole, float32 of its shape; None where there is no hole."""
    from scipy import ndimage

    if not hole.any():
        return None
    return np.exp(-((ndimage.distance_transform_edt(~hole, sampling=spacing) / FADING) ** 2)).astype(np.float32)


def _smooth(field: np.ndarray, sigma: Sequence[float]) -> np.ndarray:
    from scipy import ndimage

    return np.array([ndimage.gaussian_filter(each, sigma, mode="nearest", truncate=3.0) for each in field])
