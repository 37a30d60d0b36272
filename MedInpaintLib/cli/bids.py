"""``medinpaint bids``: fill the lesions of a BIDS dataset, with the conventions of BIDS apps."""

from __future__ import annotations

import enum
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from typer.core import TyperCommand

from .. import __version__
from ..errors import InputError
from ..job import Emit
from ..options import FillOptions
from .cohort import AtOnce, Exemplars, PartOfAll, SchedulerName, follow_cases, planned, scheduled
from .console import HowToShow, ProgressStyle
from .options import assignments, labels_of, with_options

if TYPE_CHECKING:
    from ..bids.filters import Selection

# typer evaluates these annotations on Python 3.10, where Optional is what it understands.
# ruff: noqa: UP045

#: Options that take all words that follow, as BIDS apps do: ``--participant-label 01 02``.
_SEVERAL = ("--participant-label", "--participant_label", "--session-label", "--session_label")


class Level(str, enum.Enum):
    """The levels of a BIDS app."""

    participant = "participant"
    group = "group"


class BidsCommand(TyperCommand):
    """A command of which some options take several values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line."""
        return super().parse_args(ctx, repeated(args))


def repeated(words: list[str]) -> list[str]:
    """Return a command line with the option before each of its values.

    >>> repeated(["data", "--participant-label", "01", "02", "--jobs", "2"])
    ['data', '--participant-label', '01', '--participant-label', '02', '--jobs', '2']
    """
    line: list[str] = []
    option = ""
    for number, word in enumerate(words):
        if word.startswith("-"):
            option = word if word in _SEVERAL else ""
        elif option and words[number - 1] != option:
            line.append(option)
        line.append(word)
    return line


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"medinpaint {__version__}")
        raise typer.Exit


@with_options(FillOptions, regions=True)
def bids(
    bids_dir: Annotated[Path, typer.Argument(help="Folder with the BIDS dataset.")],
    output_dir: Annotated[Path, typer.Argument(help="Folder for the results, a BIDS derivative.")],
    analysis_level: Annotated[
        Level, typer.Argument(help="participant fills; group writes the tables over all that is done.")
    ],
    participant_label: Annotated[
        Optional[list[str]],
        typer.Option("--participant-label", "--participant_label", help="Only these, with or without sub-."),
    ] = None,
    session_label: Annotated[
        Optional[list[str]],
        typer.Option("--session-label", "--session_label", help="Only these sessions, with or without ses-."),
    ] = None,
    contrast: Annotated[
        Optional[list[str]], typer.Option(help="Suffix of the images to fill, T1w when left out; repeatable.")
    ] = None,
    masks: Annotated[
        Optional[list[Path]],
        typer.Option(
            help="Dataset with the lesion masks; repeatable. Left out: BIDS_DIR and all in its folder derivatives."
        ),
    ] = None,
    bids_filter_file: Annotated[
        Optional[Path],
        typer.Option("--bids-filter-file", "--bids_filter_file", help="JSON file that chooses images, as of fMRIPrep."),
    ] = None,
    exemplars: Exemplars = None,
    uncertainty: Annotated[bool, typer.Option(help="Write the uncertainty, which takes longer.")] = True,
    page: Annotated[bool, typer.Option(help="Write a page for each image, and an index of them.")] = True,
    skip_bids_validation: Annotated[
        bool,
        typer.Option(
            "--skip-bids-validation",
            "--skip_bids_validation",
            help="For scripts of other apps: this one validates none.",
        ),
    ] = False,
    jobs: AtOnce = None,
    part: PartOfAll = None,
    scheduler: SchedulerName = None,
    progress: HowToShow = ProgressStyle.auto,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    **options: Any,
) -> None:
    """Fill the lesions of a BIDS dataset and write a BIDS derivative.

    Masks are files like sub-01_label-lesion_mask.nii.gz or sub-01_T1w_label-lesion_roi.nii.gz. Images that are done are
    skipped when the command is run again. Exit code 1: some images could not be filled.
    """

    def work(emit: Emit) -> None:
        from ..bids.derivative import write_dataset
        from ..bids.group import summarize
        from ..bids.overview import write_overview
        from ..bids.plan import Study, plan_of_bids
        from ..cohort.plan import part_of
        from ..cohort.run import run

        at_once, within, runs = scheduled(scheduler, jobs, options["workers"], emit)
        piece = None if part is None else part_of(part)
        if piece is not None and analysis_level is Level.group:
            raise InputError("The level group is about all images; leave out --part.")
        chosen = _selection(participant_label, session_label, contrast, bids_filter_file)
        study = Study.of(bids_dir, output_dir, masks or ())
        fields = {
            **options,
            "parameters": assignments(options["parameters"] or []),
            "labels": labels_of(options["labels"]),
            "workers": within,
            "exemplars": None if exemplars is None else os.path.abspath(exemplars),
        }
        written = {"uncertainty": uncertainty, "page": page}
        plan = planned(lambda: plan_of_bids(study, output_dir, chosen, options=fields, **written), emit)
        raw = study.raw.folder
        if analysis_level is Level.group:
            summarize(plan, emit, raw, chosen.wants)
            return
        write_dataset(output_dir, study.raw, study.derivatives)
        write = functools.partial(write_overview, raw=raw, known={*(case.id for case in plan.cases), *plan.idle})
        run(plan if piece is None else plan.only(*piece), runs, emit, at_once=at_once, write=write)

    follow_cases(work, progress)


def _selection(
    participants: list[str] | None, sessions: list[str] | None, contrasts: list[str] | None, filters: Path | None
) -> Selection:
    from ..bids import filters as of_bids

    return of_bids.Selection(
        of_bids.labels_of(participants, "sub"),
        of_bids.labels_of(sessions, "ses"),
        tuple(contrasts or of_bids.Selection.contrasts),
        {} if filters is None else of_bids.read_filters(filters),
    )
