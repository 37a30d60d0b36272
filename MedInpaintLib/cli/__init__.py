"""The ``medinpaint`` command (needs the extra ``cli``: typer and rich)."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the ``medinpaint`` command."""
    try:
        import typer  # noqa: F401
    except ImportError:
        sys.exit("The medinpaint command needs typer and rich; install them with: pip install 'medinpaint[cli]'")
    from .app import app

    app()
