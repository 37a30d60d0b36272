"""``medinpaint evaluate``: score methods on synthetic holes in a healthy image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..modality import MODALITIES
from .console import HowToShow, ProgressStyle, follow

# ruff: noqa: UP045


def evaluate(
    image: Annotated[Path, typer.Argument(help="A healthy image, file or folder with one DICOM series.")],
    holes: Annotated[
        str, typer.Option(help="What to cut out, SHAPE:SIZE[:COUNT][:OPTION...], or a mask file.")
    ] = "spheres:20mm:6",
    method: Annotated[
        Optional[list[str]],
        typer.Option("--method", help="A method to score; repeatable. Default: harmonic, biharmonic."),
    ] = None,
    convention: Annotated[str, typer.Option(help="masked, brats or rfr-report.")] = "masked",
    data_range: Annotated[Optional[float], typer.Option(help="R of PSNR and SSIM, in the image's intensities.")] = None,
    avoid: Annotated[
        Optional[Path], typer.Option(help="Mask of places where no hole may lie, such as lesions.")
    ] = None,
    modality: Annotated[Optional[str], typer.Option(help=f"{', '.join(MODALITIES)}; guessed when left out.")] = None,
    series: Annotated[
        Optional[str], typer.Option(help="Which DICOM series: number, UID or part of its description.")
    ] = None,
    allow_outside_data: Annotated[
        bool, typer.Option("--allow-outside-data", help="Read voxels that a header takes from outside its folder.")
    ] = False,
    split: Annotated[str, typer.Option(help="Split that the image belongs to, for the table.")] = "not stated",
    seed: Annotated[int, typer.Option(help="For the places of the holes.")] = 0,
    csv: Annotated[Optional[Path], typer.Option(help="Write one row a hole and method to this file.")] = None,
    markdown: Annotated[bool, typer.Option(help="Print the table as Markdown.")] = False,
    progress: HowToShow = ProgressStyle.auto,
) -> None:
    """Cut synthetic holes into a healthy image, fill them, and print the scores, paired hole by hole.

    Holes are written SHAPE:SIZE[:COUNT], such as spheres:20mm:6, squares:32px:4, strips:16px:2:horizontal,
    strokes:5-10px:3 or blobs:15mm:5; the whole grammar stands below.
    """

    def work(emit):  # type: ignore[no-untyped-def]
        from ..evaluation import evaluate as run
        from ..files import check_folder
        from ..holes import file_of, is_spec
        from ..jobs.outputs import check_that_nothing_is_overwritten
        from ..progress import Progress

        if csv is not None:
            inputs = {"image": image, "mask of holes": file_of(holes), "mask of what to avoid": avoid}
            check_that_nothing_is_overwritten(
                {name: str(path) for name, path in inputs.items() if path is not None}, {"table": str(csv)}
            )
            check_folder(csv)
        table = run(
            image,
            holes=holes if is_spec(holes) else Path(holes),
            methods=method or ("harmonic", "biharmonic"),
            convention=convention,
            data_range=data_range,
            avoid=avoid,
            modality=modality,
            series=series,
            allow_outside_data=allow_outside_data,
            split=split,
            seed=seed,
            progress=Progress(
                lambda fraction, stage: emit({"event": "progress", "fraction": fraction, "stage": stage})
            ),
        )
        if csv is not None:
            table.to_csv(csv)
        emit({"event": "table", "text": table.to_markdown() if markdown else table.to_text()})

    follow(work, progress)
