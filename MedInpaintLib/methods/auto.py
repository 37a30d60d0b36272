"""The automatic choice: which method suits the geometry of this hole."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..mask import Hole

#: Voxels at least this much longer across slices than within them make "thick slices".
THICK = 1.5
#: A hole that covers this share of a slice is a missing slice.
WHOLE_SLICE = 0.9


def choose(hole: Hole, spacing: Sequence[float]) -> tuple[str, str]:
    """The method's name, and the reason in words for the report.

    Measured on the 46 training and validation volumes with ``Testing/Benchmarks/auto_choice.py`` (mean PSNR in the
    hole). With one to three whole slices missing, linear-z leads biharmonic by 2.3 to 2.9 dB in MR scans with slices
    2.6 to 4.5 times thicker than pixels and by 0.7 to 1.1 dB in CT from 1.5 times on; at isotropic voxels the two are
    within 0.7 dB of each other. In other holes biharmonic is the best on average: in spheres of 6 and 10 mm it leads
    harmonic by up to 2.2 dB. It is behind harmonic by up to 0.5 dB in 40 mm spheres of thick MR slices and in some
    holes of CT slices of 5 mm and more, and behind linear-z by 1 dB in 20 px squares on a single slice of isotropic
    MR.

    Args:
        hole: the voxels to fill.
        spacing: mm, in the order of the axes.
    """
    axes = [axis for axis, size in enumerate(hole.shape) if size > 1]
    axis = max(axes, key=lambda a: spacing[a])
    thickness = spacing[axis] / min(spacing[a] for a in axes)
    across = math.prod(size for other, size in enumerate(hole.shape) if other != axis)
    marked = np.count_nonzero(hole.voxels, axis=tuple(a for a in range(hole.voxels.ndim) if a != axis))
    if thickness >= THICK and marked.max() >= WHOLE_SLICE * across:
        return "linear-z", f"whole slices are missing and voxels are {thickness:.1f} times longer across slices"
    return "biharmonic", "the hole is surrounded by known voxels, whose values and slopes a thin plate continues"
