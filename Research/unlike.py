"""The study `unlike`: the loss on holes of another number or size than those of training."""

from __future__ import annotations

from .shared.comparison import BASE, Comparison
from .shared.study import Arm, Condition, Study

#: Condition -> its holes, the arm that learned such holes, and the arm that learned others.
MIXES = {
    "2 strips": ("strips:1/16:2", "2 strips", "1 strip"),
    "4 squares": ("squares:1/8:4", "4 squares", "2 squares"),
    "Squares of 1/6": ("squares:1/6", "1/6", "1/12"),
    "Squares of 1/12": ("squares:1/12", "1/12", "1/6"),
}
ARMS = {
    "1 strip": "strips:1/16",
    "2 strips": "strips:1/16:2",
    "2 squares": "squares:1/8:2",
    "4 squares": "squares:1/8:4",
    "1/6": "squares:1/6",
    "1/12": "squares:1/12",
}


STUDY = Study(
    name="unlike",
    title="Holes unlike those of training",
    question="Networks are tested on more holes, larger and smaller ones than they learned, beside networks that "
    "learned such holes.",
    arms=tuple(Arm(label, holes=(holes,)) for label, holes in ARMS.items()),
    conditions=tuple(
        Condition(label, holes, shown=(home, stranger)) for label, (holes, home, stranger) in MIXES.items()
    ),
    comparisons=tuple(
        Comparison(condition, first, second)
        for condition, (_, home, stranger) in MIXES.items()
        for first, second in ((home, BASE), (stranger, BASE), (stranger, home))
    ),
    pictured=("2 strips", "4 squares"),
)
