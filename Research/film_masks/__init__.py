"""The study `film-masks`: fills under masks that users have on chest films, which have no truth to compare with.

masks.toml holds the films and outlines, cases.py reads them, masks.py draws them, measure.py fills, picture.py draws
the fills, page.py writes the page.
"""

from .page import main, text

__all__ = ["main", "text"]
