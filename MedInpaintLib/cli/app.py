"""The command and its subcommands, one file each."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from .. import __version__
from ..holes import grammar
from .atlas_edges import atlas_edges
from .bids import BidsCommand, bids
from .check import check
from .cohort import cohort
from .console import Commands
from .demo import demo
from .evaluate import evaluate
from .fill import fill
from .fill_together import fill_together
from .impute import impute
from .lesion_back import lesion_back
from .methods import methods
from .models import models
from .run import run
from .train import train

app = typer.Typer(
    name="medinpaint",
    cls=Commands,
    help="Fill holes in medical images: lesions, implants, dropouts, missing slices. "
    "Research software, not for clinical use.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(fill)
app.command()(fill_together)
app.command()(cohort)
app.command(cls=BidsCommand)(bids)
app.command()(impute)
app.command("lesion-back")(lesion_back)
app.command("atlas-edges")(atlas_edges)
app.command(epilog=grammar().replace("\n", "\n\n"))(evaluate)
app.command()(methods)
app.add_typer(models, name="models")
app.command()(demo)
app.command()(check)
app.command()(train)
app.command()(run)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"medinpaint {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        Optional[bool],  # noqa: UP045 - typer on Python 3.10 evaluates it
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave."),
    ] = None,
) -> None: ...
