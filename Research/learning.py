"""The study `learning`: what relative intensities, normalisation by group and fills along lines add on films."""

from __future__ import annotations

import itertools
from typing import Any

from .shared.comparison import Comparison
from .shared.study import Arm, Condition, Study

CONDITION = "Squares of 1/8"
#: Label -> arguments of the U-Net; each arm adds one thing to the one before.
ARMS: dict[str, dict[str, Any]] = {
    "plain": {"relative": False, "lines": False, "norm": "batch"},
    "relative": {"relative": True, "lines": False, "norm": "batch"},
    "relative, by group": {"relative": True, "lines": False, "norm": "group"},
    "relative, by group, lines": {},
}


STUDY = Study(
    name="learning",
    title="What lets a network learn on films?",
    question="Four U-Nets learn from squares, each with one thing more than the one before: intensities relative to "
    "the hole's surroundings, normalisation by group in place of batch, and fills along rows and columns to mix.",
    arms=tuple(Arm(label, arguments=tuple(arguments.items())) for label, arguments in ARMS.items()),
    conditions=(Condition(CONDITION, "squares:1/8"),),
    comparisons=(
        *(Comparison(CONDITION, label) for label in ARMS),
        *(Comparison(CONDITION, more, less) for less, more in itertools.pairwise(ARMS)),
    ),
)
