"""How often people chose each method: their files, the key, and a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.documents import read_text
from MedInpaintLib.errors import InputError

from ..shared.statistics import difference_by_person, reading
from .blinded import KEY, QUESTIONS

#: The columns of a file that the page saves.
SAVED = ("page", "reader", "hole", "panel")
#: The columns of counted choices: a line for each picture that a reader saw.
COLUMNS = ("reader", "truth", "task", "hole", "method", "pictures", "chosen")
Rows = list[dict[str, str]]


def count(files: Sequence[Path], key: Path) -> Rows:
    """Return for each picture that each reader saw whether it was chosen; readers get numbers in place of names.

    Args:
        files: that the page saved.
        key: written beside the page.

    Raises:
        InputError: a file is malformed or belongs to another page, or a reader chose twice for one hole.
    """
    pictures: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    for row in _read(key, "key", KEY):
        pictures.setdefault((row["page"], row["hole"]), {})[row["panel"]] = row
    chosen: dict[tuple[str, str, str], str] = {}
    for file in files:
        for row in _read(file, "choices", SAVED):
            _check(row, file, key, pictures)
            panel = chosen.setdefault((row["reader"], row["page"], row["hole"]), row["panel"])
            if panel != row["panel"]:
                raise InputError(
                    f"Reader '{row['reader']}' has two choices for the hole {row['hole']}, the second in '{file}'; "
                    "give one of the files only, or the readers different names."
                )
    if not chosen:
        raise InputError("There are no choices to count: the files have no lines but the first.")
    readers = {reader: str(number) for number, reader in enumerate(sorted({each[0] for each in chosen}), start=1)}
    rows = []
    for (reader, page, hole), panel in sorted(chosen.items()):
        shown = pictures[page, hole]
        for name, row in shown.items():
            about = (readers[reader], row["truth"], row["task"], hole, row["method"], len(shown), int(name == panel))
            rows.append(dict(zip(COLUMNS, map(str, about), strict=True)))
    return rows


def choices_table(rows: Rows) -> str:
    """Return tables of how often each method was chosen: by each reader, with an exact binomial interval, and by all.

    The interval is that of Clopper & Pearson (Biometrika 26:404, 1934). Over readers it is that of
    :mod:`Research.shared.statistics`, of the share less that of a choice by chance.
    """
    parts = []
    for truth, task in sorted({(row["truth"], row["task"]) for row in rows}):
        own = [row for row in rows if (row["truth"], row["task"]) == (truth, task)]
        lines = [
            f"**{task}, truth {truth}: {QUESTIONS[truth][0]}**\n",
            "| method | reader | chosen | share (95 %) | by chance | over readers |",
            "|---|---|---:|---:|---:|---|",
        ]
        for method in sorted({row["method"] for row in own}):
            lines += _lines(method, [row for row in own if row["method"] == method])
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _lines(method: str, rows: Rows) -> list[str]:
    """Return the lines of a method, one a reader."""
    from scipy import stats

    gains: dict[str, list[float]] = {}
    for row in rows:
        gains.setdefault(row["reader"], []).append(int(row["chosen"]) - 1 / int(row["pictures"]))
    over = reading(difference_by_person(gains, "chosen"), "more often than by chance", "less often than by chance")
    lines: list[str] = []
    for reader in gains:
        own = [row for row in rows if row["reader"] == reader]
        times = sum(int(row["chosen"]) for row in own)
        ends = stats.binomtest(times, len(own)).proportion_ci(0.95, "exact")
        chance = sum(1 / int(row["pictures"]) for row in own) / len(own)
        lines.append(
            f"| {method} | {reader} | {times} of {len(own)} | {times / len(own):.2f} ({ends.low:.2f} to "
            f"{ends.high:.2f}) | {chance:.2f} | {over if not lines else ''} |"
        )
    return lines


def _read(path: Path, what: str, columns: Sequence[str]) -> Rows:
    """Return the rows of a file by column."""
    text = read_text(path, f"The {what} file '{path}'", InputError)
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        raise InputError(
            f"The {what} file '{path}' is no CSV table ({error}); give the file as it was saved."
        ) from None
    if not lines or tuple(lines[0]) != tuple(columns):
        first = ",".join(lines[0])[:60] if lines else ""
        raise InputError(
            f"The {what} file '{path}' must begin with the line {','.join(columns)}; found '{first}'. Give the file as "
            "it was saved."
        )
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(columns) or not all(cell.strip() for cell in line):
            raise InputError(
                f"Row {number} of the {what} file '{path}' must have {len(columns)} cells, none of them empty; found "
                f"'{','.join(line)[:60]}'. Give the file as it was saved."
            )
    return [dict(zip(columns, line, strict=True)) for line in lines[1:]]


def _check(
    row: dict[str, str], file: Path, key: Path, pictures: dict[tuple[str, str], dict[str, dict[str, str]]]
) -> None:
    """Refuse a choice that is not of a page of the key."""
    if row["page"] not in {page for page, _ in pictures}:
        raise InputError(f"'{file}' is of page {row['page']}, which the key '{key}' lacks; give the key of that page.")
    if row["panel"] not in pictures.get((row["page"], row["hole"]), {}):
        raise InputError(
            f"'{file}' names the hole {row['hole']} and the picture {row['panel']}, which the key '{key}' lacks; give "
            "the file as it was saved."
        )
