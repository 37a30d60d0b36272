"""Normal films to learn from, against normal ones and such with pneumonia."""

from __future__ import annotations

from .shared.comparison import difference, of_exam, verdict
from .shared.study import Arm, Exam, Outcome, Study

NORMAL, PNEUMONIA = "CR no_findings", "CR pneumonia"
EXAMS = {"Normal films": NORMAL, "Films with pneumonia": PNEUMONIA}


def finding(outcome: Outcome) -> str:
    """Both trainings on both kinds of films."""
    parts = []
    for exam in EXAMS:
        own = of_exam(outcome.found, exam)
        gain = difference(own, "normal", "biharmonic")
        words = verdict(difference(own, "normal and pneumonia", "normal"), "is better", "is worse")
        parts.append(
            f"{exam}: the network that learned from normal ones gains {gain} over the thin plate; the one that "
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
    exams=tuple(Exam(label, "squares:1/8", (contrast,)) for label, contrast in EXAMS.items()),
    finding=finding,
)
