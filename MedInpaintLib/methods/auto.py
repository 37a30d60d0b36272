"""The automatic choice of a method for each part of the hole, by its size, depth and side and by the kind of image.

The rules are those of ``docs/real-lesions``: lesions of multiple sclerosis, strokes and balls in heads of the training
and validation people, films and CT slices of the same splits. Where two methods are alike, the quicker one is taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..atlas.registration import can_show_a_head, register, why_none
from ..mask import Hole, grow
from ..modality import Modality
from ..other_side import is_mostly_known
from ..parts import Group
from ..patches.regression import WIDEST, Settings, can_learn
from ..progress import Progress
from ..subject import Subject
from .registry import get

#: Voxels at least this much longer across slices than within them make "thick slices".
THICK = 1.5
#: A hole is a ruined slice when its middle is this many times further from known voxels within the slice than across.
RUINED = 8.0

#: mm from the rim to the innermost voxel of a part up to which its surroundings say most of what is in it. In 8 heads
#: patch-regression leads unet there by 1.4 to 2.8 dB and patches by 1.5 to 2.2; in 2.6 to 3.2 mm it is 1.0 behind unet
#: and level with patches, in 3.2 to 4.5 mm 1.2 and 0.8 behind. unet leads mirror by 0.3 to 0.5 dB from 2.6 to 10 mm,
#: and mirror patches by 0.2 to 1.1.
SHALLOW = 2.6
#: A part of more than LARGE_ML whose voxels are no deeper than so many mm on average is filled smoothly. In 86 ml of
#: confluent lesions (1.9 mm; 7.7 at most) biharmonic has 21.7 dB in 8 s, unet 21.8 in 118 s, mirror and patch 20.5.
#: In strokes of 5 to 9 ml of three train and val people (6 to 7 mm at most) unet and mirror lead biharmonic by 0.5 to
#: 2.2 dB.
THIN = 2.2
#: mm up to which regression from the rim is worth a trial.
LEARNABLE = 7.0
#: ml above which the other side is taken. In strokes of val people unet leads mirror by 0.5 to 1.6 dB at 6 ml (four
#: people), by 0.3 on average at 14 to 20 ml and by 0.1 at 29; mirror leads from 38 ml on (0.1 to 0.4, eight strokes),
#: in a third of the time.
LARGE_ML = 25.0
#: ml from which on a deep part of a head is worth the seconds that an average head takes to be brought onto it. In
#: balls of 12 to 20 mm (0.9 to 4 ml) of 16 train people, each left out of the weights, consensus led mirror by 0.4 dB
#: (standard error 0.14), and in 10 of them unet by 0.4 (0.19); at 8 to 34 ml both by 0.5 to 1.9. In strokes of six val
#: people it led mirror by 0.75 dB on average at 14 to 20 ml and by 0.5 at 29 to 78, with its first weights.
ATLAS_ML = 2.0
#: mm to its innermost voxel that such a part has at least; the parts that were measured have 6 and more.
ATLAS_DEPTH = 6.0
#: mm to the innermost voxel up to which patches of a flat image lose to a thin plate: by 1.5 dB in discs of 10 mm in
#: four heads and by 0.4 in strips of 16 px in CT slices; in discs of 20 mm and squares of 32 px they gain 1.1 and 0.9.
FLAT_DEPTH = 9.0
#: The same in CT volumes, where patch-regression gains 1.0 to 4.3 dB over biharmonic in balls of 5 and 6 mm and 0.4 to
#: 3.9 in balls of 10 and 12 (four people).
SHALLOW_CT = 6.5
#: Seconds on one core that patch-regression may take for all parts of a CT volume: 300 dropouts would take minutes.
PATIENCE = 30.0

#: The network that is chosen where its packages are installed and it has a model for such images: the best of the
#: released ones on the validation images of all three modalities.
NETWORK = "unet"

SUMMARY = "Chooses for each part of the hole by its size, depth and side and by the kind of image, and says why."


def choose(
    subject: Subject, groups: Sequence[Group], depths: Sequence[Sequence[float]], progress: Progress | None = None
) -> list[tuple[str, str]]:
    """Return for each group of parts the method's name, and the reason in words for the report.

    Args:
        subject: with the hole.
        groups: its parts, those that are filled together.
        depths: of each part of each group, mm.
        progress: of this and all that follows; large parts of heads need a registration of the atlas.
    """
    rules = _Rules(subject, groups, progress)
    return [rules.choose(group, max(mm)) for group, mm in zip(groups, depths, strict=True)]


class _Rules:
    """The rules for the parts of one image."""

    def __init__(self, subject: Subject, groups: Sequence[Group], progress: Progress | None = None) -> None:
        self._subject = subject
        self._groups = groups
        self._progress = progress or Progress()
        self._flat = len(subject.axes) == 2
        self._network = can_run(NETWORK, subject.modality.name)
        cost = get("patch-regression").cost
        self._patient = sum(cost.seconds(group.hole.count()) for group in groups) <= PATIENCE

    def choose(self, group: Group, depth: float) -> tuple[str, str]:
        """Return the method's name for a group whose innermost voxel is so many mm deep, and the reason."""
        subject, modality = self._subject, self._subject.modality
        missing = _missing_slices(subject, group.hole)
        if missing:
            return "linear-z", missing
        smooth = next((each for each in (modality, *subject.may_be) if each.is_smooth), None)
        if smooth is not None:
            maybe = "" if smooth is modality else "; this may be one"
            why = f"{smooth.name} images are smooth, and a thin plate continues their values and slopes{maybe}"
            if self._network and smooth is modality:
                return NETWORK, "it has learned how such images go on"
            return self._without_network("biharmonic", why)
        in_volume = not self._flat and not modality.patches_suit_volumes
        if depth <= (SHALLOW_CT if in_volume else SHALLOW) and _can_be_learned(subject, group):
            if in_volume and not self._patient:
                return "biharmonic", "there are so many small parts that learning from their surroundings takes minutes"
            return "patch-regression", "small, so the tissue around tells most of what belongs there"
        if depth <= SHALLOW or _is_thin(subject, group):
            return "biharmonic", "thin, but too wide to be learned from the surroundings"
        return self._deep(group, depth, in_volume)

    def _deep(self, group: Group, depth: float, in_volume: bool) -> tuple[str, str]:
        """Return the method for a group whose surroundings do not say what is in it."""
        subject = self._subject
        ml = _ml(subject, group)
        large = ml > LARGE_ML
        wide = ml > ATLAS_ML and depth > ATLAS_DEPTH
        if wide and can_show_a_head(subject) and self._has_atlas():
            return "consensus", "deep, and an average head and the other side together tell what is likely there"
        if self._network and not large:
            other = " and what the other side of a head shows" if subject.modality.has_two_sides else ""
            return NETWORK, f"deep, and the network weighs several fills{other}"
        if subject.modality.has_two_sides and is_mostly_known(subject, group.hole):
            why = "and the same place on the other side of the head is known"
            return ("mirror", f"very large, {why}") if large else self._without_network("mirror", f"deep, {why}")
        if large:
            return "biharmonic", "very large, and nothing in the image shows what was there"
        if in_volume:
            why = f"deep; in a {subject.modality.name} volume a thin plate errs least there"
            return self._without_network("biharmonic", why)
        if self._flat and depth <= FLAT_DEPTH:
            return self._without_network("biharmonic", "a thin plate errs least in flat parts of this size")
        return self._without_network("patch", "deep, and there is tissue around it that fits")

    def _has_atlas(self) -> bool:
        """Return whether an atlas can be brought onto the image, which takes seconds the first time."""
        cost = get("consensus").cost
        large = (group.hole.count() for group in self._groups if _ml(self._subject, group) > ATLAS_ML)
        for_atlas, _ = self._progress.remaining(cost.image, sum(map(cost.seconds, large)))
        return not why_none(register(self._subject, for_atlas))

    def _without_network(self, method: str, reason: str) -> tuple[str, str]:
        """Return a method with its reason, and with what a network would bring if its packages were installed."""
        return method, reason + _what_it_lacks(self._subject.modality)


def _what_it_lacks(modality: Modality) -> str:
    """Say what a network would bring and why it cannot run; empty where there is none for such images."""
    missing = get(NETWORK).missing()
    if modality.network_gain is None or not missing:
        return ""
    return f"; the network {NETWORK} would gain about {modality.network_gain:g} dB and needs {' and '.join(missing)}"


def candidates(subject: Subject, groups: Sequence[Group], depth: float) -> list[str]:
    """Return the methods that a self-check tries for parts for which :func:`choose` found one method, that one first.

    Args:
        subject: with the hole.
        groups: the parts.
        depth: of the deepest of them, mm.
    """
    largest = max(groups, key=lambda group: group.hole.count())
    first, _ = _Rules(subject, groups).choose(largest, depth)
    names = ["biharmonic", "patch"]
    if depth <= LEARNABLE and all(_can_be_learned(subject, group) for group in groups):
        names.append("patch-regression")
    if len(subject.axes) == 3:
        names.append("linear-z")
    if subject.modality.has_two_sides and is_mostly_known(subject, largest.hole):
        names.append("mirror")
    if subject.modality.is_smooth:
        names.append("hybrid")
    if can_run(NETWORK, subject.modality.name):
        names.append(NETWORK)
    if subject.exemplars:
        names.append("exemplar")
    return [first, *(name for name in names if name != first)]


def can_run(method: str, modality: str) -> bool:
    """Return whether a method's packages are installed and it has a model for such images."""
    from ..models.store import available

    info = get(method)
    return info.architecture is not None and not info.missing() and available(info.architecture, modality)


def _can_be_learned(subject: Subject, group: Group) -> bool:
    """Return whether patch-regression with its default parameters can learn from around every part."""
    around = grow(group.hole.box, [WIDEST] * len(group.hole.shape), group.hole.shape)
    return can_learn(subject.squeeze(group.hole.crop(around)), subject.spacing, Settings())


def _is_thin(subject: Subject, group: Group) -> bool:
    """Return whether a group is large, and its voxels are near known ones on average."""
    if _ml(subject, group) <= LARGE_ML:
        return False
    distances = group.distances(subject.whole, subject.no_data, subject.image.spacing)
    return bool(distances.mean() <= THIN)


def _ml(subject: Subject, group: Group) -> float:
    """Return a group's volume; 0 in a flat image."""
    return group.hole.count() * math.prod(subject.spacing) / 1000 if len(subject.axes) == 3 else 0.0


def _missing_slices(subject: Subject, hole: Hole) -> str:
    """Return the reason for taking a hole for missing slices; empty where it is none.

    With one to three whole slices missing, linear-z leads biharmonic by 2.3 to 2.9 dB in MR with slices 2.6 to 4.5
    times thicker than pixels and by 0.7 to 1.1 dB in CT from 1.5 times on (``Testing/Benchmarks/auto_choice.py``).
    """
    spacing, axes = subject.image.spacing, subject.axes
    axis = max(axes, key=lambda a: spacing[a])
    thickness = spacing[axis] / min(spacing[a] for a in axes)
    if thickness < THICK or len(axes) < 3 or _within(hole, spacing, axis) < RUINED * _across(hole, spacing, axis):
        return ""
    return f"slices are missing and voxels are {thickness:.1f} times longer across slices"


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
