"""The study `hole-count`: how the fill depends on the number of holes: 1, 2, 4 or 8 squares, 1, 2 or 4 strips."""

from __future__ import annotations

import functools

from .shared.comparison import BASE, Comparison, levels
from .shared.study import Arm, Condition, Study

KINDS = {"squares": ("squares:1/8", (1, 2, 4, 8)), "strips": ("strips:1/16", (1, 2, 4))}


def _arm(kind: str, count: int) -> str:
    """Return the label of an arm."""
    return f"{count} {kind if count > 1 else kind[:-1]}"


def _condition(kind: str, count: int) -> str:
    """Return the label of a condition."""
    return f"{_arm(kind, count)} a film"


def _holes(holes: str, count: int) -> str:
    """Return holes as other studies write them, so that trainings are shared."""
    return holes if count == 1 else f"{holes}:{count}"


#: Condition -> the arm that learned such holes, and the one that learned from a single hole.
HOME = {
    _condition(kind, count): (_arm(kind, count), _arm(kind, 1))
    for kind, (_, counts) in KINDS.items()
    for count in counts
}

STUDY = Study(
    name="hole-count",
    title="How many holes may there be?",
    question="Networks learn from films with 1, 2, 4 or 8 squares, or 1, 2 or 4 strips, and are tested on all of them.",
    arms=tuple(
        Arm(_arm(kind, count), holes=(_holes(holes, count),))
        for kind, (holes, counts) in KINDS.items()
        for count in counts
    ),
    conditions=tuple(
        Condition(_condition(kind, count), _holes(holes, count), shown=(_arm(kind, count), _arm(kind, 1)))
        for kind, (holes, counts) in KINDS.items()
        for count in counts
    ),
    comparisons=tuple(
        Comparison(condition, home, second)
        for condition, (home, single) in HOME.items()
        for second in dict.fromkeys((BASE, single))
        if home != second
    ),
    remark=functools.partial(levels, arms={condition: home for condition, (home, _) in HOME.items()}),
    pictured=("1 square a film", "4 strips a film"),
)
