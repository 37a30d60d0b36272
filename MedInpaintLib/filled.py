"""What filling returns: regions that were filled, with their notes, warnings and doubts."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from .calibration import Calibration
from .result import Patch
from .tasks import Task

#: How the names of notes begin of which less is worse.
LIKENESS = ("correlation", "similarity")


@dataclasses.dataclass(frozen=True)
class Filled:
    """A region that was filled.

    Attributes:
        task: what was to be done.
        patch: the filled voxels.
        notes, warnings: the method's.
        doubts: for parts whose fill does not fit the tissue around it, by number, a sentence.
        instead: name of the method that replaced this one in all of the region; None when it filled some of it.
        device: where the method's network ran in the end; None without a network.
        seconds: by stage, of all images.
        companions: the same region of the subject's companions.
        shared: whether all images were filled from the same sources; False for an image without companions.
        calibration: the prediction's.
        noise: standard deviation of the grain that was added, in the image's units.
        background: bool, which of the filled voxels lie in an exact-zero background; None where there is none.
    """

    task: Task
    patch: Patch
    notes: dict[str, Any]
    warnings: tuple[str, ...]
    doubts: dict[int, str]
    instead: str | None
    device: str | None
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    companions: tuple[Filled, ...] = ()
    shared: bool = False
    calibration: Calibration | None = None
    noise: float = 0.0
    background: np.ndarray | None = None

    @property
    def images(self) -> tuple[Filled, ...]:
        """The region in all images that were filled together."""
        return self, *self.companions

    @property
    def method(self) -> str:
        """Name of the method that filled it in the end."""
        return self.instead or self.task.plan.method.name


@dataclasses.dataclass(frozen=True)
class Filling:
    """The filled regions of a hole, in the order of their parts."""

    regions: tuple[Filled, ...]

    def of_each_image(self) -> list[Filling]:
        """Return the filling of each image that was filled together, the first one with companions no more."""
        images = zip(*(region.images for region in self.regions), strict=True)
        return [Filling(tuple(dataclasses.replace(each, companions=()) for each in regions)) for regions in images]

    @property
    def patches(self) -> tuple[Patch, ...]:
        """The filled voxels, region by region."""
        return tuple(region.patch for region in self.regions)

    @property
    def notes(self) -> dict[str, Any]:
        """The methods' notes: the largest of each number, the first of each text."""
        return _worst([region.notes for region in self.regions])

    @property
    def warnings(self) -> tuple[str, ...]:
        """Doubts about parts and the methods' warnings, each once."""
        doubts = {number: doubt for region in self.regions for number, doubt in region.doubts.items()}
        told = [f"Part {number}: {doubts[number]}" for number in sorted(doubts)]
        return merged([*told, *(warning for region in self.regions for warning in region.warnings)])

    @property
    def instead(self) -> str | None:
        """Names of the methods that replaced others in all of the hole; None when those filled some of it."""
        names = [region.instead for region in self.regions]
        return ", ".join(dict.fromkeys(name for name in names if name)) if all(names) else None

    @property
    def device(self) -> str | None:
        """Where networks ran in the end; None without one."""
        return next((region.device for region in reversed(self.regions) if region.device), None)

    @property
    def has_spread(self) -> bool:
        """Whether there is a standard deviation everywhere, in all images."""
        return all(each.patch.spread is not None for region in self.regions for each in region.images)

    def without_spread(self) -> Filling:
        """Return the filling without standard deviations."""

        def bare(filled: Filled) -> Filled:
            return dataclasses.replace(filled, patch=dataclasses.replace(filled.patch, spread=None))

        return Filling(
            tuple(
                dataclasses.replace(bare(each), companions=tuple(map(bare, each.companions))) for each in self.regions
            )
        )


def merged(warnings: Sequence[str]) -> tuple[str, ...]:
    """Merge warnings of several regions: each once; of those that differ only in numbers, the first.

    >>> merged(["9 voxels were hard.", "It is large.", "7 voxels were hard.", "It is large."])
    ('9 voxels were hard (and the like in 1 other place).', 'It is large.')
    """
    alike: dict[str, list[str]] = {}
    for warning in dict.fromkeys(warnings):
        # One part and two parts are alike as well; T1 and T2 are not.
        alike.setdefault(re.sub(r"s\b", "", re.sub(r"\b\d+", "#", warning)), []).append(warning)
    return tuple(first if not similar else _and_others(first, len(similar)) for first, *similar in alike.values())


def _and_others(warning: str, count: int) -> str:
    return f"{warning.rstrip('.')} (and the like in {count} other place{'s' if count > 1 else ''})."


def _worst(notes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Merge the notes of all regions: the least of how alike things are, the most of other numbers, the first text."""
    worst: dict[str, Any] = {}
    for note in notes:
        for name, value in note.items():
            kept = worst.setdefault(name, value)
            if not isinstance(value, str):
                worst[name] = min(kept, value) if name.startswith(LIKENESS) else max(kept, value)
    return worst
