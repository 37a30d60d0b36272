"""Draw outlines as masks: boxes, ellipses, polygons and lines in pixel coordinates, grown by some pixels.

Coordinates are ``[row, column]``; the centre of the first pixel is at 0. Parts of a shape outside the image are left
out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import ndimage
from skimage import draw, morphology

from MedInpaintLib.errors import ParameterError

#: Rows and columns.
Size = tuple[int, int]
Points = Sequence[Sequence[float]]


def draw_mask(shapes: Sequence[Mapping[str, Any]], size: Size, grow: int = 0) -> np.ndarray:
    """Return the mask of all pixels in any of the shapes, or at most ``grow`` pixels from one.

    Args:
        shapes: each with its outline below its kind, of :data:`SHAPES`, and for a line its ``width``.
        size: of the image.
        grow: pixels.

    Raises:
        ParameterError: a shape is of no known kind.

    >>> int(draw_mask([{"box": [1, 1, 2, 3]}], (4, 5)).sum())
    6
    >>> int(draw_mask([{"box": [1, 1, 1, 1]}], (4, 5), grow=1).sum())  # a cross
    5
    """
    mask = np.zeros(size, dtype=bool)
    for shape in shapes:
        kind = next((each for each in SHAPES if each in shape), None)
        if kind is None:
            raise ParameterError(f"A shape is one of {', '.join(SHAPES)}; found {', '.join(shape)}.")
        options = {name: value for name, value in shape.items() if name != kind}
        mask |= SHAPES[kind](shape[kind], size, **options)
    return ndimage.binary_dilation(mask, morphology.disk(grow)) if grow else mask


def box(corners: Sequence[int], size: Size) -> np.ndarray:
    """Return the mask of a box, given by its first row and column and its last row and column, which belong to it."""
    mask = np.zeros(size, dtype=bool)
    top, left, bottom, right = corners
    mask[max(top, 0) : bottom + 1, max(left, 0) : right + 1] = True
    return mask


def ellipse(values: Sequence[float], size: Size) -> np.ndarray:
    """Return the mask of an ellipse, given by row and column of its centre and its radii along rows and columns."""
    row, column, tall, wide = values
    rows, columns = np.ogrid[: size[0], : size[1]]
    return ((rows - row) / tall) ** 2 + ((columns - column) / wide) ** 2 <= 1


def polygon(corners: Points, size: Size) -> np.ndarray:
    """Return the mask of the pixels whose centres are inside a polygon."""
    return draw.polygon2mask(size, np.asarray(corners, dtype=float))


def line(points: Points, size: Size, *, width: float) -> np.ndarray:
    """Return the mask of the pixels whose centres are at most half of ``width`` from a line through some points."""
    mask = np.zeros(size, dtype=bool)
    rows, columns = np.ogrid[: size[0], : size[1]]
    for (row, column), (next_row, next_column) in itertools.pairwise(points):
        along_rows, along_columns = next_row - row, next_column - column
        length = along_rows**2 + along_columns**2
        # How far along the piece the nearest point of it is, 0 to 1; a piece without length is a point.
        share = ((rows - row) * along_rows + (columns - column) * along_columns) / (length or 1)
        share = np.clip(share, 0, 1)
        squared = (rows - row - share * along_rows) ** 2 + (columns - column - share * along_columns) ** 2
        mask |= squared <= (width / 2) ** 2
    return mask


#: Kind of shape -> function that draws it.
SHAPES: Mapping[str, Callable[..., np.ndarray]] = {"box": box, "ellipse": ellipse, "polygon": polygon, "line": line}
