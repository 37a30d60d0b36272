"""The choice of a method for each group of parts: the user's, else by the kind of part, else by the self-check."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from .devices import use
from .filling import expected_seconds
from .methods import auto, registry
from .options import FillOptions
from .parameters import parse
from .parts import Group
from .prediction import MethodInfo
from .progress import Progress
from .selfcheck import SelfCheck, self_check, self_check_seconds
from .subject import Subject
from .tasks import Plan, Task


@dataclasses.dataclass(frozen=True)
class Choice:
    """What fills one group of parts, and why.

    Attributes:
        group: the parts.
        depths: of each part, mm.
        plan: the method with its settings.
        reason: for the report; empty where the user named the method.
        checked: the self-check of such parts, where there was one with scores.
    """

    group: Group
    depths: list[float]
    plan: Plan
    reason: str = ""
    checked: SelfCheck | None = None


def choose(
    subject: Subject, groups: Sequence[Group], options: FillOptions, progress: Progress, *, workers: int = 1
) -> tuple[list[Choice], list[str]]:
    """Choose the method for each group of parts: the user's, else by its kind, else by the self-check; and warnings."""
    spacing = subject.image.spacing
    depths = [group.depths(subject.whole, subject.no_data, spacing) for group in groups]
    automatic = options.method == "auto"
    chosen = auto.choose(subject, groups, depths, progress) if automatic else [(options.method, "")] * len(groups)
    plans, warnings = _plans([name for name, _ in chosen], options)
    choices = [
        Choice(group, mm, plans[name], reason) for group, mm, (name, reason) in zip(groups, depths, chosen, strict=True)
    ]
    if options.self_check:
        choices, more = _self_checked(subject, choices, options, progress, workers)
        warnings += more
    for info in {choice.plan.method.name: choice.plan.method for choice in choices}.values():
        warnings += _unused(info, subject)
    return choices, warnings


def _self_checked(
    subject: Subject, choices: Sequence[Choice], options: FillOptions, progress: Progress, workers: int
) -> tuple[list[Choice], list[str]]:
    """Try methods for each kind of parts, those for which one method was chosen, and return the choices after that."""
    kinds: dict[str, list[Choice]] = {}
    for choice in choices:
        kinds.setdefault(choice.plan.method.name, []).append(choice)
    plans_of = {name: _candidates(subject, kind, options) for name, kind in kinds.items()}
    groups_of = {name: [choice.group for choice in kind] for name, kind in kinds.items()}
    expected = [self_check_seconds(plans_of[name], groups_of[name], workers) for name in kinds]
    filling = expected_seconds(subject, [Task(choice.group, choice.plan) for choice in choices], workers)
    *shares, _ = progress.remaining(*expected, filling)
    decided: list[Choice] = []
    warnings: list[str] = []
    for share, (name, kind) in zip(shares, kinds.items(), strict=True):
        plans, groups = plans_of[name], groups_of[name]
        first = plans[0]
        checked = self_check(subject, plans, groups, seed=first.seed, progress=share, workers=workers)
        plan, reason, more = _after_check(checked, plans, kind[0].reason)
        warnings += [warning for warning in more if warning not in warnings]
        scored = checked if checked and checked.scores else None
        was_tried = checked is not None and len(checked.scores) > 1
        decided += [
            dataclasses.replace(choice, plan=plan, checked=scored, reason=reason if was_tried else choice.reason)
            for choice in kind
        ]
    return sorted(decided, key=lambda choice: choice.group.parts[0].number), warnings


def _candidates(subject: Subject, kind: Sequence[Choice], options: FillOptions) -> list[Plan]:
    """Return the methods to try for a kind of parts, the chosen one first; that one alone where the user named it."""
    first = kind[0].plan
    if options.method != "auto":
        return [first]
    deepest = max(mm for choice in kind for mm in choice.depths)
    names = auto.candidates(subject, [choice.group for choice in kind], deepest)
    plans, _ = _plans(names, options)  # their devices are told of when one of them is taken
    return [first, *(plans[name] for name in names if name != first.method.name)]


def _plans(names: Sequence[str], options: FillOptions) -> tuple[dict[str, Plan], list[str]]:
    """Return methods with their settings, checked, by name, and warnings.

    Where several methods were chosen, each takes the parameters that it knows.
    """
    plans: dict[str, Plan] = {}
    warnings: list[str] = []
    infos = {name: registry.get(name) for name in dict.fromkeys(names)}
    known = {field.name for info in infos.values() for field in dataclasses.fields(info.parameters)}
    for name, info in infos.items():
        own = {field.name for field in dataclasses.fields(info.parameters)}
        given = {key: value for key, value in options.parameters.items() if key in own or key not in known}
        settings = parse(info.parameters, given, method=name)
        device, more = _device(options.device, info)
        warnings += [warning for warning in more if warning not in warnings]
        blend = info.blend if options.blend == "auto" else options.blend
        plans[name] = Plan(info, settings, blend, device, int(options.seed), options.grain, options.method == "auto")
    return plans, warnings


def _device(asked: str, info: MethodInfo) -> tuple[str, list[str]]:
    """Return the device that is used, and a warning when it is not the one that was asked for."""
    if asked == "cpu" or (asked == "auto" and not info.wants_gpu):
        return "cpu", []
    if not info.wants_gpu:
        return "cpu", [f"Method '{info.name}' runs on the CPU; the device '{asked}' was not used."]
    return use(asked)


def _after_check(checked: SelfCheck | None, plans: Sequence[Plan], reason: str) -> tuple[Plan, str, list[str]]:
    """Return the winner, why it was taken, and warnings."""
    if checked is None:
        return plans[0], reason, ["The self-check found no place for trial holes; nothing was checked."]
    if not checked.scores:
        return plans[0], reason, [f"Not self-checked: '{name}': {why}" for name, why in checked.left_out.items()]
    best = next(plan for plan in plans if plan.method.name == checked.best)
    return best, checked.reason() if len(checked.scores) > 1 else reason, []


def _unused(info: MethodInfo, subject: Subject) -> list[str]:
    """Return warnings for inputs that the method does not use."""
    warnings = []
    if subject.guides and not info.uses_guides:
        warnings.append(f"Method '{info.name}' does not use guides; the fill was made without them.")
    if subject.exemplars and not info.needs_exemplars:
        warnings.append(f"Method '{info.name}' does not use exemplars; the fill was made without them.")
    return warnings


def by_plan(choices: Sequence[Choice]) -> list[tuple[Plan, list[Group]]]:
    """Return each method with the groups that it fills."""
    groups: dict[str, tuple[Plan, list[Group]]] = {}
    for choice in choices:
        groups.setdefault(choice.plan.method.name, (choice.plan, []))[1].append(choice.group)
    return list(groups.values())
