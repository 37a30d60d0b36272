"""The guard: warns of a fill whose intensities do not fit the tissue around it, whatever method made it.

A method can fail without knowing: the other side is missing, a registration slipped, a network saw a contrast that it
did not learn. The fill is then mostly darker or brighter than any tissue around the part, and users should look first.
"""

from __future__ import annotations

import math

import numpy as np

from .mask import Box, bounding_box, grow, relative, shift
from .subject import Subject

#: "Darker (brighter) than the tissue around": below the first (above the last) percentile of these.
DARKEST, BRIGHTEST = 1.0, 99.0
#: A fill is doubtful if more than this share of it is, or if in a part of LARGE_ML or more its mean is below this share
#: of that of its surroundings. Of 49 parts in two brains (balls, strokes of 0.02 to 120 ml) filled by biharmonic, one
#: of 32 small ones and none of 17 large ones is; all black fills are, and all large parts of half their true intensity.
#: Small parts may be ventricle: the mean of 9 % of the good fills is below 70 % of that around them.
SHARE, MEAN, LARGE_ML = 0.25, 0.65, 2.0
#: The surroundings reach this far, or this share of the part's radius (half the edge of a cube as large) if it is more.
SHELL_MM, SHELL_SHARE = 5.0, 0.5
#: From fewer known voxels, or of fewer filled ones, nothing is said.
FEWEST = 50


def doubt(filled: np.ndarray, around: np.ndarray, volume_ml: float = 0.0) -> str:
    """Return a sentence if a fill does not fit the tissue around it; an empty text if it does.

    Args:
        filled: intensities of one part's fill, without an exact-zero background, 1-D.
        around: known intensities around it, without background, 1-D.
        volume_ml: of the part.

    >>> tissue = np.random.default_rng(0).normal(100, 10, 1000)
    >>> doubt(np.full(100, 100.0), tissue)
    ''
    >>> doubt(np.zeros(100), tissue)
    '100 % of the fill is darker than the tissue around it; look at it before you use it.'
    """
    if min(len(filled), len(around)) < FEWEST:
        return ""
    darkest, brightest = np.percentile(around, [DARKEST, BRIGHTEST])
    for share, word in ((np.mean(filled < darkest), "darker"), (np.mean(filled > brightest), "brighter")):
        if share > SHARE:
            return f"{100 * share:.0f} % of the fill is {word} than the tissue around it; look at it before you use it."
    usual, mean = float(np.mean(around)), float(np.mean(filled))
    # Only where black is 0: half of -800 HU says nothing.
    if volume_ml >= LARGE_ML and darkest >= 0 and mean < MEAN * usual:
        return f"The fill's mean is {100 * mean / usual:.0f} % of the tissue's around it; look at it before you use it."
    return ""


def doubt_of(subject: Subject, box: Box, own: np.ndarray, filled: np.ndarray) -> str:
    """Return :func:`doubt` of one part of the hole.

    Args:
        subject: the image with its hole.
        box: of the image.
        own: bool of the box's shape, True = the part's filled voxels, without those in an exact-zero background.
        filled: the intensities of these voxels, 1-D in C order.
    """
    inner = bounding_box(own)
    if inner is None:
        return ""
    # Without a third dimension there is no volume, so pixels count as voxels of 1 mm.
    ml = np.count_nonzero(own) * math.prod(subject.spacing) / 1000
    return doubt(filled, _around(subject, shift(inner, box), own[inner]), ml)


def _around(subject: Subject, box: Box, own: np.ndarray) -> np.ndarray:
    """Return the known intensities around a part, without exact zeros, which are no tissue outside of a CT."""
    from scipy import ndimage

    spacing = subject.image.spacing
    size = math.prod(subject.spacing) * np.count_nonzero(own)
    reach = max(SHELL_MM, SHELL_SHARE * size ** (1 / len(subject.spacing)) / 2)
    wide = grow(box, [math.ceil(reach / mm) for mm in spacing], subject.whole.shape)
    part = np.zeros([side.stop - side.start for side in wide], dtype=bool)
    part[relative(box, wide)] = own
    near = ndimage.distance_transform_edt(~part, sampling=spacing) <= reach
    near &= ~subject.whole.crop(wide)
    if subject.no_data is not None:
        near &= ~subject.no_data[wide]
    around = subject.image.array[wide][near].astype(np.float64)
    return around if subject.modality.air is not None else around[around != 0]
