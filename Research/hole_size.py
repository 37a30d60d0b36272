"""The study `hole-size`: how the fill depends on the size of the hole, 1/6, 1/8, 1/10 or 1/12 of the film's side."""

from __future__ import annotations

import functools

from .shared.comparison import Comparison, levels
from .shared.study import Arm, Condition, Study

SIZES = ("1/12", "1/10", "1/8", "1/6")
#: Condition -> the arm that learned such holes.
HOME = {f"Squares of {size}": size for size in SIZES}


STUDY = Study(
    name="hole-size",
    title="How large may the hole be?",
    question="Four networks learn from squares of one size each, and are tested on all sizes.",
    arms=tuple(Arm(size, holes=(f"squares:{size}",)) for size in SIZES),
    conditions=tuple(
        Condition(condition, f"squares:{size}", shown=(size, SIZES[0], SIZES[-1])) for condition, size in HOME.items()
    ),
    comparisons=tuple(Comparison(condition, size) for condition, size in HOME.items()),
    remark=functools.partial(levels, arms=HOME),
    pictured=("Squares of 1/8", "Squares of 1/6"),
)
