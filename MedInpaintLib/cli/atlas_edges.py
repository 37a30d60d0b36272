"""``medinpaint atlas-edges``: the edges of the atlas on an image, to judge how well it fits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..job import execute
from ..jobs.atlas_edges import AtlasEdgesJob
from .console import HowToShow, ProgressStyle, follow
from .options import labels_of

# typer evaluates these annotations on Python 3.10, where Optional is what it understands.
# ruff: noqa: UP045


def atlas_edges(
    image: Annotated[Path, typer.Argument(help="Image file, or folder with DICOM files.")],
    mask: Annotated[Path, typer.Argument(help="Mask of the hole, as for 'fill'.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Label map; its ending says the format.")],
    guide: Annotated[
        Optional[list[Path]], typer.Option(help="Another contrast of the same subject, as for 'fill'; repeatable.")
    ] = None,
    label: Annotated[Optional[list[str]], typer.Option(help="Use only this label of the mask; repeatable.")] = None,
    dilate: Annotated[float, typer.Option(help="Grow the hole by this many mm, as for 'fill'.", metavar="MM")] = 0.0,
    modality: Annotated[Optional[str], typer.Option(help="As for 'fill'; guessed when left out.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Go on where mask or guides look swapped or misplaced.")
    ] = False,
    series: Annotated[Optional[str], typer.Option(help="Which DICOM series, as for 'fill'.")] = None,
    volume: Annotated[Optional[int], typer.Option(help="Which volume of a 4-D image, from 0.", metavar="N")] = None,
    allow_outside_data: Annotated[
        bool, typer.Option("--allow-outside-data", help="Read voxels that a header takes from outside its folder.")
    ] = False,
    progress: HowToShow = ProgressStyle.auto,
) -> None:
    """Write the edges of the atlas on an image: 1 is the outline of the brain, 2 the border of white matter.

    Laid over the image in any viewer, they show how well the average head that 'atlas' and 'consensus' fill from, and
    by which --regions names the regions, fits this one.
    """

    def work(emit):  # type: ignore[no-untyped-def]
        job = AtlasEdgesJob(
            job="atlas-edges",
            image=str(image),
            mask=str(mask),
            output=str(output),
            guides=[str(each) for each in guide or []],
            labels=labels_of(label),
            dilate_mm=dilate,
            modality=modality,
            force=force,
            series=series,
            volume=volume,
            allow_outside_data=allow_outside_data,
        )
        execute(job, emit)

    follow(work, progress)
