"""The study `learning`: what relative intensities, normalisation by group and fills along lines add on films."""

from __future__ import annotations

from typing import Any

from .shared.comparison import difference, of_condition
from .shared.study import Arm, Condition, Outcome, Study

CONDITION = "Squares of 1/8"
#: Label -> arguments of the U-Net; each arm adds one thing to the one before.
ARMS: dict[str, dict[str, Any]] = {
    "plain": {"relative": False, "lines": False, "norm": "batch"},
    "relative": {"relative": True, "lines": False, "norm": "batch"},
    "relative, by group": {"relative": True, "lines": False, "norm": "group"},
    "relative, by group, lines": {},
}


def finding(outcome: Outcome) -> str:
    """Return the gain over the thin plate of each arm."""
    own = of_condition(outcome.cases, CONDITION)
    gains = [f"{label}: {difference(own, label, 'biharmonic')}" for label in ARMS]
    return f"After {outcome.size.steps} steps the gain over the thin plate is, {'; '.join(gains)}."


STUDY = Study(
    name="learning",
    title="What lets a network learn on films?",
    question="Four U-Nets learn from squares, each with one thing more than the one before: intensities relative to "
    "the hole's surroundings, normalisation by group in place of batch, and fills along rows and columns to mix.",
    arms=tuple(Arm(label, arguments=tuple(arguments.items())) for label, arguments in ARMS.items()),
    conditions=(Condition(CONDITION, "squares:1/8"),),
    finding=finding,
)
