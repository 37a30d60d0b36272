"""The study `seeds`: how much trainings by the same recipe differ by chance, with three seeds."""

from __future__ import annotations

import itertools

from .shared.comparison import difference, mean, of_condition
from .shared.study import Arm, Condition, Outcome, Study

CONDITIONS = {"Squares of 1/8": "squares:1/8", "Strips of 1/16": "strips:1/16"}
SEEDS = (0, 1, 2)


def finding(outcome: Outcome) -> str:
    """Return the largest difference between two of the trainings, in each condition."""
    labels = [arm.label for arm in outcome.study.arms]
    parts = []
    for condition in CONDITIONS:
        own = of_condition(outcome.cases, condition)
        most = max((difference(own, *pair) for pair in itertools.combinations(labels, 2)), key=lambda d: abs(d.mean))
        levels = ", ".join(f"{mean(own, label, 'psnr'):.2f}" for label in labels)
        parts.append(f"{condition}: {levels} dB; two of them differ by {abs(most.mean):.2f} dB at most")
    return f"{'; '.join(parts)}. Smaller differences between other networks may be chance, too."


STUDY = Study(
    name="seeds",
    title="Would the same training come out the same?",
    question="Three networks learn from squares with the same recipe and other random numbers: weights, holes, order.",
    arms=tuple(Arm(f"seed {seed}", seed=seed) for seed in SEEDS),
    conditions=tuple(Condition(label, holes) for label, holes in CONDITIONS.items()),
    finding=finding,
)
