"""Region by region: crop, predict, blend, restore; the same steps for every method."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from .blending.by_name import BLENDS
from .clock import Clock
from .errors import InputError, MaskError, MethodError
from .mask import Hole, disjoint_boxes
from .methods import registry
from .prediction import MethodInfo, Prediction, Run
from .progress import Progress
from .region import Region, context, crop, restore
from .result import Patch
from .subject import Subject

#: A method that never falls back to another one: used when all peers did.
LAST = "harmonic"


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
    subject: Subject, plan: Plan, progress: Progress, clock: Clock | None = None, *, only: Hole | None = None
) -> Filling:
    """Fill the subject's hole, region after region.

    Args:
        subject: the image with its hole.
        plan: how.
        progress: reports and cancels.
        clock: takes the time.
        only: fill just the regions around this part of the subject's hole.

    Raises:
        MaskError: a region is all hole.
        MethodError: the method's prediction is invalid.
    """
    clock = clock or Clock()
    boxes = disjoint_boxes(only or subject.whole, [context(plan.method.context_mm, mm) for mm in subject.image.spacing])
    patches, notes, instead, device = [], [], [], None
    warnings: list[str] = []
    for number, box in enumerate(boxes):
        share = progress.part(number / len(boxes), (number + 1) / len(boxes))
        region = crop(subject, box)
        if region.hole.all():
            raise MaskError("The hole leaves no known voxel around it: nothing is there to fill it from.")
        prediction = _predict(region, plan, share.part(0.0, 0.8))
        clock.lap("method")
        blended = BLENDS[plan.blend](prediction.mean, region, share.part(0.8, 1.0))
        clock.lap("blend")
        spread = None if prediction.spread is None else prediction.spread[region.hole] * region.scaling.width
        intensities = restore(region, blended, subject.image.array.dtype)
        patches.append(Patch(box, subject.whole.crop(box), intensities, spread))
        notes.append(prediction.notes)
        warnings += prediction.warnings
        instead.append(prediction.instead)
        device = prediction.device or device
        clock.lap("restore")
    stepped_in = ", ".join(dict.fromkeys(name for name in instead if name)) if all(instead) else None
    return Filling(tuple(patches), _worst(notes), _merged(warnings), stepped_in, device)


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
        if array is not None and not np.isfinite(array[region.hole]).all():
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
