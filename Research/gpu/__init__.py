"""The study `gpu`: measure.py fills and trains on two devices, page.py writes the page."""

from .page import main, text

__all__ = ["main", "text"]
