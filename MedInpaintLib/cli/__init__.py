"""The ``medinpaint`` command (needs the extra ``cli``: typer and rich)."""

from __future__ import annotations

import sys

from ..starting import CANCELLED, end_in_one_line
from ..streams import opened
from ..threads import one_for_blas


def main() -> None:
    """Run the ``medinpaint`` command."""
    end_in_one_line(2, CANCELLED)
    opened()  # first of all that opens files: a closed standard stream's number would go to the next one
    one_for_blas()
    from ..signals import end_this_process_on_signals

    end_this_process_on_signals(lambda message: print(message, file=sys.stderr, flush=True))
    try:
        import typer  # noqa: F401
    except ImportError:
        sys.exit("The medinpaint command needs typer and rich; install them with: pip install typer rich")
    from .app import app

    app()
