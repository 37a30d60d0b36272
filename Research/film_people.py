"""The study `film-people`: the same training on films of a tenth, a third and all of the people."""

from __future__ import annotations

from .shared.comparison import difference, of_condition
from .shared.study import Arm, Condition, Outcome, Study

CONDITIONS = {"Squares of 1/8": "squares:1/8", "Strips of 1/16": "strips:1/16"}
SHARES = {"a tenth": 0.1, "a third": 0.33, "all": 1.0}


def finding(outcome: Outcome) -> str:
    """Return the gain over the thin plate by number of people, and what the last two thirds of the people add."""
    parts = []
    for condition in outcome.study.conditions:
        own = of_condition(outcome.cases, condition.label)
        gains = [f"{label} {difference(own, label, 'biharmonic')}" for label in SHARES]
        last = difference(own, "all", "a third")
        parts.append(f"{condition.label}: {', '.join(gains)}, so the last two thirds of the people bring {last}")
    return f"Gain over the thin plate by the people that are learned from, {'; '.join(parts)}."


STUDY = Study(
    name="film-people",
    title="Would more people to learn from help on films?",
    question="Three networks learn from as many squares in the films of a tenth, a third and all of the people.",
    arms=tuple(Arm(label, share=share) for label, share in SHARES.items()),
    conditions=tuple(Condition(label, holes) for label, holes in CONDITIONS.items()),
    finding=finding,
)
