"""The command and the page `claims.md`, made of claims.toml and of the tables of scores of all studies."""

from __future__ import annotations

import argparse
import functools
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from MedInpaintLib.files import write_text

from ..shared.statistics import CONFIDENCE, LEAST_PEOPLE, Difference, Verdict, reading
from .claim import MEANINGS, Answer, Claim, Source, read_sources
from .measured import Table, answer
from .trainings import FINDINGS

PAGE = "claims.md"


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m Research claims", description="Write the page of claims.")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="folder of the pages")
    folder = parser.parse_args(arguments).docs
    write_text(folder / PAGE, text(folder))
    print(folder / PAGE)


def text(folder: Path) -> str:
    """Return the page.

    Args:
        folder: with the pages of all studies and their tables.
    """
    tables = functools.cache(lambda name: Table(folder / name))
    sources = read_sources()
    rows = {claim.number: _row(claim, tables, folder) for source in sources for claim in source.claims}
    answers = Counter(verdict for _, verdict in rows.values())
    parts = [
        "# What was claimed, and what was found",
        f"MedInpaint is built from the sources below. This page has their {len(rows)} claims: methods that they "
        "describe, and results that they report. For a method it says whether it is here as described; for a result, "
        "what was found here. A test compares this page with the tables of the studies; `python -m Research claims` "
        "writes it again.",
        "| verdict | means | claims |\n|---|---|---:|\n"
        + "\n".join(f"| {each.value} | {MEANINGS[each]} | {answers[each]} |" for each in Answer if answers[each]),
        f"A difference is averaged over each person's holes and then over people; in brackets is its "
        f"{CONFIDENCE * 100:g} % t-interval over people. It is clear where the interval leaves out 0, at least "
        f"{LEAST_PEOPLE} people were measured and, if trained networks are compared, it is larger than the chance of a "
        "training ([seeds](experiments/seeds/README.md)). *Is better* and *is worse* describe the first of the two "
        "that are compared; a positive difference is in its favour, also where it is a smaller error (NMSE, RMSE, "
        "texture) or a fill that is told from the truth less often. A difference in fewer people has no verdict.",
        "Out of scope are photographs of faces and their illumination, small colour images (CIFAR-10), and the "
        "correction of artifacts in projections.",
        *(_section(source, rows) for source in sources),
    ]
    return "\n\n".join(parts) + "\n"


def _section(source: Source, rows: dict[int, tuple[str, Answer]]) -> str:
    lines = ["| | claimed | found here | on | verdict | see |", "|---:|---|---|---|---|---|"]
    lines += [rows[claim.number][0] for claim in source.claims]
    return f"## {source.title}\n\n{source.about}\n\n" + "\n".join(lines)


def _row(claim: Claim, tables: Callable[[str], Table], folder: Path) -> tuple[str, Answer]:
    """Return the line of a claim, and its verdict."""
    found, verdict = FINDINGS[claim.trainings](folder) if claim.trainings else _scored(claim, tables)
    links = [each for each in claim.links if not each.startswith("docs/") or (folder.parent / _file(each)).is_file()]
    cells = (
        str(claim.number),
        claim.claim,
        ". ".join(filter(None, (claim.found, found))) if claim.trainings else found,
        claim.on,
        "; ".join(filter(None, (verdict.value, claim.rest))),
        ", ".join(dict.fromkeys(map(link, links))),
    )
    return f"| {' | '.join(cells)} |", verdict


def _scored(claim: Claim, tables: Callable[[str], Table]) -> tuple[str, Answer]:
    """Return what tables of scores say of a claim, and the verdict."""
    differences = {each: tables(each.table).difference(each) for each in claim.compare}
    numbers = {name: tables(each.table).number(each) for name, each in claim.numbers.items()}
    measured = [(difference, each.expect) for each, difference in differences.items() if difference]
    lacking = None in numbers.values() or (bool(claim.compare) and not measured)
    words = Answer.NOT_MEASURED.value if None in numbers.values() else claim.found.format(**numbers)
    compared = "; ".join(f"{each.of}: {_reading(difference)}" for each, difference in differences.items())
    verdict = claim.answer or (Answer.NOT_MEASURED if lacking else answer(measured))
    return ". ".join(filter(None, (words, compared))), verdict


def _reading(difference: Difference | None) -> str:
    """Return a difference in words; without people enough, the number alone."""
    if difference is None:
        return Answer.NOT_MEASURED.value
    words = reading(difference)
    return words.removeprefix(f"{Verdict.TOO_FEW.value}: ")


def link(target: str) -> str:
    """Return a file of the repository as a link from the page.

    >>> link("docs/latent/README.md#claims"), link("Testing/Python/latent/test_search.py::test_it")
    ('[latent](latent/README.md#claims)', '[test_search](../Testing/Python/latent/test_search.py)')
    """
    file, _, heading = target.partition("::")[0].partition("#")
    path = _file(target)
    name = path.parent.name or path.stem if path.name == "README.md" else path.stem
    relative = path.relative_to("docs").as_posix() if path.parts[0] == "docs" else f"../{file}"
    return f"[{name}]({relative}{'#' if heading else ''}{heading})"


def _file(target: str) -> Path:
    return Path(target.partition("::")[0].partition("#")[0])
