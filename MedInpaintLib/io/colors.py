"""Color images as one value per voxel: grey ones, and masks from paint programs."""

from __future__ import annotations

import dataclasses

import numpy as np

#: Channels of a mask that differ by less than this share of the range are one: JPEG and color profiles shift them.
NEAR = 0.06
#: A drawing with more colors than this has soft edges between them, or is a photo.
MOST_COLORS = 20
#: A drawing's background covers at least this share.
BACKGROUND = 0.3


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A mask from a paint program.

    Attributes:
        values: one value per voxel, 0 = background.
        names: of the colors, where the values are their numbers.
        note: what was taken as the mark, in a line; empty for grey ones.
    """

    values: np.ndarray
    names: dict[int, str] = dataclasses.field(default_factory=dict)
    note: str = ""


def grey_of(array: np.ndarray) -> np.ndarray | None:
    """Return one channel of an image whose color channels are equal and whose opacity is constant; None for others.

    Args:
        array: channels on the last axis: grey and opacity, RGB, or RGB and opacity.

    >>> grey_of(np.full((2, 2, 3), 7)).tolist()
    [[7, 7], [7, 7]]
    """
    colors, opacity = _split(array)
    if colors is None or (opacity is not None and not _is_constant(opacity)):
        return None
    first = colors[..., 0]
    if any(not np.array_equal(first, colors[..., channel], equal_nan=True) for channel in range(1, colors.shape[-1])):
        return None
    return np.ascontiguousarray(first)


def drawing_of(array: np.ndarray) -> Drawing | None:
    """Return a mask that was drawn in a paint program as one value per voxel; None where no background is found.

    Args:
        array: channels on the last axis, as in :func:`grey_of`.
    """
    grey = grey_of(array)
    if grey is not None:
        return Drawing(grey)
    colors, opacity = _split(array)
    if colors is None:
        return None
    if opacity is not None and not _is_constant(opacity):
        if _spread(colors[opacity >= opacity.max() / 2]) <= NEAR:
            return Drawing(opacity, note="It is drawn on a transparent background: what is opaque is marked.")
        share = opacity / opacity.max()
        colors = np.rint(colors * share[..., np.newaxis]).astype(colors.dtype)
    if _spread(colors, axis=-1) <= NEAR:
        return Drawing(colors.max(axis=-1))
    return _in_colors(colors)


def _in_colors(colors: np.ndarray) -> Drawing | None:
    """Read a drawing in color by how far each voxel is from the background, or from color to color."""
    unique, where, counts = np.unique(
        colors.reshape(-1, colors.shape[-1]), axis=0, return_inverse=True, return_counts=True
    )
    where = where.reshape(colors.shape[:-1])
    background = int(np.argmax(counts))
    if counts[background] < BACKGROUND * where.size:
        return None
    away = unique.astype(np.float64) - unique[background]
    far = np.abs(away).max(axis=1)
    strong = far >= 0.5 * far.max()
    main = away[strong].mean(axis=0)
    main /= np.abs(main).max() or 1.0
    along = away @ main / (main @ main)
    aside = np.abs(away - along[:, np.newaxis] * main).max(axis=1)
    if counts[aside > 4 * NEAR * far.max()].sum() <= 0.01 * counts[far > NEAR * far.max()].sum():
        values = np.clip(np.rint(along / along.max() * 255), 0, 255).astype(np.uint8)
        return Drawing(values[where], note="It is drawn in color: what differs from the background is marked.")
    if len(unique) > MOST_COLORS:
        return None
    numbers = np.zeros(len(unique), np.uint8)
    numbers[np.arange(len(unique)) != background] = np.arange(1, len(unique))
    names = {int(number): _hex(color) for number, color in zip(numbers, unique, strict=True) if number}
    return Drawing(numbers[where], names, "It is drawn in several colors: each is a label.")


def _split(array: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return colors and opacity; None for what is missing."""
    channels = array.shape[-1]
    if channels not in (2, 3, 4):
        return None, None
    return (array, None) if channels == 3 else (array[..., :-1], array[..., -1])


def _is_constant(array: np.ndarray) -> bool:
    return bool((array == array.flat[0]).all())


def _spread(colors: np.ndarray, axis: int = 0) -> float:
    """Return by how much the colors differ along an axis, as a share of the highest value that their type allows."""
    most = np.iinfo(colors.dtype).max if colors.dtype.kind in "iu" else max(float(np.abs(colors).max()), 1e-30)
    return float((colors.max(axis=axis).astype(np.float64) - colors.min(axis=axis)).max() / most)


def _hex(color: np.ndarray) -> str:
    return "#" + "".join(f"{int(channel):02x}" for channel in color)
