"""Links of pages that lead out of docs: pictures of the repository join the site, other files are shown on GitHub."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page


ROOT = Path(__file__).resolve().parents[2]
GITHUB = "https://github.com/MedInpaint/SlicerMedInpaint/blob/main/"
#: Where pictures from outside docs lie in the site.
PICTURES = "repository"
SHOWN = ("Resources/Screenshots/*.png", "Resources/Screenshots/*.webp", "MedInpaint/Resources/Icons/MedInpaint.png")
_LINK = re.compile(r"(\]\()(\.\./[^)\s]+)(\))")
#: Code keeps its text, links and all.
_CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.M | re.S)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the repository's pictures that pages may show."""
    from mkdocs.structure.files import File

    for pattern in SHOWN:
        for path in sorted(ROOT.glob(pattern)):
            name = f"{PICTURES}/{path.relative_to(ROOT).as_posix()}"
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite the links of a page that leave docs."""
    folder = posixpath.dirname(page.file.src_uri)
    known = files.src_uris
    pieces = _CODE.split(markdown)
    pieces[::2] = [_LINK.sub(lambda link: _rewritten(link, folder, known), text) for text in pieces[::2]]
    return "".join(pieces)


def _rewritten(link: re.Match[str], folder: str, known: object) -> str:
    target, _, anchor = link[2].partition("#")
    path = posixpath.normpath(posixpath.join("docs", folder, target))
    if path.startswith("docs/"):
        return link[0]
    if f"{PICTURES}/{path}" in known:  # type: ignore[operator]
        return f"{link[1]}{posixpath.relpath(f'{PICTURES}/{path}', folder or '.')}{link[3]}"
    return f"{link[1]}{GITHUB}{path}{'#' + anchor if anchor else ''}{link[3]}"
