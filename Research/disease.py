"""The study `disease`: training on normal films, or on these and films with pneumonia."""

from __future__ import annotations

from .shared.comparison import difference, of_condition, verdict
from .shared.study import Arm, Condition, Outcome, Study

NORMAL, PNEUMONIA = "CR no_findings", "CR pneumonia"
CONDITIONS = {"Normal films": NORMAL, "Films with pneumonia": PNEUMONIA}


def finding(outcome: Outcome) -> str:
    """Return both trainings' gains on both kinds of films."""
    parts = []
    for condition in CONDITIONS:
        own = of_condition(outcome.cases, condition)
        gain = difference(own, "normal", "biharmonic")
        words = verdict(difference(own, "normal and pneumonia", "normal"), "is better", "is worse")
        parts.append(
            f"{condition}: the network that learned from normal ones gains {gain} over the thin plate; the one that "
            f"learned from both {words}"
        )
    return "; ".join(parts) + "."


STUDY = Study(
    name="disease",
    title="Does disease in the training data matter?",
    question="One network learns from normal films alone, one from as many holes in these and in films with pneumonia, "
    "which are of more people, too.",
    arms=(
        Arm("normal", contrasts=(NORMAL,)),
        Arm("normal and pneumonia"),
    ),
    conditions=tuple(Condition(label, "squares:1/8", (contrast,)) for label, contrast in CONDITIONS.items()),
    finding=finding,
)
