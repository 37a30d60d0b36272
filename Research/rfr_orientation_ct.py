"""The study `rfr-orientation-ct`: 1, 2 and 4 strips of one direction or of both, in CT slices."""

from __future__ import annotations

from .rfr_holes_ct import KINDS, holes, label
from .shared.comparison import BASE, Comparison
from .shared.study import SMALL_BATCH, Arm, Condition, Study

COUNTS = KINDS["strips"][1]
#: Direction -> how arms and conditions name it.
NAMES = {"horizontal": "horizontal", "mixed": "of both directions"}


def _holes(count: int, direction: str) -> str:
    """Return the holes; ``mixed`` is one strip of a random direction, one of each, or two of each."""
    return holes("strips", count) if direction == "horizontal" else f"strips:16px:{count}:mixed"


_ALL = [(count, direction) for count in COUNTS for direction in NAMES]


def _name(count: int, direction: str) -> str:
    return f"{label('strips', count)} {NAMES[direction]}"


def _turned(count: int, direction: str) -> tuple[int, str]:
    """Return as many strips of the other direction."""
    return count, "mixed" if direction == "horizontal" else "horizontal"


def _pairs(count: int, direction: str) -> tuple[tuple[str, str], ...]:
    """Return what is compared in such holes: the network that learned them, and that of the other direction."""
    home, stranger = _name(count, direction), _name(*_turned(count, direction))
    return ((home, BASE), (stranger, BASE), (stranger, home))


STUDY = Study(
    name="rfr-orientation-ct",
    title="Does the direction of strips matter on CT slices?",
    question="Networks of recurrent feature reasoning learn from 1, 2 or 4 horizontal strips, or from one strip of a "
    "random direction, one of each, or two of each. What does a network of the other direction lose?",
    arms=tuple(Arm(_name(*each), "rfr", holes=(_holes(*each),)) for each in _ALL),
    conditions=tuple(
        Condition(_name(*each), _holes(*each), shown=(_name(*each), _name(*_turned(*each)))) for each in _ALL
    ),
    comparisons=tuple(Comparison(_name(*each), first, second) for each in _ALL for first, second in _pairs(*each)),
    base="body-ct",
    across=0,
    sizes=SMALL_BATCH,
    pictured=("2 strips of both directions",),
)
