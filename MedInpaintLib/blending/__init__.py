"""Blending: how a prediction is put into the image. Known voxels always stay as they are.

Every function takes a prediction and the image, float arrays of one shape, and the hole (bool, True = fill), and
returns a new float array that equals the image outside the hole, bit for bit.
"""

from .feather import feather
from .paste import paste
from .poisson import poisson

__all__ = ["feather", "paste", "poisson"]
