"""The atlas on a damaged scan: affine, then deformed; found once an image."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..mask import Box
from ..progress import Progress
from ..subject import Subject
from . import stored
from .affine import find_affine
from .deformable import LEVELS, Field, affine_places, deform, resample
from .scan import guides_at, scan_at, voxels_to_mm

#: Share of the scan that the atlas explains by the affine map alone with the header's orientation, below which other
#: orientations are tried.
ENOUGH = 0.45
#: Below these, the atlas does not fit: of the share that the affine map explains, and of the local correlation.
LEAST_EXPLAINED, LEAST_CORRELATION = 0.3, 0.5
#: The least extent of an image along each axis that can show enough of a head, mm.
LEAST_MM = 60.0


@dataclasses.dataclass(frozen=True)
class Registration:
    """A map from the voxels of a scan to MNI mm (superior, anterior, right), for the known and the hidden ones alike.

    Attributes:
        matrix, offset: MNI mm = matrix @ index + offset: the affine part.
        field: what the deformation adds; None where it was not sought because the affine map failed.
        explained: share of the scan's brightness that the tissues of the atlas explain by the affine map; 0..1.
    """

    matrix: np.ndarray
    offset: np.ndarray
    field: Field | None
    explained: float

    def places(self, box: Box) -> np.ndarray:
        """Return the MNI mm of the voxels of a box of the subject's arrays, float32 ``(3, *shape)``."""
        places = affine_places(self.matrix, self.offset, box)
        if self.field is not None:
            places += resample(self.field.added, self.field.strides, self.field.box, (1, 1, 1), box)
        return places

    def index(self, places: np.ndarray, rounds: int = 8) -> np.ndarray:
        """Return the voxel indices of MNI mm ``(3, ...)``, the inverse of :meth:`places`, by fixed-point iteration.

        Where the field ends, it goes on as at its border.
        """
        from scipy import ndimage

        flat = places.reshape(3, -1)
        inverse = np.linalg.inv(self.matrix)
        start = inverse @ (flat - self.offset[:, np.newaxis])
        if self.field is None:
            return start.reshape(places.shape)
        strides = np.array(self.field.strides)[:, np.newaxis]
        corner = np.array([side.start for side in self.field.box])[:, np.newaxis]
        index = start
        for _ in range(rounds):
            at = (index - (strides - 1) / 2) / strides - corner
            moved = [ndimage.map_coordinates(each, at, order=1, mode="nearest") for each in self.field.added]
            index = start - inverse @ np.array(moved)
        return index.reshape(places.shape)

    @property
    def reason(self) -> str:
        """Why the atlas does not fit, in words; empty where it does."""
        if self.field is None or self.explained < LEAST_EXPLAINED:
            return f"no head was found in the image (the atlas explains {max(self.explained, 0.0):.0%} of it)"
        if self.field.correlation < LEAST_CORRELATION:
            return f"the image does not agree with the atlas (correlation {self.field.correlation:.2f})"
        return ""


def register(subject: Subject, progress: Progress | None = None) -> Registration | None:
    """Bring the atlas onto a subject's image, once an image; None where the image cannot show a head.

    The hole is left out: what is hidden never matters. A later fill of the same damaged image reads the result from the
    user's cache, see :mod:`.stored`.

    Args:
        subject: the image, with its hole and its guides.
        progress: reports and cancels.
    """
    return subject.cached(register, lambda: _register(subject, progress or Progress()))


def why_none(registration: Registration | None) -> str:
    """Return why there is no atlas for an image, in words; empty where there is one."""
    return "the image cannot show a head" if registration is None else registration.reason


def _register(subject: Subject, progress: Progress) -> Registration | None:
    shape = subject.values.shape
    extents = [size * mm for size, mm in zip(shape, subject.spacing, strict=True)]
    if not subject.modality.has_atlas or len(shape) != 3 or min(extents) < LEAST_MM or min(shape) < 8:
        return None
    return stored.kept(subject, lambda: _find(subject, progress))


def _find(subject: Subject, progress: Progress) -> Registration | None:
    levels = [(scan_at(subject, mm), *guides_at(subject, mm)) for mm, _ in LEVELS]
    affine = find_affine(scan_at(subject, 8.0), levels[0][0], ENOUGH, progress.part(0.0, 0.25))
    if affine is None:
        return None
    matrix, offset = affine.inverse()
    turned, start = voxels_to_mm(subject)
    field = None
    if affine.explained >= LEAST_EXPLAINED:
        field = deform(levels, matrix, offset, progress.part(0.25, 1.0))
        # Kept in half precision (0.01 mm), so that what is read from the cache is what was computed.
        field = dataclasses.replace(field, added=field.added.astype(np.float16).astype(np.float32))
    return Registration(matrix @ turned, matrix @ start + offset, field, affine.explained)
