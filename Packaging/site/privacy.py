"""Fail the build when a page would load anything from elsewhere: scripts, styles, fonts, pictures, frames."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig


#: Element -> its attributes whose addresses a browser opens by itself. Of links, rel=canonical and the like are not.
LOADED = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "link": ("href",),
}
RELATIONS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}
_FOREIGN = re.compile(r"(?:https?:)?//", re.I)
_IN_STYLE = re.compile(r"(?:url\(|@import)\s*['\"]?((?:https?:)?//[^'\")\s]+)", re.I)


class _Loads(HTMLParser):
    """The foreign addresses that a page makes a browser open."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag == "link" and not RELATIONS & set(values.get("rel", "").split()):
            return
        self.foreign += [values[name] for name in LOADED.get(tag, ()) if _FOREIGN.match(values.get(name, ""))]
        self.foreign += _IN_STYLE.findall(values.get("style", ""))


def foreign_loads(site: Path) -> Iterator[tuple[str, str]]:
    """Yield file and address of whatever the files of a site load from elsewhere."""
    for path in sorted(site.rglob("*")):
        if path.suffix == ".html":
            page = _Loads()
            text = path.read_text(encoding="utf-8")
            page.feed(text)
            addresses = page.foreign + [
                each for style in re.findall(r"<style.*?</style>", text, re.S) for each in _IN_STYLE.findall(style)
            ]
        elif path.suffix == ".css":
            addresses = _IN_STYLE.findall(path.read_text(encoding="utf-8"))
        else:
            continue
        yield from ((path.relative_to(site).as_posix(), address) for address in addresses)


def on_post_build(config: MkDocsConfig) -> None:
    """Check what was built."""
    from mkdocs.exceptions import PluginError

    loads = [f"{name}: {address}" for name, address in foreign_loads(Path(config.site_dir))]
    if loads:
        raise PluginError("The site loads from elsewhere:\n" + "\n".join(loads))
