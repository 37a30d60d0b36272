"""Cuts of an image as pictures: grey in one window, uncertainty in colours, and the outline of the hole."""

from __future__ import annotations

import base64
import dataclasses

import numpy as np

from ..data_range import data_range_of
from ..intensity import sample_known
from ..mask import Hole
from ..modality import Modality
from ..volume import Volume
from . import png

#: Colours of the uncertainty from none to most: dark blue, green, yellow; of even steps in lightness.
COLOURS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
#: The grey value that stands for no data; known voxels have 1 to 255.
NO_DATA = 0


@dataclasses.dataclass(frozen=True)
class Window:
    """Intensities that are shown black and white.

    >>> Window(0.0, 100.0).pixels(np.array([[-5.0, 50.0, 100.0, np.nan]])).tolist()
    [[1, 128, 255, 0]]
    """

    black: float
    white: float

    @classmethod
    def of(cls, image: Volume, hole: Hole, no_data: np.ndarray | None, modality: str) -> Window:
        """Return the window of an image's known voxels: the range of its scores. What the hole hides has no part."""
        known = sample_known(image.array, hole.voxels, hole.box, no_data)
        known = known[np.isfinite(known)]
        if known.size == 0:
            return cls(0.0, 1.0)
        shown = data_range_of(known, Modality.of(modality), image.array.dtype)
        return cls(shown.black, shown.black + shown.width)

    def pixels(self, values: np.ndarray, no_data: np.ndarray | None = None) -> np.ndarray:
        """Return intensities as uint8: 1 is black, 255 is white, :data:`NO_DATA` is neither."""
        with np.errstate(over="ignore", invalid="ignore"):  # what is not known may be any number
            share = (values.astype(np.float64) - self.black) / (self.white - self.black)
        empty = np.isnan(share) if no_data is None else np.isnan(share) | no_data
        share = np.clip(np.where(empty, 0.0, share), 0.0, 1.0)
        return np.where(empty, NO_DATA, 1 + np.rint(share * 254)).astype(np.uint8)


def grey_uri(pixels: np.ndarray) -> str:
    """Return a picture of :meth:`Window.pixels` as a data URI; pixels without data are see-through."""
    return _uri(png.grey(pixels, transparent=NO_DATA if (pixels == NO_DATA).any() else None))


def spread_uri(spread: np.ndarray, hole: np.ndarray, most: float) -> str:
    """Return an uncertainty in colours as a data URI; see-through outside the hole.

    Args:
        spread: in the image's units.
        hole: bool, where there is one.
        most: the uncertainty with the last colour.
    """
    share = np.clip(spread.astype(np.float64) / most, 0.0, 1.0)
    return _uri(png.coloured(np.where(hole, 1 + np.rint(share * 254), 0).astype(np.uint8), _palette()))


def outline(hole: np.ndarray) -> str:
    """Return the outline of a hole along the borders of its pixels, as the path of an SVG; a pixel is one unit.

    >>> outline(np.array([[False, True, True]]))
    'M1 0H3M1 1H3M1 0V1M3 0V1'
    """
    across = [f"M{start} {row}H{stop}" for row, start, stop in _edges(hole)]
    down = [f"M{column} {start}V{stop}" for column, start, stop in _edges(hole.T)]
    return "".join(across + down)


def _edges(hole: np.ndarray) -> list[tuple[int, int, int]]:
    """Return the runs of borders between rows: the row below, the first column, and the one after the last."""
    borders = np.diff(hole, axis=0, prepend=False, append=False)
    runs = np.diff(borders.astype(np.int8), axis=1, prepend=0, append=0)
    rows, starts = np.nonzero(runs > 0)
    _, stops = np.nonzero(runs < 0)
    return list(zip(rows.tolist(), starts.tolist(), stops.tolist(), strict=True))


def _palette() -> np.ndarray:
    places = np.linspace(0, len(COLOURS) - 1, 255)
    channels = [np.interp(places, range(len(COLOURS)), [colour[channel] for colour in COLOURS]) for channel in range(3)]
    return np.vstack([np.zeros(3), np.rint(np.stack(channels, axis=1))]).astype(np.uint8)


def _uri(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")
