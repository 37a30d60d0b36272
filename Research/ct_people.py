"""The study `ct-people`: the same training on CT slices of a tenth, a third and all of the people."""

from __future__ import annotations

from .film_people import SHARES, comparisons
from .shared.study import Arm, Condition, Study

HOLES = {"Squares of 32 px": "squares:32px", "Strips of 16 px": "strips:16px"}

STUDY = Study(
    name="ct-people",
    title="Would more people to learn from help on CT?",
    question="Three networks learn from as many squares and strips in the CT slices of a tenth, a third and all of the "
    "people.",
    arms=tuple(Arm(label, holes=tuple(HOLES.values()), share=share) for label, share in SHARES.items()),
    conditions=tuple(Condition(label, holes) for label, holes in HOLES.items()),
    comparisons=comparisons(HOLES),
    base="body-ct",
    across=0,
    pictured=("Squares of 32 px",),
)
