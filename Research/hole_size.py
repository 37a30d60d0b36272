"""The study `hole-size`: how the fill depends on the size of the hole, 1/6, 1/8, 1/10 or 1/12 of the film's side."""

from __future__ import annotations

from .shared.comparison import difference, mean, of_condition
from .shared.study import Arm, Condition, Outcome, Study

SIZES = ("1/12", "1/10", "1/8", "1/6")


def finding(outcome: Outcome) -> str:
    """Return each network's level and gain on holes like its own."""
    parts = []
    for size in SIZES:
        own = of_condition(outcome.cases, f"Squares of {size}")
        gain = difference(own, size, "biharmonic")
        parts.append(f"{size}: {mean(own, size, 'psnr'):.1f} dB, {gain} over the thin plate")
    return f"Each network on holes of the size that it learned, from small to large: {'; '.join(parts)}."


STUDY = Study(
    name="hole-size",
    title="How large may the hole be?",
    question="Four networks learn from squares of one size each, and are tested on all sizes.",
    arms=tuple(Arm(size, holes=(f"squares:{size}",)) for size in SIZES),
    conditions=tuple(
        Condition(f"Squares of {size}", f"squares:{size}", shown=(size, SIZES[0], SIZES[-1])) for size in SIZES
    ),
    finding=finding,
)
