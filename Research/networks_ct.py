"""The study `networks-ct`: U-Net, partial convolutions or recurrent feature reasoning, on CT slices."""

from __future__ import annotations

from .networks import finding
from .shared.study import Arm, Condition, Study

STUDY = Study(
    name="networks-ct",
    title="The same networks on CT slices",
    question="The three networks learn from squares and strips in chest and abdomen CT. Is it as on films?",
    arms=tuple(
        Arm(label, architecture, ("squares:32px", "strips:16px"))
        for label, architecture in (("U-Net", "unet"), ("PConv", "pconv"), ("RFR", "rfr"))
    ),
    conditions=(Condition("Squares of 32 px", "squares:32px"), Condition("Strips of 16 px", "strips:16px")),
    finding=finding,
    base="body-ct",
    across=0,
)
