"""The study `image-size`: partial convolutions against a plain U-Net on whole films of 64 to 512 pixels."""

from __future__ import annotations

from typing import Any

from .shared.comparison import BASE, Comparison
from .shared.study import Arm, Condition, Size, Study

SIDES = (64, 128, 256, 512)
#: Label -> architecture; none is given a fill, so that how a network meets the hole is the question.
NETWORKS = {"U-Net": "unet", "PConv": "pconv"}
_ARGUMENTS: dict[str, Any] = {"given": "nothing", "relative": False, "lines": False, "width": 8, "levels": 5}
#: Losses at the scale of the frame: there are no surroundings to which intensities could be relative.
_TASK: dict[str, Any] = {"rate": 2e-3, "fine_rate": 2e-4}


def _arm(label: str, side: int) -> str:
    return f"{label}, {side} px"


def _condition(side: int) -> str:
    return f"Films of {side} px"


STUDY = Study(
    name="image-size",
    title="Are partial convolutions for large images?",
    question="A plain U-Net and one of partial convolutions, given nothing in the hole, learn to fill squares of 1/8 of"
    " the side in whole films of 64, 128, 256 and 512 pixels. Does the better one depend on the size?",
    arms=tuple(
        Arm(
            _arm(label, side),
            architecture,
            arguments=tuple(_ARGUMENTS.items()),
            task=tuple(_TASK.items()),
            across=side,
        )
        for side in SIDES
        for label, architecture in NETWORKS.items()
    ),
    conditions=tuple(Condition(_condition(side), "squares:1/8", across=side) for side in SIDES),
    comparisons=tuple(
        Comparison(_condition(side), first, second)
        for side in SIDES
        for first, second in (
            (_arm("U-Net", side), BASE),
            (_arm("PConv", side), BASE),
            (_arm("PConv", side), _arm("U-Net", side)),
        )
    ),
    match="cxr/",
    sizes={
        "small": Size(steps=100, cases=60, crops=16, images=6, seeds=(0,), batch=2),
        "full": Size(steps=400, cases=400, crops=64, images=1000, seeds=(0,), batch=2),
    },
)
