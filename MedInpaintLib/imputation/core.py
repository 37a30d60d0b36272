"""A common intensity scale for contrasts, fitted to the core of the head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..foreground import body
from ..intensity import Scaling
from ..modality import MR
from ..volume import Volume

#: Least depth of the core in the body, mm: excludes scalp and skull, which skull-stripped images lack.
DEPTH_MM = 15.0
#: The core's median after scaling. The 99.5 percentile of the brightest contrast, T2, is then 0.65 to 0.9; networks
#: see values above 1 as 1.
MEDIAN = 0.25
#: mm between the voxels that are used.
_STEP_MM = 3.0


def core(image: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return the intensities (1-D) of a thinned image deep in the body, or in all of the body if no voxel is deep.

    Percentiles of a whole image depend on whether it has a scalp: over the 14 sessions of the data the median of the
    brain is at 0.21 to 0.70 of the 0.5..99.5 percentiles of T1 images.

    Args:
        image: ``(k, j, i)`` or ``(j, i)``, real.
        spacing: mm in the order of the axes.
    """
    from scipy import ndimage

    image = image.astype(np.uint8) if image.dtype.kind == "b" else image
    steps = [max(1, round(_STEP_MM / mm)) for mm in spacing]
    # Crops of few voxels are not thinned.
    steps = [1 if size < 2 * step else step for size, step in zip(image.shape, steps, strict=True)]
    thinned = image[tuple(slice(None, None, step) for step in steps)]
    inside = body(thinned, MR)
    sampling = [step * mm for step, mm in zip(steps, spacing, strict=True)]
    depth = ndimage.distance_transform_edt(inside, sampling=sampling)
    deep = inside & (depth > DEPTH_MM)
    return thinned[deep if deep.any() else inside]


def with_no_signal(image: Volume, no_data: np.ndarray) -> Volume:
    """Return an image whose voxels without data have no signal, which networks know from beyond the head."""
    known = image.array[~no_data]
    low = min(0.0, float(np.percentile(known, 0.5))) if known.size else 0.0
    return image.with_array(np.where(no_data, np.asarray(low, dtype=image.array.dtype), image.array))


def fit_core_scaling(image: np.ndarray, spacing: Sequence[float]) -> Scaling:
    """Return the scaling that maps no signal to 0 and the core's median to :data:`MEDIAN`; arguments as :func:`core`.

    In images with values below 0 (e.g. z-scores), no signal is the 0.5 percentile.
    """
    middle = float(np.median(core(image, spacing)))
    low = min(0.0, float(np.percentile(image.astype(np.uint8) if image.dtype.kind == "b" else image, 0.5)))
    width = (middle - low) / MEDIAN
    return Scaling(offset=low, width=width if width > 0 else 1.0)
