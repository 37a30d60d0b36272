"""The study `hole-count`: how the fill depends on the number of holes: 1, 2, 4 or 8 squares, 1, 2 or 4 strips."""

from __future__ import annotations

from .shared.comparison import Difference, difference, mean, of_condition
from .shared.study import Arm, Condition, Outcome, Study

KINDS = {"squares": ("squares:1/8", (1, 2, 4, 8)), "strips": ("strips:1/16", (1, 2, 4))}


def finding(outcome: Outcome) -> str:
    """Return each network's gain on holes like its own, and whether learning from as many holes helps."""
    parts = []
    for kind, (_, counts) in KINDS.items():
        gains, helps = [], []
        for count in counts:
            own = of_condition(outcome.cases, _condition(kind, count))
            label = _arm(kind, count)
            gains.append(f"{count}: {mean(own, label, 'psnr'):.1f} dB, {difference(own, label, 'biharmonic')}")
            if count > 1:
                helps.append(difference(own, label, _arm(kind, 1)))
        parts.append(f"{kind}, level and gain over the thin plate by their number: {'; '.join(gains)}; {_help(helps)}")
    text = ". ".join(f"{part[0].upper()}{part[1:]}" for part in parts)
    return text + "."


def _help(helps: list[Difference]) -> str:
    """Return whether learning from as many holes as in the test helps."""
    words = ", ".join(map(str, helps))
    if not any(each.is_clear for each in helps):
        return f"whether one learns from as many as in the test or from one cannot be told apart ({words})"
    return f"to learn from as many as in the test, beside learning from one, gives {words}"


def _arm(kind: str, count: int) -> str:
    """Return the label of an arm."""
    return f"{count} {kind if count > 1 else kind[:-1]}"


def _condition(kind: str, count: int) -> str:
    """Return the label of a condition."""
    return f"{_arm(kind, count)} a film"


def _holes(holes: str, count: int) -> str:
    """Return holes as other studies write them, so that trainings are shared."""
    return holes if count == 1 else f"{holes}:{count}"


STUDY = Study(
    name="hole-count",
    title="How many holes may there be?",
    question="Networks learn from films with 1, 2, 4 or 8 squares, or 1, 2 or 4 strips, and are tested on all of them.",
    arms=tuple(
        Arm(_arm(kind, count), holes=(_holes(holes, count),))
        for kind, (holes, counts) in KINDS.items()
        for count in counts
    ),
    conditions=tuple(
        Condition(_condition(kind, count), _holes(holes, count), shown=(_arm(kind, count), _arm(kind, 1)))
        for kind, (holes, counts) in KINDS.items()
        for count in counts
    ),
    finding=finding,
)
