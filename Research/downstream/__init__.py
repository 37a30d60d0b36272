"""The study `downstream`: what lesions, and their fills, do to what is measured in the rest of the head.

lesions.py makes lesions of real shapes, arms.py fills them; volumes.py, registration.py and extraction.py measure;
measure.py runs what is missing, page.py writes the page.
"""

from .page import main, text

__all__ = ["main", "text"]
