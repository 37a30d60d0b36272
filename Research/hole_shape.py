"""Squares against strips: which is harder, and does a network that learned one fill the other?"""

from __future__ import annotations

from .shared.comparison import difference, mean, of_exam, verdict
from .shared.study import Arm, Exam, Outcome, Study

EXAMS = {"squares": "Squares of 1/8", "strips": "Strips of 1/16"}
HOLES = {"squares": "squares:1/8", "strips": "strips:1/16"}


def finding(outcome: Outcome) -> str:
    """Levels at home, and what the other's training costs."""
    parts = []
    for home, other in (("squares", "strips"), ("strips", "squares")):
        own = of_exam(outcome.found, EXAMS[home])
        gain, cost = difference(own, home, "biharmonic"), difference(own, other, home)
        parts.append(
            f"on {home} the network that learned them reaches {mean(own, home, 'psnr'):.1f} dB, {gain} over the thin "
            f"plate, and the one that learned {other} {verdict(cost, 'is better', 'is worse')}"
        )
    text = "; ".join(parts) + "."
    return text[0].upper() + text[1:]


STUDY = Study(
    name="hole-shape",
    title="Squares or strips?",
    question="One network learns from squares of 1/8 of the side, one from strips of 1/16 across the film.",
    arms=tuple(Arm(kind, holes=(holes,)) for kind, holes in HOLES.items()),
    exams=tuple(Exam(EXAMS[kind], holes) for kind, holes in HOLES.items()),
    finding=finding,
)
