"""The page of a subject: its filled images one below the other, each with a picture and a link to its own page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from .attention import Attention
from .document import NOT_CLINICAL, document, facts, text
from .page import Picture


@dataclasses.dataclass(frozen=True)
class Entry:
    """One image.

    Attributes:
        name: of the image, unique on the page; the entry is found by it, as in ``sub-01.html#sub-01_T1w``.
        link: to the image's own page, as a URL relative to this page; None without a page.
        attention: how much it asks for.
        message: the error or the first warning.
        facts: further ones, as pairs of texts.
        picture: of the fill, or None.
    """

    name: str
    link: str | None
    attention: Attention
    message: str
    facts: Sequence[tuple[str, str]]
    picture: Picture | None


def subject_page(subject: str, entries: Sequence[Entry]) -> str:
    """Return the page of a subject as HTML.

    Args:
        subject: its name.
        entries: its images, in the order in which they are shown.
    """
    count = f"{len(entries)} image{'s' * (len(entries) != 1)}"
    images = "\n".join(map(_article, entries))
    body = f"<main>\n<header><h1>{text(subject)}</h1>\n<p>{count}. {NOT_CLINICAL}</p></header>\n{images}\n</main>"
    return document(f"{subject}: filled", body)


def _article(entry: Entry) -> str:
    known = facts((name, text(value)) for name, value in entry.facts)
    return (
        f'<article id="{text(entry.name)}"><h2>{_linked(entry, text(entry.name))}</h2>\n'
        f'<p class="verdict {entry.attention.word}"><b>{text(entry.attention.about)}</b> {text(entry.message)}</p>\n'
        f'<div class="entry">{_picture(entry)}{known}</div></article>'
    )


def _picture(entry: Entry) -> str:
    if entry.picture is None:
        return ""
    layer = (
        f'<span class="layer" style="--ratio:{entry.picture.ratio:.4f}">'
        f'<img src="{text(entry.picture.uri)}" alt="After the fill: {text(entry.name)}"></span>'
    )
    return (
        f'<figure class="thumbnail">{_linked(entry, layer)}<figcaption>Worst part, after the fill</figcaption></figure>'
    )


def _linked(entry: Entry, content: str) -> str:
    return content if entry.link is None else f'<a href="{text(entry.link)}">{content}</a>'
