"""The study `disease`: training on normal films, or on these and films with pneumonia."""

from __future__ import annotations

from .shared.comparison import compare_trainings
from .shared.study import Arm, Condition, Outcome, Study

NORMAL, PNEUMONIA = "CR no_findings", "CR pneumonia"
CONDITIONS = {"Normal films": NORMAL, "Films with pneumonia": PNEUMONIA}


def finding(outcome: Outcome) -> str:
    """Return both trainings' gains on both kinds of films."""
    return compare_trainings(
        outcome.cases, CONDITIONS, "normal", "normal and pneumonia", words=("from normal ones", "from both")
    )


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
