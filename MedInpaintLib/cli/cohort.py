"""``medinpaint cohort``: fill all images of a study, or evaluate methods or estimate contrasts in all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from ..errors import InputError
from ..job import Emit, guarded, print_event
from ..options import FillOptions
from ..texts import escaped
from .cohort_jobs import JobName, given_fields, shared_by_all
from .console import HowToShow, ProgressStyle, show
from .options import assignments, labels_of, with_options

if TYPE_CHECKING:
    from ..cohort.plan import Plan
    from ..cohort.scheduler import Scheduler

# typer evaluates these annotations on Python 3.10, where Optional is what it understands.
# ruff: noqa: UP045


# Options that all commands over many cases have.
Exemplars = Annotated[Optional[Path], typer.Option(help="Folder with other scans of the same contrast.")]
AtOnce = Annotated[Optional[int], typer.Option(min=1, help="Cases at once; as many as there are cores when left out.")]
PartOfAll = Annotated[Optional[str], typer.Option(help="Do a part of the cases, such as 3/20, in an array of jobs.")]
SchedulerName = Annotated[
    Optional[str], typer.Option(help="Fill on Dask workers: an address such as tcp://host:8786, slurm, or local.")
]


@with_options(FillOptions)
def cohort(
    context: typer.Context,
    table: Annotated[
        Optional[Path],
        typer.Argument(help="CSV or TSV file: columns image, mask, output and, at will, id, guides and any option."),
    ] = None,
    images: Annotated[Optional[str], typer.Option(help="Without a table: images, such as 'sub-*/t1.nii.gz'.")] = None,
    masks: Annotated[Optional[str], typer.Option(help="Their masks, such as 'sub-*/lesion.nii.gz'.")] = None,
    guides: Annotated[Optional[list[str]], typer.Option(help="Their guides, alike; repeatable.")] = None,
    out: Annotated[
        Optional[Path],
        typer.Option(help="Folder for summary, failures and records and, without a table, for the filled images."),
    ] = None,
    job: Annotated[
        JobName, typer.Option(help="What is done in each row; the columns are the fields of such a job.")
    ] = JobName.fill,
    values: Annotated[
        Optional[list[str]],
        typer.Option("--with", metavar="FIELD=VALUE", help="A value for all rows, written as in a cell; repeatable."),
    ] = None,
    exemplars: Exemplars = None,
    report: Annotated[bool, typer.Option("--report", help="Write a report (JSON) beside each output.")] = False,
    save_mask: Annotated[bool, typer.Option("--save-mask", help="Write the mask of the filled voxels, too.")] = False,
    uncertainty: Annotated[bool, typer.Option("--uncertainty", help="Write the uncertainty, too.")] = False,
    page: Annotated[
        bool, typer.Option("--page", help="Write a page (HTML) beside each output, and index.html.")
    ] = False,
    jobs: AtOnce = None,
    part: PartOfAll = None,
    scheduler: SchedulerName = None,
    progress: HowToShow = ProgressStyle.auto,
    **options: Any,
) -> None:
    """Fill all images of a study: those in TABLE, or those whose names are like --images.

    Cases that are done are skipped when the command is run again, unless inputs or options have changed. A case that
    fails stops no other. An image whose mask is empty is copied. Exit code 1: some cases failed. With --job, each
    row is another job: methods are scored, a contrast is estimated, or a lesion is put back.
    """

    def work(emit: Emit) -> None:
        from ..cohort.cells import values_of
        from ..cohort.kinds import kind_named
        from ..cohort.patterns import plan_of_patterns
        from ..cohort.plan import part_of
        from ..cohort.run import run
        from ..cohort.table import plan_of_table

        at_once, within, runs = scheduled(scheduler, jobs, options["workers"], emit)
        kind = kind_named(job.value)
        given = {"report": report, "filled_mask": save_mask, "uncertainty": uncertainty, "page": page}
        for_rows = {
            **options,
            "parameters": assignments(options["parameters"] or []),
            "labels": labels_of(options["labels"]),
            "workers": within,
            "exemplars": None if exemplars is None else os.path.abspath(exemplars),
        }
        common: dict[str, Any] = {
            "folder": out,
            "beside": tuple(name for name, wanted in given.items() if wanted),
            "options": shared_by_all(kind, for_rows, given_fields(context)) | values_of(values or [], kind),
        }
        patterns = {"image": images, "mask": masks, "guides": guides}
        chosen: dict[str, Any] = {field: pattern for field, pattern in patterns.items() if pattern}
        if (table is None) == (images is None) or (table is not None and chosen):
            raise InputError("Give either a TABLE, or --images with their --masks.")
        if table is None and out is None:
            raise InputError("Name the folder for the filled images with --out.")
        piece = None if part is None else part_of(part)
        if table is not None:
            plan = planned(lambda: plan_of_table(table, kind, **common), emit)
        else:
            plan = planned(lambda: plan_of_patterns(chosen, kind, **common), emit)
        run(plan if piece is None else plan.only(*piece), runs, emit, at_once=at_once)

    follow_cases(work, progress)


def planned(make: Callable[[], Plan], emit: Emit) -> Plan:
    """Return the plan that a function makes; each of its problems is told before the error is raised."""
    from ..cohort.plan import PlanError

    try:
        return make()
    except PlanError as error:
        for line in error.lines():
            emit({"event": "problem", "message": line})
        raise


def follow_cases(work: Callable[[Emit], None], progress: ProgressStyle) -> None:
    """Run ``work(emit)``, show the cases as they go, and leave with the exit code that fits."""
    if progress is ProgressStyle.json:
        raise typer.Exit(guarded(lambda: work(print_event), print_event))
    if progress is ProgressStyle.bar or (progress is ProgressStyle.auto and sys.stderr.isatty()):
        from .cohort_table import LiveTable

        with LiveTable() as live:
            code = guarded(lambda: work(live.show), live.show)
        raise typer.Exit(code)
    shown = show_case if progress is ProgressStyle.auto else show_end
    raise typer.Exit(guarded(lambda: work(shown), shown))


def scheduled(name: str | None, jobs: int | None, workers: int | None, emit: Emit) -> tuple[int | None, int, Scheduler]:
    """Return how many cases are done at once (None: not known), the workers in each, and what runs them."""
    from ..cohort.cluster import cluster_named
    from ..cohort.local import LocalProcesses, shares
    from ..together import cores

    def warn(message: str) -> None:
        emit({"event": "warning", "message": message})

    if name not in (None, "local"):
        return jobs, workers or 1, cluster_named(name, jobs, workers or 1, warn)
    at_once, within = shares(jobs, workers, cores())
    if (jobs or 1) > at_once or (workers or 1) > within:
        warn(_bounded(at_once, within, cores()))
    if name is None:
        return at_once, within, LocalProcesses(at_once, within)
    return at_once, within, cluster_named(name, at_once, within, warn)


def _bounded(jobs: int, workers: int, cores: int) -> str:
    return (
        f"No more than {cores} core{'s' if cores > 1 else ''} may be used, so the study runs with {jobs} "
        f"case{'s' if jobs > 1 else ''} at once, {workers} part{'s' if workers > 1 else ''} at a time in each."
    )


def show_case(event: dict[str, Any]) -> None:
    """Print an event as a line: each case when it is over, as for a log."""
    if event["event"] == "case":
        typer.echo(f"{case_line(event)} [{progress_line(event)}]", err=event["status"] == "failed")
    else:
        show_end(event)


def show_end(event: dict[str, Any]) -> None:
    """Print an event unless it tells of cases on the way."""
    if event["event"] == "problem":
        typer.echo(escaped(event["message"]), err=True)
    elif event["event"] == "result":
        typer.echo(result_lines(event))
    else:
        show(event)


def case_line(event: dict[str, Any]) -> str:
    """Describe a case that is over."""
    name, facts = escaped(event["id"]), event["facts"]
    if event["status"] == "failed":
        return f"{name}: failed: {escaped(event['message'])}"
    warnings = facts.get("warnings") or 0
    warned = f", {warnings} warning{'s' if warnings > 1 else ''}" if warnings else ""
    took = "done before" if event["skipped"] else f"{event['seconds']:.1f} s"
    return f"{name}: {escaped(event['what'])}{warned}, {took}"


def progress_line(event: dict[str, Any]) -> str:
    """Describe how far the study is after a case."""
    from ..cohort.outlook import spoken

    left = "" if event["left"] is None else f", {spoken(event['left'])} left"
    return f"{event['number']} of {event['of']}{left}"


def result_lines(event: dict[str, Any]) -> str:
    """Describe what came of a study."""
    report = event["report"]
    cases = f"{report['cases']} case{'s' * (report['cases'] != 1)}"
    pages = f"  Pages: {escaped(report['index'])}\n" if report["index"] else ""
    return (
        f"{escaped(event['output'])}\n{pages}  {cases}: {event['counted']}; {report['skipped']} of "
        "them were done before."
    )
