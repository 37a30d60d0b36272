"""The study `latent-search`: measure.py fills and scores, page.py writes the page."""

from .page import cards, main, text

__all__ = ["cards", "main", "text"]
