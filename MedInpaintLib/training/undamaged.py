"""Undamaged volumes in which a training makes holes."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from ..errors import InputError
from ..foreground import body
from ..frames import pose
from ..intensity import Scaling, fit_scaling, sample_known
from ..manifest import Entry
from ..mask import Box
from ..modality import Modality
from ..no_data import find, without_gaps
from ..shrink import reduced_to
from ..volume import Volume


@dataclasses.dataclass(frozen=True, eq=False)
class Undamaged:
    """A volume to make holes in.

    Attributes:
        image: as stored.
        inside: bool, the body.
        scaling, modality: of the image.
        no_data: bool, where nothing was measured, which is no body; None when there is data everywhere.
    """

    image: Volume
    inside: np.ndarray
    scaling: Scaling
    modality: Modality
    no_data: np.ndarray | None = None

    def digest(self) -> str:
        """Return a digest of the image and its scaling."""
        image = self.image
        facts = repr((image.array.shape, image.array.dtype.str, image.spacing, image.direction, self.scaling))
        sha256 = hashlib.sha256(facts.encode())
        sha256.update(np.ascontiguousarray(image.array).data)
        if self.no_data is not None:
            sha256.update(np.packbits(self.no_data).data)
        return sha256.hexdigest()


def read_undamaged(
    entries: Sequence[Entry],
    progress: Callable[[int, int], None] | None = None,
    *,
    plane: str | None = None,
    across: int = 0,
) -> list[Undamaged]:
    """Read images, whole or slice by slice.

    Args:
        entries: of the manifest.
        progress: called with the number of images read and their total.
        plane: split volumes into images of one slice of this plane (:data:`..frames.PLANES`); keep them when None.
        across: reduce flat images to at least this many pixels along their longer side; 0 to keep all. Frames of such
            pixels show nothing finer, and fills of fewer pixels are faster.

    Raises:
        InputError: there is no image.
    """
    images = []
    for number, entry in enumerate(entries):
        if progress:
            progress(number, len(entries))
        image = Volume.of(entry.path)
        no_data, _ = find(image)
        if across and image.array.ndim == 2:
            image, no_data = _reduced(image, no_data, across)
        modality = Modality.of(entry.modality)
        scaling = fit_scaling(sample_known(image.array, None, None, no_data), modality)
        inside = body(image.array, modality, no_data)
        for box in _slices(image, plane):
            if inside[box].any():
                gaps = None if no_data is None or not no_data[box].any() else no_data[box]
                images.append(Undamaged(image.crop(box), inside[box], scaling, modality, gaps))
    if not images:
        raise InputError("There are no images to learn from: the data hold none of this modality, contrast and split.")
    return images


def _reduced(image: Volume, no_data: np.ndarray | None, across: int) -> tuple[Volume, np.ndarray | None]:
    """Reduce an image; a pixel that any without data has gone into has none."""
    if no_data is None:
        return reduced_to(image, across), None
    lacking = reduced_to(image.with_array(no_data.astype(np.float32)), across).array > 0
    return reduced_to(without_gaps(image, no_data), across), lacking


def _slices(image: Volume, plane: str | None) -> list[Box]:
    """Return the boxes of the slices of a volume; one box for a flat image."""
    whole = tuple(slice(0, size) for size in image.array.shape)
    if plane is None or image.array.ndim == 2:
        return [whole]
    axis = pose(image, plane).order[0]
    return [(*whole[:axis], slice(at, at + 1), *whole[axis + 1 :]) for at in range(image.array.shape[axis])]
