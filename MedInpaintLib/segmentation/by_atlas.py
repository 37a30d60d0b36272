"""Names of labels that have none, by the atlas: the region in which most of each label lies."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from ..appearance import Appearance
from ..atlas.regions import NAMES, region_map
from ..atlas.registration import register, why_none
from ..errors import GeometryError
from ..inputs import has_grid, read_image
from ..intensity import fit_scaling, sample_known
from ..mask import Hole
from ..modality import Modality
from ..no_data import find
from ..progress import Progress
from ..subject import Subject
from ..volume import Volume

#: A label gets the name of a region that holds more than this share of it.
MOST = 0.5
#: Slices that are looked up at a time: places take 12 bytes a voxel.
SLICES = 8


def names_by_atlas(
    image: Any,
    segmentation: Volume,
    whole: np.ndarray,
    labels: Collection[int],
    lesion: Hole,
    *,
    allow_outside_data: bool = False,
    progress: Progress | None = None,
) -> tuple[dict[int, str], str]:
    """Return names for labels, such as "left cortex", and why there are none; a label in several regions gets none.

    Args:
        image: that the segmentation was made of, on its grid; the same kinds as in :func:`MedInpaintLib.inpaint`.
        segmentation: the label map.
        whole: its labels as whole numbers.
        labels: that are there.
        lesion: where the image is synthetic or diseased, and is not looked at.
        allow_outside_data: as for :func:`MedInpaintLib.inpaint`.
        progress: reports and cancels.

    Raises:
        InputError: the image cannot be read, or lies on another grid.
    """
    if has_grid(image):
        volume = read_image(image, None, allow_outside_data=allow_outside_data)
    else:
        volume = segmentation.of_another_quantity(np.asarray(image))  # an array has the grid of the segmentation
    if volume.array.shape != whole.shape or not segmentation.lies_on(volume):
        raise GeometryError(
            "The image that names the regions lies on another grid than the segmentation; give the one that the "
            "segmentation was made of, such as FreeSurfer's orig.mgz."
        )
    no_data, _ = find(volume)
    modality = Modality.guess(Appearance.of(volume, lesion, no_data)).modality
    known = sample_known(volume.array, lesion.voxels, lesion.box, no_data)
    subject = Subject(volume, lesion, fit_scaling(known, modality), modality, no_data=no_data)
    registration = register(subject, progress)
    reason = why_none(registration)
    if reason or registration is None:
        return {}, reason
    numbers = np.array(sorted(labels))
    counts = np.zeros((numbers.size, len(NAMES)), dtype=np.int64)
    for start in range(0, whole.shape[0], SLICES):
        box = (slice(start, min(start + SLICES, whole.shape[0])), *(slice(0, size) for size in whole.shape[1:]))
        labelled = np.isin(whole[box], numbers)
        if labelled.any():
            regions = region_map().at(registration.places(box)[:, labelled])
            np.add.at(counts, (np.searchsorted(numbers, whole[box][labelled]), regions), 1)
    return _names(dict(zip(numbers.tolist(), counts, strict=True))), ""


def _names(counts: Mapping[int, np.ndarray]) -> dict[int, str]:
    """Return the name of the region that holds most of each label, where it is one.

    >>> votes = np.zeros(len(NAMES), dtype=int)
    >>> votes[[0, 1, 9]] = 10, 70, 20
    >>> _names({7: votes, 8: np.roll(votes, -1)})
    {7: 'left cortex'}
    """
    most = {label: int(votes.argmax()) for label, votes in counts.items()}
    return {
        label: NAMES[best] for label, best in most.items() if best and counts[label][best] > MOST * counts[label].sum()
    }
