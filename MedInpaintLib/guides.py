"""Check guides before a fill: whether they show the image's anatomy, as it lies there, and not the lesion itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .imputation.grids import check_one_anatomy
from .mask import Hole, grow, relative, shift
from .volume import Volume

#: A guide shows the lesion if a voxel in the hole and one around it, both drawn by chance, differ in one sense with at
#: least this probability. In FLAIR, 23 of 38 lesions of training and validation subjects do (multiple sclerosis, some
#: of them vanished), and 0 of 174 healthy places of the same shapes; in T2 7 of 32, and 1 of 152; in T1 2 of 34.
SHOWN = 0.85
#: The shell around a part of the hole, mm from it: masks tend to miss the lesion's rim, which is left out.
NEAR_MM, FAR_MM = 1.5, 6.0
#: Voxels below which a part, or its shell, says nothing; parts that are looked at, the largest ones.
FEWEST, MOST = 20, 50
_HINT = "is it of this subject, and registered to the image?"


def check_guides(
    guides: Sequence[Volume],
    names: Sequence[str],
    image: Volume,
    hole: Hole,
    no_data: np.ndarray | None = None,
    *,
    marked: Hole | None = None,
    force: bool = False,
) -> list[str]:
    """Return warnings about guides.

    Args:
        guides: on the image's grid, NaN where they have no data.
        names: of the guides, for messages.
        image: to fill; its hole is not looked at.
        hole: in the image.
        no_data: bool of the image's shape, True = without data; None where all voxels hold some.
        marked: the hole before it was grown; None where it was not. Healthy voxels that growing adds hide a lesion: in
            two people with multiple sclerosis FLAIR is brighter there with probability 0.95 and 0.96, and 0.76 and
            0.80 when the hole is grown by 1 mm.
        force: warn of what is refused otherwise.

    Raises:
        GeometryError: a guide is flipped, or shows another anatomy.
    """
    if not guides:
        return []
    volumes = {"the image": image, **{f"guide {name}": guide for name, guide in zip(names, guides, strict=True)}}
    unknown = hole.full() if no_data is None else hole.full() | no_data
    warnings = check_one_anatomy(volumes, "the image", hint=_HINT, hole=unknown, called=str, force=force)
    for name, guide in zip(names, guides, strict=True):
        brighter = share_brighter(guide, hole if marked is None else marked)
        if max(brighter, 1 - brighter) >= SHOWN:
            sense = "brighter" if brighter > 0.5 else "darker"
            warnings.append(
                f"Guide {name} seems to show the lesion itself (it is {sense} in the hole than around it): methods "
                "that use it may bring the lesion back; leave it out if the lesion is to go."
            )
    return warnings


def share_brighter(guide: Volume, hole: Hole) -> float:
    """Return the probability that a guide's voxel in the hole is brighter than one around it; 0.5 where none can tell.

    Each part of the hole is compared with its own shell, and counts by its voxels: tissues differ from place to place.
    """
    from scipy import ndimage

    labels, _ = ndimage.label(hole.voxels, structure=np.ones((3,) * hole.voxels.ndim))
    sizes = np.bincount(labels.ravel())[1:]
    total, weight = 0.0, 0
    boxes = ndimage.find_objects(labels)
    reach = [int(np.ceil(FAR_MM / mm)) if size > 1 else 0 for mm, size in zip(guide.spacing, hole.shape, strict=True)]
    for part in np.argsort(-sizes)[:MOST]:
        if sizes[part] < FEWEST:
            break
        own = shift(boxes[part], hole.box)
        box = grow(own, reach, hole.shape)
        inside = np.zeros([side.stop - side.start for side in box], dtype=bool)
        inside[relative(own, box)] = labels[boxes[part]] == part + 1
        values = guide.array[box].astype(np.float64)
        distance = ndimage.distance_transform_edt(~inside, sampling=guide.spacing)
        shell = (distance > NEAR_MM) & (distance <= FAR_MM) & ~hole.crop(box)
        ours, theirs = (values[each & np.isfinite(values)] for each in (inside, shell))
        if min(ours.size, theirs.size) >= FEWEST:
            total += ours.size * _probability(ours, np.sort(theirs))
            weight += ours.size
    return total / weight if weight else 0.5


def _probability(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the probability that one of ours exceeds one of theirs (sorted); equal ones count half."""
    below, up_to = (np.searchsorted(theirs, ours, side=side).mean() for side in ("left", "right"))
    return float(below + up_to) / 2 / theirs.size
