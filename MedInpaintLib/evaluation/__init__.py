"""Evaluation: synthetic holes in healthy images, fills by every method, paired tables, figures.

>>> from MedInpaintLib.evaluation import evaluate
>>> print(evaluate("t1.nii.gz", holes="spheres:20mm:6", methods=["harmonic", "biharmonic"]))  # doctest: +SKIP
"""

from .figure import save_figure
from .protocol import evaluate
from .report import Table

__all__ = ["Table", "evaluate", "save_figure"]
