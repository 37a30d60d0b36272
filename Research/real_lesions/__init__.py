"""The study `real-lesions`: heads and holes make the cases, measure fills and scores, page writes the page."""

from .page import main, text

__all__ = ["main", "text"]
