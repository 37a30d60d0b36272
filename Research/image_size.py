"""The study `image-size`: partial convolutions against a plain U-Net on whole films of 64 to 512 pixels."""

from __future__ import annotations

from typing import Any

from .shared.comparison import BASE, Comparison
from .shared.study import Arm, Condition, Size, Study

SIDES = (64, 128, 256, 512)
#: Label -> architecture; both correct a thin plate, as in the other studies.
NETWORKS = {"U-Net": "unet", "PConv": "pconv"}
#: Levels and channels at full size: 0.12 and 0.10 million weights.
NARROW: dict[str, Any] = {"levels": 4, "width": 8}
#: As in the source: 32 to 512 channels, 7.9 million weights (partial convolutions: to 256, 3.4 million).
WIDE: dict[str, Any] = {"levels": 5, "width": 32}
#: Alike for both.
_TASK: dict[str, Any] = {"rate": 2e-3, "fine_rate": 2e-4}


def _label(network: str, side: int, size: dict[str, Any] = NARROW) -> str:
    return f"{network}, {side} px" + (", wide" if size is WIDE else "")


def _condition(side: int) -> str:
    return f"Films of {side} px"


def _arm(network: str, side: int, size: dict[str, Any] = NARROW) -> Arm:
    return Arm(
        _label(network, side, size),
        NETWORKS[network],
        arguments=tuple(size.items()),
        task=tuple(_TASK.items()),
        across=side,
    )


def _comparisons(side: int, size: dict[str, Any] = NARROW) -> tuple[Comparison, ...]:
    unet, partial = (_label(network, side, size) for network in NETWORKS)
    return tuple(Comparison(_condition(side), *pair) for pair in ((unet, BASE), (partial, BASE), (partial, unet)))


STUDY = Study(
    name="image-size",
    title="Are partial convolutions for large images?",
    question="A plain U-Net and one of partial convolutions, which correct a thin plate, learn to fill squares of 1/8 "
    "of the side in whole films of 64, 128, 256 and 512 pixels. Does it depend on the size which one is better? At 64 "
    "pixels also with as many channels as in the source. Networks that are given nothing in the hole were tried first, "
    "and stopped: in so few steps they stayed far behind the thin plate, U-Nets further than partial convolutions, [as "
    "on brain MR](../../feed-forward/README.md#what-a-network-is-given-in-the-hole). So the page says nothing of "
    "networks that fill without help.",
    arms=(
        *(_arm(network, side) for side in SIDES for network in NETWORKS),
        *(_arm(network, SIDES[0], WIDE) for network in NETWORKS),
    ),
    conditions=tuple(Condition(_condition(side), "squares:1/8", across=side) for side in SIDES),
    comparisons=(*(each for side in SIDES for each in _comparisons(side)), *_comparisons(SIDES[0], WIDE)),
    # The films of cxr_more have 256 pixels; enlarged to 512 they would be smoother than the others.
    match="cxr/",
    sizes={
        "small": Size(steps=100, cases=60, crops=16, images=6, seeds=(0,), batch=2),
        "full": Size(steps=200, cases=300, crops=64, images=1000, seeds=(0,), batch=2),
    },
    pictured=("Films of 64 px", "Films of 512 px"),
)
