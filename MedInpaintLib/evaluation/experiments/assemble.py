"""The one page of all experiments, put together from theirs."""

from __future__ import annotations

import re
from pathlib import Path

from ...files import write_text

#: Other experiments' folders beside that of the studies.
BESIDE = ("films-and-ct", "feed-forward", "latent", "contrasts")
#: The order of the studies; others follow.
ORDER = (
    "learning",
    "seeds",
    "film-people",
    "ct-people",
    "networks",
    "networks-ct",
    "hole-size",
    "hole-shape",
    "hole-count",
    "orientation",
    "disease",
    "unlike",
)
_LINK = re.compile(r"\]\((?!https?:|#|/)([^)]+)\)")


def assemble(studies: Path) -> Path:
    """Write ``experiments.md`` beside a folder with studies.

    Args:
        studies: the folder with a folder a study, each with a ``README.md``.

    Returns:
        the page.
    """
    pages = [studies.parent / name / "README.md" for name in BESIDE]
    known = [studies / name / "README.md" for name in ORDER]
    found = sorted(page for page in studies.glob("*/README.md") if page not in known)
    there = [page for page in (*known, *found, *pages) if page.is_file()]
    parts = [
        "# Experiments\n\nAll tables and figures are written by the commands that stand beside them; `medinpaint "
        "experiment` lists them. This page is put together from those of the single experiments.",
        "\n".join(f"- [{_title(page)}](#{_anchor(_title(page))})" for page in there),
    ]
    parts += [_inside(page, studies.parent) for page in there]
    out = studies.parent / "experiments.md"
    write_text(out, "\n\n".join(parts) + "\n")
    return out


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ")


def _anchor(title: str) -> str:
    """As GitHub makes them of headings."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _inside(page: Path, docs: Path) -> str:
    """A page as a part of another one: headings a level lower, links from there."""
    folder = page.parent.relative_to(docs).as_posix()
    text = page.read_text(encoding="utf-8").strip()
    lines = ["#" + line if line.startswith("#") else line for line in text.split("\n")]
    return _LINK.sub(lambda link: f"]({folder}/{link[1]})", "\n".join(lines))
