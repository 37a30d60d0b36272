"""The study `seeds`: how much trainings by the same recipe differ by chance, with three seeds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from .shared.cases import Case
from .shared.comparison import Comparison, difference
from .shared.statistics import CHANCE_OF_TRAINING
from .shared.study import Arm, Condition, Study

CONDITIONS = {"Squares of 1/8": "squares:1/8", "Strips of 1/16": "strips:1/16"}
ARMS = {f"seed {seed}": seed for seed in (0, 1, 2)}
COMPARISONS = tuple(
    Comparison(condition, second, first)
    for condition in CONDITIONS
    for first, second in itertools.combinations(ARMS, 2)
)


def largest(cases: Sequence[Case]) -> float:
    """Return the largest difference in PSNR between two of the trainings, averaged over people."""
    return max(abs(difference(cases, comparison).mean) for comparison in COMPARISONS)


def remark(cases: Sequence[Case]) -> str:
    """Return the largest difference between two of the trainings, and what follows for other networks."""
    most, chance = largest(cases), CHANCE_OF_TRAINING["psnr"]
    words = f"Two of the three trainings differ by up to {most:.2f} dB"
    if most > chance:
        return f"{words}, which is more than the {chance:g} dB that the pages of studies take for chance."
    return (
        f"{words}. So on every page of a study a trained network that differs from another method by {chance:g} dB or "
        "less cannot be told apart from it, and neither can these three from each other."
    )


STUDY = Study(
    name="seeds",
    title="Would the same training come out the same?",
    question="Three networks learn from squares with the same recipe and other random numbers: weights, holes, order.",
    arms=tuple(Arm(label, seed=seed) for label, seed in ARMS.items()),
    conditions=tuple(Condition(label, holes) for label, holes in CONDITIONS.items()),
    comparisons=COMPARISONS,
    remark=remark,
)
