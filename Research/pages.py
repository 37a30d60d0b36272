"""Write every page again from the tables of scores in its folder, without data, models or trainings.

The module of a study has a function ``text(folder) -> str`` that returns its page; studies that are a ``STUDY`` share
that of :mod:`.shared.study_page`. ``--check`` writes nothing and fails where a page differs from its tables.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from MedInpaintLib.errors import InputError
from MedInpaintLib.files import write_text

from . import STUDIES
from .shared.cards import Card, write_cards

PAGE = "README.md"


def pages(docs: Path) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of each page below ``docs``."""
    for name, (_, path) in STUDIES.items():
        if "#" in path:  # a part of another study's page
            continue
        module = importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
        folder = (docs / path).parent
        if hasattr(module, "STUDY"):
            shared = importlib.import_module(".shared.study_page", __package__)
            yield docs / path, shared.text(module.STUDY, folder)
        else:
            yield docs / path, module.text(folder)


def cards(docs: Path) -> Iterator[Card]:
    """Yield the scores that the tables below ``docs`` give for the cards of the released models.

    The module of a study whose models are released has a function ``cards(folder)`` that yields them.
    """
    for name, (_, path) in STUDIES.items():
        module = importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
        if hasattr(module, "cards"):
            yield from module.cards((docs / path).parent)


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        InputError: with ``--check``, a page differs from what its tables say.
    """
    parser = argparse.ArgumentParser(prog="python -m Research pages", description="Write all pages from their tables.")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="folder of the pages")
    parser.add_argument("--cards", action="store_true", help="write the scores into the cards of the models, too")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page differs")
    chosen = parser.parse_args(arguments)
    if chosen.cards:
        write_cards(cards(chosen.docs))
    differ = []
    for path, text in pages(chosen.docs):
        if path.read_text(encoding="utf-8") != text:
            differ.append(str(path))
            if not chosen.check:
                write_text(path, text)
                print(path)
    if chosen.check and differ:
        raise InputError(
            f"These pages are not what their tables say; run python -m Research pages: {', '.join(differ)}."
        )
