"""``medinpaint check``: what MedInpaint runs on, and whether all that it needs is there."""

from __future__ import annotations

import typer

from .. import diagnosis


def check() -> None:
    """Check the installation: versions, devices, memory, models. Copy what it prints into a question about it.

    The exit code is 1 where something that MedInpaint needs is missing or broken.
    """
    raise typer.Exit(diagnosis.main())
