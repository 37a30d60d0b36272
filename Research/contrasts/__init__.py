"""The study `contrasts`.

arms.py says what is trained, measure.py estimates and scores, table.py holds the scores, page.py makes the page from
them, card.py the scores of the model's card, command.py runs all.
"""

from collections.abc import Sequence

from .card import cards
from .page import text

__all__ = ["cards", "main", "text"]


def main(arguments: Sequence[str]) -> None:
    """Run the command; imported here, so that the page is made without PyTorch."""
    from .command import main as command

    command(arguments)
