"""The study `rfr-unlike-ct`: the loss on holes of another number or shape than those of training, in CT slices."""

from __future__ import annotations

from .rfr_holes_ct import holes, label
from .shared.comparison import BASE, Comparison
from .shared.study import SMALL_BATCH, Arm, Condition, Study

#: What is filled -> what the network that is tested on it has learned instead.
MIXES = {
    ("strips", 2): ("strips", 1),
    ("strips", 4): ("strips", 2),
    ("squares", 2): ("squares", 1),
    ("squares", 4): ("squares", 2),
    ("squares", 1): ("strips", 1),
    ("strips", 1): ("squares", 1),
}
_ALL = sorted({*MIXES, *MIXES.values()})

STUDY = Study(
    name="rfr-unlike-ct",
    title="Holes unlike those of training, on CT slices",
    question="Networks of recurrent feature reasoning are tested on more holes, or holes of another shape, than they "
    "learned, beside networks that learned such holes.",
    arms=tuple(Arm(label(*each), "rfr", holes=(holes(*each),)) for each in _ALL),
    conditions=tuple(
        Condition(f"{label(*home)} a slice", holes(*home), shown=(label(*home), label(*stranger)))
        for home, stranger in MIXES.items()
    ),
    comparisons=tuple(
        Comparison(f"{label(*home)} a slice", first, second)
        for home, stranger in MIXES.items()
        for first, second in (
            (label(*home), BASE),
            (label(*stranger), BASE),
            (label(*stranger), label(*home)),
        )
    ),
    base="body-ct",
    across=0,
    sizes=SMALL_BATCH,
    pictured=("4 strips a slice",),
)
