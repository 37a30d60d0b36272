"""The study `tissue-volumes`: what lesions, and their fills, do to the volumes of grey and white matter.

segmentation.py tells three tissues apart, lesions.py makes lesions of real shapes, measure.py fills and measures,
page.py writes the page.
"""

from .page import main, text

__all__ = ["main", "text"]
