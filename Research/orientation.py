"""The study `orientation`: learning from strips in one direction, or in both."""

from __future__ import annotations

from .shared.comparison import BASE, Comparison
from .shared.study import Arm, Condition, Study

CONDITIONS = {"Horizontal strips": "horizontal", "Vertical strips": "vertical"}


STUDY = Study(
    name="orientation",
    title="Does the direction of strips matter?",
    question="One network learns from horizontal strips alone, one from horizontal and vertical ones.",
    arms=(
        Arm("horizontal", holes=("strips:1/16",)),
        Arm("mixed", holes=("strips:1/16:1:both",)),
    ),
    conditions=tuple(Condition(label, f"strips:1/16:1:{each}") for label, each in CONDITIONS.items()),
    comparisons=tuple(
        Comparison(condition, first, second)
        for condition in CONDITIONS
        for first, second in (("horizontal", BASE), ("mixed", BASE), ("mixed", "horizontal"))
    ),
)
