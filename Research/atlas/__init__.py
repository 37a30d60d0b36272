"""The study `atlas`: holes.py makes holes, measure.py fills and scores them, page.py writes the page."""

from .page import main, text

__all__ = ["main", "text"]
