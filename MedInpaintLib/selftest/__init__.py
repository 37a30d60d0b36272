"""Quick self-tests of blends, metrics and losses against closed-form truths.

They need no test framework and no files, so they run wherever the engine does, Slicer's Python included.

>>> all(passed for name, passed, detail in run())
True
"""

from __future__ import annotations

import importlib.util

from . import blends, losses, scores
from .check import CHECKS, TOLERANCE

__all__ = ["blends", "losses", "run", "scores"]


def run() -> list[tuple[str, bool, str]]:
    """Run all checks; takes well under a second once PyTorch is imported.

    Returns:
        ``(name, passed, detail)`` for each. A check that crashes fails, with the error as the detail. One whose package
        is not installed passes, and its detail says that it was left out.
    """
    outcomes = []
    for name, needs, check in CHECKS:
        if needs and importlib.util.find_spec(needs) is None:
            outcomes.append((name, True, f"left out: {needs} is not installed"))
            continue
        try:
            deviation = check()
        except Exception as error:
            outcomes.append((name, False, f"{type(error).__name__}: {error}"))
        else:
            # NaN compares false, so a check that gives NaN fails.
            outcomes.append((name, bool(deviation <= TOLERANCE), f"deviation {deviation:.2g}"))
    return outcomes
