"""What every algorithm starts from: a scan at each level, and the affine map of the engine."""

from __future__ import annotations

import dataclasses

import numpy as np

from MedInpaintLib.atlas.affine import find_affine
from MedInpaintLib.atlas.deformable import LEVELS, NEAR, Field, affine_places, brain_box
from MedInpaintLib.atlas.local_correlation import KNOWN, LocalCorrelation, mix
from MedInpaintLib.atlas.maps import Maps, head_maps
from MedInpaintLib.atlas.registration import LEAST_AFFINE, Registration
from MedInpaintLib.atlas.scan import Scan, scan_at, voxels_to_mm
from MedInpaintLib.errors import InputError
from MedInpaintLib.mask import Box
from MedInpaintLib.progress import Progress
from MedInpaintLib.subject import Subject

#: Blocks along each side of the windows in which the correlation of all results is measured.
WINDOW = 9


@dataclasses.dataclass(frozen=True)
class Level:
    """A scan on the blocks of one level, around the brain of the atlas.

    Attributes:
        scan: means over blocks.
        box: of its blocks.
        start: MNI mm of the blocks by the affine map, float32 ``(3, *shape)``.
        steps: MNI mm of one block along each axis, ``(3, 3)``.
        maps: of the atlas, at the level's resolution.
        known: bool, the blocks that count: known, and in or near the brain of the atlas.
    """

    scan: Scan
    box: Box
    start: np.ndarray
    steps: np.ndarray
    maps: Maps
    known: np.ndarray

    def pair(self, added: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the scan, and the atlas mixed to look like it and warped by a field; where nothing counts, both equal.

        So an algorithm that knows no masks sees no reason to move anything under the hole or outside of the brain.
        """
        places, values = self.start + added, self.scan.values[self.box]
        warped = self.maps.sample(mix(self.maps, places, values, self.known.astype(np.float32)), places)
        return np.where(self.known, values, warped), warped

    def correlation(self, added: np.ndarray) -> float:
        """Return the mean local correlation of the scan with the warped atlas within the known brain, -1..1."""
        scan, warped = self.pair(added)
        image = LocalCorrelation(scan, self.known.astype(np.float32), [WINDOW] * 3)
        return image.within(warped, self.maps.sample(self.maps.brain, self.start + added))


@dataclasses.dataclass(frozen=True)
class Start:
    """A scan with the affine map of the atlas onto it.

    Attributes:
        subject: the scan with its hole.
        scans: at each of :data:`MedInpaintLib.atlas.deformable.LEVELS`.
        matrix, offset: from the scan's mm to MNI mm.
        agreement: of the affine map.
    """

    subject: Subject
    scans: tuple[Scan, ...]
    matrix: np.ndarray
    offset: np.ndarray
    agreement: float

    @classmethod
    def of(cls, subject: Subject) -> Start:
        """Find the affine map of a scan.

        Raises:
            InputError: the atlas does not fit.
        """
        scans = tuple(scan_at(subject, mm) for mm, _ in LEVELS)
        affine = find_affine(scan_at(subject, 8.0), scans[0], LEAST_AFFINE, Progress())
        if affine is None or affine.agreement < LEAST_AFFINE:
            raise InputError("The atlas does not fit a scan, so that there is nothing to start from.")
        return cls(subject, scans, *affine.inverse(), affine.agreement)

    def levels(self) -> list[Level]:
        """Return the levels from coarse to fine."""
        return [self._level(scan, round(mm)) for scan, (mm, _) in zip(self.scans, LEVELS, strict=True)]

    def _level(self, scan: Scan, mm: int) -> Level:
        from scipy import ndimage

        box, maps = brain_box(scan, self.matrix, self.offset), head_maps(mm)
        steps = self.matrix @ scan.matrix
        start = affine_places(steps, self.matrix @ scan.offset + self.offset, box)
        outside = maps.sample(maps.brain, start) < 0.05
        near = ndimage.distance_transform_edt(outside, sampling=scan.spacing) <= NEAR
        return Level(scan, box, start, steps, maps, (scan.weight[box] > KNOWN) & near)

    def registration(self, field: Field | None) -> Registration:
        """Return the registration of a field, as the engine's methods take it."""
        turned, start = voxels_to_mm(self.subject)
        return Registration(self.matrix @ turned, self.matrix @ start + self.offset, field, self.agreement)
