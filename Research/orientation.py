"""Strips in one direction against strips in both."""

from __future__ import annotations

from .shared.comparison import difference, of_exam, verdict
from .shared.study import Arm, Exam, Outcome, Study

EXAMS = {"Horizontal strips": "horizontal", "Vertical strips": "vertical"}


def finding(outcome: Outcome) -> str:
    """Mixed against horizontal, on both."""
    parts = []
    for exam in EXAMS:
        own = of_exam(outcome.found, exam)
        gain = difference(own, "horizontal", "biharmonic")
        words = verdict(difference(own, "mixed", "horizontal"), "is better", "is worse")
        parts.append(
            f"{exam}: the network that learned horizontal ones gains {gain} over the thin plate; the one that "
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
    exams=tuple(Exam(label, f"strips:1/16:1:{each}") for label, each in EXAMS.items()),
    finding=finding,
)
