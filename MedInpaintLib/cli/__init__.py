"""The ``medinpaint`` command (needs the extra ``cli``: typer and rich)."""

from __future__ import annotations

import io
import sys

from ..starting import CANCELLED, end_in_one_line
from ..threads import one_for_blas


def main() -> None:
    """Run the ``medinpaint`` command."""
    end_in_one_line(2, CANCELLED)
    one_for_blas()
    from ..signals import end_this_process_on_signals

    end_this_process_on_signals(lambda message: print(message, file=sys.stderr, flush=True))
    try:
        import typer  # noqa: F401
    except ImportError:
        sys.exit("The medinpaint command needs typer and rich; install them with: pip install 'medinpaint[cli]'")
    from .app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Tables hold signs such as ± and Δ, which not every terminal can show: '?' is better than a crash.
            stream.reconfigure(errors="replace")
    app()
