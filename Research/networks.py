"""The study `networks`: U-Net, partial convolutions or recurrent feature reasoning, on chest films."""

from __future__ import annotations

from .shared.comparison import difference, of_condition, verdict
from .shared.study import Arm, Condition, Outcome, Study


def finding(outcome: Outcome) -> str:
    """Return each network's difference to the U-Net, in each condition."""
    first, *others = [arm.label for arm in outcome.study.arms]
    parts = []
    for condition in outcome.study.conditions:
        own = of_condition(outcome.cases, condition.label)
        gains = [f"{first} {difference(own, first, 'biharmonic')}"]
        against = [f"{label} {verdict(difference(own, label, first), 'is better', 'is worse')}" for label in others]
        parts.append(f"{condition.label}: {gains[0]} over the thin plate; beside it {' and '.join(against)}")
    return "; ".join(parts) + "."


STUDY = Study(
    name="networks",
    title="U-Net, partial convolutions or recurrent feature reasoning?",
    question="Three networks learn from the same squares and strips in chest films, each with the size and the step "
    "size of its recipe. Does the architecture matter?",
    arms=tuple(
        Arm(label, architecture, ("squares:1/8", "strips:1/16"))
        for label, architecture in (("U-Net", "unet"), ("PConv", "pconv"), ("RFR", "rfr"))
    ),
    conditions=(Condition("Squares of 1/8", "squares:1/8"), Condition("Strips of 1/16", "strips:1/16")),
    finding=finding,
)
