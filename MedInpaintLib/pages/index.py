"""The index of a study: a row a case, those that ask for attention first."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Sequence
from typing import Any

from .attention import LEVELS, Attention
from .document import NOT_CLINICAL, document, text


@dataclasses.dataclass(frozen=True)
class Row:
    """One case.

    Attributes:
        name: of the case.
        link: to its page, as a URL relative to the index; None without a page.
        attention: how much it asks for.
        cells: further facts, one for each heading.
        message: the error or the first warning.
    """

    name: str
    link: str | None
    attention: Attention
    cells: Sequence[Any]
    message: str


def index_page(title: str, headings: Sequence[str], rows: Sequence[Row]) -> str:
    """Return the index as HTML.

    Args:
        title: of the study.
        headings: of the rows' cells.
        rows: in the order in which they are shown at first.
    """
    counts = collections.Counter(row.attention for row in rows)
    there = [level for level in LEVELS if counts[level]]
    levels = "".join(f'<option value="{level.word}">{level.word} ({counts[level]})</option>' for level in there)
    legend = "".join(
        f'<li><b class="{level.word}">{counts[level]} {level.word}</b>: {text(level.about)}</li>' for level in there
    )
    body = (
        f'<main class="index">\n<header><h1>{text(title)}</h1>\n'
        f'<p>{len(rows)} case{"s" * (len(rows) != 1)}. {NOT_CLINICAL}</p><ul class="levels">{legend}</ul></header>\n'
        '<div class="search"><label>Search <input type="search" id="words"></label>'
        f'<label>Attention <select id="level"><option value="">all ({len(rows)})</option>{levels}</select></label>'
        '<span id="count" role="status"></span><button type="button" id="more" hidden>Show all</button></div>\n'
        f"{_table(headings, rows)}\n</main>"
    )
    return document(title, body, "index.js")


def _table(headings: Sequence[str], rows: Sequence[Row]) -> str:
    numeric = [any(isinstance(row.cells[at], (int, float)) for row in rows) for at in range(len(headings))]
    names = [(name, False) for name in ("Case", "Attention", "Message")] + list(zip(headings, numeric, strict=True))
    head = "".join(
        f'<th scope="col"{" class=n" if is_number else ""}><button type="button">{text(name)}</button></th>'
        for name, is_number in names
    )
    lines = "\n".join(map(_line, rows))
    return (
        f'<div class="wide"><table id="cases">\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{lines}\n</tbody></table></div>"
    )


def _line(row: Row) -> str:
    name = text(row.name) if row.link is None else f'<a href="{text(row.link)}">{text(row.name)}</a>'
    word, rank = row.attention.word, row.attention.rank
    cells = "".join(map(_cell, row.cells))
    return (
        f'<tr><td>{name}</td><td class="{word}" data-rank="{rank}">{word}</td><td>{text(row.message)}</td>{cells}</tr>'
    )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f'<td class="n">{value:.4g}</td>'
    if isinstance(value, int):
        return f'<td class="n">{value}</td>'
    return f"<td>{'' if value is None else text(value)}</td>"
