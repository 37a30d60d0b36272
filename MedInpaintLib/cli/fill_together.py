"""``medinpaint fill-together``: fill one hole in several images of a subject."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from ..job import execute
from ..jobs.fill_together import FillTogetherJob
from ..options import FillOptions
from .console import HowToShow, ProgressStyle, follow
from .options import assignments, labels_of, with_options

# typer evaluates these annotations on Python 3.10, where Optional is what it understands.
# ruff: noqa: UP045


@with_options(FillOptions)
def fill_together(
    images: Annotated[list[Path], typer.Argument(help="The images, on one grid; methods are chosen for the first.")],
    mask: Annotated[Path, typer.Option(help="Mask file: what to fill in all of them, 0 = known; see --label.")],
    output: Annotated[
        list[str], typer.Option("--output", "-o", help="Filled image; repeat it for each image, in their order.")
    ],
    guide: Annotated[
        Optional[list[Path]],
        typer.Option(help="Another contrast of the same subject, undamaged in the hole; repeatable."),
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="Write a report (JSON) beside each output.")] = False,
    save_mask: Annotated[Optional[Path], typer.Option(help="Write the mask of the filled voxels to this file.")] = None,
    uncertainty: Annotated[
        bool, typer.Option("--uncertainty", help="Write the uncertainty beside each output, too.")
    ] = False,
    page: Annotated[bool, typer.Option("--page", help="Write a page (HTML) beside each output, too.")] = False,
    progress: HowToShow = ProgressStyle.auto,
    **options: Any,
) -> None:
    """Fill one hole in several images of a subject: contrasts or time points that are all damaged there.

    Methods that copy tissue take it from the same places in all images, so that the fills show one anatomy.
    """

    def work(emit):  # type: ignore[no-untyped-def]
        from ..cohort.names import path_beside

        beside = {"report": report, "uncertainty": uncertainty, "page": page}
        job = FillTogetherJob(
            job="fill-together",
            image=[str(each) for each in images],
            mask=str(mask),
            output=output,
            guides=[str(each) for each in guide or []],
            **{name: [path_beside(each, name) for each in output] for name, asked in beside.items() if asked},
            filled_mask=str(save_mask) if save_mask else None,
            **{
                **options,
                "parameters": assignments(options["parameters"] or []),
                "labels": labels_of(options["labels"]),
            },
        )
        execute(job, emit)

    follow(work, progress)
