"""What people read of all images of a dataset: the tables, a page for each subject, and the index over all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from ..cohort.case import FAILED, Case, Outcome
from ..cohort.index import attention_for, by_urgency, columns_of, heading_of, link, message_of, write_index
from ..cohort.plan import Plan
from ..cohort.summary import write_tables
from ..files import write_text
from ..pages.page import Picture, first_picture
from ..pages.subject import Entry, subject_page
from .derivative import read_description
from .earlier import Earlier, case_named, subject_of, with_images

#: Characters of an image's page in which its first picture is looked for, and not the whole 3 MB of a large one: two
#: pictures of 256 x 256 pixels take 180,000, and the outline of a ragged hole some more.
_BEGIN = 500_000


def write_overview(plan: Plan, outcomes: Mapping[str, Outcome], *, raw: Path, known: Collection[str]) -> Path | None:
    """Write the tables, the pages of subjects, and the index; return the path of the index, or None without pages.

    A table keeps its rows of images that the run knows nothing of, such as those of another contrast.

    Args:
        plan: of the run.
        outcomes: what came of each case, by its id.
        raw: folder of the dataset with the images.
        known: ids of all images that the run knows, also of those in other parts.
    """
    earlier = Earlier.of([plan.file("summary.tsv")], [plan.file("failures.tsv")])
    others = {name: status for name, status in earlier.statuses.items() if name not in known and name not in outcomes}
    whole = with_images(plan, others, raw)
    kept = {case.id: earlier.outcome(case, plan.records) for case in whole.cases if case.id not in outcomes}
    outcomes = {**outcomes, **kept}
    write_tables(whole, outcomes)
    if any(_page(case) for case in whole.cases):
        _write_subject_pages(whole, outcomes, raw)
    title = str((read_description(plan.folder) or {}).get("Name", ""))
    return write_index(whole, outcomes, _link_to_entry, title=title)


def _link_to_entry(case: Case, folder: Path) -> str | None:
    """Return the URL of a case's entry on the page of its subject; None without a page."""
    return None if _page(case) is None else f"{link(_path(subject_of(case.id), folder), folder)}#{case.id}"


def _path(subject: str, folder: Path) -> str:
    return os.path.join(folder, f"{subject}.html")


def _write_subject_pages(plan: Plan, outcomes: Mapping[str, Outcome], raw: Path) -> None:
    """Write the page of each subject in a plan, over all images of the subject, also those of other runs."""
    subjects: dict[str, list[Case]] = {subject_of(case.id): [] for case in plan.cases}
    others = _of_other_runs(plan, subjects, raw)
    for case in (*plan.cases, *(case for case, _ in others)):
        subjects[subject_of(case.id)].append(case)
    outcomes = {**outcomes, **{case.id: outcome for case, outcome in others}}
    columns = columns_of(plan)
    for subject, cases in subjects.items():
        if any(_page(case) for case in cases):
            entries = [_entry(case, outcomes[case.id], columns, plan.folder) for case in by_urgency(cases, outcomes)]
            _write_where_changed(_path(subject, plan.folder), subject_page(subject, entries))


def _write_where_changed(path: str, page: str) -> None:
    """Write a page unless it is there already: reading it takes less than writing, which happens in one step."""
    with contextlib.suppress(OSError, ValueError), open(path, encoding="utf-8") as file:
        if file.read() == page:
            return
    write_text(path, page)


def _of_other_runs(plan: Plan, subjects: Collection[str], raw: Path) -> list[tuple[Case, Outcome]]:
    """Return the images of the same subjects that other runs have filled, by their pages."""
    nothing = Earlier({}, {})
    known = {*(case.id for case in plan.cases), *plan.idle}
    pages = (stem for stem, ending in map(os.path.splitext, sorted(os.listdir(plan.folder))) if ending == ".html")
    names = (name for name in pages if subject_of(name) in subjects and name not in known)
    cases = (case for case in (case_named(name, raw, plan.folder) for name in names) if case is not None)
    outcomes = [(case, nothing.outcome(case, plan.records)) for case in cases]
    return [(case, outcome) for case, outcome in outcomes if outcome.status != FAILED]


def _entry(case: Case, outcome: Outcome, columns: Iterable[str], folder: Path) -> Entry:
    page = None if outcome.status == FAILED else _page(case)  # what lies there of a failed one is of an earlier run
    facts = [(heading_of(column), _shown(outcome.facts.get(column))) for column in columns]
    return Entry(
        name=case.id,
        link=None if page is None else link(page, folder),
        attention=attention_for(outcome),
        message=message_of(outcome),
        facts=[(name, value) for name, value in facts if value],
        picture=None if page is None else _picture(page),
    )


def _picture(page: str) -> Picture | None:
    try:
        with open(page, encoding="utf-8") as file:
            return first_picture(file.read(_BEGIN))
    except OSError:
        return None


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _page(case: Case) -> str | None:
    page: str | None = getattr(case.job, "page", None)
    return page
