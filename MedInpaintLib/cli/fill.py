"""``medinpaint fill``: fill the hole in one image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..errors import ParameterError
from ..job import execute
from ..jobs.fill import FillJob
from .console import ProgressStyle, follow

# typer evaluates these annotations on Python 3.10, where Optional is what it understands.
# ruff: noqa: UP045


def fill(
    image: Annotated[Path, typer.Argument(help="Image file, or folder with one DICOM series.")],
    mask: Annotated[Path, typer.Argument(help="Mask file: 0 = known, anything else = fill.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Filled image; the ending says the format.")],
    method: Annotated[str, typer.Option(help="Method, see 'medinpaint methods'.")] = "auto",
    set_: Annotated[
        Optional[list[str]], typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the method; repeatable.")
    ] = None,
    blend: Annotated[str, typer.Option(help="auto, paste, feather or poisson.")] = "auto",
    label: Annotated[Optional[list[int]], typer.Option(help="Use only this value of the mask; repeatable.")] = None,
    dilate: Annotated[float, typer.Option(metavar="MM", help="Grow the hole by this many mm.")] = 0.0,
    modality: Annotated[Optional[str], typer.Option(help="MR, CT or film; guessed when left out.")] = None,
    guide: Annotated[
        Optional[list[Path]],
        typer.Option(help="Another contrast of the same subject, undamaged in the hole; repeatable."),
    ] = None,
    exemplars: Annotated[Optional[Path], typer.Option(help="Folder with other scans of the same contrast.")] = None,
    self_check: Annotated[
        bool,
        typer.Option("--self-check", help="Try methods on such holes in healthy tissue first; take the best."),
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    seed: Annotated[int, typer.Option(help="For methods with chance in them.")] = 0,
    report: Annotated[Optional[Path], typer.Option(help="Write provenance and facts to this JSON file.")] = None,
    save_mask: Annotated[Optional[Path], typer.Option(help="Write the mask of the filled voxels to this file.")] = None,
    uncertainty: Annotated[Optional[Path], typer.Option(help="Write the uncertainty to this image file.")] = None,
    progress: Annotated[ProgressStyle, typer.Option(help="How to show progress.")] = ProgressStyle.auto,
) -> None:
    """Fill the hole in an image.

    Lesion filling, missing voxels, removal of implants and artifacts: what MASK marks in IMAGE is replaced by plausible
    values, everything else stays bit-identical.
    """

    def work(emit):  # type: ignore[no-untyped-def]
        job = FillJob(
            job="fill",
            image=str(image),
            mask=str(mask),
            output=str(output),
            report=str(report) if report else None,
            uncertainty=str(uncertainty) if uncertainty else None,
            filled_mask=str(save_mask) if save_mask else None,
            labels=label or None,
            dilate_mm=dilate,
            method=method,
            parameters=_assignments(set_ or []),
            blend=blend,
            modality=modality,
            guides=[str(each) for each in guide or []],
            exemplars=str(exemplars) if exemplars else None,
            self_check=self_check,
            device=device,
            seed=seed,
        )
        execute(job, emit)

    follow(work, progress)


def _assignments(texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"--set takes NAME=VALUE; found '{text}'.")
        pairs[name.strip()] = value.strip()
    return pairs
