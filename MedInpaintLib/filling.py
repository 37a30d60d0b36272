"""Region by region: crop, predict, blend, restore; the same steps for every method."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from .background import zero_voxels
from .blending.by_name import BLENDS
from .clock import Clock
from .errors import InputError, MaskError, MethodError
from .grain import add_grain
from .guard import doubt_of
from .mask import Box, Hole, disjoint_boxes, grow, separate
from .methods import registry
from .prediction import MethodInfo, Prediction, Run
from .progress import Progress
from .region import FARTHEST, Region, context, crop, restore
from .result import Patch
from .subject import Subject

#: A method that never falls back to another one: used when all peers did.
LAST = "harmonic"
#: mm around a part of the hole in which known voxels are looked for where only such without data touch it.
FAR_MM = 20.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """All decisions before the first region is filled.

    Attributes:
        method: which.
        settings: its parameters.
        blend: ``"paste"``, ``"feather"`` or ``"poisson"``.
        device: ``"cpu"``, ``"cuda"``, ...
        seed: for chance.
    """

    method: MethodInfo
    settings: Any
    blend: str
    device: str = "cpu"
    seed: int = 0

    @classmethod
    def of(cls, method: str, blend: str = "auto", *, seed: int = 0) -> Plan:
        """Plan a method by name, with its default parameters; ``"auto"`` is the blending that suits it."""
        info = registry.get(method)
        return cls(info, info.parameters(), info.blend if blend == "auto" else blend, seed=seed)


@dataclasses.dataclass(frozen=True)
class Filling:
    """The filled voxels, and the method's notes and warnings.

    Attributes:
        patches: the filled voxels, region by region.
        notes, warnings: the method's, for all regions.
        instead: names of the methods that replaced this one in all of the hole; None when it filled some of it.
        device: where the method's network ran in the end; None without a network.
    """

    patches: tuple[Patch, ...]
    notes: dict[str, Any]
    warnings: tuple[str, ...]
    instead: str | None = None
    device: str | None = None

    @property
    def has_spread(self) -> bool:
        """Whether the method gave a standard deviation everywhere."""
        return all(patch.spread is not None for patch in self.patches)


def fill(
    subject: Subject,
    plan: Plan,
    progress: Progress,
    clock: Clock | None = None,
    *,
    only: Hole | None = None,
    grain: bool = False,
) -> Filling:
    """Fill the subject's hole, region after region.

    Args:
        subject: the image with its hole.
        plan: how.
        progress: reports and cancels.
        clock: takes the time.
        only: fill just the regions around this part of the subject's hole.
        grain: add the noise that the fill lacks, see :func:`.grain.add_grain`.

    Raises:
        MaskError: nothing is known around a part of the hole.
        MethodError: the method's prediction is invalid.
    """
    clock = clock or Clock()
    boxes = _boxes(subject, only or subject.whole, plan.method.context_mm)
    patches, notes, instead, device = [], [], [], None
    warnings: list[str] = []
    for number, box in enumerate(boxes):
        share = progress.part(number / len(boxes), (number + 1) / len(boxes))
        region = crop(subject, box)
        if region.hole.all():
            raise MaskError(_nothing_known(region))
        prediction = _predict(region, plan, share.part(0.0, 0.8))
        clock.lap("method")
        blended = BLENDS[plan.blend](prediction.mean, region, share.part(0.8, 1.0))
        clock.lap("blend")
        spread = None if prediction.spread is None else prediction.spread[region.fill] * region.scaling.width
        if grain:
            blended = add_grain(region, blended, plan.seed)
        own = subject.whole.crop(box)
        intensities = restore(region, blended, subject.image.array.dtype)
        outside = zero_voxels(subject, box, own)
        if outside is not None:
            intensities[outside[own]] = 0
        patches.append(Patch(box, own, intensities, spread))
        inside = own if outside is None else own & ~outside
        doubtful = doubt_of(subject, box, inside, intensities[inside[own]])
        warnings += [doubtful] if doubtful else []
        notes.append(prediction.notes)
        warnings += prediction.warnings
        instead.append(prediction.instead)
        device = prediction.device or device
        clock.lap("restore")
    stepped_in = ", ".join(dict.fromkeys(name for name in instead if name)) if all(instead) else None
    return Filling(tuple(patches), _worst(notes), _merged(warnings), stepped_in, device)


def _boxes(subject: Subject, hole: Hole, context_mm: float) -> list[Box]:
    """Return the boxes of the regions: parts of the hole with context, and with known voxels if any are near."""
    spacing = subject.image.spacing
    boxes = disjoint_boxes(hole, [context(context_mm, mm) for mm in spacing])
    if subject.no_data is None:
        return boxes
    return separate(_with_known_voxels(subject, box) for box in boxes)


def _with_known_voxels(subject: Subject, box: Box) -> Box:
    """Grow a box until there are known voxels in it, by :data:`FAR_MM` at most."""
    assert subject.no_data is not None
    wider = box
    for mm in (0.0, FAR_MM / 4, FAR_MM / 2, FAR_MM):
        wider = grow(box, [min(math.ceil(mm / step), FARTHEST) for step in subject.image.spacing], subject.whole.shape)
        if not (subject.whole.crop(wider) | subject.no_data[wider]).all():
            break
    return wider


def _nothing_known(region: Region) -> str:
    """Say why a region cannot be filled."""
    if region.no_data is None:
        return "The hole leaves no known voxel around it: nothing is there to fill it from."
    first = [int(at) + side.start for at, side in zip(np.argwhere(region.fill)[0], region.place, strict=True)]
    return (
        f"A part of the hole ({np.count_nonzero(region.fill)} voxels, the first at {first}) is surrounded by voxels "
        f"without data (NaN or padding), up to {FAR_MM:g} mm away: nothing is there to fill it from. Leave it out of "
        "the mask."
    )


def _merged(warnings: Sequence[str]) -> tuple[str, ...]:
    """Merge warnings of several regions: each once; of those that differ only in numbers, the first.

    >>> _merged(["9 voxels were hard.", "It is large.", "7 voxels were hard.", "It is large."])
    ('9 voxels were hard (and the like in 1 other place).', 'It is large.')
    """
    alike: dict[str, list[str]] = {}
    for warning in dict.fromkeys(warnings):
        # One part and two parts are alike as well; T1 and T2 are not.
        alike.setdefault(re.sub(r"s\b", "", re.sub(r"\b\d+", "#", warning)), []).append(warning)
    return tuple(first if not similar else _and_others(first, len(similar)) for first, *similar in alike.values())


def _and_others(warning: str, count: int) -> str:
    return f"{warning.rstrip('.')} (and the like in {count} other place{'s' if count > 1 else ''})."


def spread_among(
    subject: Subject, filling: Filling, peers: Sequence[str], seed: int, progress: Progress
) -> tuple[Filling, list[str]]:
    """Replace the filling's spread by the standard deviation among it and the fills of other methods.

    Args:
        subject: the image that was filled.
        filling: keeps its values and gets the other methods' warnings.
        peers: names of the other methods.
        seed: for them.
        progress: reports and cancels.

    Returns:
        The filling, and the names of the peers that took part. A peer that fell back to another method everywhere is
        left out; if none is left, :data:`LAST` takes part.
    """
    fillings: dict[str, Filling] = {}
    warnings = list(filling.warnings)
    for number, name in enumerate((*peers, LAST)):
        if name == LAST and fillings:
            break
        share = progress.part(number / (len(peers) + 1), (number + 1) / (len(peers) + 1))
        peer = fill(subject, Plan.of(name, seed=seed), share)
        warnings += [f"For the uncertainty, {name}: {warning}" for warning in peer.warnings]
        if peer.instead is None:
            fillings[name] = peer
    order, values = _by_voxel(filling, subject.whole.shape)
    spread = np.empty(len(order))
    spread[order] = np.std([values, *(_by_voxel(each, subject.whole.shape)[1] for each in fillings.values())], axis=0)
    ends = np.cumsum([len(patch.intensities) for patch in filling.patches])[:-1]
    patches = tuple(
        dataclasses.replace(patch, spread=part)
        for patch, part in zip(filling.patches, np.split(spread, ends), strict=True)
    )
    return dataclasses.replace(filling, patches=patches, warnings=tuple(warnings)), list(fillings)


def _by_voxel(filling: Filling, shape: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return how to sort the filled voxels by index in the image, and their values, float64, in that order."""
    # Without a box around all regions: two voxels in opposite corners would need one as large as the image.
    positions = []
    for patch in filling.patches:
        within = np.nonzero(patch.hole)
        starts = [side.start for side in patch.box]
        positions.append(np.ravel_multi_index([at + first for at, first in zip(within, starts, strict=True)], shape))
    order = np.argsort(np.concatenate(positions))
    return order, np.concatenate([patch.intensities for patch in filling.patches]).astype(np.float64)[order]


def _predict(region: Region, plan: Plan, progress: Progress) -> Prediction:
    """Run the method and check its prediction: a clear error is better than black voxels."""
    assert plan.method.fill is not None  # the registry fills it in
    name = plan.method.name
    run = Run(seed=plan.seed, device=plan.device, progress=progress)
    try:
        prediction = plan.method.fill(region, plan.settings, run)
    except np.linalg.LinAlgError as error:
        raise InputError(
            f"Method '{name}' has too few known voxels around the hole to solve its equations ({error}); take another "
            f"one, such as '{LAST}'."
        ) from None
    for what, array in (("shape", prediction.mean), ("a spread of shape", prediction.spread)):
        if array is not None and array.shape != region.values.shape:
            raise MethodError(f"Method '{name}' returned {what} {array.shape} for a region of {region.values.shape}.")
        if array is not None and not np.isfinite(array[region.fill]).all():
            raise MethodError(f"Method '{name}' returned NaN or infinity inside the hole; try another method.")
    return prediction


def _worst(notes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Merge the notes of all regions: the largest of each number, the first of each text."""
    merged: dict[str, Any] = {}
    for note in notes:
        for name, value in note.items():
            keep = name not in merged or (not isinstance(value, str) and value > merged[name])
            merged[name] = value if keep else merged[name]
    return merged
