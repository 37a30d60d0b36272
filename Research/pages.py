"""Write every page again from the tables of scores in its folder, without data, models or trainings.

The module of a study has a function ``text(folder) -> str`` that returns its page; studies that are a ``STUDY`` share
that of :mod:`.shared.study_page`. ``--check`` writes nothing and fails where a page differs from its tables.

    python -m Research pages [NAME...] [--cards | --check]
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from MedInpaintLib.errors import InputError, ParameterError
from MedInpaintLib.files import write_text

from . import STUDIES
from .shared.cards import Card, write_cards

#: The studies that have a page of their own; others are a part of another study's page.
PAGES = tuple(name for name, (_, path) in STUDIES.items() if "#" not in path)


def pages(docs: Path, names: Sequence[str] = PAGES) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of the page of each of these studies.

    Args:
        docs: folder of all pages.
        names: of :data:`PAGES`.
    """
    for name in names:
        path = docs / STUDIES[name][1]
        module = importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
        if hasattr(module, "STUDY"):
            shared = importlib.import_module(".shared.study_page", __package__)
            yield path, shared.text(module.STUDY, path.parent)
        else:
            yield path, module.text(path.parent)


def cards(docs: Path, names: Sequence[str] = PAGES) -> Iterator[Card]:
    """Yield the scores that the tables below ``docs`` give for the cards of the released models.

    The module of a study whose models are released has a function ``cards(folder)`` that yields them.

    Args:
        docs: folder of all pages.
        names: of :data:`PAGES`.
    """
    for name in names:
        module = importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
        if hasattr(module, "cards"):
            yield from module.cards((docs / STUDIES[name][1]).parent)


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        ParameterError: a study has no page of its own.
        InputError: with ``--check``, a page differs from what its tables say.
    """
    parser = argparse.ArgumentParser(prog="python -m Research pages", description="Write pages from their tables.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a study; all by default")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="folder of the pages")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--cards", action="store_true", help="write the scores into the cards of the models, too")
    group.add_argument("--check", action="store_true", help="write nothing; fail where a page differs")
    chosen = parser.parse_args(arguments)
    for name in chosen.names:
        if name not in PAGES:
            raise ParameterError(f"There is no page of '{name}'; the studies with a page are: {', '.join(PAGES)}.")
    names = chosen.names or PAGES
    if chosen.cards:
        write_cards(cards(chosen.docs, names))
    differ = []
    for path, text in pages(chosen.docs, names):
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            differ.append(str(path))
            if not chosen.check:
                write_text(path, text)
                print(path)
    if chosen.check and differ:
        raise InputError(
            f"These pages are not what their tables say; run python -m Research pages: {', '.join(differ)}."
        )
    if not differ:
        print(f"Pages that are what their tables say: {len(names)}.")
