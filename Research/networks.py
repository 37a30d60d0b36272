"""The study `networks`: U-Net, partial convolutions or recurrent feature reasoning, on chest films."""

from __future__ import annotations

from collections.abc import Iterable

from .shared.comparison import BASE, Comparison
from .shared.study import Arm, Condition, Study

#: Label -> architecture.
NETWORKS = {"U-Net": "unet", "PConv": "pconv", "RFR": "rfr"}
CONDITIONS = {"Squares of 1/8": "squares:1/8", "Strips of 1/16": "strips:1/16"}


def comparisons(conditions: Iterable[str]) -> tuple[Comparison, ...]:
    """Compare each network with the thin plate, and with the U-Net."""
    unet, *others = NETWORKS
    pairs = (*((label, BASE) for label in NETWORKS), *((label, unet) for label in others))
    return tuple(Comparison(condition, first, second) for condition in conditions for first, second in pairs)


STUDY = Study(
    name="networks",
    title="U-Net, partial convolutions or recurrent feature reasoning?",
    question="Three networks learn from the same squares and strips in chest films, each with the size and the step "
    "size of its recipe. Does the architecture matter?",
    arms=tuple(Arm(label, architecture, tuple(CONDITIONS.values())) for label, architecture in NETWORKS.items()),
    conditions=tuple(Condition(label, holes) for label, holes in CONDITIONS.items()),
    comparisons=comparisons(CONDITIONS),
)
