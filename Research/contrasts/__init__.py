"""The study `contrasts`.

arms.py says what is trained, measure.py estimates and scores, table.py holds the scores, page.py makes the page from
them, command.py runs all.
"""

from collections.abc import Sequence

from .page import text

__all__ = ["main", "text"]


def main(arguments: Sequence[str]) -> None:
    """Run the command; imported here, so that the page is made without PyTorch."""
    from .command import main as command

    command(arguments)
