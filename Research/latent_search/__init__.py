"""The study `latent-search`: measure.py fills and scores, page.py writes the page."""

from .page import main

__all__ = ["main"]
