"""The index over the pages of a study."""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ..files import write_text
from ..pages.attention import FAILED as NO_RESULT
from ..pages.attention import Attention, attention_of
from ..pages.index import Row, index_page
from .case import FAILED, Case, Outcome
from .plan import Plan

#: The column of the kinds' facts that the index shows as a message.
_MESSAGE = "first_warning"


def link_to_page(case: Case, folder: Path) -> str | None:
    """Return the URL of a case's page, the first where it has several, relative to a folder; None without a page."""
    page = _page(case)
    return None if page is None else link(page, folder)


def write_index(
    plan: Plan,
    outcomes: Mapping[str, Outcome],
    link_of: Callable[[Case, Path], str | None] = link_to_page,
    *,
    title: str = "",
) -> Path | None:
    """Write ``index.html`` in the plan's folder if any case writes a page; return its path, or None.

    Failures come first, then cases with warnings, and among them those with the most and deepest parts.

    Args:
        plan: the cases.
        outcomes: what came of each, by its id.
        link_of: returns the URL to which the name of a case leads, relative to the folder.
        title: of the page; by default that of the plan's file.
    """
    if not any(_page(case) for case in plan.cases):
        return None
    columns = columns_of(plan)
    order = by_urgency(plan.cases, outcomes)
    # What is there of a case that failed is of an earlier run.
    links = [None if outcomes[case.id].status == FAILED else link_of(case, plan.folder) for case in order]
    rows = [_row(case, outcomes[case.id], columns, url) for case, url in zip(order, links, strict=True)]
    name = plan.sources[0].stem if plan.sources else Path(os.path.abspath(plan.folder)).name
    index = plan.file("index.html")
    write_text(index, index_page(title or f"Study {name}", [*map(heading_of, columns), "Seconds"], rows))
    return index


def columns_of(plan: Plan) -> list[str]:
    """Return the facts of a case that pages show, besides its message."""
    return [column for column in plan.kind.columns if column != _MESSAGE]


def heading_of(column: str) -> str:
    """Return the name of a fact for people.

    >>> heading_of("warned_parts")
    'Warned parts'
    """
    return column.replace("_", " ").capitalize()


def by_urgency(cases: Iterable[Case], outcomes: Mapping[str, Outcome]) -> list[Case]:
    """Return cases in the order in which pages list them, see :func:`write_index`."""
    return sorted(cases, key=lambda case: _urgency(outcomes[case.id]))


def message_of(outcome: Outcome) -> str:
    """Return the error or the first warning of a case."""
    return outcome.message or str(outcome.facts.get(_MESSAGE, ""))


def attention_for(outcome: Outcome) -> Attention:
    """Return how much attention a case asks for."""
    if outcome.status == FAILED:
        return NO_RESULT
    facts = outcome.facts
    return attention_of(
        voxels=facts.get("voxels") or 0,
        warned_parts=facts.get("warned_parts") or 0,
        warnings=facts.get("warnings") or 0,
    )


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


def _row(case: Case, outcome: Outcome, columns: list[str], url: str | None) -> Row:
    cells = [*(outcome.facts.get(column) for column in columns), outcome.seconds]
    return Row(case.id, url, attention_for(outcome), cells, message_of(outcome))


def _urgency(outcome: Outcome) -> tuple[int, float, float]:
    facts = outcome.facts
    return attention_for(outcome).rank, -(facts.get("warned_parts") or 0), -(facts.get("deepest_mm") or 0.0)


def _page(case: Case) -> str | None:
    """Return the page of a case, the first where it has several."""
    pages = getattr(case.job, "page", None) or []
    return next(iter([pages] if isinstance(pages, str) else pages), None)
