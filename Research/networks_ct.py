"""The study `networks-ct`: U-Net, partial convolutions or recurrent feature reasoning, on CT slices."""

from __future__ import annotations

from .networks import arms, comparisons
from .shared.study import Condition, Study

CONDITIONS = {"Squares of 32 px": "squares:32px", "Strips of 16 px": "strips:16px"}

STUDY = Study(
    name="networks-ct",
    title="The same networks on CT slices",
    question="The three networks learn from squares and strips in chest and abdomen CT. Is it as on films?",
    arms=arms(CONDITIONS.values()),
    conditions=tuple(Condition(label, holes) for label, holes in CONDITIONS.items()),
    comparisons=comparisons(CONDITIONS),
    base="body-ct",
    across=0,
    pictured=("Squares of 32 px",),
)
