"""The command `uncertainty-constants`: measure.py samples errors, fit.py learns from them, judge.py tests coverage."""

from .command import main

__all__ = ["main"]
