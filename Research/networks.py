"""The study `networks`: U-Net, partial convolutions or recurrent feature reasoning, on chest films."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .shared.comparison import BASE, Comparison
from .shared.study import Arm, Condition, Study

#: Label -> architecture, and arguments where they differ from the recipe's.
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "U-Net": ("unet", {}),
    "PConv": ("pconv", {}),
    "RFR": ("rfr", {"width": 16}),
}
CONDITIONS = {"Squares of 1/8": "squares:1/8", "Strips of 1/16": "strips:1/16"}


def comparisons(conditions: Iterable[str]) -> tuple[Comparison, ...]:
    """Compare each network with the thin plate, and with the U-Net."""
    unet, *others = NETWORKS
    pairs = (*((label, BASE) for label in NETWORKS), *((label, unet) for label in others))
    return tuple(Comparison(condition, first, second) for condition in conditions for first, second in pairs)


def arms(holes: Iterable[str]) -> tuple[Arm, ...]:
    """Return an arm for each network, which learns from these holes."""
    return tuple(
        Arm(label, architecture, tuple(holes), arguments=tuple(arguments.items()))
        for label, (architecture, arguments) in NETWORKS.items()
    )


STUDY = Study(
    name="networks",
    title="U-Net, partial convolutions or recurrent feature reasoning?",
    question="Three networks learn from the same squares and strips in chest films, each with the step "
    "size of its recipe. Does the architecture matter?",
    arms=arms(CONDITIONS.values()),
    conditions=tuple(Condition(label, holes) for label, holes in CONDITIONS.items()),
    comparisons=comparisons(CONDITIONS),
)
