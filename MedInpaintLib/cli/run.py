"""``medinpaint run``: execute a job file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..job import execute, read
from .console import HowToShow, ProgressStyle, follow


def run(
    job: Annotated[Path, typer.Argument(help="Job file (JSON).")],
    progress: HowToShow = ProgressStyle.auto,
) -> None:
    """Execute a job file, as the Slicer panel does."""
    follow(lambda emit: execute(read(job), emit), progress)
