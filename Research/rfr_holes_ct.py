"""The study `rfr-holes-ct`: shape and number of holes in CT slices, with recurrent feature reasoning."""

from __future__ import annotations

import functools

from .shared.comparison import BASE, Comparison, levels
from .shared.study import SMALL_BATCH, Arm, Condition, Study

KINDS = {"squares": ("squares:32px", (1, 2, 4, 8)), "strips": ("strips:16px", (1, 2, 4))}


def label(kind: str, count: int) -> str:
    """Return the label of an arm.

    >>> label("strips", 1), label("strips", 2)
    ('1 strip', '2 strips')
    """
    return f"{count} {kind if count > 1 else kind[:-1]}"


def holes(kind: str, count: int) -> str:
    """Return the holes of an arm, written alike in all studies, so that trainings are shared.

    >>> holes("strips", 1), holes("strips", 2)
    ('strips:16px', 'strips:16px:2')
    """
    described, _ = KINDS[kind]
    return described if count == 1 else f"{described}:{count}"


_ALL = [(kind, count) for kind, (_, counts) in KINDS.items() for count in counts]
#: Condition -> the arm that learned such holes, and those that it is compared with.
HOME = {f"{label(*each)} a slice": label(*each) for each in _ALL}


def _others(kind: str, count: int) -> tuple[str, ...]:
    """Return what the network that learned such holes is compared with: the network of one hole, and of the shape."""
    stranger = "strips" if kind == "squares" else "squares"
    others = [] if count == 1 else [label(kind, 1)]
    if count in KINDS[stranger][1]:
        others.append(label(stranger, count))
    return (BASE, *others)


STUDY = Study(
    name="rfr-holes-ct",
    title="Do shape and number of holes matter to RFR on CT slices?",
    question="Networks of recurrent feature reasoning learn from CT slices with 1, 2, 4 or 8 squares, or 1, 2 or 4 "
    "horizontal strips, and are tested on all of them.",
    arms=tuple(Arm(label(*each), "rfr", holes=(holes(*each),)) for each in _ALL),
    conditions=tuple(
        Condition(f"{label(*each)} a slice", holes(*each), shown=(label(*each), *_others(*each)[1:])) for each in _ALL
    ),
    comparisons=tuple(
        Comparison(f"{label(*each)} a slice", label(*each), other) for each in _ALL for other in _others(*each)
    ),
    remark=functools.partial(levels, arms=HOME),
    base="body-ct",
    across=0,
    sizes=SMALL_BATCH,
    pictured=("1 square a slice",),
)
