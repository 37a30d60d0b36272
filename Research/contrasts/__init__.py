"""The study `contrasts`: measure.py estimates and scores, page.py writes the page."""

from .page import main

__all__ = ["main"]
