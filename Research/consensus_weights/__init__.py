"""The command `consensus-weights`: measure.py samples fills of train people, fit.py learns from them, judge.py tests it."""

from .command import main

__all__ = ["main"]
