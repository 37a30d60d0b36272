"""The study `real-lesions`: heads.py and holes.py make cases, measure.py fills and scores, page.py writes the page."""

from .page import main, text

__all__ = ["main", "text"]
