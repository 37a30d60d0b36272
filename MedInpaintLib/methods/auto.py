"""The automatic choice: which method suits the geometry of this hole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..mask import Hole

#: Voxels at least this much longer across slices than within them make "thick slices".
THICK = 1.5
#: A hole is a ruined slice when its middle is this many times further from known voxels within the slice than across.
RUINED = 8.0

SUMMARY = "Chooses by the geometry of the hole, and says why."


def choose(hole: Hole, spacing: Sequence[float]) -> tuple[str, str]:
    """The method's name, and the reason in words for the report.

    Measured on the 46 training and validation volumes with ``Testing/Benchmarks/auto_choice.py`` (mean PSNR in the
    hole). With one to three whole slices missing, linear-z leads biharmonic by 2.3 to 2.9 dB in MR scans with slices
    2.6 to 4.5 times thicker than pixels and by 0.7 to 1.1 dB in CT from 1.5 times on; at isotropic voxels the two are
    within 0.7 dB of each other. In other holes biharmonic is the best on average: in spheres of 6 and 10 mm it leads
    harmonic by up to 2.2 dB. It is behind harmonic by up to 0.5 dB in 40 mm spheres of thick MR slices and in some
    holes of CT slices of 5 mm and more, and behind linear-z by 1 dB in 20 px squares on a single slice of isotropic MR.

    Args:
        hole: the voxels to fill.
        spacing: mm, in the order of the axes.
    """
    axes = [axis for axis, size in enumerate(hole.shape) if size > 1]
    axis = max(axes, key=lambda a: spacing[a])
    thickness = spacing[axis] / min(spacing[a] for a in axes)
    if thickness >= THICK and len(axes) == 3 and _within(hole, spacing, axis) >= RUINED * _across(hole, spacing, axis):
        return "linear-z", f"slices are missing and voxels are {thickness:.1f} times longer across slices"
    return "biharmonic", "the hole is surrounded by known voxels, whose values and slopes a thin plate continues"


def _within(hole: Hole, spacing: Sequence[float], axis: int) -> float:
    """mm from the middle of the hole's largest slice to the nearest known voxel of that slice; infinite if there is
    none.

    A slice that is painted only inside the head counts like a whole one: what is known beyond it is far away.
    """
    from scipy import ndimage

    others = [other for other in range(3) if other != axis]
    slices = np.moveaxis(hole.voxels, axis, 0)
    largest = slices[np.argmax(np.count_nonzero(slices, axis=(1, 2)))]
    # Around the bounding box all is known, but beyond the image's border nothing is.
    known_around = [(int(hole.box[a].start > 0), int(hole.box[a].stop < hole.shape[a])) for a in others]
    padded = np.pad(largest, known_around)
    if padded.all():
        return np.inf
    return float(ndimage.distance_transform_edt(padded, sampling=[spacing[a] for a in others]).max())


def _across(hole: Hole, spacing: Sequence[float], axis: int) -> float:
    """mm from the middle of the hole to the nearest known voxel across slices, for its most usual thickness."""
    runs = np.count_nonzero(hole.voxels, axis=axis)
    return float(np.median(runs[runs > 0]) + 1) / 2 * spacing[axis]
