"""How much of a difference is the chance of a training: the same recipe with three seeds."""

from __future__ import annotations

import itertools

from .shared.comparison import difference, mean, of_exam
from .shared.study import Arm, Exam, Outcome, Study

EXAMS = {"Squares of 1/8": "squares:1/8", "Strips of 1/16": "strips:1/16"}
SEEDS = (0, 1, 2)


def finding(outcome: Outcome) -> str:
    """The largest difference between two of them, on each exam."""
    labels = [arm.label for arm in outcome.study.arms]
    parts = []
    for exam in EXAMS:
        own = of_exam(outcome.found, exam)
        most = max((difference(own, *pair) for pair in itertools.combinations(labels, 2)), key=lambda d: abs(d.mean))
        levels = ", ".join(f"{mean(own, label, 'psnr'):.2f}" for label in labels)
        parts.append(f"{exam}: {levels} dB; two of them differ by {abs(most.mean):.2f} dB at most")
    return f"{'; '.join(parts)}. Smaller differences between other networks may be chance, too."


STUDY = Study(
    name="seeds",
    title="Would the same training come out the same?",
    question="Three networks learn from squares with the same recipe and other random numbers: weights, holes, order.",
    arms=tuple(Arm(f"seed {seed}", seed=seed) for seed in SEEDS),
    exams=tuple(Exam(label, holes) for label, holes in EXAMS.items()),
    finding=finding,
)
