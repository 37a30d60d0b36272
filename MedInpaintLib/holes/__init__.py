"""Synthetic holes: spheres, squares, strips, strokes, blobs and lesions at random places, the same for the same seed.

>>> from MedInpaintLib.holes import place
>>> labels = place("spheres:20mm:2", (64, 64, 64), spacing=(1, 1, 1), seed=0)
>>> int(labels.max())
2

A shape is one file with one class that draws one hole; adding one is adding that file and a line to the grammar.
Training draws from the same classes as the evaluation.
"""

from .blobs import Blobs
from .grammar import file_of, grammar, is_spec, parse, taken_from
from .grid import Grid
from .length import Length
from .lesions import Lesions
from .place import place
from .shape import Shape
from .spheres import Spheres
from .squares import Squares
from .strips import Strips
from .strokes import Strokes

__all__ = [
    "Blobs",
    "Grid",
    "Length",
    "Lesions",
    "Shape",
    "Spheres",
    "Squares",
    "Strips",
    "Strokes",
    "file_of",
    "grammar",
    "is_spec",
    "parse",
    "place",
    "taken_from",
]
