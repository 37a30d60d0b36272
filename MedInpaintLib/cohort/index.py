"""The index over the pages of a study."""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

from ..files import write_text
from ..pages.attention import FAILED as NO_RESULT
from ..pages.attention import Attention, attention_of
from ..pages.index import Row, index_page
from .case import FAILED, Case, Outcome
from .plan import Plan

#: The column of the kinds' facts that the index shows as a message.
_MESSAGE = "first_warning"


def write_index(plan: Plan, outcomes: Mapping[str, Outcome]) -> Path | None:
    """Write ``index.html`` in the plan's folder if any case writes a page; return its path, or None.

    Failures come first, then cases with warnings, and among them those with the most and deepest parts.
    """
    if not any(_page(case) for case in plan.cases):
        return None
    columns = [column for column in plan.kind.columns if column != _MESSAGE]
    headings = [column.replace("_", " ").capitalize() for column in columns]
    order = sorted(plan.cases, key=lambda case: _urgency(outcomes[case.id]))
    rows = [_row(case, outcomes[case.id], columns, plan.folder) for case in order]
    name = plan.sources[0].stem if plan.sources else Path(os.path.abspath(plan.folder)).name
    index = plan.file("index.html")
    write_text(index, index_page(f"Study {name}", [*headings, "Seconds"], rows))
    return index


def link(path: str, folder: Path) -> str:
    """Return the URL of a file, relative to a folder where both are on one drive.

    >>> link("out/a b/t1#2.html", Path("out"))
    'a%20b/t1%232.html'
    """
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # on another drive
        return Path(os.path.abspath(path)).as_uri()
    return urllib.parse.quote(relative.replace(os.sep, "/"))


def _row(case: Case, outcome: Outcome, columns: list[str], folder: Path) -> Row:
    page = _page(case)
    failed = outcome.status == FAILED
    return Row(
        case.id,
        # What is there of a case that failed is of an earlier run.
        link(page, folder) if page and not failed else None,
        _attention(outcome),
        [*(outcome.facts.get(column) for column in columns), outcome.seconds],
        outcome.message or str(outcome.facts.get(_MESSAGE, "")),
    )


def _urgency(outcome: Outcome) -> tuple[int, float, float]:
    facts = outcome.facts
    return _attention(outcome).rank, -(facts.get("warned_parts") or 0), -(facts.get("deepest_mm") or 0.0)


def _attention(outcome: Outcome) -> Attention:
    if outcome.status == FAILED:
        return NO_RESULT
    facts = outcome.facts
    return attention_of(
        voxels=facts.get("voxels") or 0,
        warned_parts=facts.get("warned_parts") or 0,
        warnings=facts.get("warnings") or 0,
    )


def _page(case: Case) -> str | None:
    """Return the page of a case, the first where it has several."""
    pages = getattr(case.job, "page", None) or []
    return next(iter([pages] if isinstance(pages, str) else pages), None)
