"""The intensities of contrasts on a common scale: that of the core of the head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..foreground import body
from ..intensity import Scaling
from ..modality import MR

#: Deeper in the body than this, mm, is the core: scalp and skull, which skull-stripped images lack, are not of it.
DEPTH_MM = 15.0
#: What the core's median becomes. Of the brightest contrast, T2, the 99.5 percentile is 0.65 to 0.9 then; networks see
#: what is above 1 as 1.
MEDIAN = 0.25
#: mm between the voxels that are looked at.
_STEP_MM = 3.0


def core(image: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """The voxels of a thinned image that lie deep in the body; all of the body where nothing does.

    Percentiles of a whole image depend on whether it has a scalp: over the 14 sessions of the data the median of the
    brain is at 0.21 to 0.70 of the 0.5..99.5 percentiles of T1 images, for one brain the same as for another.

    Args:
        image: ``(k, j, i)`` or ``(j, i)``, real.
        spacing: mm in the order of the axes.

    Returns:
        Their intensities, 1-D.
    """
    from scipy import ndimage

    image = image.astype(np.uint8) if image.dtype.kind == "b" else image
    steps = [max(1, round(_STEP_MM / mm)) for mm in spacing]
    # A crop of a few voxels is looked at as it is.
    steps = [1 if size < 2 * step else step for size, step in zip(image.shape, steps, strict=True)]
    thinned = image[tuple(slice(None, None, step) for step in steps)]
    inside = body(thinned, MR)
    sampling = [step * mm for step, mm in zip(steps, spacing, strict=True)]
    depth = ndimage.distance_transform_edt(inside, sampling=sampling)
    deep = inside & (depth > DEPTH_MM)
    return thinned[deep if deep.any() else inside]


def fit_core_scaling(image: np.ndarray, spacing: Sequence[float]) -> Scaling:
    """The scaling that puts no signal at 0 and the core's median at :data:`MEDIAN`.

    Args:
        image, spacing: as for :func:`core`. Images with values below 0 (z-scores, say) have no signal at their 0.5
            percentile.
    """
    middle = float(np.median(core(image, spacing)))
    low = min(0.0, float(np.percentile(image.astype(np.uint8) if image.dtype.kind == "b" else image, 0.5)))
    width = (middle - low) / MEDIAN
    return Scaling(offset=low, width=width if width > 0 else 1.0)
