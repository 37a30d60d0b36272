"""The study `latent-training`: clusters.py and measure.py train and measure, page.py writes the page."""

from .page import main, text

__all__ = ["main", "text"]
