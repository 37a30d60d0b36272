"""The study `film-people`: the same training on films of a tenth, a third and all of the people."""

from __future__ import annotations

from collections.abc import Iterable

from .shared.comparison import BASE, Comparison
from .shared.study import Arm, Condition, Study

CONDITIONS = {"Squares of 1/8": "squares:1/8", "Strips of 1/16": "strips:1/16"}
SHARES = {"a tenth": 0.1, "a third": 0.33, "all": 1.0}


def comparisons(conditions: Iterable[str]) -> tuple[Comparison, ...]:
    """Compare each network with the thin plate, and with the one that learned from fewer people."""
    few, some, every = SHARES
    pairs = ((few, BASE), (some, BASE), (every, BASE), (some, few), (every, some))
    return tuple(Comparison(condition, first, second) for condition in conditions for first, second in pairs)


STUDY = Study(
    name="film-people",
    title="Would more people to learn from help on films?",
    question="Three networks learn from as many squares in the films of a tenth, a third and all of the people.",
    arms=tuple(Arm(label, share=share) for label, share in SHARES.items()),
    conditions=tuple(Condition(label, holes) for label, holes in CONDITIONS.items()),
    comparisons=comparisons(CONDITIONS),
)
