"""``medinpaint experiment``: the tables and figures of the documentation, made again."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from .console import ProgressStyle, follow

# ruff: noqa: UP045


def experiment(
    context: typer.Context,
    name: Annotated[Optional[str], typer.Argument(help="Which; without it, all are listed.")] = None,
) -> None:
    """Run an experiment over many images and write its page: tables, plots, pictures, and what was found.

    All take --data DATA, a folder with MANIFEST.csv. Options stand after the name; for those of an experiment write:
    medinpaint experiment NAME -- --help. One that was stopped goes on where it was.
    """
    from ..errors import ParameterError
    from ..evaluation.experiments import EXPERIMENTS, run

    if name is None:
        width = max(map(len, EXPERIMENTS))
        typer.echo("\n".join(f"{each:{width}}  {about}" for each, about in EXPERIMENTS.items()))
        return

    def work(emit):  # type: ignore[no-untyped-def]
        if name not in EXPERIMENTS:
            raise ParameterError(f"There is no experiment '{name}'; the experiments are: {', '.join(EXPERIMENTS)}.")
        run(name, context.args)

    follow(work, ProgressStyle.none)
