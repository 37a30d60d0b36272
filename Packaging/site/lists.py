"""Lists of pages: ``<!-- pages: how-to -->`` becomes a heading and a link to each page of that folder."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page


_MARK = re.compile(r"^<!-- pages: ([\w/-]+) -->$", re.M)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Replace the marks on a page."""
    folder = posixpath.dirname(page.file.src_uri)
    return _MARK.sub(lambda mark: _listed(Path(config.docs_dir), mark[1], folder), markdown)


def _listed(docs: Path, folder: str, start: str) -> str:
    lines = []
    for path in sorted((docs / folder).glob("*.md")):
        target = posixpath.relpath(path.relative_to(docs).as_posix(), start or ".")
        lines.append(f"- [{title_of(path.read_text(encoding='utf-8'))}]({target})")
    return "\n".join([f"### {folder.capitalize()}", "", *lines]) if lines else ""


def title_of(text: str) -> str:
    """Return the first heading of a page."""
    heading = re.search(r"^# (.+)$", text, re.M)
    return heading[1] if heading else "?"
