"""What all pages share: an HTML file that is whole, texts that cannot be mistaken for HTML, and tables."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..texts import escaped

#: The browser itself refuses whatever would leave the page.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
NOT_CLINICAL = "Not for clinical use."


def document(title: str, body: str, script: str | None = None) -> str:
    """Return a page.

    Args:
        title: any text.
        body: HTML.
        script: name of the file with its script, beside this one; None for a page without a script.
    """
    scripts = "" if script is None else f"<script>\n{_file(script)}</script>\n"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(title)}</title>\n<style>\n{_file('style.css')}</style>\n</head>\n"
        f"<body>\n{body}\n{scripts}</body>\n</html>\n"
    )


def text(value: Any) -> str:
    """Return any text, such as one of a header, as HTML that shows it.

    >>> text("<script>alert('a\\x1b')</script>")
    '&lt;script&gt;alert(&#x27;a\\\\x1b&#x27;)&lt;/script&gt;'
    """
    return html.escape(escaped(str(value)))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """Return a table.

    Args:
        headings: texts.
        rows: cells of HTML.
        numbers: columns that hold numbers.
    """
    kinds = ["n" if column in numbers else "" for column in range(len(headings))]
    head = "".join(
        f'<th scope="col"{_class(kind)}>{text(name)}</th>' for kind, name in zip(kinds, headings, strict=True)
    )
    lines = [
        "<tr>" + "".join(f"<td{_class(kind)}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    ]
    body = "\n".join(lines)
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Return names and what is known of them; the second of each pair is HTML, and empty ones are left out."""
    return "<dl>\n" + "\n".join(f"<dt>{text(name)}</dt><dd>{value}</dd>" for name, value in rows if value) + "\n</dl>"


def lines(texts: Iterable[str]) -> str:
    """Return texts as a list; empty without any."""
    entries = "".join(f"<li>{text(each)}</li>" for each in texts)
    return f"<ul>{entries}</ul>" if entries else ""


def number(value: float | None, digits: str) -> str:
    """Return a number, or a dash where there is none."""
    return "–" if value is None else f"{value:{digits}}"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _file(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
