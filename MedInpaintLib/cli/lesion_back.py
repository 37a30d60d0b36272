"""``medinpaint lesion-back``: put the lesion back into a segmentation that was made of the filled image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..job import execute
from ..jobs.lesion_back import LesionBackJob
from .console import HowToShow, ProgressStyle, follow
from .options import labels_of

# typer evaluates these annotations on Python 3.10, where Optional is what it understands.
# ruff: noqa: UP045


def lesion_back(
    segmentation: Annotated[Path, typer.Argument(help="Label map that was made of the filled image.")],
    mask: Annotated[Path, typer.Argument(help="Mask of the lesion, as for 'fill'; it may be on another grid.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Label map with the lesion; its ending: the format.")],
    table: Annotated[
        Optional[Path], typer.Option(help="Write all regions, before and after, to this TSV file.")
    ] = None,
    report: Annotated[Optional[Path], typer.Option(help="Write the same with all facts to this JSON file.")] = None,
    number: Annotated[
        Optional[str],
        typer.Option(
            help="Label of the lesion; 'sides' for one on each side (FreeSurfer's 25 and 57).", show_default=False
        ),
    ] = None,
    cut: Annotated[bool, typer.Option("--cut", help="Set the lesion to 0 instead of giving it a label.")] = False,
    numbering: Annotated[
        str, typer.Option(help="What the labels mean: freesurfer (FastSurfer, SynthSeg, SAMSEG, too), fast, none.")
    ] = "auto",
    names: Annotated[
        Optional[Path], typer.Option(help="Table with names of the labels: a color table, or TSV as of BIDS.")
    ] = None,
    image: Annotated[
        Optional[Path], typer.Option(help="Image that was segmented: the atlas names labels without names by it.")
    ] = None,
    label: Annotated[Optional[list[str]], typer.Option(help="Use only this label of the mask; repeatable.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Go on where the two look misplaced or swapped.")] = False,
    allow_outside_data: Annotated[
        bool, typer.Option("--allow-outside-data", help="Read voxels that a header takes from outside its folder.")
    ] = False,
    progress: HowToShow = ProgressStyle.auto,
) -> None:
    """Put the lesion back into a segmentation of the filled image.

    Prints which regions it hits by how much. Left alone, the lesion gets the label that is named so, 99 in FreeSurfer's
    numbering, or the first number behind all others.
    """

    def work(emit):  # type: ignore[no-untyped-def]
        job = LesionBackJob(
            job="lesion-back",
            segmentation=str(segmentation),
            mask=str(mask),
            output=str(output),
            table=str(table) if table else None,
            report=str(report) if report else None,
            number=number,
            cut=cut,
            numbering=numbering,
            names=str(names) if names else None,
            image=str(image) if image else None,
            labels=labels_of(label),
            force=force,
            allow_outside_data=allow_outside_data,
        )
        execute(job, emit)

    follow(work, progress)
