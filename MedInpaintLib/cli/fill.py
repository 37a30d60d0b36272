"""``medinpaint fill``: fill the hole in one image."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from ..job import execute
from ..jobs.fill import FillJob
from ..options import FillOptions
from .console import HowToShow, ProgressStyle, follow
from .options import assignments, labels_of, with_options

# typer evaluates these annotations on Python 3.10, where Optional is what it understands.
# ruff: noqa: UP045


@with_options(FillOptions)
def fill(
    image: Annotated[Path, typer.Argument(help="Image file, or folder with DICOM files.")],
    output: Annotated[
        str, typer.Option("--output", "-o", help="Filled image; its ending says the format, / is DICOM.")
    ],
    mask: Annotated[
        Optional[Path],
        typer.Argument(help="Mask file: what to fill, 0 = known; see --label, --fill-missing-slices."),
    ] = None,
    guide: Annotated[
        Optional[list[Path]],
        typer.Option(help="Another contrast of the same subject, undamaged in the hole; repeatable."),
    ] = None,
    exemplars: Annotated[Optional[Path], typer.Option(help="Folder with other scans of the same contrast.")] = None,
    report: Annotated[Optional[Path], typer.Option(help="Write provenance and facts to this JSON file.")] = None,
    save_mask: Annotated[Optional[Path], typer.Option(help="Write the mask of the filled voxels to this file.")] = None,
    uncertainty: Annotated[
        Optional[Path], typer.Option(help="Write the standard deviation of the error to this image file.")
    ] = None,
    page: Annotated[
        Optional[Path], typer.Option(help="Write a page (HTML) with before and after of each part.")
    ] = None,
    dicom: Annotated[bool, typer.Option("--dicom", help="Write a DICOM series into the folder that -o names.")] = False,
    progress: HowToShow = ProgressStyle.auto,
    **options: Any,
) -> None:
    """Fill the hole in an image.

    Lesion filling, missing voxels, removal of implants and artifacts: what MASK marks in IMAGE is replaced by plausible
    values, everything else stays bit-identical.
    """

    def work(emit):  # type: ignore[no-untyped-def]
        job = FillJob(
            job="fill",
            image=str(image),
            mask=str(mask) if mask else None,
            output=os.path.join(output, "") if dicom else output,
            guides=[str(each) for each in guide or []],
            exemplars=str(exemplars) if exemplars else None,
            report=str(report) if report else None,
            uncertainty=str(uncertainty) if uncertainty else None,
            filled_mask=str(save_mask) if save_mask else None,
            page=str(page) if page else None,
            **{
                **options,
                "parameters": assignments(options["parameters"] or []),
                "labels": labels_of(options["labels"]),
            },
        )
        execute(job, emit)

    follow(work, progress)
