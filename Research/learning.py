"""What lets a network learn on films: relative intensities, fills along lines, normalisation by group."""

from __future__ import annotations

from typing import Any

from .shared.comparison import difference, of_exam
from .shared.study import Arm, Exam, Outcome, Study

EXAM = "Squares of 1/8"
#: Label -> arguments of the U-Net: each has one thing more than the one before.
ARMS: dict[str, dict[str, Any]] = {
    "plain": {"relative": False, "lines": False, "norm": "batch"},
    "relative": {"relative": True, "lines": False, "norm": "batch"},
    "relative, by group": {"relative": True, "lines": False, "norm": "group"},
    "relative, by group, lines": {},
}


def finding(outcome: Outcome) -> str:
    """Gain over the thin plate, thing by thing."""
    own = of_exam(outcome.found, EXAM)
    gains = [f"{label}: {difference(own, label, 'biharmonic')}" for label in ARMS]
    return f"After {outcome.size.steps} steps the gain over the thin plate is, {'; '.join(gains)}."


STUDY = Study(
    name="learning",
    title="What lets a network learn on films?",
    question="Four U-Nets learn from squares, each with one thing more than the one before: intensities relative to "
    "the hole's surroundings, normalisation by group in place of batch, and fills along rows and columns to mix.",
    arms=tuple(Arm(label, arguments=tuple(arguments.items())) for label, arguments in ARMS.items()),
    exams=(Exam(EXAM, "squares:1/8"),),
    finding=finding,
)
