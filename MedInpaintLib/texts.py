"""Foreign texts (names of files, labels, models) in lines and table cells that cannot be mistaken for anything else."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

#: Unicode's categories of characters that move the cursor, change the order of letters, or are none: control, lone
#: surrogate, line and paragraph separator, format.
_UNSAFE = frozenset({"Cc", "Cs", "Zl", "Zp", "Cf"})
#: Format characters that words of some scripts need: zero-width non-joiner and joiner.
_JOINERS = "\u200c\u200d"
#: Characters with which a spreadsheet begins a formula, full-width ones included.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def escaped(text: str, keep: str = "") -> str:
    r"""Return a text on one line, with characters that a terminal would obey written as in Python's source.

    Args:
        text: any text, lone surrogates of undecodable file names included.
        keep: characters to leave as they are, such as a table's line breaks.

    >>> escaped("T1\x1b[31m\nred\u202e.nii"), escaped("Größe 3\u00a0mm ± 1")
    ('T1\\x1b[31m\\nred\\u202e.nii', 'Größe 3\xa0mm ± 1')
    """
    if text.isprintable():
        return text
    return "".join(letter if letter in keep or not _is_unsafe(letter) else _named(letter) for letter in text)


def in_one_line(text: str) -> str:
    """Return a message :func:`escaped`, with words of over 200 characters, such as long paths, cut in the middle."""
    return re.sub(r"\S{201,}", lambda word: f"{word[0][:120]}...{word[0][-60:]}", escaped(text))


def escaped_all(value: Any) -> Any:
    """Return lists and objects of JSON with each text in them, keys included, :func:`escaped`."""
    if isinstance(value, dict):
        return {escaped(name): escaped_all(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [escaped_all(entry) for entry in value]
    return escaped(value) if isinstance(value, str) else value


def csv_cell(value: Any) -> str:
    """Return a cell of a CSV file that no spreadsheet takes for a formula: a text that begins like one gets a quote.

    >>> csv_cell("=cmd()"), csv_cell(-1.5), csv_cell("-1e-3"), csv_cell("- none")
    ("'=cmd()", '-1.5', '-1e-3', "'- none")
    """
    text = escaped(str(value))
    if not text.lstrip().startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def _is_unsafe(letter: str) -> bool:
    return unicodedata.category(letter) in _UNSAFE and letter not in _JOINERS


def _named(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
