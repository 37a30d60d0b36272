"""The ``medinpaint`` command (needs the extra ``cli``: typer and rich)."""

from __future__ import annotations

import sys

from ..streams import opened
from ..threads import one_for_blas


def main() -> None:
    """Run the ``medinpaint`` command."""
    one_for_blas()
    try:
        import typer  # noqa: F401
    except ImportError:
        sys.exit("The medinpaint command needs typer and rich; install them with: pip install 'medinpaint[cli]'")
    opened()
    from .app import app

    app()
