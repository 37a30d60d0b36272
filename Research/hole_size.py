"""How the fill depends on the size of the hole: squares of 1/6, 1/8, 1/10 and 1/12 of the film's side."""

from __future__ import annotations

from .shared.comparison import difference, mean, of_exam
from .shared.study import Arm, Exam, Outcome, Study

SIZES = ("1/12", "1/10", "1/8", "1/6")


def finding(outcome: Outcome) -> str:
    """Level and gain of each at home."""
    parts = []
    for size in SIZES:
        own = of_exam(outcome.found, f"Squares of {size}")
        gain = difference(own, size, "biharmonic")
        parts.append(f"{size}: {mean(own, size, 'psnr'):.1f} dB, {gain} over the thin plate")
    return f"Each network on holes of the size that it learned, from small to large: {'; '.join(parts)}."


STUDY = Study(
    name="hole-size",
    title="How large may the hole be?",
    question="Four networks learn from squares of one size each, and are tested on all sizes.",
    arms=tuple(Arm(size, holes=(f"squares:{size}",)) for size in SIZES),
    exams=tuple(Exam(f"Squares of {size}", f"squares:{size}", shown=(size, SIZES[0], SIZES[-1])) for size in SIZES),
    finding=finding,
)
