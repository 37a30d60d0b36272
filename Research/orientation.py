"""The study `orientation`: learning from strips in one direction, or in both."""

from __future__ import annotations

from .shared.comparison import difference, of_condition, verdict
from .shared.study import Arm, Condition, Outcome, Study

CONDITIONS = {"Horizontal strips": "horizontal", "Vertical strips": "vertical"}


def finding(outcome: Outcome) -> str:
    """Return the gain of both networks on strips of each direction."""
    parts = []
    for condition in CONDITIONS:
        own = of_condition(outcome.cases, condition)
        gain = difference(own, "horizontal", "biharmonic")
        words = verdict(difference(own, "mixed", "horizontal"), "is better", "is worse")
        parts.append(
            f"{condition}: the network that learned horizontal ones gains {gain} over the thin plate; the one that "
            f"learned both {words}"
        )
    return "; ".join(parts) + "."


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
