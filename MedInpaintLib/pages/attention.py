"""How much attention a case asks for, in one word: the index sorts by it, and pages begin with it."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Attention:
    """How much attention a case asks for.

    Attributes:
        rank: 0 asks for most.
        word: for tables and style sheets.
        about: one line.
    """

    rank: int
    word: str
    about: str


FAILED = Attention(0, "failed", "There is no result.")
LOOK = Attention(1, "look", "Parts of the hole have warnings.")
NOTE = Attention(2, "note", "There are warnings, of no single part.")
CLEAR = Attention(3, "clear", "No warnings.")
COPY = Attention(4, "copy", "The mask is empty.")
LEVELS = (FAILED, LOOK, NOTE, CLEAR, COPY)


def attention_of(*, voxels: int, warned_parts: int, warnings: int) -> Attention:
    """Return how much attention a result asks for.

    >>> attention_of(voxels=9, warned_parts=0, warnings=2).word
    'note'
    """
    if warned_parts:
        return LOOK
    if warnings:
        return NOTE
    return CLEAR if voxels else COPY
