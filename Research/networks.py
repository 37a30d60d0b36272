"""U-Net against partial convolutions against recurrent feature reasoning, on chest films."""

from __future__ import annotations

from .shared.comparison import difference, of_exam, verdict
from .shared.study import Arm, Exam, Outcome, Study


def finding(outcome: Outcome) -> str:
    """Each against the U-Net, on each exam."""
    first, *others = [arm.label for arm in outcome.study.arms]
    parts = []
    for exam in outcome.study.exams:
        own = of_exam(outcome.found, exam.label)
        gains = [f"{first} {difference(own, first, 'biharmonic')}"]
        against = [f"{label} {verdict(difference(own, label, first), 'is better', 'is worse')}" for label in others]
        parts.append(f"{exam.label}: {gains[0]} over the thin plate; beside it {' and '.join(against)}")
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
    exams=(Exam("Squares of 1/8", "squares:1/8"), Exam("Strips of 1/16", "strips:1/16")),
    finding=finding,
)
