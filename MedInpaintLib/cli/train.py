"""``medinpaint train``: make a model by a recipe."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from ..job import guarded
from .console import HowToShow, ProgressStyle, follow, show


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe that comes with MedInpaint, or a TOML file.")],
    data: Annotated[Path, typer.Option(help="MANIFEST.csv, the folder that holds it, or a plain folder of images.")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints, logs and the finished model.")],
    accelerator: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    devices: Annotated[int, typer.Option(min=1, help="How many of them.")] = 1,
    precision: Annotated[str, typer.Option(help="32, or bf16 on a GPU.")] = "32",
    cache: Annotated[Path | None, typer.Option(help="Folder for damaged images, which trainings can share.")] = None,
    progress: HowToShow = ProgressStyle.auto,
) -> None:
    """Train a model on undamaged images. A training that was stopped goes on where it was."""

    def work(emit):  # type: ignore[no-untyped-def]
        from ..progress import Progress
        from ..training.recipe import read_recipe
        from ..training.run import run

        bundle = run(
            read_recipe(recipe),
            data,
            out,
            accelerator=accelerator,
            devices=devices,
            precision=precision,
            cache=cache,
            progress=Progress(
                lambda fraction, stage: emit({"event": "progress", "fraction": fraction, "stage": stage})
            ),
        )
        if bundle is None:
            return
        score = bundle.scores[0]
        text = (
            f"{bundle.folder}\n"
            f"  {bundle.title}, {bundle.megabytes:.1f} MB, {score['psnr']:.2f} dB ({score['protocol']})\n"
            f"  To use it by name: medinpaint models add '{bundle.folder}'"
        )
        emit({"event": "table", "text": text})

    if os.environ.get("LOCAL_RANK", "0") != "0":  # one of several processes, the first of which tells the user
        raise typer.Exit(guarded(lambda: work(_errors_only), _errors_only))
    follow(work, progress)


def _errors_only(event: dict[str, Any]) -> None:
    if event["event"] == "error":
        show(event)
