"""The balls in which fills are sampled: the same for the same scan."""

from __future__ import annotations

import numpy as np

from MedInpaintLib.volume import Volume

#: mm: the small ones, all in one fill, and the large one, alone in its fill.
SMALL, LARGE = (30, 25, 20, 16, 12), 40
#: Voxels between balls at least, in which each ball's surroundings are known.
APART = 5
#: The centre of a ball is this many diameters or more inside the head: nearly all of the ball is.
INSIDE = 0.45
#: Tries to place a ball apart from the others.
TRIES = 40
#: Brighter than this share of the bright end is head.
BRIGHT = 0.12
SEED = 5


def place_balls(image: Volume, *, large: bool) -> np.ndarray:
    """Return the labels of the balls, from 1 on, int32; 0 everywhere where none fits."""
    from scipy import ndimage

    labels = np.zeros(image.array.shape, dtype=np.int32)
    inside = ndimage.distance_transform_edt(_head(image.array), image.spacing)
    if large:
        labels[_ball(inside, LARGE, image.spacing, SEED)] = 1
        return labels
    for number, diameter in enumerate(SMALL):
        for tried in range(TRIES):
            ball = _ball(inside, diameter, image.spacing, 100 * SEED + 7 * number + 1000 * tried)
            if ball.any() and not (ndimage.binary_dilation(ball, iterations=APART) & (labels > 0)).any():
                labels[ball] = labels.max() + 1
                break
    return labels


def _head(array: np.ndarray) -> np.ndarray:
    """Return the head, bool: the largest bright part, without what is thin, with what is dark within it."""
    from scipy import ndimage

    values = array.astype(float)
    bright = ndimage.binary_opening(values > BRIGHT * np.percentile(values[values > 0], 99), iterations=2)
    labels, _ = ndimage.label(bright)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return ndimage.binary_closing(labels == sizes.argmax(), iterations=4) if bright.any() else bright


def _ball(inside: np.ndarray, diameter: float, spacing: tuple[float, ...], seed: int) -> np.ndarray:
    """Return a ball at a random place; nothing where the head has no place for it.

    Args:
        inside: mm from each voxel to the outside of the head.
        diameter: mm.
        spacing: mm.
        seed: of the place.
    """
    centres = np.argwhere(inside > INSIDE * diameter)
    if not len(centres):
        return np.zeros(inside.shape, dtype=bool)
    centre = centres[np.random.default_rng(seed).integers(len(centres))]
    along = [
        (np.arange(size) - middle) * mm for size, middle, mm in zip(inside.shape, centre.tolist(), spacing, strict=True)
    ]
    k, j, i = np.ix_(*along)
    return k**2 + j**2 + i**2 <= (diameter / 2) ** 2
