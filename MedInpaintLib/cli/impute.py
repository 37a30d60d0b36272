"""``medinpaint impute``: estimate a missing contrast from others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..errors import ParameterError
from ..job import execute
from ..jobs.fill import FillJob
from ..jobs.impute import ImputeJob
from ..modality import MR
from .console import HowToShow, ProgressStyle, follow
from .options import labels_of

# typer evaluates these annotations on Python 3.10, where Optional is what it understands.
# ruff: noqa: UP045


def impute(
    images: Annotated[
        list[str],
        typer.Argument(metavar="CONTRAST=IMAGE...", help="The contrasts there are: T1=t1.nii.gz T2=t2.nii.gz"),
    ],
    target: Annotated[str, typer.Option(help="The contrast that is wanted.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Estimated image; the ending says the format.")],
    model: Annotated[str, typer.Option(help="Model by name or folder; see 'medinpaint models list'.")] = "auto",
    reference: Annotated[
        Optional[str], typer.Option(help="Contrast whose grid the result has; the first one when left out.")
    ] = None,
    register: Annotated[bool, typer.Option("--register", help="Lay the others rigidly over the reference.")] = False,
    like: Annotated[
        Optional[Path], typer.Option(help="Image of the wanted contrast whose intensities the result is to have.")
    ] = None,
    repair: Annotated[
        Optional[Path], typer.Option(help="Damaged image of the wanted contrast: only its hole is replaced.")
    ] = None,
    mask: Annotated[Optional[Path], typer.Option(help="With --repair: the hole; anything but 0 = replace.")] = None,
    label: Annotated[
        Optional[list[str]], typer.Option(help="With --repair: use only this label of the mask; repeatable.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Use images that look flipped, misplaced, of another subject or no MR.")
    ] = False,
    allow_outside_data: Annotated[
        bool, typer.Option("--allow-outside-data", help="Read voxels that a header takes from outside its folder.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    report: Annotated[Optional[Path], typer.Option(help="Write provenance and facts to this JSON file.")] = None,
    progress: HowToShow = ProgressStyle.auto,
) -> None:
    """Estimate a contrast that was not acquired from others of the same subject, or repair a damaged one.

    The result is on the grid of the reference. With --repair and --mask, the damaged image stays bit-identical outside
    the mask.
    """

    def work(emit):  # type: ignore[no-untyped-def]
        sources = _named(images)
        if (repair is None) != (mask is None):
            raise ParameterError("Give --repair and --mask together: the damaged image, and the hole in it.")
        report_path = str(report) if report else None
        if repair is not None:
            unused = {"--reference": reference, "--register": register, "--like": like}
            conflicts = [name for name, value in unused.items() if value]
            if conflicts:
                raise ParameterError(
                    f"{conflicts[0]} has no meaning with --repair: the result is the damaged image, repaired."
                )
            job = FillJob(
                job="fill",
                image=str(repair),
                mask=str(mask),
                labels=labels_of(label),
                output=str(output),
                report=report_path,
                method="collagan",
                modality=MR.name,
                force=force,
                allow_outside_data=allow_outside_data,
                parameters={"target": target, "guides": ",".join(sources), "model": model},
                guides=list(sources.values()),
                device=device,
            )
            execute(job, emit)
            return
        estimate = ImputeJob(
            job="impute",
            images=sources,
            target=target,
            output=str(output),
            report=report_path,
            like=str(like) if like else None,
            model=model,
            reference=reference,
            register=register,
            force=force,
            allow_outside_data=allow_outside_data,
            device=device,
        )
        execute(estimate, emit)

    follow(work, progress)


def _named(texts: list[str]) -> dict[str, str]:
    """Map each contrast to its image."""
    named: dict[str, str] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or not name.strip() or not path.strip():
            raise ParameterError(f"Each image is given as CONTRAST=IMAGE, for example T1=t1.nii.gz; found '{text}'.")
        if name.strip() in named:
            raise ParameterError(f"The contrast {name.strip()} was given twice.")
        named[name.strip()] = path.strip()
    return named
