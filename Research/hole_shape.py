"""The study `hole-shape`: squares or strips; which is harder, and does a network that learned one fill the other?"""

from __future__ import annotations

from .shared.comparison import difference, mean, of_condition, verdict
from .shared.study import Arm, Condition, Outcome, Study

CONDITIONS = {"squares": "Squares of 1/8", "strips": "Strips of 1/16"}
HOLES = {"squares": "squares:1/8", "strips": "strips:1/16"}


def finding(outcome: Outcome) -> str:
    """Return each network's level on holes like its own, and the loss with the network that learned the other shape."""
    parts = []
    for home, other in (("squares", "strips"), ("strips", "squares")):
        own = of_condition(outcome.cases, CONDITIONS[home])
        gain, cost = difference(own, home, "biharmonic"), difference(own, other, home)
        parts.append(
            f"on {home} the network that learned them reaches {mean(own, home, 'psnr'):.1f} dB, {gain} over the thin "
            f"plate, and the one that learned {other} {verdict(cost, 'is better', 'is worse')}"
        )
    text = "; ".join(parts) + "."
    return text[0].upper() + text[1:]


STUDY = Study(
    name="hole-shape",
    title="Squares or strips?",
    question="One network learns from squares of 1/8 of the side, one from strips of 1/16 across the film.",
    arms=tuple(Arm(kind, holes=(holes,)) for kind, holes in HOLES.items()),
    conditions=tuple(Condition(CONDITIONS[kind], holes) for kind, holes in HOLES.items()),
    finding=finding,
)
