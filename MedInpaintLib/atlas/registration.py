"""The atlas on a damaged scan: affine, then deformed; found once an image."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from ..mask import Box
from ..progress import Progress
from ..subject import Subject
from . import stored
from .affine import find_affine
from .deformable import LEVELS, Field, affine_places, deform, resample
from .scan import guides_at, scan_at, voxels_to_mm

#: Below these correlations within the brain the atlas does not fit: by the affine map, and after the deformation. 15
#: scans of the 11 heads of docs/atlas (T1, T2, FLAIR; skull or not) have 0.31 to 0.81 and 0.59 to 0.89; 24 heads that
#: were turned over or on their side have at most 0.24 by the affine map, and phantoms and textures had 0.11 after a
#: smoother deformation.
LEAST_AFFINE, LEAST_CORRELATION = 0.27, 0.35
#: The share of the seconds that the affine map takes, if the header's orientation is right.
AFFINE = 0.35
#: The least extent of an image along each axis that can show enough of a head, mm and voxels.
LEAST_MM = 60.0
LEAST_VOXELS = 8


@dataclasses.dataclass(frozen=True)
class Registration:
    """A map from the voxels of a scan to MNI mm (superior, anterior, right), for the known and the hidden ones alike.

    Attributes:
        matrix, offset: MNI mm = matrix @ index + offset: the affine part.
        field: what the deformation adds; None where it was not sought because the affine map failed.
        agreement: mean local correlation with the atlas within the brain by the affine map alone, -1..1.
    """

    matrix: np.ndarray
    offset: np.ndarray
    field: Field | None
    agreement: float

    #: Worker processes get it with the subject.
    goes_along: ClassVar[bool] = True

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
        if self.field is None:
            return f"no head was found in the image (correlation with the atlas {self.agreement:.2f})"
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


def can_show_a_head(subject: Subject) -> bool:
    """Return whether the image is a volume of a kind that has an atlas, and large enough."""
    sizes = [subject.image.array.shape[axis] for axis in subject.axes]
    extents = [size * mm for size, mm in zip(sizes, subject.spacing, strict=True)]
    return subject.modality.has_atlas and len(sizes) == 3 and min(extents) >= LEAST_MM and min(sizes) >= LEAST_VOXELS


def why_none(registration: Registration | None) -> str:
    """Return why there is no atlas for an image, in words; empty where there is one."""
    return "the image cannot show a head" if registration is None else registration.reason


def _register(subject: Subject, progress: Progress) -> Registration | None:
    if not can_show_a_head(subject):
        return None
    return stored.kept(subject, lambda: find(subject, progress))


def find(subject: Subject, progress: Progress | None = None) -> Registration | None:
    """Bring the atlas onto an image that can show a head, without the user's cache; None where it is too small."""
    progress = progress or Progress()
    levels = [(scan_at(subject, mm), *guides_at(subject, mm)) for mm, _ in LEVELS]
    for_affine, for_field = progress.part(0.0, AFFINE), progress.part(AFFINE, 1.0)
    affine = find_affine(scan_at(subject, 8.0), levels[0][0], LEAST_AFFINE, for_affine)
    if affine is None:
        return None
    matrix, offset = affine.inverse()
    turned, start = voxels_to_mm(subject)
    field = None
    if affine.agreement >= LEAST_AFFINE:
        field = deform(levels, matrix, offset, for_field)
        # Kept in half precision (0.01 mm), so that what is read from the cache is what was computed.
        field = dataclasses.replace(field, added=field.added.astype(np.float16).astype(np.float32))
    return Registration(matrix @ turned, matrix @ start + offset, field, affine.agreement)
