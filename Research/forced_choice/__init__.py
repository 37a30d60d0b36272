"""The study `forced-choice`: a true and a filled picture of one hole, and which of them is the truth.

measure.py fills, classifier.py is what judges, judge.py asks it; blinded.py asks people, choices.py counts their
answers; page.py writes the page, and command.py runs all of it.
"""

from .command import main
from .page import text

__all__ = ["main", "text"]
