"""The command `consensus-weights`: measure.py samples fills, fit.py learns from them, judge.py tests it."""

from .command import main

__all__ = ["main"]
