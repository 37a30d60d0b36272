"""The study `orientation`: learning from strips in one direction, or in both."""

from __future__ import annotations

from .shared.comparison import compare_trainings
from .shared.study import Arm, Condition, Outcome, Study

CONDITIONS = {"Horizontal strips": "horizontal", "Vertical strips": "vertical"}


def finding(outcome: Outcome) -> str:
    """Return the gain of both networks on strips of each direction."""
    return compare_trainings(outcome.cases, CONDITIONS, "horizontal", "mixed", words=("horizontal ones", "both"))


STUDY = Study(
    name="orientation",
    title="Does the direction of strips matter?",
    question="One network learns from horizontal strips alone, one from horizontal and vertical ones.",
    arms=(
        Arm("horizontal", holes=("strips:1/16",)),
        Arm("mixed", holes=("strips:1/16:1:both",)),
    ),
    conditions=tuple(Condition(label, f"strips:1/16:1:{each}") for label, each in CONDITIONS.items()),
    finding=finding,
)
