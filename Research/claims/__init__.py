"""The page `claims.md`: what the sources of the project claim, and what was found here.

claims.toml holds the claims, claim.py reads them, measured.py compares what the tables of scores hold, page.py writes.
"""

from .page import main, text

__all__ = ["main", "text"]
