"""The study `uncertainty`: table.py counts the errors within, figure.py draws, page.py writes the page."""

from .page import main, text

__all__ = ["main", "text"]
