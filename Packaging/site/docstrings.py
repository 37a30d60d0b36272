"""An extension of griffe: docstrings as they are written for Python's own tools, in the form that the site renders.

Roles such as ``:func:`MedInpaintLib.inpaint`` become links where the API pages show the object, else code; an entry of
several arguments (``image, mask: as in ...``) becomes one for each; examples become blocks of code.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import griffe

PACKAGE = "MedInpaintLib"
PAGES = Path(__file__).resolve().parents[2] / "docs" / "reference" / "api"
_ROLE = re.compile(r":(?:py:)?(?:func|meth|class|mod|data|attr|exc|obj):`([^`]+)`")
_CODE = re.compile(r"``([^`]+)``")
#: A paragraph that begins with a prompt.
_EXAMPLE = re.compile(r"^(>>> (?:.+\n?)+?)(?=\n\n|\Z)", re.M)
_SECTION = re.compile(r"^(Args|Attributes):$")
_SEVERAL = re.compile(r"^(\s+)(\w+(?:, \w+)+): (.*)$")


def shown() -> list[str]:
    """Return the objects that the API pages show, by their names there."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(PAGES.glob("*.md"))]
    return [name for text in texts for name in re.findall(r"^::: ([\w.]+)", text, re.M)]


class Docstrings(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def __init__(self) -> None:
        self._by_last_name = {name.rpartition(".")[2]: name for name in shown()}

    def on_object(self, *, obj: griffe.Object, **options: Any) -> None:
        """Rewrite the docstring of an object."""
        if obj.docstring is not None:
            text = _ROLE.sub(self._link, obj.docstring.value)
            text = _CODE.sub(r"`\1`", _one_entry_each(text))
            obj.docstring.value = _EXAMPLE.sub(r"```pycon\n\1\n```", text)

    def _link(self, role: re.Match[str]) -> str:
        name = role[1].lstrip("~")
        target = self._by_last_name.get(name.rpartition(".")[2])
        if target:
            return f"[`{name.lstrip('.')}`][{target}]"
        return f"`{PACKAGE}{name}`" if name.startswith(".") else f"`{name}`"


def _one_entry_each(text: str) -> str:
    """Split the entries of several arguments or attributes.

    >>> print(_one_entry_each("Do.\\n\\nArgs:\\n    a, b: numbers,\\n        both small.\\n    c: text."))
    Do.
    <BLANKLINE>
    Args:
        a: numbers,
            both small.
        b: numbers,
            both small.
        c: text.
    """
    lines, result, inside = text.splitlines(), [], False
    while lines:
        line = lines.pop(0)
        if line and not line.startswith(" "):
            inside = bool(_SECTION.match(line))
        several = _SEVERAL.match(line) if inside else None
        if several is None:
            result.append(line)
            continue
        more = []
        while lines and lines[0].startswith(several[1] + "    "):
            more.append(lines.pop(0))
        for name in several[2].split(", "):
            result += [f"{several[1]}{name}: {several[3]}", *more]
    return "\n".join(result)
