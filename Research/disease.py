"""The study `disease`: training on normal films, or on these and films with pneumonia."""

from __future__ import annotations

from .shared.comparison import BASE, Comparison
from .shared.study import Arm, Condition, Study

NORMAL, PNEUMONIA = "CR no_findings", "CR pneumonia"
CONDITIONS = {"Normal films": NORMAL, "Films with pneumonia": PNEUMONIA}


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
    comparisons=tuple(
        Comparison(condition, first, second)
        for condition in CONDITIONS
        for first, second in (("normal", BASE), ("normal and pneumonia", BASE), ("normal and pneumonia", "normal"))
    ),
)
