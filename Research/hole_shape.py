"""The study `hole-shape`: squares or strips; which is harder, and does a network that learned one fill the other?"""

from __future__ import annotations

import functools

from .shared.comparison import BASE, Comparison, levels
from .shared.study import Arm, Condition, Study

CONDITIONS = {"squares": "Squares of 1/8", "strips": "Strips of 1/16"}
HOLES = {"squares": "squares:1/8", "strips": "strips:1/16"}


STUDY = Study(
    name="hole-shape",
    title="Squares or strips?",
    question="One network learns from squares of 1/8 of the side, one from strips of 1/16 across the film.",
    arms=tuple(Arm(kind, holes=(holes,)) for kind, holes in HOLES.items()),
    conditions=tuple(Condition(CONDITIONS[kind], holes) for kind, holes in HOLES.items()),
    comparisons=tuple(
        Comparison(CONDITIONS[home], first, second)
        for home, other in (("squares", "strips"), ("strips", "squares"))
        for first, second in ((home, BASE), (other, BASE), (other, home))
    ),
    remark=functools.partial(levels, arms={CONDITIONS[kind]: kind for kind in HOLES}),
)
