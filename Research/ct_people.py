"""Would more people to learn from help on CT? The same training with a tenth, a third and all of them."""

from __future__ import annotations

from .film_people import SHARES, finding
from .shared.study import Arm, Exam, Study

HOLES = {"Squares of 32 px": "squares:32px", "Strips of 16 px": "strips:16px"}

STUDY = Study(
    name="ct-people",
    title="Would more people to learn from help on CT?",
    question="Three networks learn from as many squares and strips in the CT slices of a tenth, a third and all of the "
    "people.",
    arms=tuple(Arm(label, holes=tuple(HOLES.values()), share=share) for label, share in SHARES.items()),
    exams=tuple(Exam(label, holes) for label, holes in HOLES.items()),
    finding=finding,
    base="body-ct",
    across=0,
)
