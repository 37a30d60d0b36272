"""The automatic choice of a method, by the geometry of the hole and the kind of image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..mask import Hole, grow
from ..other_side import is_mostly_known
from ..parts import Group
from ..patches.regression import WIDEST, Settings, can_learn
from ..subject import Subject

#: Voxels at least this much longer across slices than within them make "thick slices".
THICK = 1.5
#: A hole is a ruined slice when its middle is this many times further from known voxels within the slice than across.
RUINED = 8.0

#: mm from the rim to the middle of a hole up to which it is small: its surroundings determine most of its content.
SMALL = 4.0
#: mm up to which regression from the rim is worth a trial.
LEARNABLE = 7.0

#: Where a method gives no spread of its own, the spread among it and these is its uncertainty.
PEERS = ("biharmonic", "patch-regression", "patch")

#: The network that self-checks of flat images try, if its packages are installed and it has a model for such images.
NETWORK = "unet"

SUMMARY = "Chooses by the hole's geometry and side and by the kind of image, and says why."


def choose(subject: Subject, groups: Sequence[Group], depths: Sequence[Sequence[float]]) -> list[tuple[str, str]]:
    """Return for each group of parts the method's name, and the reason in words for the report.

    Args:
        subject: with the hole.
        groups: its parts, those that are filled together.
        depths: of each part of each group, mm.
    """
    return [_choose(subject, group, max(mm)) for group, mm in zip(groups, depths, strict=True)]


def _choose(subject: Subject, group: Group, depth: float) -> tuple[str, str]:
    """Return the method's name for a group, and the reason in words.

    Measured on the training and validation images (mean PSNR in the hole). With one to three whole slices missing,
    linear-z leads biharmonic by 2.3 to 2.9 dB in MR with slices 2.6 to 4.5 times thicker than pixels and by 0.7 to 1.1
    dB in CT from 1.5 times on (``Testing/Benchmarks/auto_choice.py``). In 5 mm spheres patch-regression leads
    biharmonic by 3.9 dB on average over eight MR scans, patch by 2.2. From 10 mm on patches lead: in 20 mm spheres at
    the sides of seven heads, patches of both sides by 1.2 dB over biharmonic, of one side by 0.2. In CT slices patches
    lead by 0.4 dB; in chest films biharmonic leads by 2.9 dB.
    """
    hole, spacing = group.hole, subject.image.spacing
    axes = subject.axes
    axis = max(axes, key=lambda a: spacing[a])
    thickness = spacing[axis] / min(spacing[a] for a in axes)
    if thickness >= THICK and len(axes) == 3 and _within(hole, spacing, axis) >= RUINED * _across(hole, spacing, axis):
        return "linear-z", f"slices are missing and voxels are {thickness:.1f} times longer across slices"
    modality = subject.modality
    smooth = next((each for each in (modality, *subject.may_be) if each.is_smooth), None)
    if smooth is not None:
        why = "images are smooth, and a thin plate continues their values and slopes"
        return "biharmonic", f"{smooth.name} {why}" + ("" if smooth is modality else "; this may be one")
    if depth <= SMALL:
        if _can_be_learned(subject, group):
            return "patch-regression", "the hole is small, so its surroundings say most of what is in it"
        return "biharmonic", "the hole is thin, but too wide to be learned from its surroundings"
    if modality.has_two_sides and is_mostly_known(subject, hole):
        return "mirror", "the hole is large, and the same place on the other side of the head is known"
    if not modality.patches_suit_volumes and len(axes) == 3:
        return "biharmonic", f"the hole is large; in a {modality.name} volume a thin plate errs least there"
    return "patch", "the hole is large, and there is tissue around it that fits"


def candidates(subject: Subject, groups: Sequence[Group], depth: float) -> list[str]:
    """Return the methods that a self-check tries for parts for which :func:`choose` found one method, that one first.

    Args:
        subject: with the hole.
        groups: the parts.
        depth: of the deepest of them, mm.
    """
    largest = max(groups, key=lambda group: group.hole.count())
    first, _ = _choose(subject, largest, depth)
    names = ["biharmonic", "patch"]
    if depth <= LEARNABLE and all(_can_be_learned(subject, group) for group in groups):
        names.append("patch-regression")
    if len(subject.axes) == 3:
        names.append("linear-z")
    if subject.modality.has_two_sides and is_mostly_known(subject, largest.hole):
        names.append("mirror")
    if subject.modality.is_smooth:
        names.append("hybrid")
    # Any flat image may pass for a chest film, so the network for these must win on trial holes to be chosen.
    if len(subject.axes) == 2 and _can_run(NETWORK, subject.modality.name):
        names.append(NETWORK)
    if subject.exemplars:
        names.append("exemplar")
    return [first, *(name for name in names if name != first)]


def _can_run(method: str, modality: str) -> bool:
    """Return whether a method's packages are installed and it has a model for such images."""
    from ..models.store import available
    from .registry import get

    info = get(method)
    return info.architecture is not None and not info.missing() and available(info.architecture, modality)


def _can_be_learned(subject: Subject, group: Group) -> bool:
    """Return whether patch-regression with its default parameters can learn from around every part."""
    around = grow(group.hole.box, [WIDEST] * len(group.hole.shape), group.hole.shape)
    return can_learn(subject.squeeze(group.hole.crop(around)), subject.spacing, Settings())


def _within(hole: Hole, spacing: Sequence[float], axis: int) -> float:
    """Return the mm from the middle of the hole's largest slice to its nearest known voxel, infinity if it has none."""
    from scipy import ndimage

    # A slice that is marked only inside the head counts like a whole one: the known voxels outside are far away.
    in_slice = [other for other in range(3) if other != axis]
    slices = np.moveaxis(hole.voxels, axis, 0)
    largest = slices[np.argmax(np.count_nonzero(slices, axis=(1, 2)))]
    # Around the bounding box all voxels are known, but beyond the image's border there are none.
    known_around = [(int(hole.box[a].start > 0), int(hole.box[a].stop < hole.shape[a])) for a in in_slice]
    padded = np.pad(largest, known_around)
    if padded.all():
        return np.inf
    return float(ndimage.distance_transform_edt(padded, sampling=[spacing[a] for a in in_slice]).max())


def _across(hole: Hole, spacing: Sequence[float], axis: int) -> float:
    """Return the mm from the middle of the hole to the nearest known voxel across slices, for its median thickness."""
    runs = np.count_nonzero(hole.voxels, axis=axis)
    return float(np.median(runs[runs > 0]) + 1) / 2 * spacing[axis]
