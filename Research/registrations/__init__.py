"""The study `registrations`: start.py begins alike, algorithms.py has the arms, measure.py scores, page.py writes."""

from .page import main, text

__all__ = ["main", "text"]
