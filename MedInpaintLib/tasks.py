"""What is to be filled and how: plans, tasks, their boxes, and what they will take."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from .background import continuing_seconds, touches_zero
from .mask import Box, grow, size_of
from .methods import registry
from .parts import Group, put_together
from .prediction import MethodInfo
from .region import FARTHEST, context
from .subject import Subject

#: A method that never falls back to another one.
LAST = "harmonic"
#: mm around a part of the hole in which known voxels are looked for where only such without data touch it.
FAR_MM = 20.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a region is filled.

    Attributes:
        method: which.
        settings: its parameters.
        blend: ``"paste"``, ``"feather"`` or ``"poisson"``.
        device: ``"cpu"``, ``"cuda"``, ...
        seed: for chance.
        grain: add the noise that the fill lacks, see :func:`.grain.add_grain`.
        automatic: nobody named the method, so that :data:`LAST` replaces it where its equations cannot be solved.
    """

    method: MethodInfo
    settings: Any
    blend: str
    device: str = "cpu"
    seed: int = 0
    grain: bool = False
    automatic: bool = False

    @classmethod
    def of(cls, method: str, blend: str = "auto", *, seed: int = 0) -> Plan:
        """Plan a method by name, with its default parameters; ``"auto"`` is the blending that suits it."""
        info = registry.get(method)
        return cls(info, info.parameters(), info.blend if blend == "auto" else blend, seed=seed, automatic=True)


@dataclasses.dataclass(frozen=True)
class Task:
    """Parts of the hole that are filled together, and how."""

    group: Group
    plan: Plan


def plan_tasks(subject: Subject, planned: Sequence[tuple[Plan, Sequence[Group]]]) -> list[Task]:
    """Return the tasks: one for each region, where small parts of one plan that are near each other share a region."""
    tasks = []
    for plan, groups in planned:
        margin = [context(plan.method.context_mm, mm) for mm in subject.image.spacing]
        tasks += [Task(group, plan) for group in put_together(groups, margin)]
    return sorted(tasks, key=lambda task: task.group.parts[0].number)


def box_of(subject: Subject, task: Task) -> Box:
    """Return the box of a region: the parts with context, and with known voxels if any are near."""
    margin = [context(task.plan.method.context_mm, mm) for mm in subject.image.spacing]
    box = grow(task.group.hole.box, margin, subject.whole.shape)
    return box if all(each.no_data is None for each in subject.images) else _with_known_voxels(subject, box)


def _with_known_voxels(subject: Subject, box: Box) -> Box:
    """Grow a box until there are known voxels of all images in it, by :data:`FAR_MM` at most."""
    lacking = [each.no_data for each in subject.images if each.no_data is not None]
    wider = box
    for mm in (0.0, FAR_MM / 4, FAR_MM / 2, FAR_MM):
        wider = grow(box, [min(math.ceil(mm / step), FARTHEST) for step in subject.image.spacing], subject.whole.shape)
        hole = subject.whole.crop(wider)
        if not any((hole | no_data[wider]).all() for no_data in lacking):
            break
    return wider


def seconds_of(subject: Subject, task: Task) -> float:
    """Return about what a task takes."""
    return sum(stages_of(subject, task))


def stages_of(subject: Subject, task: Task) -> tuple[float, float, float, float]:
    """Return about what the method, blending, continuing the background and judging the result take."""
    hole, box, images = task.group.hole, box_of(subject, task), len(subject.images)
    voxels, parts = hole.count(), sum(size_of(part.box) for part in task.group.parts)
    blending = 2e-6 * voxels if task.plan.blend == "poisson" else 0.0
    background = continuing_seconds(size_of(box)) if touches_zero(subject, hole) else 0.0
    stages = task.plan.method.cost.seconds(voxels, parts), blending, background, 0.2e-6 * size_of(box)
    return stages[0] * images, stages[1] * images, stages[2] * images, stages[3] * images
